//! `aramaki-agent series NAME`.

use std::io::Write;

use aramaki_model::Pattern;
use aramaki_sync_core::{AuthorId, Timestamp};
use serde_json::json;

use super::answer::answer;
use super::{Common, Failure};
use crate::builtin::rounded;
use crate::config::Span;
use crate::run::author;
use crate::series::{Series as Measured, read, sparkline};
use crate::service::{merged, now};
use crate::state::Saved;

/// Characters of a line of bars.
const WIDTH: usize = 48;

/// Show what a check measured: every value of the last day, five-minute sums of two weeks.
///
/// Values stay on this machine. The agent may run at the same time; its last ten seconds are not
/// there yet.
#[derive(Debug, clap::Args)]
pub(super) struct Series {
    /// The check's name.
    name: String,
    /// Only metrics whose label is like this; * is anything.
    #[arg(long, value_name = "LABEL", default_value = "*")]
    metric: String,
    /// From how long ago on.
    #[arg(long, value_name = "SPAN", default_value = "24h")]
    since: Span,
    /// Sum up over so long; without it one line of bars has room for all.
    #[arg(long, value_name = "SPAN")]
    step: Option<Span>,
}

impl Series {
    pub(super) fn perform(&self, common: &Common, out: &mut dyn Write) -> Result<(), Failure> {
        let config = common.config()?;
        super::log(common, &config)?;
        let data = common.data();
        let saved = Saved::read(&data)?;
        let agent = author(&data, common.key.as_deref())?.unwrap_or(AuthorId::ZERO);
        let mut checks: Vec<_> = merged(&config, saved.config.as_ref(), agent)
            .into_iter()
            .map(|(check, _origin)| check)
            .collect();
        checks.extend(saved.learned.iter().map(|learned| learned.check.clone()));
        let Some(check) = checks.iter().find(|check| check.name == self.name) else {
            let names: Vec<&str> = checks.iter().map(|check| check.name.as_str()).collect();
            return Err(Failure::no_check(&self.name, &names));
        };
        let until = now();
        let since = until.minus(self.since.duration());
        let span = i64::try_from(self.since.duration().as_millis()).unwrap_or(i64::MAX);
        let step = self.step.map_or_else(
            || span / i64::try_from(WIDTH).unwrap_or(1),
            |step| i64::try_from(step.duration().as_millis()).unwrap_or(i64::MAX),
        );
        let step = step.max(1_000);
        let wanted = Pattern(self.metric.clone());
        let mut series = read(&data, check.id, since, step)
            .map_err(|error| Failure::io("read what was measured", &error))?;
        series.retain(|series| wanted.matches(&series.label));
        if common.json {
            return answer(
                series,
                "series",
                json!({
                    "schema": 1,
                    "check": check.id,
                    "name": check.name,
                    "since": since.to_string(),
                    "step_ms": step,
                }),
                out,
            );
        }
        if series.is_empty() {
            writeln!(out, "nothing was measured in that time")?;
        }
        for series in &series {
            line(series, since, until, out)?;
        }
        Ok(())
    }
}

fn line(
    series: &Measured,
    since: Timestamp,
    until: Timestamp,
    out: &mut dyn Write,
) -> Result<(), Failure> {
    let (label, unit) = (&series.label, &series.unit);
    let bars = sparkline(&series.points, since, until, WIDTH);
    let least = series
        .points
        .iter()
        .map(|it| it.min)
        .fold(f64::INFINITY, f64::min);
    let most = series
        .points
        .iter()
        .map(|it| it.max)
        .fold(f64::NEG_INFINITY, f64::max);
    let last = series.points.last().map_or(f64::NAN, |point| point.mean);
    let [least, most, last] = [least, most, last].map(rounded);
    writeln!(
        out,
        "{label}\n  {bars}  least {least}{unit}, most {most}{unit}, last {last}{unit}"
    )?;
    Ok(())
}
