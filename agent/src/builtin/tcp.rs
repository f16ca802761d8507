//! Whether a TCP port answers, and how fast.

use aramaki_model::address::host_and_port;
use aramaki_model::{Severity, Thresholds, Unit};

use super::reading::{Reading, metric};
use crate::net;

/// Connects to `address`, a host and a port. `time` is in seconds until the connection stood.
pub(crate) async fn check(address: &str, time: &Thresholds) -> Reading {
    let Some((host, port)) = host_and_port(address) else {
        return Reading::unknown(format!("not a host and a port: {address:?}"));
    };
    match net::connect(host, port).await {
        Ok(connected) => {
            let seconds = connected.took.as_secs_f64();
            let mut reading = Reading::ok(format!(
                "{} answers in {:.1} ms",
                connected.address,
                seconds * 1000.0
            ));
            reading.judge(metric("time", seconds, Unit::Seconds), time);
            reading
        }
        Err(error) => Reading::new(Severity::Critical, net::chain(&error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn an_open_port_is_ok_and_a_closed_one_critical() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let any = Thresholds::default();
        assert_eq!(check(&address, &any).await.severity, Severity::Ok);
        drop(listener);
        let closed = check(&address, &any).await;
        assert_eq!(closed.severity, Severity::Critical);
        assert!(closed.summary.contains("refused"), "{}", closed.summary);
    }

    #[tokio::test]
    async fn what_is_not_an_address_is_unknown() {
        assert_eq!(
            check("nowhere", &Thresholds::default()).await.severity,
            Severity::Unknown
        );
    }
}
