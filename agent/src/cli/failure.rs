//! What a person or script is told when a verb fails: a stable code, what is wrong, what helps.

use std::error::Error;
use std::io::{self, Write};

use crate::config::ConfigError;
use crate::net::chain;
use crate::run::AgentError;
use crate::state::StateError;

/// A failed verb.
#[derive(Debug)]
pub(super) struct Failure {
    code: &'static str,
    message: String,
    hint: String,
    closed_pipe: bool,
}

impl Failure {
    fn new(code: &'static str, error: &dyn Error, hint: &str) -> Self {
        Self {
            code,
            message: chain(error),
            hint: hint.to_owned(),
            closed_pipe: false,
        }
    }

    /// There is no such check.
    pub(super) fn no_check(name: &str, names: &[&str]) -> Self {
        let hint = if names.is_empty() {
            "no checks are configured: see the example /etc/aramaki/agent.toml".to_owned()
        } else {
            format!("checks here: {}", names.join(", "))
        };
        Self {
            code: "A-402",
            message: format!("no check is called {name:?}"),
            hint,
            closed_pipe: false,
        }
    }

    /// No check of that name came to be by results.
    pub(super) fn not_learned(name: &str, names: &[&str]) -> Self {
        let hint = if names.is_empty() {
            "no check came to be by results; one of agent.toml or of the System is removed there"
                .to_owned()
        } else {
            format!(
                "those that did: {}; one of agent.toml or of the System is removed there",
                names.join(", ")
            )
        };
        Self {
            code: "A-402",
            message: format!("no check {name:?} came to be by results that were sent"),
            hint,
            closed_pipe: false,
        }
    }

    /// That name is not let out.
    pub(super) fn not_forgotten(name: &str, names: &[&str]) -> Self {
        let hint = if names.is_empty() {
            "none is let out".to_owned()
        } else {
            format!("let out are: {}", names.join(", "))
        };
        Self {
            code: "A-402",
            message: format!("{name:?} is not let out"),
            hint,
            closed_pipe: false,
        }
    }

    /// More names cannot be let out.
    pub(super) fn too_many_forgotten(limit: usize) -> Self {
        Self {
            code: "A-402",
            message: format!("{limit} names are let out already"),
            hint: "a pattern with `!` in listen.names of agent.toml lets out many at once"
                .to_owned(),
            closed_pipe: false,
        }
    }

    /// Some of the host's actions are not allowed.
    pub(super) fn actions(count: usize) -> Self {
        Self {
            code: "A-406",
            message: format!("{count} of the host's actions are not allowed"),
            hint: "each is named above with its reason; the others can be asked for".to_owned(),
            closed_pipe: false,
        }
    }

    /// The log filter is none.
    pub(super) fn log(filter: &str, error: &dyn Error) -> Self {
        let message = format!("not a log filter: {filter:?}: {}", chain(error));
        Self {
            code: "A-401",
            message,
            hint: "use info, debug or module=level".to_owned(),
            closed_pipe: false,
        }
    }

    /// The operating system refused.
    pub(super) fn io(what: &str, error: &io::Error) -> Self {
        let closed_pipe = error.kind() == io::ErrorKind::BrokenPipe;
        Self {
            code: "A-405",
            message: format!("cannot {what}: {error}"),
            hint: String::new(),
            closed_pipe,
        }
    }

    pub(super) const fn is_closed_pipe(&self) -> bool {
        self.closed_pipe
    }

    pub(super) fn write(&self, json: bool, errors: &mut dyn Write) -> io::Result<()> {
        if json {
            let error = serde_json::json!({ "code": self.code, "message": self.message, "hint": self.hint });
            return writeln!(errors, "{}", serde_json::json!({ "error": error }));
        }
        writeln!(errors, "error {}: {}", self.code, self.message)?;
        if self.hint.is_empty() {
            Ok(())
        } else {
            writeln!(errors, "hint: {}", self.hint)
        }
    }
}

impl From<ConfigError> for Failure {
    fn from(error: ConfigError) -> Self {
        Self::new("A-401", &error, "the example agent.toml shows every field")
    }
}

impl From<StateError> for Failure {
    fn from(error: StateError) -> Self {
        Self::new(
            "A-403",
            &error,
            "--data names another folder; the agent's user must own it",
        )
    }
}

impl From<AgentError> for Failure {
    fn from(error: AgentError) -> Self {
        let (code, hint) = match &error {
            AgentError::NotJoined => ("A-404", "run `aramaki-agent join INVITATION` first"),
            AgentError::Invitation(_) => (
                "A-404",
                "copy the whole invitation; it begins with aramakiagent1",
            ),
            AgentError::ForPerson => (
                "A-404",
                "`aramaki agent invite SYSTEM --name NAME` makes one for an agent",
            ),
            AgentError::Spent(_) => (
                "A-404",
                "`aramaki agent invite SYSTEM --name NAME` makes a new one",
            ),
            AgentError::OtherSpace { .. } => {
                ("A-404", "use another --data folder for another Space")
            }
            AgentError::Lost { .. } => (
                "A-403",
                "bring the folder back, or join again by a new invitation",
            ),
            AgentError::Join(_) => (
                "A-404",
                "is the invitation still valid, and a peer or relay reachable?",
            ),
            AgentError::State(_) => (
                "A-403",
                "--data names another folder; the agent's user must own it",
            ),
            _ => ("A-405", "--data names the folder; another agent may use it"),
        };
        Self::new(code, &error, hint)
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::io("write the answer", &error)
    }
}
