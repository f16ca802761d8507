//! `aramaki-relay id`.

use std::io::Write;

use clap::Args;

use crate::error::RelayError;
use crate::{RelayInfo, RelayOptions};

/// Print the relay's key and addresses, to be given a grant (makes the key at first use)
#[derive(Debug, Args)]
pub(super) struct Id {
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

impl Id {
    pub(super) fn execute(&self, cli: &super::Cli, out: &mut impl Write) -> Result<(), RelayError> {
        let options = RelayOptions {
            data: cli.data.clone(),
            key: cli.key.clone(),
            config: cli.configuration()?,
        };
        let info = RelayInfo::of(&options)?;
        let text = if self.json { json(&info) } else { lines(&info) };
        out.write_all(text.as_bytes()).map_err(RelayError::Output)
    }
}

fn json(info: &RelayInfo) -> String {
    let object = serde_json::json!({
        "schema": 1,
        "author": info.author.to_string(),
        "address": info.address(),
        "endpoint": info.endpoint,
        "addresses": info.addresses,
        "transport": info.transport,
    });
    format!("{object}\n")
}

fn lines(info: &RelayInfo) -> String {
    format!("author   {}\naddress  {}\n", info.author, info.address())
}
