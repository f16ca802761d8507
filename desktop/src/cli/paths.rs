//! Where things are on this machine (DESIGN §7).

use std::path::{Path, PathBuf};

use directories::ProjectDirs;

/// The folders of this user; without a home everything is below the current folder.
#[derive(Clone, Debug)]
pub(crate) struct Paths {
    config: PathBuf,
    data: PathBuf,
    runtime: Option<PathBuf>,
    state: PathBuf,
}

impl Paths {
    /// As the operating system says.
    pub(crate) fn of_user() -> Self {
        let Some(dirs) = ProjectDirs::from("", "", "aramaki") else {
            let here = PathBuf::from(".aramaki");
            return Self {
                config: here.clone(),
                data: here.clone(),
                runtime: None,
                state: here,
            };
        };
        let state = dirs.state_dir().unwrap_or_else(|| dirs.data_local_dir());
        Self {
            config: dirs.config_dir().to_owned(),
            data: dirs.data_dir().to_owned(),
            runtime: dirs.runtime_dir().map(Path::to_owned),
            state: state.to_owned(),
        }
    }

    /// The configuration file.
    pub(crate) fn config(&self) -> PathBuf {
        self.config.join("config.toml")
    }

    /// A profile's folder.
    pub(crate) fn data(&self, profile: &str) -> PathBuf {
        self.data.join(profile)
    }

    /// Where log files go.
    pub(crate) fn logs(&self) -> PathBuf {
        self.state.clone()
    }

    /// The socket of a profile in its usual folder; a folder named by hand holds its own socket.
    pub(crate) fn socket(&self, profile: &str, data: &Path) -> PathBuf {
        match &self.runtime {
            Some(runtime) if data == self.data(profile) => runtime.join(format!("{profile}.sock")),
            _ => data.join("aramaki.sock"),
        }
    }

    /// The socket of the demo that runs.
    pub(crate) fn demo_socket(&self) -> PathBuf {
        self.runtime
            .as_ref()
            .unwrap_or(&self.data)
            .join("demo.sock")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_named_by_hand_holds_its_own_socket() {
        let paths = Paths {
            config: PathBuf::from("/c"),
            data: PathBuf::from("/d"),
            runtime: Some(PathBuf::from("/r")),
            state: PathBuf::from("/s"),
        };
        assert_eq!(
            paths.socket("work", &paths.data("work")),
            Path::new("/r/work.sock")
        );
        assert_eq!(
            paths.socket("work", Path::new("/x")),
            Path::new("/x/aramaki.sock")
        );
    }
}
