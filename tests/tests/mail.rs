//! An alert as mail, with real programs: from a plugin that turns critical to the word of its end.
//!
//! Needs root, iproute2, and aiosmtpd for Debian's Python. `.ci/run notify` runs it.

#![expect(clippy::unwrap_used, reason = "a failed step fails its test")]

use std::collections::BTreeSet;
use std::path::Path;
use std::time::{Duration, Instant};

use aramaki_tests::{Agent, Lan, Notifier, Person, Relay, Sink, eventually};
use serde_json::Value;

const LIMIT: Duration = Duration::from_secs(90);
/// Longer than the second notifier waits for the first, and than a group's interval.
const QUIET: Duration = Duration::from_secs(22);

/// One that came by mail.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Mail {
    to: String,
    subject: String,
    id: String,
    thread: String,
    text: String,
}

impl Mail {
    fn read(seen: &Value) -> Self {
        let text = seen["text"].as_str().unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        // Long fields go on in lines that begin with a space.
        let head = head.replace("\r\n ", " ");
        let field = |name: &str| {
            let found = head.lines().filter_map(|line| line.strip_prefix(name));
            let mut found = found.map(|value| value.trim().to_owned());
            let value = found
                .next()
                .unwrap_or_else(|| panic!("no {name} in {head}"));
            assert_eq!(found.next(), None, "two of {name} in {head}");
            value
        };
        let recipients: Vec<_> = seen["to"].as_array().unwrap().iter().collect();
        let [to] = recipients[..] else {
            panic!("one mail to one person each: {seen}");
        };
        let thread = field("In-Reply-To:");
        assert_eq!(thread, field("References:"), "{head}");
        assert_eq!(field("To:"), to.as_str().unwrap(), "{head}");
        Self {
            to: to.as_str().unwrap().to_owned(),
            subject: field("Subject:"),
            id: field("Message-ID:"),
            thread,
            text: body.to_owned(),
        }
    }

    fn of(sink: &Sink) -> Vec<Self> {
        let mut mails: Vec<_> = sink.seen("mail").iter().map(Self::read).collect();
        mails.sort();
        mails
    }
}

/// Waits until so many came, and then that no more do.
fn exactly(sink: &Sink, count: usize, what: &str, notifiers: &[&Notifier]) -> Vec<Mail> {
    let until = Instant::now() + LIMIT;
    while sink.seen("mail").len() < count {
        let logs: Vec<_> = notifiers.iter().map(|it| it.log()).collect();
        assert!(
            Instant::now() < until,
            "{what}: {:?}\n{}",
            Mail::of(sink),
            logs.join("\n--\n")
        );
        std::thread::park_timeout(Duration::from_millis(100));
    }
    let until = Instant::now() + QUIET;
    while Instant::now() < until {
        let mails = Mail::of(sink);
        assert_eq!(
            mails.len(),
            count,
            "nobody gets anything twice: {what}: {mails:#?}"
        );
        std::thread::park_timeout(Duration::from_millis(200));
    }
    Mail::of(sink)
}

fn policy(person: &Person, folder: &Path, system: &str, receivers: &[(&str, &str)]) {
    let mut text = "[group]\nwait = \"2s\"\ninterval = \"2s\"\n".to_owned();
    for (name, to) in receivers {
        text.push_str(&format!(
            "[receiver.{name}]\nvia = \"mail\"\nto = \"{to}\"\n"
        ));
    }
    let names: Vec<_> = receivers
        .iter()
        .map(|(name, _)| format!("\"{name}\""))
        .collect();
    let names = names.join(", ");
    text.push_str(&format!("[[route]]\n[[route.then]]\nnotify = [{names}]\n"));
    let file = folder.join(format!("{system}.toml"));
    std::fs::write(&file, text).unwrap();
    person.json(&["notify", "policy", system, "--file", file.to_str().unwrap()]);
}

#[test]
fn a_problem_and_its_end_come_once_by_mail_to_everyone_whom_two_aggregates_name() {
    let lan = Lan::new("mail", 4);
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let relay = Relay::start(lan.host(1), &at("relay"), &at("relay/data"), "10.77.0.1");
    let person = Person::new(lan.host(2), &at("person"));
    let mut agent = Agent::new(lan.host(3), &at("agent"), &at("agent/data"));
    for system in ["Storage", "Webshop", "Hosting"] {
        person.json(&["system", "add", system]);
    }
    for above in ["Webshop", "Hosting"] {
        person.json(&["system", "link", above, "Storage"]);
    }
    relay.serve(&person);
    // Those on duty stand in both policies, under two names.
    let (ops, night) = ("ops@example.org", "night@example.org");
    policy(&person, folder.path(), "Webshop", &[("duty", ops)]);
    policy(
        &person,
        folder.path(),
        "Hosting",
        &[("operators", ops), ("night", night)],
    );
    agent.join(&person, "Storage");
    agent.start();

    // Two notifiers on one host, with a mail server beside them.
    std::fs::create_dir_all(at("sink")).unwrap();
    let sink = Sink::start(&lan.host(4), &at("sink"));
    let channel = format!(
        "[channel.mail]\nkind = \"smtp\"\nserver = \"127.0.0.1\"\nport = {}\ntls = \"none\"\n\
         from = \"Aramaki <aramaki@example.org>\"\n",
        sink.port("plain")
    );
    let mut notifiers = [0, 1].map(|rank| {
        let notifier = Notifier::new(lan.host(4), &at(&format!("n{rank}")), rank);
        notifier.configure(rank, &channel);
        notifier
    });
    for notifier in &notifiers {
        for system in ["Storage", "Webshop", "Hosting"] {
            notifier.join(&person, system);
        }
        eventually("the notifier sees the agent", LIMIT, || {
            notifier.person().online("1s");
            notifier.person().state("Webshop").as_deref() == Some("ok")
        });
    }
    notifiers.iter_mut().for_each(Notifier::start);
    let all: Vec<_> = notifiers.iter().collect();

    agent.observe(2);
    let mails = exactly(&sink, 2, "the problem", &all);
    let to: Vec<_> = mails.iter().map(|mail| mail.to.as_str()).collect();
    assert_eq!(to, [night, ops]);
    for mail in &mails {
        assert!(mail.subject.contains("[CRITICAL]"), "{mail:#?}");
        assert!(mail.subject.contains("Storage"), "{mail:#?}");
        assert!(mail.text.contains("state is 2"), "{mail:#?}");
    }
    // The same matter, whoever reads it, and two mails.
    let thread = mails[0].thread.clone();
    assert!(thread.starts_with("<alert."), "{thread}");
    assert_eq!(thread, mails[1].thread);
    assert_ne!(mails[0].id, mails[1].id);

    agent.observe(0);
    let mails = exactly(&sink, 4, "its end", &all);
    for to in [night, ops] {
        let of: Vec<_> = mails.iter().filter(|mail| mail.to == to).collect();
        let [began, ended] = of[..] else {
            panic!("one of the problem and one of its end: {mails:#?}");
        };
        assert!(began.subject.contains("[CRITICAL]"), "{began:#?}");
        assert!(ended.subject.contains("[RESOLVED]"), "{ended:#?}");
        assert_eq!(ended.thread, thread, "it stands below the problem");
    }
    let ids: BTreeSet<_> = mails.iter().map(|mail| &mail.id).collect();
    assert_eq!(ids.len(), mails.len(), "each is a mail of its own");

    // The next problem is another matter.
    agent.observe(1);
    let mails = exactly(&sink, 6, "the next problem", &all);
    let next: Vec<_> = mails.iter().filter(|mail| mail.thread != thread).collect();
    assert_eq!(next.len(), 2, "{mails:#?}");
    assert!(
        next.iter().all(|mail| mail.subject.contains("[WARNING]")),
        "{next:#?}"
    );
    eventually("who was told stands in the timeline", LIMIT, || {
        person.online("1s");
        let timeline = person.json(&["timeline", "--limit", "200"]).to_string();
        let told = |to: &str| timeline.matches(&format!("through {to} (mail)")).count();
        (told(ops), told(night)) == (3, 3)
    });
}
