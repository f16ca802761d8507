//! Checks that need no plugin package: one file each, all of them end as a `Reading`.

mod clock;
mod disk;
mod dns;
mod exposition;
mod file_age;
mod http;
mod load;
mod memory;
mod ping;
mod process;
mod prometheus;
mod reading;
mod statsd;
mod swap;
mod tcp;
mod units;
mod uptime;

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use aramaki_model::{Builtin, Severity};
use aramaki_sync_core::Timestamp;
use tokio::sync::Semaphore;

use crate::listen::statsd::Measured;
use crate::net;
use crate::net::tls::Trust;
use crate::platform::ReadError;
pub(crate) use reading::{Reading, rounded};

/// Readings of this machine that may block at the same time: a network mount can hang for ever.
const BLOCKING_MAX: usize = 16;

/// Runs built-in checks.
#[derive(Debug, Clone)]
pub(crate) struct Builtins {
    blocking: Arc<Semaphore>,
    /// What programs on this machine send as `StatsD` has it.
    pub(crate) measured: Measured,
}

impl Default for Builtins {
    fn default() -> Self {
        Self {
            blocking: Arc::new(Semaphore::new(BLOCKING_MAX)),
            measured: Measured::default(),
        }
    }
}

impl Builtins {
    /// Runs one check to its end or its time limit. A machine or service that was asked over the
    /// network and did not answer in time is critical; a reading of this machine is then unknown.
    pub(crate) async fn run(
        &self,
        builtin: &Builtin,
        timeout: Duration,
        now: Timestamp,
    ) -> Reading {
        let limited = tokio::time::timeout(timeout, self.start(builtin, timeout, now)).await;
        limited.unwrap_or_else(|_elapsed| {
            let severity = if asks_network(builtin) {
                Severity::Critical
            } else {
                Severity::Unknown
            };
            Reading::new(
                severity,
                format!("no answer within {} s", timeout.as_secs_f32()),
            )
        })
    }

    /// Whether a check cannot say anything yet: what it looks at comes by itself, and was not awaited for long
    /// enough since this process began.
    pub(crate) fn is_too_early(&self, builtin: &Builtin) -> bool {
        match builtin {
            Builtin::Statsd { metric, .. } => self.measured.is_too_early(metric, Instant::now()),
            _ => false,
        }
    }

    async fn start(&self, builtin: &Builtin, timeout: Duration, now: Timestamp) -> Reading {
        match builtin.clone() {
            Builtin::Load(thresholds) => self.blocking(move || load::check(&thresholds)).await,
            Builtin::Memory(thresholds) => self.blocking(move || memory::check(&thresholds)).await,
            Builtin::Swap(thresholds) => self.blocking(move || swap::check(&thresholds)).await,
            Builtin::Uptime(thresholds) => self.blocking(move || uptime::check(&thresholds)).await,
            Builtin::Disk {
                path,
                space,
                inodes,
            } => {
                self.blocking(move || disk::check(Path::new(&path), &space, &inodes))
                    .await
            }
            Builtin::Process { name, count } => {
                self.blocking(move || process::check(&name, &count)).await
            }
            Builtin::FileAge { path, age } => {
                self.blocking(move || {
                    Ok(file_age::check(Path::new(&path), &age, SystemTime::now()))
                })
                .await
            }
            Builtin::Systemd { units } => units::check(&units, timeout).await,
            Builtin::Tcp { address, time } => tcp::check(&address, &time).await,
            Builtin::Ping {
                host,
                count,
                time,
                loss,
            } => ping::check(&host, u32::from(count), &time, &loss).await,
            Builtin::Clock { server, offset } => clock::check(&server, &offset).await,
            Builtin::Dns {
                name,
                addresses,
                time,
            } => dns::check(&name, &addresses, &time).await,
            Builtin::Http {
                url,
                status,
                time,
                certificate_days,
            } => {
                let expected = http::Expected {
                    url: &url,
                    status,
                    time,
                    certificate_days,
                };
                http::check(&expected, &Trust::System, now).await
            }
            Builtin::Prometheus { url, metric, value } => {
                prometheus::check(&url, &metric, &value, &Trust::System).await
            }
            Builtin::Statsd {
                metric,
                value,
                missing,
            } => statsd::check(&self.measured, &metric, &value, missing),
        }
    }

    /// Runs a reading on a thread that may block.
    async fn blocking<F>(&self, read: F) -> Reading
    where
        F: FnOnce() -> Result<Reading, ReadError> + Send + 'static,
    {
        let Ok(permit) = Arc::clone(&self.blocking).acquire_owned().await else {
            return Reading::unknown("the agent stops".to_owned());
        };
        // The permit returns when the reading does, not when we stop waiting for it.
        let reading = tokio::task::spawn_blocking(move || {
            let reading = read();
            drop(permit);
            reading
        });
        match reading.await {
            Ok(Ok(reading)) => reading,
            Ok(Err(error)) => Reading::unknown(net::chain(&error)),
            Err(error) => Reading::unknown(format!("the reading failed: {error}")),
        }
    }
}

const fn asks_network(builtin: &Builtin) -> bool {
    matches!(
        builtin,
        Builtin::Tcp { .. }
            | Builtin::Http { .. }
            | Builtin::Dns { .. }
            | Builtin::Ping { .. }
            | Builtin::Clock { .. }
            | Builtin::Prometheus { .. }
    )
}

/// The word by which configuration and people call a built-in check.
pub(crate) const fn word(builtin: &Builtin) -> &'static str {
    match builtin {
        Builtin::Load(_) => "load",
        Builtin::Memory(_) => "memory",
        Builtin::Swap(_) => "swap",
        Builtin::Disk { .. } => "disk",
        Builtin::Systemd { .. } => "systemd",
        Builtin::Process { .. } => "process",
        Builtin::FileAge { .. } => "file_age",
        Builtin::Uptime(_) => "uptime",
        Builtin::Tcp { .. } => "tcp",
        Builtin::Http { .. } => "http",
        Builtin::Dns { .. } => "dns",
        Builtin::Prometheus { .. } => "prometheus",
        Builtin::Statsd { .. } => "statsd",
        Builtin::Ping { .. } => "ping",
        Builtin::Clock { .. } => "clock",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use aramaki_model::Thresholds;

    #[tokio::test]
    async fn a_server_that_does_not_answer_is_critical_in_time() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        let any = Thresholds::default();
        let builtin = Builtin::Http {
            url,
            status: None,
            time: any,
            certificate_days: any,
        };
        let reading = Builtins::default()
            .run(&builtin, Duration::from_millis(200), Timestamp::ZERO)
            .await;
        assert_eq!(reading.severity, Severity::Critical);
        assert_eq!(reading.summary, "no answer within 0.2 s");
    }

    #[tokio::test]
    async fn what_cannot_be_read_is_unknown_with_its_reason() {
        let any = Thresholds::default();
        let builtin = Builtin::Disk {
            path: "/nonexistent".to_owned(),
            space: any,
            inodes: any,
        };
        let reading = Builtins::default()
            .run(&builtin, Duration::from_secs(20), Timestamp::ZERO)
            .await;
        assert_eq!(reading.severity, Severity::Unknown);
        assert!(
            reading.summary.contains("/nonexistent: No such file"),
            "{}",
            reading.summary
        );
    }

    #[tokio::test]
    async fn hanging_readings_are_bounded_and_do_not_block_the_agent() {
        let builtins = Builtins {
            measured: Measured::default(),
            blocking: Arc::new(Semaphore::new(1)),
        };
        let (release, hang) = std::sync::mpsc::channel::<()>();
        let hanging = builtins.blocking(move || {
            hang.recv().ok();
            Ok(Reading::ok("at last".to_owned()))
        });
        tokio::time::timeout(Duration::from_millis(50), hanging)
            .await
            .unwrap_err();
        let uptime = Builtin::Uptime(Thresholds::default());
        let second = builtins
            .run(&uptime, Duration::from_millis(50), Timestamp::ZERO)
            .await;
        assert_eq!(second.severity, Severity::Unknown);
        release.send(()).unwrap();
        let third = builtins
            .run(&uptime, Duration::from_secs(20), Timestamp::ZERO)
            .await;
        assert_eq!(third.severity, Severity::Ok);
    }
}
