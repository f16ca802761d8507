//! A session bus of a test.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};

use crate::program::Aramaki;

/// It starts nobody: whoever answers was put there by the test.
const CONFIG: &str = r#"<busconfig>
  <type>session</type>
  <listen>unix:tmpdir=/tmp</listen>
  <policy context="default">
    <allow send_destination="*" eavesdrop="true"/>
    <allow eavesdrop="true"/>
    <allow own="*"/>
  </policy>
</busconfig>"#;

/// A bus that ends with its test.
pub(crate) struct Bus {
    child: Child,
    address: String,
}

impl Bus {
    /// Starts one; its file is among those of the test.
    pub(crate) fn start(aramaki: &Aramaki) -> Self {
        let config = aramaki.path("bus.conf");
        std::fs::write(&config, CONFIG).unwrap();
        let mut child = Command::new("dbus-daemon")
            .args(["--nofork", "--print-address", "--config-file", &config])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut address = String::new();
        BufReader::new(child.stdout.take().unwrap())
            .read_line(&mut address)
            .unwrap();
        Self {
            child,
            address: address.trim().to_owned(),
        }
    }

    /// Where it is.
    pub(crate) fn address(&self) -> &str {
        &self.address
    }
}

impl Drop for Bus {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
