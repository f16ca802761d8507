//! Notifications of a desktop: a session bus, a service on it that draws them, and a real notifier.
//!
//! Needs `dbus-daemon`. `.ci/run bubbles` runs it.
#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "a test ends where it fails")]

#[path = "session/bus.rs"]
mod bus;
#[path = "verbs/program.rs"]
#[allow(dead_code, reason = "what the other verbs' tests need of it")]
mod program;

use std::collections::{BTreeMap, HashMap};
use std::fs::File;
use std::process::{Child, Stdio};
use std::sync::{Arc, Mutex};

use bus::Bus;
use program::{Aramaki, Process, wait_for};
use zbus::zvariant::OwnedValue;

/// One that is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Bubble {
    title: String,
    text: String,
    urgency: u8,
}

/// What a screen shows, and how often anything was drawn there.
#[derive(Clone, Debug, Default)]
struct Screen {
    bubbles: BTreeMap<u32, Bubble>,
    drawn: Vec<u32>,
}

/// What desktops have: it numbers bubbles, draws one in the place of another, and closes them.
#[derive(Default)]
struct Desktop {
    screen: Arc<Mutex<Screen>>,
}

#[zbus::interface(name = "org.freedesktop.Notifications")]
impl Desktop {
    #[expect(clippy::too_many_arguments, reason = "the specification has so many")]
    fn notify(
        &self,
        application: String,
        replaced: u32,
        icon: String,
        title: String,
        text: String,
        actions: Vec<String>,
        hints: HashMap<String, OwnedValue>,
        expires_ms: i32,
    ) -> u32 {
        assert_eq!((application.as_str(), icon.as_str()), ("Aramaki", ""));
        assert_eq!((actions.len(), expires_ms), (0, -1));
        let mut screen = self.screen.lock().unwrap();
        let next = screen.drawn.iter().max().map_or(41, |last| last + 1);
        let id = if replaced == 0 { next } else { replaced };
        let bubble = Bubble {
            title,
            text,
            urgency: u8::try_from(hints.get("urgency").unwrap()).unwrap(),
        };
        screen.drawn.push(id);
        screen.bubbles.insert(id, bubble);
        id
    }

    fn close_notification(&self, id: u32) {
        self.screen.lock().unwrap().bubbles.remove(&id);
    }
}

/// A notifier that ends with its test.
struct Notifier(Child);

impl Drop for Notifier {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

const POLICY: &str = "[receiver.me]\nvia = \"screen\"\n\
     [group]\nwait = \"1s\"\ninterval = \"1s\"\n\
     [[route]]\n[[route.then]]\nnotify = [\"me\"]\n";
const CHANNEL: &str = "settle = \"5s\"\n[channel.screen]\nkind = \"desktop\"\n";

/// A System whose check is a warning until a file is there; that file.
fn watched(aramaki: &Aramaki) -> (Process, Process, String) {
    let (relay, author, address) = Process::relay(aramaki);
    let (checks, flag) = (aramaki.path("checks.toml"), aramaki.path("flag"));
    let toml = format!(
        "[[check]]\nname = \"<flag> & pole\"\ninterval_ms = 1000\nattempts = 1\n\
         kind.command = {{ program = \"/usr/bin/test\", arguments = [\"-e\", \"{flag}\"] }}\n"
    );
    std::fs::write(&checks, toml).unwrap();
    aramaki.json(&["system", "add", "Webshop", "--checks", &checks]);
    aramaki.json(&["relay", "add", &author, &address]);
    let invited = aramaki.json(&["agent", "invite", "Webshop", "--name", "web1"]);
    let agent = Process::agent(aramaki, invited["invitation"].as_str().unwrap());
    (relay, agent, flag)
}

fn notifier(aramaki: &Aramaki, bus: &Bus) -> Notifier {
    let (policy, channels) = (aramaki.path("policy.toml"), aramaki.path("notify.toml"));
    std::fs::write(&policy, POLICY).unwrap();
    std::fs::write(&channels, CHANNEL).unwrap();
    aramaki.json(&["notify", "policy", "Webshop", "--file", &policy]);
    let log = File::create(aramaki.path("notify.log")).unwrap();
    let notifier = aramaki
        .command("data", &["notify", "run", "--file", &channels])
        .env("DBUS_SESSION_BUS_ADDRESS", bus.address())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(log)
        .spawn();
    Notifier(notifier.unwrap())
}

#[test]
fn a_problem_is_shown_on_the_desktop_and_its_end_takes_its_place() {
    let aramaki = Aramaki::new();
    let bus = Bus::start(&aramaki);
    let desktop = Desktop::default();
    let screen = Arc::clone(&desktop.screen);
    let _service = zbus::blocking::connection::Builder::address(bus.address())
        .unwrap()
        .serve_at("/org/freedesktop/Notifications", desktop)
        .unwrap()
        .name("org.freedesktop.Notifications")
        .unwrap()
        .build()
        .unwrap();
    let (_relay, _agent, flag) = watched(&aramaki);
    let mut notifier = notifier(&aramaki, &bus);
    let mut drawn = |times: usize, what: &str| {
        wait_for(what, || {
            let log = || std::fs::read_to_string(aramaki.path("notify.log")).unwrap();
            let ended = notifier.0.try_wait().unwrap();
            assert_eq!(ended, None, "{what}: {}", log());
            let screen = screen.lock().unwrap().clone();
            assert!(screen.drawn.len() <= times, "{what}: {screen:#?}");
            (screen.drawn.len() == times).then_some(screen)
        })
    };

    let shown = drawn(1, "the problem is shown");
    let problem = shown.bubbles[&41].clone();
    let title = "[WARNING] Webshop: <flag> & pole: ";
    assert!(problem.title.starts_with(title), "{problem:#?}");
    // A title is text, and the rest is markup.
    let text = "&lt;flag&gt; &amp; pole";
    assert!(problem.text.contains(text), "{problem:#?}");
    assert_eq!(problem.urgency, 1);

    std::fs::write(&flag, "").unwrap();
    let shown = drawn(2, "its end is shown");
    assert_eq!(shown.drawn, [41, 41]);
    let [end] = &shown.bubbles.values().collect::<Vec<_>>()[..] else {
        panic!("one that says it is over, and none that says it is not: {shown:#?}");
    };
    assert_eq!(end.title, "[RESOLVED] Webshop: <flag> & pole");
    assert_eq!(end.urgency, 0);

    // The next problem is another matter, and leaves the end of this one where it is.
    std::fs::remove_file(&flag).unwrap();
    let shown = drawn(3, "the next problem is shown");
    assert_eq!(shown.drawn, [41, 41, 42]);
    assert_eq!(&shown.bubbles[&41], *end);
    assert!(shown.bubbles[&42].title.starts_with(title), "{shown:#?}");
}
