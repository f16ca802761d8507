//! `aramaki share`.

use std::path::{Path, PathBuf};
use std::time::Duration;

use aramaki_sync_core::Timestamp;
use aramaki_sync_core::statement::Capability;
use clap::{Args, ValueEnum};
use serde_json::{Value, json};

use super::parse::{Moment, parse_line, parse_moment};
use super::report::{Lines, count};
use super::{CliError, Clock, Report, WITHOUT_RELAY, carry, local, parse_span};
use crate::workspace::{Invited, Live, ShareRequest, capability_word};

/// Share a System by an invitation: a short code that ends by itself.
///
/// Whoever has the code can use it; send it over a way that you trust. What the
/// System's agents see is shared with it; its parts are Systems of their own and are not.
#[derive(Debug, Args)]
pub(crate) struct Share {
    /// Which System.
    system: String,
    /// What the invited may do.
    #[arg(long = "can", alias = "capability", value_enum, default_value_t = Allowed::Read)]
    can: Allowed,
    /// Whom it is for, as all who read the System will call them: "auditor". Whoever may write there
    /// can say it themselves.
    #[arg(long = "to", value_name = "NAME", value_parser = parse_line)]
    name: Option<String>,
    /// What for, as all who read the System will see it: "audit of payments". Relays do not.
    #[arg(long, value_name = "TEXT", value_parser = parse_line)]
    reason: Option<String>,
    /// From when on the code can be used: 2026-12-24T18:00Z, or 3h for in three hours. At once without it.
    /// Who has it may join before: they are let in when the time comes, if anybody who administers is online
    /// then or later.
    #[arg(long = "from", value_name = "TIME", value_parser = parse_moment, conflicts_with_all = ["file", "inline"])]
    from: Option<Moment>,
    /// For how long: 30m, 8h, 3d.
    #[arg(long = "for", value_name = "SPAN", default_value = "24h", value_parser = parse_span)]
    span: Duration,
    /// How many devices may use it.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=100))]
    redemptions: u16,
    /// For somebody who is offline for long: what they wrote in time counts if it arrives within three
    /// days after their access has ended, not only within a quarter of an hour.
    #[arg(long)]
    offline: bool,
    /// Write the invitation to a new file, with all that its guest needs: for somebody without a network.
    /// It can be used as long as the access lasts, and implies --offline. On the other side:
    /// `aramaki join FILE`.
    #[arg(long, value_name = "FILE")]
    file: Option<PathBuf>,
    /// Print a long code that carries the grants which a guest without a network needs, and nothing of
    /// what the System says; a QR code holds it. As with --file it can be used as long as the access
    /// lasts.
    #[arg(long, conflicts_with = "file")]
    inline: bool,
}

/// What an invitation can allow; never to administer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Allowed {
    /// See everything of the System.
    Read,
    /// See everything, and add to its timeline.
    Comment,
    /// Change it.
    Write,
}

impl From<Allowed> for Capability {
    fn from(allowed: Allowed) -> Self {
        match allowed {
            Allowed::Read => Self::Read,
            Allowed::Comment => Self::Comment,
            Allowed::Write => Self::Write,
        }
    }
}

/// A time that passed longer ago is a slip, and no wish to begin at once.
const BEGIN_PAST_MAX: Duration = Duration::from_mins(1);

/// Refuses a beginning that has passed.
///
/// # Errors
/// When it has.
pub(super) fn check_begin(from: Option<Moment>, now: Timestamp) -> Result<(), CliError> {
    match from.map(|from| from.at(now)) {
        Some(begin) if begin.plus(BEGIN_PAST_MAX) < now => Err(CliError::Usage(format!(
            "--from {} has passed: leave it out to begin at once",
            local(begin)
        ))),
        _ => Ok(()),
    }
}

impl Share {
    /// The path among its arguments.
    pub(crate) fn path(&mut self) -> Option<&mut PathBuf> {
        self.file.as_mut()
    }

    /// Writes the invitation to a file.
    async fn write(&self, live: &Live, file: &Path) -> Result<Report, CliError> {
        let space = live.find(&self.system)?;
        let title = live.title(space).unwrap_or_else(|| space.short());
        let (shared, carried) = live.share_file(space, &self.request(), file).await?;
        let may = capability_word(self.can.into());
        let mut text = Lines::default();
        text.add(format_args!(
            "Wrote {title} to {}: {}.",
            file.display(),
            carry::amount(&carried)
        ));
        let devices = count(usize::from(self.redemptions), "device");
        text.add(format_args!(
            "The file is a secret: it lets in {devices}, who may {may} {title} and what its agents see until {}.",
            local(shared.end)
        ));
        text.add("On the other side, without any network: aramaki join FILE");
        text.add(format_args!(
            "What they write comes back by `aramaki carry {title} FILE` there and `aramaki take FILE` here."
        ));
        if carried.bare > 0 {
            text.add(carry::too_much(&carried));
        }
        let mut json = self.json(&shared, &title);
        json["file"] = json!(file);
        json["carried"] = carry::carried_json(&carried);
        Ok(Report::new(text.into_text(), &json))
    }

    /// Prints a code that needs no network.
    async fn print_inline(&self, live: &Live) -> Result<Report, CliError> {
        let space = live.find(&self.system)?;
        let title = live.title(space).unwrap_or_else(|| space.short());
        let (shared, code) = live.share_inline(space, &self.request()).await?;
        let mut text = Lines::default();
        text.add(code.as_str());
        text.add(format_args!(
            "\nOn the other side, also without a network: aramaki join - (it reads the code from its input)."
        ));
        text.add(format_args!(
            "Who uses it is let in until {}; what {title} says comes later, over the network or by \
             `aramaki carry`.",
            local(shared.end)
        ));
        let mut json = self.json(&shared, &title);
        json["invitation"] = json!(code.as_str());
        Ok(Report::new(text.into_text(), &json))
    }

    fn request(&self) -> ShareRequest {
        ShareRequest {
            name: self.name.clone().unwrap_or_default(),
            reason: self.reason.clone().unwrap_or_default(),
            capability: self.can.into(),
            begin: self.begin(Clock::now()),
            span: self.span,
            redemptions: self.redemptions,
            long_grace: self.offline,
        }
    }

    /// When the code begins, if that is later.
    fn begin(&self, now: Timestamp) -> Option<Timestamp> {
        let begin = self.from.map(|from| from.at(now));
        begin.filter(|begin| *begin > now)
    }

    fn json(&self, shared: &Invited, title: &str) -> Value {
        json!({
            "invitation": shared.code,
            "system": shared.space.to_string(),
            "title": title,
            "capability": capability_word(self.can.into()),
            "begin": shared.begin.map(|begin| begin.to_string()),
            "redeem_until": shared.redeem_until.to_string(),
            "end": shared.end.to_string(),
            "redemptions": self.redemptions,
            "reason": self.reason,
            "relayed": shared.relayed,
        })
    }

    /// Makes the invitation.
    pub(crate) async fn run(&self, live: &Live) -> Result<Report, CliError> {
        check_begin(self.from, Clock::now())?;
        if let Some(file) = &self.file {
            return self.write(live, file).await;
        }
        if self.inline {
            return self.print_inline(live).await;
        }
        let space = live.find(&self.system)?;
        let title = live.title(space).unwrap_or_else(|| space.short());
        let shared = live.share(space, &self.request()).await?;
        let may = capability_word(self.can.into());
        let mut text = Lines::default();
        text.add(&shared.code);
        let devices = count(usize::from(self.redemptions), "device");
        let from = shared
            .begin
            .map(|begin| format!("from {} on, ", local(begin)));
        text.add(format_args!(
            "\nThe code lets in {devices}, {}until {}. On the other side: aramaki join CODE",
            from.unwrap_or_default(),
            local(shared.redeem_until)
        ));
        text.add(format_args!(
            "Who uses it may {may} {title} and what its agents see until {}.",
            local(shared.end)
        ));
        if !shared.relayed {
            text.add(WITHOUT_RELAY);
        }
        Ok(Report::new(text.into_text(), &self.json(&shared, &title)))
    }
}
