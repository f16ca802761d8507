//! `aramaki-agent join INVITATION`.

use std::io::{Read as _, Write};

use serde_json::json;

use super::{Common, Failure, block_on};
use crate::run::join;

/// An invitation is not longer.
const INVITATION_LEN_BYTES_MAX: u64 = 64 * 1024;

/// Join the Space that was made for this agent, once.
#[derive(Debug, clap::Args)]
pub(super) struct Join {
    /// The invitation, or - to read it from standard input, where no other user can see it.
    invitation: String,
}

impl Join {
    pub(super) fn perform(&self, common: &Common, out: &mut dyn Write) -> Result<(), Failure> {
        let config = common.config()?;
        super::log(common, &config)?;
        let mut invitation = self.invitation.clone();
        if invitation == "-" {
            let mut bytes = Vec::new();
            let input = std::io::stdin()
                .lock()
                .take(INVITATION_LEN_BYTES_MAX)
                .read_to_end(&mut bytes);
            input.map_err(|error| Failure::io("read the invitation", &error))?;
            // What is no text is no invitation either, and that is the better answer.
            invitation = String::from_utf8_lossy(&bytes).into_owned();
        }
        let options = common.options(config);
        let joined = block_on(join(options, &invitation))??;
        if common.json {
            let joined = json!({
                "schema": 1,
                "space": joined.space.to_string(),
                "agent": joined.agent.to_string(),
                "complete": joined.complete,
            });
            writeln!(out, "{joined}")?;
        } else if joined.complete {
            writeln!(
                out,
                "joined the Space {} as agent {}",
                joined.space,
                joined.agent.short()
            )?;
        } else {
            let (space, agent) = (joined.space, joined.agent.short());
            writeln!(
                out,
                "the invitation to the Space {space} is kept for agent {agent}; no peer answered yet,"
            )?;
            writeln!(out, "`aramaki-agent run` goes on trying")?;
        }
        Ok(())
    }
}
