//! Reading along while an action runs, and looking at one run.

use std::time::Duration;

use aramaki_sync_core::{EnvelopeId, SpaceId};
use clap::Args;
use tokio::time::Instant;

use super::words::{progress_words, request_json, run_text};
use crate::cli::report::Lines;
use crate::cli::{CliError, Report, parse_span, parts};
use crate::workspace::{Live, RequestRow};

/// How long is waited for what comes of a request, unless something else is said.
const WAIT: Duration = Duration::from_secs(30);
/// The same for who reads along.
const FOLLOW: Duration = Duration::from_hours(24);
const LOOK_PAUSE: Duration = Duration::from_millis(200);
/// So often it is found out whether somebody reads along still.
const ALIVE_PAUSE: Duration = Duration::from_secs(5);

/// Whether to read along, and how long.
#[derive(Clone, Debug, Args)]
pub(crate) struct Along {
    /// Print what it says while it runs.
    #[arg(long)]
    pub(super) follow: bool,
    /// How long to wait for what comes of it, 30 s unless --follow is given; it goes on without waiting too.
    #[arg(long, value_name = "SPAN", value_parser = parse_span)]
    wait: Option<Duration>,
}

impl Along {
    /// As it was typed.
    pub(super) fn arguments(&self) -> Vec<String> {
        let follow = self.follow.then(|| "--follow".to_owned());
        let wait = self.wait.map(|wait| format!("--wait={}s", wait.as_secs()));
        follow.into_iter().chain(wait).collect()
    }

    /// How long to wait.
    pub(super) fn span(&self) -> Duration {
        let usual = if self.follow { FOLLOW } else { WAIT };
        self.wait.unwrap_or(usual)
    }
}

/// What comes of a request that this program wrote: the rest of asking for it, or of agreeing.
#[derive(Debug, Args)]
pub(crate) struct Outcome {
    /// Which System.
    system: SpaceId,
    /// The request.
    request: EnvelopeId,
    #[command(flatten)]
    along: Along,
}

impl Outcome {
    /// As it would be typed, for whoever has the workspace next.
    pub(super) fn arguments(
        (system, request): (SpaceId, EnvelopeId),
        along: &Along,
    ) -> Vec<String> {
        let words = ["aramaki", "action", "outcome"].map(str::to_owned);
        let which = [system.to_string(), request.to_string()];
        words
            .into_iter()
            .chain(which)
            .chain(along.arguments())
            .collect()
    }

    pub(super) async fn run(&self, live: &Live) -> Result<Report, CliError> {
        let request = (self.system, self.request);
        super::came_of(live, request, &self.along, Lines::default()).await
    }
}

/// Look at one request: who asked and agreed, how it ran, what it said and what came of it.
#[derive(Debug, Args)]
pub(crate) struct Show {
    /// Which System.
    system: String,
    /// The request, as `aramaki action list` shows it, or a unique prefix of at least 6 digits.
    request: String,
    /// Print what it says while it runs, until it ends.
    #[arg(long)]
    follow: bool,
}

impl Show {
    pub(super) async fn run(&self, live: &Live) -> Result<Report, CliError> {
        let system = live.find(&self.system)?;
        let (host, found) = live.find_request(system, &self.request).await?;
        let row = if self.follow {
            follow(live, (system, found.id), FOLLOW).await?
        } else {
            None
        };
        let row = row.unwrap_or(found);
        let mut text = Lines::default();
        run_text(&mut text, (&host, &row), !self.follow);
        let mut object = request_json(&row);
        if let Some(fields) = object.as_object_mut() {
            fields.insert("host".to_owned(), host.into());
            fields.insert("system".to_owned(), system.to_string().into());
        }
        Ok(Report::new(text.into_text(), &object))
    }
}

/// Prints how a request stands and what it says until it is done; how it stands then.
pub(super) async fn follow(
    live: &Live,
    (system, request): (SpaceId, EnvelopeId),
    limit: Duration,
) -> Result<Option<RequestRow>, CliError> {
    let end = Instant::now() + limit;
    let mut told = Told::default();
    let mut alive = Instant::now() + ALIVE_PAUSE;
    loop {
        let row = live.look_at_action(system, request).await?;
        let news = row.as_ref().map(|row| told.news(row)).unwrap_or_default();
        if !news.is_empty() || Instant::now() >= alive {
            alive = Instant::now() + ALIVE_PAUSE;
            parts::say(news).await;
        }
        let is_done = row.as_ref().is_some_and(RequestRow::is_over);
        if is_done || Instant::now() >= end {
            return Ok(row);
        }
        tokio::time::sleep(LOOK_PAUSE).await;
    }
}

/// What was printed of a request.
#[derive(Debug, Default)]
struct Told {
    progress: Vec<String>,
    /// Up to where its output was printed.
    place: u64,
    /// The begin of a character whose end is not there yet.
    rest: Vec<u8>,
}

impl Told {
    /// What is new since.
    fn news(&mut self, row: &RequestRow) -> String {
        let progress = progress_words(row);
        let new = progress.iter().filter(|line| !self.progress.contains(line));
        let mut news: String = new.flat_map(|line| [line.as_str(), "\n"]).collect();
        self.progress = progress;
        let next = match &row.result {
            Some(result) => {
                let kept = u64::try_from(result.tail.len()).unwrap_or(u64::MAX);
                let from = result.len_bytes.saturating_sub(kept);
                let known = usize::try_from(self.place.saturating_sub(from)).unwrap_or(usize::MAX);
                let mut bytes = result.tail.get(known..).unwrap_or_default().to_vec();
                if from > self.place {
                    bytes.splice(0..0, "…\n".bytes());
                }
                self.place = result.len_bytes;
                bytes
            }
            None => match row.heard.after(self.place) {
                Some(next) => {
                    self.place = next.end;
                    next.bytes
                }
                None => Vec::new(),
            },
        };
        self.rest.extend(next);
        let whole = match std::str::from_utf8(&self.rest) {
            Err(error) if error.error_len().is_none() && row.result.is_none() => {
                error.valid_up_to()
            }
            _ => self.rest.len(),
        };
        let rest = self.rest.split_off(whole);
        let whole = std::mem::replace(&mut self.rest, rest);
        news.push_str(&String::from_utf8_lossy(&whole));
        if row.result.is_some() && !news.is_empty() && !news.ends_with('\n') {
            news.push('\n');
        }
        news
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::sync::Arc;

    use aramaki_model::action::{ActionOutput, ActionRequest, ActionResult, HeardOutput, Outcome};
    use aramaki_sync_core::Timestamp;

    use super::super::words::fault_of;
    use super::*;
    use crate::view::actions::MayAnswer;

    fn row() -> RequestRow {
        RequestRow {
            id: EnvelopeId::from_bytes([1; 32]),
            request: ActionRequest {
                again: None,
                agent: SpaceId::ZERO,
                action: "flush".to_owned(),
                definition: [0; 32],
                arguments: BTreeMap::new(),
                not_before: Timestamp::ZERO,
                end: Timestamp::ZERO,
                reason: String::new(),
                alert: None,
            },
            who: "alice".to_owned(),
            at: Timestamp::ZERO,
            said: Vec::new(),
            lacks: 0,
            may: MayAnswer::Withdraw,
            started: Some(Timestamp::ZERO),
            starts: 1,
            maintenance: None,
            attempt: None,
            heard: HeardOutput::default(),
            result: None,
            unheard: None,
            read_at: Timestamp::ZERO,
        }
    }

    fn hear(row: &mut RequestRow, from: u64, bytes: &[u8]) {
        row.heard.take(&ActionOutput {
            request: row.id,
            from,
            bytes: bytes.to_vec(),
        });
    }

    #[test]
    fn who_waits_reads_that_somebody_has_to_agree() {
        let mut row = RequestRow {
            started: None,
            starts: 0,
            lacks: 1,
            ..row()
        };
        let news = Told::default().news(&row);
        assert!(news.contains("1 more has to agree"), "{news}");
        assert!(news.contains("action approve"), "{news}");
        row.lacks = 0;
        let news = Told::default().news(&row);
        assert!(!news.contains("agree"), "{news}");
    }

    #[test]
    fn who_waits_for_a_dead_agent_reads_that_it_expired_and_is_sent_to_nobody() {
        let mut row = RequestRow {
            started: None,
            starts: 0,
            lacks: 1,
            ..row()
        };
        row.read_at = row.request.end.plus(Duration::from_secs(1));
        let news = Told::default().news(&row);
        let end = crate::cli::local(row.request.end);
        assert!(news.contains(&format!("its time was over {end}")), "{news}");
        assert!(!news.contains("approve") && !row.is_over(), "{news}");
        row.read_at = row.request.expires_at().plus(Duration::from_secs(1));
        let news = Told::default().news(&row);
        assert!(
            news.contains("expired") && news.contains("the agent did not answer"),
            "{news}"
        );
        assert!(!news.contains("approve") && row.is_over(), "{news}");
        assert_eq!(request_json(&row)["state"], "expired");
        assert!(fault_of(&row).is_some(), "who waited for it did not get it");
    }

    #[test]
    fn who_reads_along_is_told_when_the_agent_of_a_run_is_silent_and_not_kept_for_ever() {
        let since = Timestamp::from_millis(1_000);
        let mut row = RequestRow {
            unheard: Some(since),
            ..row()
        };
        let words = format!("has not been heard since {}", crate::cli::local(since));
        let news = Told::default().news(&row);
        assert!(
            news.contains("runs since") && news.contains(&words),
            "{news}"
        );
        assert!(!row.is_over() && fault_of(&row).is_none());
        row.read_at = row.request.expires_at().plus(Duration::from_secs(1));
        let news = Told::default().news(&row);
        assert!(
            news.contains("unknown whether and how it ended") && news.contains(&words),
            "{news}"
        );
        assert!(!news.contains("runs since") && row.is_over(), "{news}");
        let json = request_json(&row);
        assert_eq!(json["state"], "unheard");
        assert_eq!(json["agent_unheard_since"], since.to_string());
        let fault = fault_of(&row).map(|fault| (fault.exit(), fault.code().to_owned()));
        assert_eq!(fault, Some((1, "A-156".to_owned())));
        row.unheard = None;
        assert!(!row.is_over(), "it is heard again");
    }

    #[test]
    fn each_word_is_printed_once_and_the_end_comes_from_the_result() {
        let (mut row, mut told) = (row(), Told::default());
        let first = told.news(&row);
        assert!(first.contains("runs since"), "{first}");
        assert_eq!(told.news(&row), "");
        hear(
            &mut row,
            0,
            "one\nst\u{fc}".as_bytes().split_last().unwrap().1,
        );
        assert_eq!(told.news(&row), "one\nst", "half a letter waits");
        hear(&mut row, 7, &"\u{fc}".as_bytes()[1..]);
        assert_eq!(told.news(&row), "\u{fc}");
        row.result = Some(Arc::new(ActionResult {
            request: row.id,
            outcome: Outcome::Exit(0),
            began: Timestamp::ZERO,
            ended: Timestamp::ZERO,
            tail: "one\nst\u{fc}ck\nend".as_bytes().to_vec(),
            len_bytes: 14,
            hash: [0; 32],
        }));
        let rest = told.news(&row);
        assert!(
            rest.contains("ck\nend\n") && !rest.contains("one\n"),
            "{rest}"
        );
        // Who hears nothing on the way gets all of it, and sees that something is left out.
        let late = Told::default().news(&row);
        assert!(late.contains("one\nst\u{fc}ck\nend\n"), "{late}");
    }
}
