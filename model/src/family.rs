//! Families: problems that are the same apart from where, when and how much.
//!
//! Noise is counted and silenced by family, so a problem's family must stay the same while it gets
//! worse: the words for states do not belong to it.

use std::net::{IpAddr, SocketAddr};

use crate::text::clean_line;

/// How long a family may be.
pub const FAMILY_LEN_BYTES_MAX: usize = 160;
/// How much of a name or summary is looked at.
const INPUT_LEN_BYTES_MAX: usize = 1_024;
/// Stands for numbers, times and ids.
const NUMBER: &str = "#";
/// Stands for hosts and addresses.
const PLACE: &str = "@";
/// How many hexadecimal digits make an id.
const ID_DIGITS_MIN: usize = 8;

/// Ends of names with dots that are files or units, not hosts: those say what the problem is.
const NO_HOSTS: [&str; 24] = [
    "service",
    "socket",
    "timer",
    "mount",
    "automount",
    "target",
    "scope",
    "slice",
    "path",
    "swap",
    "log",
    "conf",
    "cfg",
    "txt",
    "json",
    "yaml",
    "yml",
    "toml",
    "xml",
    "sh",
    "py",
    "pid",
    "sock",
    "lock",
];
/// Words for states, as plugins write them.
const STATES: [&str; 8] = [
    "OK", "WARNING", "CRITICAL", "UNKNOWN", "WARN", "CRIT", "PENDING", "MISSING",
];
/// Words of dates; `May` is also another word.
const DATES: [&str; 18] = [
    "Jan", "Feb", "Mar", "Apr", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec", "Mon", "Tue",
    "Wed", "Thu", "Fri", "Sat", "Sun",
];

/// The family of a check's problem: its name and what it said, without numbers, hosts, times and
/// addresses. Any text has one; it is bounded and one line.
pub fn family(check: &str, summary: &str) -> String {
    let name = without_particulars(check);
    let said = without_particulars(summary);
    let both = match (name.is_empty(), said.is_empty()) {
        (false, false) => format!("{name}: {said}"),
        _ => name + &said,
    };
    clean_line(&both, FAMILY_LEN_BYTES_MAX)
}

/// Words with what is particular replaced; runs of the same stand-in become one.
fn without_particulars(text: &str) -> String {
    let mut out = String::new();
    let mut last = String::new();
    for word in clean_line(text, INPUT_LEN_BYTES_MAX).split_whitespace() {
        let word = general(word);
        if word.is_empty() || (word == last && (word == NUMBER || word == PLACE)) {
            continue;
        }
        if !out.is_empty() {
            out.push(' ');
        }
        out.push_str(&word);
        last = word;
    }
    out
}

/// One word without what is particular about it. Marks around it go with the numbers: lists of
/// any length are the same.
fn general(word: &str) -> String {
    let marks = |c: char| ".,;:!?()[]{}<>\"'`=".contains(c);
    let core = word.trim_matches(marks);
    if core.is_empty() || STATES.contains(&core) {
        return String::new();
    }
    if is_place(word.trim_matches(|c| ".,;!?()<>\"'`".contains(c))) || is_place(core) {
        return PLACE.to_owned();
    }
    if DATES.contains(&core) || is_time(core) || is_id(core) {
        return NUMBER.to_owned();
    }
    if !core.contains(|c: char| c.is_numeric()) {
        return core.to_owned();
    }
    without_numbers(core)
}

/// Addresses, web addresses, and names of hosts.
fn is_place(word: &str) -> bool {
    let address = word.trim_matches(['[', ']']);
    let network = address
        .split_once('/')
        .map_or(address, |(before, _)| before);
    if word.parse::<SocketAddr>().is_ok() || network.parse::<IpAddr>().is_ok() {
        return network.len() > 2;
    }
    if word.contains("://") {
        return true;
    }
    let host = word.rsplit_once('@').map_or(word, |(_, host)| host);
    let host = match host.rsplit_once(':') {
        Some((host, port)) if port.chars().all(|c| c.is_ascii_digit()) => host,
        _ => host,
    };
    let labels: Vec<_> = host.split('.').collect();
    let is_label = |label: &&str| {
        !label.is_empty()
            && label
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_')
    };
    let Some(top) = labels.last().filter(|_| labels.len() > 1) else {
        return false;
    };
    labels.iter().all(is_label)
        && top.len() > 1
        && top.chars().all(|c| c.is_ascii_alphabetic())
        && !NO_HOSTS.iter().any(|end| end.eq_ignore_ascii_case(top))
}

/// Dates and times of day: digits, at least two of the marks between them, and nothing else.
fn is_time(word: &str) -> bool {
    let digits = word.chars().filter(char::is_ascii_digit).count();
    let rest = word.chars().filter(|c| !c.is_ascii_digit());
    digits >= 2 && rest.clone().count() >= 1 && rest.into_iter().all(|c| "-:./TZ+".contains(c))
}

/// Ids: many hexadecimal digits, among them a number.
fn is_id(word: &str) -> bool {
    let digits = word.chars().filter(char::is_ascii_hexdigit).count();
    digits >= ID_DIGITS_MIN
        && word.chars().any(|c| c.is_ascii_digit())
        && word.chars().all(|c| c.is_ascii_hexdigit() || c == '-')
}

/// Every number in a word becomes one stand-in, with its sign, points and commas.
fn without_numbers(word: &str) -> String {
    let mut out = String::new();
    let mut chars = word.chars().peekable();
    while let Some(c) = chars.next() {
        if !c.is_numeric() {
            out.push(c);
            continue;
        }
        while chars
            .next_if(|c| c.is_numeric() || *c == '.' || *c == ',')
            .is_some()
        {}
        if out.ends_with(['-', '+'])
            && !out
                .trim_end_matches(['-', '+'])
                .ends_with(char::is_alphanumeric)
        {
            out.pop();
        }
        if !out.ends_with(NUMBER) {
            out.push_str(NUMBER);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn numbers_hosts_times_and_addresses_do_not_make_another_family() {
        let same = [
            (
                "disk",
                "DISK OK - free space: / 69228MiB (74% inode=96%)",
                "DISK WARNING - free space: / 123MiB (4% inode=9%)",
            ),
            (
                "load",
                "LOAD CRITICAL - total load average: 16.34, 16.03, 12.55",
                "LOAD OK - total load average: 0.1, 0.2, 0.3, 0.4",
            ),
            (
                "ping",
                "connect to address 127.0.0.1 and port 1: Connection refused",
                "connect to address 2001:db8::7 and port 443: Connection refused",
            ),
            (
                "replication",
                "lag 41 s behind db02.example.org",
                "lag 7.5 s behind db01.example.net.",
            ),
            (
                "backup",
                "last run 2026-11-29T02:00:07Z failed",
                "last run 2026-11-30 failed",
            ),
            (
                "web",
                "timeout of https://shop.example.org/a?b=1",
                "timeout of http://10.0.0.7:8080/",
            ),
            (
                "raid",
                "array 4f1c2a9be77d0c55 degraded since Sun Nov 29 12:30:05",
                "array 00aa11bb22cc33dd degraded since Mon Dec 1 2:3",
            ),
        ];
        for (check, one, other) in same {
            assert_eq!(family(check, one), family(check, other));
        }
        assert_eq!(family("http-web1", "lag 41 s"), "http-web#: lag # s");
    }

    #[test]
    fn what_the_problem_is_stays_in_its_family() {
        let different = [
            ("web", "Connection refused", "timeout after 10 s"),
            ("units", "nginx.service failed", "cron.service failed"),
            ("disk", "free space: / 1%", "free space: /srv 1%"),
        ];
        for (check, one, other) in different {
            assert_ne!(family(check, one), family(check, other));
        }
        assert_ne!(family("a", "x"), family("b", "x"));
        assert_eq!(family("ceph", "osd.17 is down"), "ceph: osd.# is down");
        assert_eq!(
            family("units", "nginx.service failed"),
            "units: nginx.service failed"
        );
        assert_eq!(family("disk", ""), "disk");
    }

    proptest! {
        #[test]
        fn any_text_has_a_short_family_without_numbers(
            check in "\\PC{0,40}",
            summary in "[a-z0-9 .:/@%,#A-Z\\-\\[\\]=]{0,400}",
        ) {
            let family = family(&check, &summary);
            prop_assert!(family.len() <= FAMILY_LEN_BYTES_MAX);
            prop_assert!(!family.contains(char::is_numeric), "{}", family);
            prop_assert!(!family.contains('\n'));
        }
    }
}
