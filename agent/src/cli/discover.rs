//! `aramaki-agent discover`.

use std::io::Write;

use aramaki_model::Check;
use aramaki_sync_core::AuthorId;
use serde_json::json;

use super::answer::answer;
use super::{Common, Failure, block_on};
use crate::discover::{look, propose};
use crate::run::author;
use crate::service::merged;
use crate::state::Saved;

/// Propose checks for what is on this machine and not looked at yet: file systems, services, listening
/// ports, certificates; and names whose results are refused.
///
/// It prints a file as `aramaki system edit SYSTEM --checks FILE` takes it: keep what you want. Nothing is
/// changed here.
#[derive(Debug, clap::Args)]
pub(super) struct Discover {}

impl Discover {
    pub(super) fn perform(common: &Common, out: &mut dyn Write) -> Result<(), Failure> {
        let config = common.config()?;
        super::log(common, &config)?;
        let saved = Saved::read(&common.data())?;
        let agent = author(&common.data(), common.key.as_deref())?.unwrap_or(AuthorId::ZERO);
        let known: Vec<Check> = merged(&config, saved.config.as_ref(), agent)
            .into_iter()
            .map(|(check, _origin)| check)
            .collect();
        let found = block_on(look())?;
        let proposed = propose(&found, &known, agent);
        if common.json {
            return answer(
                proposed,
                "checks",
                json!({
                    "schema": 1,
                    "refused": saved.refused,
                    "unread": found.unread,
                }),
                out,
            );
        }
        writeln!(
            out,
            "# {} checks are proposed. Keep those that you want, and hand them over with\n\
             #   aramaki system edit SYSTEM --checks FILE",
            proposed.len()
        )?;
        for unread in &found.unread {
            writeln!(out, "# not looked at: {}", unread.replace('\n', " "))?;
        }
        for refused in &saved.refused {
            writeln!(
                out,
                "# results under the name {:?} came and were refused, {} times, last at {}: see listen.names",
                refused.name, refused.count, refused.last
            )?;
        }
        for check in &proposed {
            write!(out, "\n{}", toml_of(check)?)?;
        }
        Ok(())
    }
}

/// A check as files of checks have it, with what is not the default.
fn toml_of(check: &Check) -> Result<String, Failure> {
    let kind = toml::Value::try_from(&check.kind).map_err(std::io::Error::other)?;
    let name = toml::Value::from(check.name.as_str());
    Ok(format!(
        "[[check]]\nid = \"{}\"\nname = {name}\ninterval_ms = {}\nkind = {kind}\n",
        check.id, check.interval_ms
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use aramaki_model::{Builtin, CheckId, CheckKind, Thresholds};

    #[test]
    fn what_is_printed_is_read_as_the_same_check() {
        #[derive(serde::Deserialize)]
        struct File {
            check: Vec<Check>,
        }
        let disk = Builtin::Disk {
            path: "/srv/\"my\" files".to_owned(),
            space: Thresholds::above(85.0, 95.0),
            inodes: Thresholds::default(),
        };
        let units = Builtin::Systemd { units: Vec::new() };
        for kind in [disk, units] {
            let check = Check::new(
                CheckId::from_bytes([1; 16]),
                "a \"b\"",
                CheckKind::Builtin(kind),
            );
            let text = toml_of(&check).unwrap();
            let file: File = toml::from_str(&text).unwrap();
            assert_eq!(file.check, [check], "{text}");
        }
    }
}
