//! Machines: this one, or network namespaces on one cable.

use std::ffi::OsStr;
use std::process::Command;

/// Where programs run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Host {
    namespace: Option<String>,
    /// What programs log here; none: what they log by themselves.
    log: Option<String>,
}

impl Host {
    /// This machine.
    pub fn here() -> Self {
        Self::default()
    }

    /// The same, where programs log this much.
    #[must_use]
    pub fn logging(self, filter: &str) -> Self {
        Self {
            log: Some(filter.to_owned()),
            ..self
        }
    }

    /// A program on this host.
    pub fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = match &self.namespace {
            None => Command::new(program),
            Some(namespace) => {
                let mut command = Command::new("ip");
                command.args(["netns", "exec", namespace]).arg(program);
                command
            }
        };
        if let Some(filter) = &self.log {
            command.env("ARAMAKI_LOG", filter);
        }
        command
    }
}

/// Some hosts on one switch, each with one cable. Needs root, `iproute2` and `nftables`.
///
/// Host `n` (from 1) has the address `10.77.0.n` in a namespace of its own; the switch is in another
/// one, so nothing of this machine's network is touched.
#[derive(Debug)]
pub struct Lan {
    name: String,
    hosts: u8,
}

fn run(program: &str, arguments: &[&str]) {
    let output = Command::new(program).args(arguments).output();
    let output = output.unwrap_or_else(|cause| panic!("{program} is needed: {cause}"));
    assert!(
        output.status.success(),
        "{program} {arguments:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
}

impl Lan {
    /// Lays it.
    ///
    /// # Panics
    /// Without root or `ip`.
    pub fn new(name: &str, hosts: u8) -> Self {
        // Names of interfaces are short; tests run one after another in one process each.
        let lan = Self {
            name: format!("{name}{}", std::process::id() % 10_000),
            hosts,
        };
        let switch = lan.namespace(0);
        run("ip", &["netns", "add", &switch]);
        run(
            "ip",
            &["-n", &switch, "link", "add", "switch", "type", "bridge"],
        );
        run("ip", &["-n", &switch, "link", "set", "switch", "up"]);
        for host in 1..=hosts {
            let (namespace, port) = (lan.namespace(host), format!("port{host}"));
            run("ip", &["netns", "add", &namespace]);
            run("ip", &["-n", &namespace, "link", "set", "lo", "up"]);
            run(
                "ip",
                &[
                    "-n", &namespace, "link", "add", "eth0", "type", "veth", "peer", "name", &port,
                    "netns", &switch,
                ],
            );
            run(
                "ip",
                &[
                    "-n", &switch, "link", "set", &port, "master", "switch", "up",
                ],
            );
            lan.set_address(host, host);
        }
        lan
    }

    fn namespace(&self, host: u8) -> String {
        format!("{}-{host}", self.name)
    }

    /// One of its hosts, from 1.
    pub fn host(&self, host: u8) -> Host {
        Host {
            namespace: Some(self.namespace(host)),
            log: None,
        }
    }

    /// Gives a host the address `10.77.0.last` and no other.
    ///
    /// # Panics
    /// When `ip` refuses.
    pub fn set_address(&self, host: u8, last: u8) {
        let namespace = self.namespace(host);
        run("ip", &["-n", &namespace, "address", "flush", "dev", "eth0"]);
        let address = format!("10.77.0.{last}/24");
        run(
            "ip",
            &["-n", &namespace, "address", "add", &address, "dev", "eth0"],
        );
        run("ip", &["-n", &namespace, "link", "set", "eth0", "up"]);
        run(
            "ip",
            &["-n", &namespace, "route", "add", "default", "dev", "eth0"],
        );
    }

    /// Pulls a host's cable at the switch, or puts it back: the host itself does not notice.
    ///
    /// # Panics
    /// When `ip` refuses.
    pub fn plug(&self, host: u8, plugged: bool) {
        let (switch, port) = (self.namespace(0), format!("port{host}"));
        let master = if plugged {
            &["master", "switch"][..]
        } else {
            &["nomaster"]
        };
        let arguments = [&["-n", &switch, "link", "set", &port][..], master].concat();
        run("ip", &arguments);
    }

    /// Lets a host's firewall drop all UDP, as some networks do.
    ///
    /// # Panics
    /// Without `nft`.
    pub fn drop_udp(&self, host: u8) {
        let namespace = self.namespace(host);
        let rules = "add table inet cut; \
            add chain inet cut in { type filter hook input priority 0; }; \
            add chain inet cut out { type filter hook output priority 0; }; \
            add rule inet cut in iifname eth0 meta l4proto udp drop; \
            add rule inet cut out oifname eth0 meta l4proto udp drop";
        run("ip", &["netns", "exec", &namespace, "nft", rules]);
    }
}

impl Drop for Lan {
    fn drop(&mut self) {
        for host in 0..=self.hosts {
            drop(
                Command::new("ip")
                    .args(["netns", "del", &self.namespace(host)])
                    .output(),
            );
        }
    }
}
