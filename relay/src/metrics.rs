//! The Prometheus text of `/metrics`: what the relay holds and what passed through it. It names no
//! Space and no person.

use std::fmt::Write as _;

use iroh_relay::server::RelayMetrics;

/// What the store-and-forward peer counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct PeerFigures {
    /// Spaces held.
    pub(crate) spaces: u64,
    /// Envelopes held.
    pub(crate) envelopes: u64,
    /// Bytes of the store on disk.
    pub(crate) stored_bytes: u64,
    /// Peers connected now.
    pub(crate) peers: u64,
    /// Envelopes not taken, for whatever reason.
    pub(crate) refused: u64,
}

/// Renders everything in Prometheus' text format.
pub(crate) fn render(peer: PeerFigures, transport: Option<&RelayMetrics>) -> String {
    let mut text = Text::default();
    text.labelled(
        "aramaki_relay_build",
        "The running version.",
        &format!("version=\"{}\"", env!("CARGO_PKG_VERSION")),
    );
    text.gauge("aramaki_relay_spaces", "Spaces held.", peer.spaces);
    text.gauge(
        "aramaki_relay_envelopes",
        "Sealed envelopes held.",
        peer.envelopes,
    );
    text.gauge(
        "aramaki_relay_stored_bytes",
        "Bytes of the store on disk.",
        peer.stored_bytes,
    );
    text.gauge("aramaki_relay_peers", "Peers connected now.", peer.peers);
    text.counter(
        "aramaki_relay_refused_total",
        "Envelopes refused, by this relay or by its peers.",
        peer.refused,
    );
    if let Some(transport) = transport {
        let server = &transport.server;
        let clients = server
            .accepts
            .get()
            .saturating_sub(server.disconnects.get());
        text.gauge(
            "aramaki_transport_clients",
            "Transport relay clients connected now.",
            clients,
        );
        let counters = [
            (
                "sent_bytes",
                "Bytes forwarded to clients.",
                server.bytes_sent.get(),
            ),
            (
                "received_bytes",
                "Bytes received from clients.",
                server.bytes_recv.get(),
            ),
            (
                "dropped_packets",
                "Packets for clients that were not connected.",
                server.send_packets_dropped.get(),
            ),
            (
                "rate_limited_bytes",
                "Bytes that waited because a client sent too fast.",
                server.bytes_rx_ratelimited_total.get(),
            ),
            (
                "accepts",
                "Client connections accepted.",
                server.accepts.get(),
            ),
        ];
        for (name, help, value) in counters {
            text.counter(&format!("aramaki_transport_{name}_total"), help, value);
        }
    }
    text.0
}

#[derive(Default)]
struct Text(String);

impl Text {
    fn gauge(&mut self, name: &str, help: &str, value: u64) {
        self.sample(name, help, "gauge", name, value);
    }

    fn counter(&mut self, name: &str, help: &str, value: u64) {
        self.sample(name, help, "counter", name, value);
    }

    fn labelled(&mut self, name: &str, help: &str, labels: &str) {
        self.sample(name, help, "gauge", &format!("{name}{{{labels}}}"), 1);
    }

    fn sample(&mut self, name: &str, help: &str, kind: &str, series: &str, value: u64) {
        // Writing to a String cannot fail.
        _ = writeln!(
            self.0,
            "# HELP {name} {help}\n# TYPE {name} {kind}\n{series} {value}"
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_series_has_its_help_and_type_and_appears_once() {
        let figures = PeerFigures {
            spaces: 2,
            envelopes: 30,
            stored_bytes: 4000,
            peers: 1,
            refused: 5,
        };
        let text = render(figures, Some(&RelayMetrics::default()));
        assert!(text.contains("\naramaki_relay_envelopes 30\n"), "{text}");
        let series: Vec<&str> = text
            .lines()
            .filter(|line| !line.starts_with('#'))
            .filter_map(|line| line.split([' ', '{']).next())
            .collect();
        for name in &series {
            assert!(text.contains(&format!("# TYPE {name} ")), "{name}");
            assert_eq!(
                series.iter().filter(|other| *other == name).count(),
                1,
                "{name}"
            );
        }
        assert_eq!(series.len(), 12);
    }
}
