//! What is there to be looked at: file systems, services, listening ports, certificates, as proposed checks.
//!
//! Nothing is added by itself: people read the proposals and hand over those that they want.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, SocketAddr};
use std::path::Path;
use std::time::Duration;

use aramaki_model::check_fault::UNITS_MAX;
use aramaki_model::{Builtin, Check, CheckKind, Exit, Thresholds};
use aramaki_sync_core::AuthorId;

use crate::config::local_check_id;
use crate::net::tls::{self, Trust};
use crate::platform;
use crate::runner::{self, Plugin};

/// Proposals of one kind.
const PROPOSALS_MAX: usize = 64;
/// How long systemctl, or one TLS handshake, may take.
const ASK_LIMIT: Duration = Duration::from_secs(3);
/// Ports at which TLS is asked for a certificate; a handshake elsewhere would only litter others' logs.
const TLS_PORTS: [u16; 4] = [443, 6443, 8443, 9443];
/// File systems that hold something; others are the kernel's own or another machine's.
const FILE_SYSTEMS: [&str; 9] = [
    "ext2", "ext3", "ext4", "xfs", "btrfs", "zfs", "f2fs", "jfs", "vfat",
];
/// Services that come and go with people, and say nothing of the machine.
const PASSING_UNITS: [&str; 4] = ["user@", "getty@", "serial-getty@", "session-"];
/// Where Let's Encrypt's client keeps certificates, a folder each.
const CERTIFICATES_FOLDER: &str = "/etc/letsencrypt/live";

/// What was found on this machine.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Found {
    /// Where file systems are mounted, and from where.
    pub(crate) mounts: Vec<Mount>,
    /// Services that run.
    pub(crate) units: Vec<String>,
    /// TCP addresses that are listened on.
    pub(crate) sockets: BTreeSet<SocketAddr>,
    /// Names for which there is a certificate, and where.
    pub(crate) certificates: BTreeMap<String, u16>,
    /// What could not be looked at, and why.
    pub(crate) unread: Vec<String>,
}

/// A file system.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Mount {
    pub(crate) source: String,
    pub(crate) path: String,
    pub(crate) kind: String,
}

/// Looks around on this machine. Nothing is changed; ports of TLS are asked for their certificate.
pub(crate) async fn look() -> Found {
    let mut found = Found::default();
    match platform::mounts() {
        Ok(text) => found.mounts = mounts(&text),
        Err(error) => found.unread.push(crate::net::chain(&error)),
    }
    match platform::listening() {
        Ok(tables) => found.sockets = tables.iter().flat_map(|it| sockets(it)).collect(),
        Err(error) => found.unread.push(crate::net::chain(&error)),
    }
    match units().await {
        Ok(units) => found.units = units,
        Err(reason) => found.unread.push(reason),
    }
    for name in certificate_folders(Path::new(CERTIFICATES_FOLDER)) {
        found.certificates.insert(name, 443);
    }
    let ports: BTreeSet<u16> = found.sockets.iter().map(SocketAddr::port).collect();
    for port in ports.into_iter().filter(|port| TLS_PORTS.contains(port)) {
        if let Some(name) = certificate_of(port).await {
            found.certificates.entry(name).or_insert(port);
        }
    }
    found
}

/// Reads `/proc/mounts`: source, place, kind; octal escapes stand for spaces.
fn mounts(text: &str) -> Vec<Mount> {
    let mut mounts: Vec<Mount> = Vec::new();
    for line in text.lines() {
        let mut words = line.split(' ');
        let (Some(source), Some(path), Some(kind)) = (words.next(), words.next(), words.next())
        else {
            continue;
        };
        let is_another_place = mounts.iter().any(|known| known.source == source);
        if FILE_SYSTEMS.contains(&kind) && !is_another_place && mounts.len() < PROPOSALS_MAX {
            mounts.push(Mount {
                source: source.to_owned(),
                path: unescaped(path),
                kind: kind.to_owned(),
            });
        }
    }
    mounts
}

fn unescaped(text: &str) -> String {
    let escapes = [
        ("\\040", " "),
        ("\\011", "\t"),
        ("\\012", "\n"),
        ("\\134", "\\"),
    ];
    escapes
        .iter()
        .fold(text.to_owned(), |text, (escape, plain)| {
            text.replace(escape, plain)
        })
}

/// Reads `/proc/net/tcp` or `tcp6`: addresses in hexadecimal, each 32 bits in the machine's order.
fn sockets(text: &str) -> Vec<SocketAddr> {
    const LISTENING: &str = "0A";
    let address = |words: &str| {
        let (address, port) = words.split_once(':')?;
        let port = u16::from_str_radix(port, 16).ok()?;
        let mut bytes = Vec::new();
        for at in (0..address.len()).step_by(8) {
            let word = u32::from_str_radix(address.get(at..at + 8)?, 16).ok()?;
            bytes.extend(word.to_ne_bytes());
        }
        let ip: IpAddr = match bytes.len() {
            4 => <[u8; 4]>::try_from(bytes).ok()?.into(),
            16 => <[u8; 16]>::try_from(bytes).ok()?.into(),
            _ => return None,
        };
        Some(SocketAddr::new(ip.to_canonical(), port))
    };
    let lines = text.lines().skip(1).filter_map(|line| {
        let words: Vec<&str> = line.split_ascii_whitespace().collect();
        let is_listening = words.get(3) == Some(&LISTENING);
        words
            .get(1)
            .filter(|_| is_listening)
            .and_then(|it| address(it))
    });
    lines.take(PROPOSALS_MAX * 4).collect()
}

/// Services that run, by systemd's word.
async fn units() -> Result<Vec<String>, String> {
    if !platform::has_systemd() {
        return Err("systemd does not run this machine: no services are proposed".to_owned());
    }
    let arguments = [
        "list-units",
        "--type=service",
        "--state=running",
        "--plain",
        "--no-legend",
        "--no-pager",
        "--full",
    ];
    let run = runner::run(&Plugin {
        program: "/usr/bin/systemctl".into(),
        arguments: arguments.map(Into::into).to_vec(),
        timeout: ASK_LIMIT,
    })
    .await;
    match run.exit {
        Exit::Code(0) => Ok(running(&String::from_utf8_lossy(&run.stdout))),
        exit => Err(format!("systemctl: {exit}")),
    }
}

fn running(text: &str) -> Vec<String> {
    let names = text
        .lines()
        .filter_map(|line| line.split_ascii_whitespace().next());
    names
        .filter(|name| name.ends_with(".service"))
        .filter(|name| {
            !PASSING_UNITS
                .iter()
                .any(|passing| name.starts_with(passing))
        })
        .take(UNITS_MAX)
        .map(str::to_owned)
        .collect()
}

fn certificate_folders(folder: &Path) -> Vec<String> {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return Vec::new();
    };
    let names = entries.filter_map(|entry| {
        let entry = entry.ok()?;
        let name = entry.file_name().into_string().ok()?;
        let is_one = entry.path().join("cert.pem").exists();
        (is_one && aramaki_model::address::is_host(&name)).then_some(name)
    });
    let mut names: Vec<String> = names.take(PROPOSALS_MAX).collect();
    names.sort();
    names
}

/// For whom the certificate is that a port of this machine shows.
async fn certificate_of(port: u16) -> Option<String> {
    let asked = async {
        let connected = crate::net::connect("localhost", port).await.ok()?;
        let shaken = tls::handshake(connected.stream, "localhost", &Trust::Anyone).await;
        common_name(&shaken.shown?.subject)
    };
    tokio::time::timeout(ASK_LIMIT, asked).await.ok()?
}

/// The name in a subject such as `C=DE, CN=www.example.org`.
fn common_name(subject: &str) -> Option<String> {
    let name = subject
        .split(',')
        .find_map(|part| part.trim().strip_prefix("CN="))?;
    // A certificate for many names is asked for one of them that people know.
    let name = name.strip_prefix("*.").unwrap_or(name);
    aramaki_model::address::is_host(name).then(|| name.to_owned())
}

/// Checks of what was found and nobody looks at yet. The same machine is proposed the same, under the
/// same ids.
pub(crate) fn propose(found: &Found, known: &[Check], agent: AuthorId) -> Vec<Check> {
    let mut proposed = Vec::new();
    let mut add = |name: String, kind: Builtin, interval_ms: u64| {
        let kind = CheckKind::Builtin(kind);
        let id = local_check_id(agent, &format!("proposed {name}"));
        let check = Check {
            interval_ms,
            ..Check::new(id, name, kind)
        };
        let is_known = known.iter().any(|known| looks_at_same(known, &check));
        if !is_known && check.examine().is_ok() {
            proposed.push(check);
        }
    };
    for mount in &found.mounts {
        let disk = Builtin::Disk {
            path: mount.path.clone(),
            space: Thresholds::above(85.0, 95.0),
            inodes: Thresholds::above(85.0, 95.0),
        };
        add(format!("file system {}", mount.path), disk, 300_000);
    }
    let units = Builtin::Systemd { units: Vec::new() };
    if !found.units.is_empty() {
        add("failed units".to_owned(), units, 60_000);
    }
    for unit in &found.units {
        let units = vec![unit.clone()];
        let name = unit.strip_suffix(".service").unwrap_or(unit);
        let kind = Builtin::Systemd { units };
        add(format!("service {name}"), kind, 60_000);
    }
    for (name, port) in &found.certificates {
        let place = match port {
            443 => String::new(),
            port => format!(":{port}"),
        };
        let http = Builtin::Http {
            url: format!("https://{name}{place}/"),
            status: None,
            time: Thresholds::default(),
            certificate_days: Thresholds::below(14.0, 5.0),
        };
        add(format!("web {name}{place}"), http, 300_000);
    }
    let mut ports = BTreeSet::new();
    for socket in &found.sockets {
        let is_new = ports.insert(socket.port());
        if !is_new || ports.len() > PROPOSALS_MAX {
            continue;
        }
        // What listens everywhere is asked at home.
        let ip = match socket.ip() {
            ip if ip.is_unspecified() && ip.is_ipv6() => IpAddr::from([0, 0, 0, 0, 0, 0, 0, 1]),
            ip if ip.is_unspecified() => IpAddr::from([127, 0, 0, 1]),
            ip => ip,
        };
        let tcp = Builtin::Tcp {
            address: SocketAddr::new(ip, socket.port()).to_string(),
            time: Thresholds::default(),
        };
        add(format!("port {}", socket.port()), tcp, 60_000);
    }
    proposed
}

/// Whether two checks look at the same, whatever their limits are.
fn looks_at_same(known: &Check, proposed: &Check) -> bool {
    let (CheckKind::Builtin(known_kind), CheckKind::Builtin(kind)) = (&known.kind, &proposed.kind)
    else {
        return false;
    };
    known.id == proposed.id
        || match (known_kind, kind) {
            (Builtin::Disk { path, .. }, Builtin::Disk { path: other, .. }) => path == other,
            (Builtin::Systemd { units }, Builtin::Systemd { units: other }) => {
                units == other
                    || (!other.is_empty() && other.iter().all(|unit| units.contains(unit)))
            }
            (Builtin::Http { url, .. }, Builtin::Http { url: other, .. }) => {
                url.trim_end_matches('/') == other.trim_end_matches('/')
            }
            (Builtin::Tcp { address, .. }, Builtin::Tcp { address: other, .. }) => {
                let port = |text: &str| text.rsplit(':').next().map(str::to_owned);
                port(address) == port(other)
            }
            _ => false,
        }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MOUNTS: &str = "proc /proc proc rw 0 0\n/dev/vda1 / ext4 rw,relatime 0 0\n\
        tmpfs /run tmpfs rw 0 0\n/dev/vdb1 /srv/my\\040files xfs rw 0 0\n/dev/vda1 /var/lib/x ext4 rw 0 0\n\
        overlay /var/lib/docker/overlay2/x/merged overlay rw 0 0\n";
    const TCP: &str = "  sl  local_address rem_address   st tx_queue rx_queue\n\
        0: 0100007F:0CEA 00000000:0000 0A 00000000:00000000 00:00000000 00000000   107        0 1\n\
        1: 00000000:0016 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 1\n\
        2: 0F02000A:0016 0202000A:E8A2 01 00000000:00000000 02:000A7E3C 00000000     0        0 1\n";
    const TCP6: &str = "  sl  local_address\n\
        0: 00000000000000000000000000000000:0050 00000000000000000000000000000000:0000 0A 0:0 0:0 0 33 0 1\n\
        1: 00000000000000000000000001000000:1F90 00000000000000000000000000000000:0000 0A 0:0 0:0 0 33 0 1\n";

    fn found() -> Found {
        Found {
            mounts: mounts(MOUNTS),
            units: running(
                "ssh.service loaded active running OpenBSD Secure Shell server\n\
                 user@1000.service loaded active running User Manager\n\
                 nginx.service loaded active running A web server\n",
            ),
            sockets: [TCP, TCP6].iter().flat_map(|it| sockets(it)).collect(),
            certificates: BTreeMap::from([("shop.example.org".to_owned(), 443)]),
            unread: Vec::new(),
        }
    }

    #[test]
    fn what_the_kernel_says_is_read() {
        let found = found();
        let paths: Vec<_> = found.mounts.iter().map(|it| it.path.as_str()).collect();
        assert_eq!(paths, ["/", "/srv/my files"]);
        if cfg!(target_endian = "little") {
            let sockets: Vec<_> = found.sockets.iter().map(ToString::to_string).collect();
            assert_eq!(
                sockets,
                ["0.0.0.0:22", "127.0.0.1:3306", "[::]:80", "[::1]:8080"]
            );
        }
        for odd in [
            "",
            "x",
            "sl\n0: zz:1 0 0A",
            "sl\n0: 01:1 0 0A",
            "sl\n0: ü:0016 0 0A",
        ] {
            assert_eq!(sockets(odd), []);
        }
        let name = |subject| common_name(subject);
        assert_eq!(
            name("C=DE, CN=*.example.org").as_deref(),
            Some("example.org")
        );
        assert_eq!(name("O=none"), None);
        assert_eq!(name("CN=a b"), None);
    }

    #[test]
    fn each_is_proposed_once_under_the_same_id_and_what_is_known_is_not() {
        let (found, agent) = (found(), AuthorId::from_bytes([7; 32]));
        let proposed = propose(&found, &[], agent);
        let names: Vec<_> = proposed.iter().map(|check| check.name.as_str()).collect();
        assert_eq!(
            names,
            [
                "file system /",
                "file system /srv/my files",
                "failed units",
                "service ssh",
                "service nginx",
                "web shop.example.org",
                "port 22",
                "port 3306",
                "port 80",
                "port 8080"
            ]
        );
        assert_eq!(propose(&found, &[], agent), proposed);
        assert_eq!(propose(&found, &proposed, agent), []);
        let mine = Check::new(
            aramaki_model::CheckId::from_bytes([1; 16]),
            "root",
            CheckKind::Builtin(Builtin::Disk {
                path: "/".to_owned(),
                space: Thresholds::default(),
                inodes: Thresholds::default(),
            }),
        );
        assert_eq!(propose(&found, &[mine], agent).len(), proposed.len() - 1);
    }

    #[tokio::test]
    async fn this_machine_can_be_looked_at() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let found = look().await;
        if cfg!(target_os = "linux") {
            assert!(found.sockets.contains(&listener.local_addr().unwrap()));
        } else {
            assert!(!found.unread.is_empty());
        }
    }
}
