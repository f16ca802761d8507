//! A System on this machine, as most stories of one host begin: a relay, who administers it, and an agent.

use tempfile::TempDir;

use crate::{Agent, Host, Person, Relay};

/// The Webshop; its agent has joined and does not run yet, so that it can be told more.
#[derive(Debug)]
pub struct Webshop {
    /// Has the relay, and replicates through it.
    pub relay: Relay,
    /// Administers it.
    pub person: Person,
    /// Looks at it, as web1.
    pub agent: Agent,
    /// Where all of them keep what is theirs.
    pub folder: TempDir,
}

impl Webshop {
    /// Starts a new one.
    ///
    /// # Panics
    /// When something is missing or does not start.
    #[must_use]
    #[expect(
        clippy::new_without_default,
        reason = "it starts processes, which no default does"
    )]
    pub fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        let relay = Relay::start(Host::here(), &at("relay"), &at("relay/data"), "127.0.0.1");
        let person = Person::new(Host::here(), &at("person"));
        person.json(&["system", "add", "Webshop"]);
        relay.serve(&person);
        let agent = Agent::new(Host::here(), &at("agent"), &at("agent/data"));
        agent.join(&person, "Webshop");
        Self {
            relay,
            person,
            agent,
            folder,
        }
    }
}
