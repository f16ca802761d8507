//! The agent as a library: join a Space once, then run until stopped.

use std::path::{Path, PathBuf};
use std::time::Duration;

use aramaki_sync::credential;
use aramaki_sync::keys::{self, KeyFileError};
use aramaki_sync::replica::{Replica, ReplicaError, ReplicaOptions, Spent};
use aramaki_sync::store::Folder;
use aramaki_sync::transport::{AddressError, NetworkOptions, PeerAddress};
use aramaki_sync_core::invitation::{Invitation, InvitationError, Invitee};
use aramaki_sync_core::key::DeviceKeys;
use aramaki_sync_core::{AuthorId, SpaceId};
use tokio_util::sync::CancellationToken;

use crate::actions::Worker;
use crate::config::Config;
use crate::evidence::{Answers, Kept};
use crate::link::Link;
use crate::listen::{Inbox, ListenError, Listeners};
use crate::platform;
use crate::service::Service;
use crate::state::{Saved, StateError};

const KEY_FILE: &str = "agent.key";
/// To whom a host's catalogue of actions must belong.
pub(crate) const ROOT: u32 = 0;
const REPLICA_FOLDER: &str = "replica";

/// How an agent runs.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct AgentOptions {
    /// The folder of its key, replica and state; made if it is not there. One agent at a time.
    pub data: PathBuf,
    /// Its key file or systemd credential, if that is not in the folder.
    pub key: Option<PathBuf>,
    /// What its own machine tells it.
    pub config: Config,
    /// Peers and relays besides those of the configuration and of the Space.
    pub bootstrap: Vec<PeerAddress>,
    /// Joins by this invitation first, if it has no Space yet.
    pub invitation: Option<String>,
}

impl AgentOptions {
    /// An agent that has joined already.
    pub fn new(data: PathBuf, config: Config) -> Self {
        Self {
            data,
            key: None,
            config,
            bootstrap: Vec::new(),
            invitation: None,
        }
    }
}

/// How long joining waits for a peer that lets the agent in; it goes on later by itself.
const JOIN_LIMIT: Duration = Duration::from_mins(1);

/// Who joined what.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Joined {
    /// The agent's own Space.
    pub space: SpaceId,
    /// The agent's key.
    pub agent: AuthorId,
    /// Whether a peer has let it in; if not, it goes on trying while it runs.
    pub complete: bool,
}

/// Why an agent cannot run.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AgentError {
    /// The data folder cannot be made.
    #[error("cannot make the folder {}", path.display())]
    Folder {
        /// Which.
        path: PathBuf,
        /// The system's reason.
        #[source]
        source: std::io::Error,
    },
    /// Its key cannot be used.
    #[error("the agent's key cannot be used")]
    Key(#[source] KeyFileError),
    /// Its state cannot be used.
    #[error(transparent)]
    State(#[from] StateError),
    /// An address of the configuration is none.
    #[error("not a peer's address: {address}")]
    Bootstrap {
        /// Which.
        address: String,
        /// What is wrong with it.
        #[source]
        source: AddressError,
    },
    /// The replica cannot be opened.
    #[error("the replica cannot be opened")]
    Open(#[source] ReplicaError),
    /// Results of other programs cannot be taken in.
    #[error(transparent)]
    Listen(#[from] ListenError),
    /// The text is no invitation.
    #[error("not an invitation")]
    Invitation(#[source] InvitationError),
    /// The invitation is into a System.
    #[error("this invitation is for a person, not for an agent")]
    ForPerson,
    /// The invitation lets nobody in any more.
    #[error("{}", spent(*.0))]
    Spent(Spent),
    /// The invitation was not accepted.
    #[error("cannot join")]
    Join(#[source] ReplicaError),
    /// It has a Space already, another one.
    #[error("this agent belongs to the Space {has} already and cannot join {asked}")]
    OtherSpace {
        /// Its Space.
        has: SpaceId,
        /// That of the invitation.
        asked: SpaceId,
    },
    /// It has a Space, but what it holds of it is gone.
    #[error("{} is missing, or there is no store in it", .path.display())]
    Lost {
        /// The replica's folder.
        path: PathBuf,
    },
    /// It has no Space yet.
    #[error("this agent has not joined a Space yet")]
    NotJoined,
}

/// Joins the Space of an invitation, once; joining the same Space again changes nothing.
///
/// # Errors
/// When the invitation is none, is for another Space than the agent's, or cannot be stored. Nothing
/// changed then.
pub async fn join(options: AgentOptions, invitation: &str) -> Result<Joined, AgentError> {
    let invitation = parse(invitation)?;
    let grant = invitation.grant;
    let mut saved = Saved::read(&options.data)?;
    let opened = Opened::open(&options).await?;
    let mut joined = opened.join(&options.data, &mut saved, invitation).await;
    if let Ok(made) = &mut joined {
        let replica = &opened.replica;
        tokio::select! {
            complete = tokio::time::timeout(JOIN_LIMIT, replica.joined_by(made.space, grant)) => {
                made.complete = matches!(complete, Ok(Ok(())));
            }
            Ok(spent) = replica.spent(made.space, grant) => joined = Err(AgentError::Spent(spent)),
        }
    }
    opened.replica.shutdown().await;
    joined
}

/// Observes this machine until `stop`, also while no peer can be reached.
///
/// # Errors
/// When it has no Space and no valid invitation, or when its folder, key, state or replica cannot
/// be used. What fails later is reported and tried again.
pub async fn run(options: AgentOptions, stop: CancellationToken) -> Result<(), AgentError> {
    let mut saved = Saved::read(&options.data)?;
    let invitation = match (saved.space, &options.invitation) {
        (Some(_), _) => None,
        (None, Some(text)) => Some(parse(text)?),
        (None, None) => return Err(AgentError::NotJoined),
    };
    let path = options.data.join(REPLICA_FOLDER);
    if saved.space.is_some() && !Folder::is_used(&path) {
        return Err(AgentError::Lost { path });
    }
    let opened = Opened::open(&options).await?;
    let replica = opened.replica.clone();
    // Large: what it holds lives as long as the agent.
    let result = Box::pin(async {
        if let Some(invitation) = invitation {
            opened.join(&options.data, &mut saved, invitation).await?;
        }
        let space = saved.space.ok_or(AgentError::NotJoined)?;
        tracing::info!(%space, agent = %opened.agent.short(), "the agent observes");
        let worker = Worker {
            replica: opened.replica.clone(),
            space,
            agent: opened.agent,
            data: options.data.clone(),
            folder: options.config.actions_folder.clone(),
            owner: ROOT,
        };
        let kept = Kept::new(&options.data);
        let answers = Answers::new(kept, opened.replica.clone(), space);
        let link = Link::new(opened.replica, space);
        let (inbox, arrivals) = Inbox::new();
        let listen = options.config.listen.clone();
        let agent = opened.agent;
        let mut service = Service::new(options.data, agent, options.config, saved, link, arrivals);
        let measured = service.observer().measured();
        let listeners = Listeners::start(&listen, &inbox, measured).await?;
        // What the worker does ends with the service, also when that cannot go on.
        let ended = stop.child_token();
        let (served, (), ()) = tokio::join!(
            async {
                let served = service.serve(&stop).await;
                ended.cancel();
                served
            },
            worker.work(&ended),
            answers.work(&ended)
        );
        listeners.end().await;
        Ok(served?)
    })
    .await;
    replica.shutdown().await;
    result
}

fn parse(invitation: &str) -> Result<Invitation, AgentError> {
    let invitation: Invitation = invitation.parse().map_err(AgentError::Invitation)?;
    match invitation.invitee {
        Invitee::Agent => Ok(invitation),
        Invitee::Person | Invitee::Device => Err(AgentError::ForPerson),
    }
}

const fn spent(how: Spent) -> &'static str {
    match how {
        Spent::Used => "this invitation was used by another device",
        Spent::Revoked => "this invitation was revoked, or its time has come",
    }
}

/// The agent's key, if it has one.
pub(crate) fn author(data: &Path, key: Option<&Path>) -> Result<Option<AuthorId>, AgentError> {
    let read = match key {
        Some(named) => credential::read_named(named),
        None => keys::read(&data.join(KEY_FILE), None),
    };
    match read {
        Ok(keys) => Ok(Some(keys.author())),
        Err(KeyFileError::Io { source, .. }) if source.kind() == std::io::ErrorKind::NotFound => {
            Ok(None)
        }
        Err(error) => Err(AgentError::Key(error)),
    }
}

/// An open replica and whose it is.
struct Opened {
    replica: Replica,
    agent: AuthorId,
}

impl Opened {
    async fn open(options: &AgentOptions) -> Result<Self, AgentError> {
        let network = network(options)?;
        let data = &options.data;
        platform::private_folder(data).map_err(|source| AgentError::Folder {
            path: data.clone(),
            source,
        })?;
        let keys: DeviceKeys = match &options.key {
            Some(named) => credential::read_named(named),
            None => keys::read_or_create(&data.join(KEY_FILE), None),
        }
        .map_err(AgentError::Key)?;
        let agent = keys.author();
        let options = ReplicaOptions::new(data.join(REPLICA_FOLDER), keys).network(network);
        let replica = Replica::open(options).await.map_err(AgentError::Open)?;
        Ok(Self { replica, agent })
    }

    async fn join(
        &self,
        data: &Path,
        saved: &mut Saved,
        invitation: Invitation,
    ) -> Result<Joined, AgentError> {
        let agent = self.agent;
        match saved.space {
            // Another code for the same Space lets an agent in again whose access had ended.
            Some(space) if space == invitation.space => {}
            // Where it was never let in it has written nothing: another invitation may be tried.
            Some(has)
                if self
                    .replica
                    .is_joined(has)
                    .await
                    .map_err(AgentError::Join)? =>
            {
                return Err(AgentError::OtherSpace {
                    has,
                    asked: invitation.space,
                });
            }
            Some(_) | None => {}
        }
        let space = self
            .replica
            .join(&invitation)
            .await
            .map_err(AgentError::Join)?;
        saved.space = Some(space);
        saved.write(data)?;
        Ok(Joined {
            space,
            agent,
            complete: false,
        })
    }
}

fn network(options: &AgentOptions) -> Result<NetworkOptions, AgentError> {
    let config = &options.config.network;
    let parse = |address: &String| {
        address.parse().map_err(|source| AgentError::Bootstrap {
            address: address.clone(),
            source,
        })
    };
    let mut bootstrap = config
        .bootstrap
        .iter()
        .map(parse)
        .collect::<Result<Vec<PeerAddress>, _>>()?;
    bootstrap.extend(options.bootstrap.iter().cloned());
    Ok(NetworkOptions {
        bind: config.listen.clone(),
        transport_relays: config.transport_relays.clone(),
        bootstrap,
        local_discovery: config.discover,
        ..NetworkOptions::default()
    })
}
