//! Drop-in listeners: what existing scripts send to Sensu, Alertmanager or `StatsD`, taken in on loopback.
//!
//! Each is off unless configured. Connections, sizes, times and queues are bounded; whatever comes in is
//! one more observation, judged as those of the agent's own checks.

pub mod alertmanager;
mod http;
mod refusals;
pub mod result;
pub mod sensu;
mod socket;
pub mod statsd;

use std::net::SocketAddr;

use tokio::net::{TcpListener, UdpSocket};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use crate::config::ListenConfig;
use crate::platform;
use http::Api;
pub(crate) use refusals::Refusals;
pub use result::{ExternalResult, ResultError, Said};
use statsd::Measured;

/// Messages that wait for the agent; a sender waits for a place, a datagram without one is dropped.
const INBOX_LEN_MAX: usize = 1_024;
/// How long a sender waits for its answer.
const ANSWER_TIME_MAX: std::time::Duration = std::time::Duration::from_secs(5);

/// What comes in.
#[derive(Debug)]
pub(crate) enum Arrival {
    /// Results that came in together, and whom to answer.
    Results(Vec<ExternalResult>, Answering),
    /// Somebody asks how the agent is.
    Asked(oneshot::Sender<String>),
}

/// Whom to tell what became of results.
#[derive(Debug)]
pub(crate) enum Answering {
    /// Whoever sent them waits.
    Sender(oneshot::Sender<Result<Answer, Unanswered>>),
    /// Whoever sent them cannot be asked who it is: the log has what was refused.
    Log(Refusals),
}

/// What became of results.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Answer {
    /// Why some were not taken, a line each.
    pub(crate) refused: Vec<String>,
}

/// Where listeners put results.
#[derive(Clone, Debug)]
pub(crate) struct Inbox(mpsc::Sender<Arrival>);

/// Why there is no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Unanswered {
    /// Too many wait.
    #[error("too many results wait")]
    Busy,
    /// What came would be lost with the next crash.
    #[error("the agent cannot write to its disk")]
    NotKept,
}

impl Inbox {
    pub(crate) fn new() -> (Self, mpsc::Receiver<Arrival>) {
        let (sender, receiver) = mpsc::channel(INBOX_LEN_MAX);
        (Self(sender), receiver)
    }

    /// Hands results over and waits for what becomes of them.
    async fn submit(&self, results: Vec<ExternalResult>) -> Result<Answer, Unanswered> {
        let (answer, answered) = oneshot::channel();
        let arrival = Arrival::Results(results, Answering::Sender(answer));
        self.ask(arrival, answered).await?
    }

    /// The text of `/metrics`.
    async fn figures(&self) -> Result<String, Unanswered> {
        let (answer, answered) = oneshot::channel();
        self.ask(Arrival::Asked(answer), answered).await
    }

    async fn ask<A>(
        &self,
        arrival: Arrival,
        answered: oneshot::Receiver<A>,
    ) -> Result<A, Unanswered> {
        let handed = async {
            self.0
                .send(arrival)
                .await
                .map_err(|_closed| Unanswered::Busy)?;
            answered.await.map_err(|_dropped| Unanswered::Busy)
        };
        timeout(ANSWER_TIME_MAX, handed)
            .await
            .map_err(|_elapsed| Unanswered::Busy)?
    }

    /// Hands results over if there is room; what is refused of them is told there.
    fn offer(&self, results: Vec<ExternalResult>, refusals: &Refusals) -> Result<(), Unanswered> {
        let arrival = Arrival::Results(results, Answering::Log(refusals.clone()));
        self.0.try_send(arrival).map_err(|_full| Unanswered::Busy)
    }
}

/// Why an address is not listened on.
#[derive(Debug, thiserror::Error)]
#[error("cannot listen on {address} for {what}")]
pub struct ListenError {
    /// Which address.
    pub address: SocketAddr,
    /// Whose messages were to come there.
    pub what: &'static str,
    /// The system's reason.
    #[source]
    pub source: std::io::Error,
}

/// Listeners at work. They end when dropped.
#[derive(Debug)]
pub(crate) struct Listeners {
    tasks: JoinSet<()>,
    stop: CancellationToken,
    /// The addresses that they got, in the order of the configuration.
    pub(crate) addresses: Vec<SocketAddr>,
}

impl Listeners {
    /// Binds every configured address and begins to take results in.
    ///
    /// # Errors
    /// When one cannot be bound; then none is served.
    pub(crate) async fn start(
        config: &ListenConfig,
        inbox: &Inbox,
        measured: &Measured,
    ) -> Result<Self, ListenError> {
        let mut listeners = Self {
            tasks: JoinSet::new(),
            stop: CancellationToken::new(),
            addresses: Vec::new(),
        };
        let host = platform::host_name();
        let http = [
            (&config.sensu_events, Api::SensuEvents),
            (&config.alertmanager, Api::Alertmanager),
        ];
        for (addresses, api) in http {
            for address in addresses {
                let listener = listeners.tcp(*address, api.what()).await?;
                let (inbox, stop) = (inbox.clone(), listeners.stop.clone());
                let serve = http::serve(listener, api, host.clone(), inbox, stop);
                listeners.tasks.spawn(serve);
            }
        }
        for address in &config.metrics {
            let listener = listeners.tcp(*address, "its metrics").await?;
            let (inbox, stop) = (inbox.clone(), listeners.stop.clone());
            let serve = http::serve_metrics(listener, inbox, stop);
            listeners.tasks.spawn(serve);
        }
        for address in &config.sensu_socket {
            let what = "Sensu's client socket";
            let listener = listeners.tcp(*address, what).await?;
            // With port 0, the datagrams' is the same as that of the connections.
            let bound = listeners.addresses.last().copied().unwrap_or(*address);
            let datagrams = listeners.udp(bound, what).await?;
            listeners.addresses.pop();
            let stop = listeners.stop.clone();
            listeners
                .tasks
                .spawn(socket::serve(listener, host.clone(), inbox.clone(), stop));
            let (inbox, stop) = (inbox.clone(), listeners.stop.clone());
            let serve = socket::serve_datagrams(datagrams, host.clone(), inbox, stop);
            listeners.tasks.spawn(serve);
        }
        for address in &config.statsd {
            let socket = listeners.udp(*address, "StatsD").await?;
            let (measured, stop) = (measured.clone(), listeners.stop.clone());
            let flush = config.statsd_flush;
            listeners
                .tasks
                .spawn(statsd::serve(socket, flush, measured, stop));
        }
        Ok(listeners)
    }

    async fn tcp(
        &mut self,
        address: SocketAddr,
        what: &'static str,
    ) -> Result<TcpListener, ListenError> {
        let refused = |source| ListenError {
            address,
            what,
            source,
        };
        let listener = TcpListener::bind(address).await.map_err(refused)?;
        self.heard(listener.local_addr().map_err(refused)?, what);
        Ok(listener)
    }

    async fn udp(
        &mut self,
        address: SocketAddr,
        what: &'static str,
    ) -> Result<UdpSocket, ListenError> {
        let refused = |source| ListenError {
            address,
            what,
            source,
        };
        let socket = UdpSocket::bind(address).await.map_err(refused)?;
        self.heard(socket.local_addr().map_err(refused)?, what);
        Ok(socket)
    }

    fn heard(&mut self, address: SocketAddr, what: &'static str) {
        tracing::info!(%address, what, "listening");
        self.addresses.push(address);
    }

    /// Takes nothing more in; answers under way are given.
    pub(crate) async fn end(mut self) {
        self.stop.cancel();
        while self.tasks.join_next().await.is_some() {}
    }
}
