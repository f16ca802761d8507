//! The real program in a real window: needs Xvfb, xdotool and ImageMagick, and fails without them.
//!
//! Not part of `cargo test --workspace`: `cargo test -p aramaki-desktop --test window` runs it.

#![expect(clippy::unwrap_used, reason = "a failed step fails its test")]

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// From the start of the process to the first frame of the workspace.
const FIRST_FRAME_MAX: Duration = Duration::from_secs(1);
/// Patience for everything else.
const WAIT_MAX: Duration = Duration::from_secs(20);
const IDLE: Duration = Duration::from_secs(5);
/// Processor time while idle, in hundredths of a second: less than 1 %.
const IDLE_TICKS_MAX: u64 = 4;
/// A picture of something has more colours than this.
const COLOURS_MIN: usize = 64;

/// A process that ends with the test.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended by itself.
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

/// A display, a folder and the tools to press keys and take photos.
struct Desk {
    display: String,
    folder: tempfile::TempDir,
    _server: Running,
}

impl Desk {
    fn new() -> Self {
        for tool in ["Xvfb", "xdotool", "import"] {
            let found = std::env::split_paths(&std::env::var_os("PATH").unwrap())
                .any(|folder| folder.join(tool).is_file());
            assert!(found, "{tool} is missing: see .ci/run packages");
        }
        let mut server = Command::new("Xvfb")
            .args(["-displayfd", "1", "-screen", "0", "1600x1000x24"])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut number = String::new();
        BufReader::new(server.stdout.take().unwrap())
            .read_line(&mut number)
            .unwrap();
        let folder = tempfile::tempdir().unwrap();
        Self {
            display: format!(":{}", number.trim()),
            folder,
            _server: Running(server),
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn aramaki(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_aramaki"));
        command
            .env("DISPLAY", &self.display)
            .env("LIBGL_ALWAYS_SOFTWARE", "1")
            .env("LANG", "C.UTF-8")
            .env("ARAMAKI_DATA", self.path("data"))
            .env("XDG_CONFIG_HOME", self.path("config"))
            .env("XDG_STATE_HOME", self.path("state"))
            .env_remove("WAYLAND_DISPLAY")
            .env_remove("LC_ALL")
            .args(arguments);
        command
    }

    fn verb(&self, arguments: &[&str]) -> String {
        let output = self.aramaki(arguments).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{arguments:?}: {said}");
        String::from_utf8(output.stdout).unwrap()
    }

    fn xdotool(&self, arguments: &[&str]) -> Option<String> {
        let output = Command::new("xdotool")
            .env("DISPLAY", &self.display)
            .args(arguments)
            .output()
            .unwrap();
        let said = String::from_utf8(output.stdout).unwrap();
        output.status.success().then_some(said)
    }

    /// Whether the app said that it drew the workspace.
    fn has_drawn(&self) -> bool {
        let log = self.path("state/aramaki/default.log");
        let said = fs::read_to_string(log).unwrap_or_default();
        let mut lines = said.lines();
        lines.any(|line| line.contains("first frame") && line.contains("Open"))
    }

    /// How many colours the screen has.
    fn colours(&self, name: &str) -> usize {
        let photo = self.path(name);
        let taken = Command::new("import")
            .env("DISPLAY", &self.display)
            .args(["-window", "root"])
            .arg(&photo)
            .status()
            .unwrap();
        assert!(taken.success());
        if let Some(folder) = std::env::var_os("ARAMAKI_PHOTOS") {
            fs::copy(&photo, Path::new(&folder).join(name)).unwrap();
        }
        let image = image::open(&photo).unwrap().to_rgb8();
        let colours: std::collections::BTreeSet<_> = image.pixels().map(|pixel| pixel.0).collect();
        colours.len()
    }
}

fn until<T>(what: &str, mut find: impl FnMut() -> Option<T>) -> T {
    let end = Instant::now() + WAIT_MAX;
    loop {
        if let Some(found) = find() {
            return found;
        }
        assert!(Instant::now() < end, "no {what} within {WAIT_MAX:?}");
        sleep(Duration::from_millis(2));
    }
}

/// Processor time of a process so far, in hundredths of a second.
fn ticks(process: u32) -> u64 {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).unwrap();
    // The name may have spaces; it ends at the last bracket. Then user and system time follow.
    let (_, rest) = stat.rsplit_once(')').unwrap();
    let numbers: Vec<&str> = rest.split_whitespace().collect();
    numbers[11].parse::<u64>().unwrap() + numbers[12].parse::<u64>().unwrap()
}

#[test]
fn the_window_opens_at_once_takes_keys_and_rests() {
    let desk = Desk::new();
    desk.verb(&["init", "--name", "Duty operator", "--no-recovery-kit"]);
    for title in ["Webshop production", "Mail"] {
        desk.verb(&["system", "add", title, "--category", "service"]);
    }

    let started = Instant::now();
    let app = Running(
        desk.aramaki(&["--log", "info"])
            .stderr(Stdio::null())
            .spawn()
            .unwrap(),
    );
    until("first frame", || desk.has_drawn().then_some(()));
    let first_frame = started.elapsed();
    assert!(
        first_frame < FIRST_FRAME_MAX,
        "the first frame took {first_frame:?}"
    );

    let window = until("window", || {
        let found = desk.xdotool(&["search", "--onlyvisible", "--name", "Aramaki"])?;
        found.lines().next().map(str::to_owned)
    });
    desk.xdotool(&["windowfocus", "--sync", &window]);
    until("picture", || {
        (desk.colours("window.png") > COLOURS_MIN).then_some(())
    });

    // Keys and clicks reach it: a note is written, and a verb reads it from the same workspace.
    desk.xdotool(&["key", "slash"]);
    sleep(Duration::from_millis(500));
    desk.xdotool(&["type", "New System"]);
    sleep(Duration::from_millis(500));
    desk.xdotool(&["key", "Return"]);
    sleep(Duration::from_millis(500));
    desk.xdotool(&["type", "Typed here"]);
    sleep(Duration::from_millis(500));
    desk.colours("dialog.png");
    desk.xdotool(&["key", "Return"]);
    until("System that was typed", || {
        let listed = desk.verb(&["system", "list"]);
        listed.contains("Typed here").then_some(())
    });

    // The clock of ages ticks every ten seconds: the quieter of two spans has no tick in it.
    desk.xdotool(&["mousemove", "5", "900"]);
    sleep(Duration::from_secs(3));
    let process = app.0.id();
    let idle = (0..2)
        .map(|_| {
            let before = ticks(process);
            sleep(IDLE);
            ticks(process) - before
        })
        .min()
        .unwrap();
    assert!(idle <= IDLE_TICKS_MAX, "{idle} ticks in {IDLE:?}");
    eprintln!("first frame {first_frame:?}, idle {idle} ticks in {IDLE:?}");
}
