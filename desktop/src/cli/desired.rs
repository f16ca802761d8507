//! `aramaki desired`.

use aramaki_model::desired::{Desired as Value, DesiredPath, DesiredRun, Schema};
use aramaki_sync_core::SpaceId;
use clap::{Args, Subcommand, ValueEnum};
use serde_json::{Value as Json, json};

use super::report::{Lines, count, table};
use super::{CliError, Report};
use crate::workspace::{Live, SystemChange};

/// Say what should be so, for agents to act on: their hosts decide what is run.
#[derive(Debug, Subcommand)]
pub(crate) enum Desired {
    Set(Set),
    Get(Get),
    List(List),
    Unset(Unset),
}

/// Set a value. Agents whose host watches its path act on it, with the generation of the System's document.
#[derive(Debug, Args)]
pub(crate) struct Set {
    /// Which System.
    system: String,
    /// Where, as in varnish/backends.
    path: DesiredPath,
    /// What; text needs no quotes, a list is a,b,c.
    #[arg(allow_hyphen_values = true)]
    value: String,
    /// What it may be, from now on; without it what was said before holds, or any JSON.
    #[arg(long = "as", value_enum, value_name = "KIND")]
    kind: Option<Kind>,
    /// The least that a whole number may be.
    #[arg(long, allow_hyphen_values = true, value_name = "NUMBER")]
    min: Option<i64>,
    /// The most.
    #[arg(long, allow_hyphen_values = true, value_name = "NUMBER")]
    max: Option<i64>,
    /// A word that it may be, again and again.
    #[arg(long = "choice", value_name = "WORD", conflicts_with_all = ["kind", "min", "max"])]
    choices: Vec<String>,
}

/// Kinds of values.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Kind {
    /// Any JSON value.
    Any,
    /// Text on one line.
    Text,
    /// true or false.
    Boolean,
    /// A whole number.
    Integer,
    /// A list of texts.
    List,
}

/// Print a value.
#[derive(Debug, Args)]
pub(crate) struct Get {
    /// Which System.
    system: String,
    /// Where.
    path: DesiredPath,
}

/// List all values of a System, and what agents did about them.
#[derive(Debug, Args)]
pub(crate) struct List {
    /// Which System.
    system: String,
}

/// Want nothing there any more. Agents that watch it act on that too.
#[derive(Debug, Args)]
pub(crate) struct Unset {
    /// Which System.
    system: String,
    /// Where.
    path: DesiredPath,
}

impl Desired {
    /// Does what was asked.
    pub(crate) async fn run(&self, live: &Live) -> Result<Report, CliError> {
        match self {
            Self::Set(verb) => verb.run(live).await,
            Self::Get(verb) => verb.run(live),
            Self::List(verb) => verb.run(live),
            Self::Unset(verb) => verb.run(live).await,
        }
    }
}

fn not_taken(path: &DesiredPath, reason: &str) -> CliError {
    CliError::Setting {
        what: "value of",
        value: path.to_string(),
        reason: reason.to_owned(),
    }
}

fn of(live: &Live, system: SpaceId, path: &DesiredPath) -> Option<Value> {
    let snapshot = live.snapshot();
    snapshot.system(&system)?.desired.get(path).cloned()
}

impl Set {
    /// What was typed of a schema; none: nothing.
    fn schema(&self) -> Option<Schema> {
        let (min, max) = (self.min, self.max);
        let is_number = min.is_some() || max.is_some();
        Some(match self.kind {
            _ if !self.choices.is_empty() => Schema::Choice {
                of: self.choices.clone(),
            },
            Some(Kind::Integer) => Schema::Integer { min, max },
            None if is_number => Schema::Integer { min, max },
            None => return None,
            Some(Kind::Any) => Schema::Any,
            Some(Kind::Text) => Schema::Text,
            Some(Kind::Boolean) => Schema::Boolean,
            Some(Kind::List) => Schema::List,
        })
    }

    async fn run(&self, live: &Live) -> Result<Report, CliError> {
        if self.kind.is_some_and(|kind| kind != Kind::Integer)
            && (self.min.is_some() || self.max.is_some())
        {
            return Err(CliError::Usage(
                "--min and --max are for whole numbers: --as integer".to_owned(),
            ));
        }
        let system = live.find(&self.system)?;
        let before = of(live, system, &self.path);
        let known = before.as_ref().map(|before| before.schema.clone());
        let schema = self.schema().or(known).unwrap_or_default();
        let wrong = |fault: aramaki_model::desired::ValueFault| not_taken(&self.path, &fault.0);
        schema.examine().map_err(wrong)?;
        let value = schema.read(&self.value).map_err(wrong)?;
        let desired = Value { value, schema };
        let is_same = before.as_ref() == Some(&desired);
        let outcome = if is_same {
            Outcome::Same
        } else {
            let change = SystemChange::Desire(self.path.clone(), desired.clone());
            Outcome::Changed(live.edit_to_heads(system, vec![change]).await?)
        };
        told(live, (system, &self.path), Some(&desired), outcome).await
    }
}

impl Unset {
    async fn run(&self, live: &Live) -> Result<Report, CliError> {
        let system = live.find(&self.system)?;
        if of(live, system, &self.path).is_none() {
            return Err(not_taken(&self.path, "nothing is desired there"));
        }
        let change = SystemChange::Undesire(self.path.clone());
        let heads = live.edit_to_heads(system, vec![change]).await?;
        told(live, (system, &self.path), None, Outcome::Changed(heads)).await
    }
}

/// Whether something was written.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Outcome {
    /// The heads that agents were told.
    Changed(String),
    Same,
}

/// Who hears of it.
async fn told(
    live: &Live,
    (system, path): (SpaceId, &DesiredPath),
    desired: Option<&Value>,
    outcome: Outcome,
) -> Result<Report, CliError> {
    let (is_changed, heads) = match outcome {
        Outcome::Changed(heads) => (true, heads),
        Outcome::Same => (false, live.heads_of(system)),
    };
    let (told, all) = live.told_agents(system).await;
    let mut text = Lines::default();
    match desired {
        Some(desired) if is_changed => text.add(format_args!("{path} = {}", desired.value)),
        Some(desired) => text.add(format_args!("{path} = {} already.", desired.value)),
        None => text.add(format_args!("Nothing is desired at {path} any more.")),
    }
    if is_changed {
        text.add(format_args!("Told to {}.", count(told, "agent")));
    }
    if told < all {
        text.add(format_args!(
            "{} not told: only who administers an agent tells it.",
            count(all - told, "agent")
        ));
    }
    Ok(Report::new(
        text.into_text(),
        &json!({
            "system": system.to_string(),
            "path": path,
            "value": desired.map(|desired| &desired.value),
            "value_schema": desired.map(|desired| &desired.schema),
            "changed": is_changed,
            "generation": heads,
            "agents_told": told,
            "agents": all,
        }),
    ))
}

impl Get {
    fn run(&self, live: &Live) -> Result<Report, CliError> {
        let system = live.find(&self.system)?;
        let Some(desired) = of(live, system, &self.path) else {
            return Err(not_taken(&self.path, "nothing is desired there"));
        };
        let text = match &desired.value {
            Json::String(text) => text.clone(),
            value => value.to_string(),
        };
        Ok(Report::new(
            text,
            &json!({
                "system": system.to_string(),
                "path": self.path,
                "value": desired.value,
                "value_schema": desired.schema,
                "generation": live.heads_of(system),
            }),
        ))
    }
}

/// What hosts did about what is desired, and whether that is the newest.
fn acted(runs: &[(&String, &DesiredRun)], heads: &str) -> Vec<Vec<String>> {
    let mut acted = vec![
        ["MACHINE", "WATCHES", "ACTION", "RESULT", "GENERATION"]
            .map(str::to_owned)
            .to_vec(),
    ];
    for (machine, run) in runs {
        let result = match (run.is_done(), run.again) {
            (true, _) => "done",
            (false, true) => "failed, tried again",
            (false, false) => "failed, given up",
        };
        let newest = if run.generation == heads {
            "newest"
        } else {
            "earlier"
        };
        acted.push(vec![
            (*machine).clone(),
            run.path.clone(),
            run.action.clone(),
            result.to_owned(),
            newest.to_owned(),
        ]);
    }
    acted
}

impl List {
    fn run(&self, live: &Live) -> Result<Report, CliError> {
        let space = live.find(&self.system)?;
        let snapshot = live.snapshot();
        let system = snapshot.system(&space);
        let heads = live.heads_of(space);
        let mut rows = vec![["PATH", "VALUE"].map(str::to_owned).to_vec()];
        let mut objects = Vec::new();
        for (path, desired) in system.iter().flat_map(|system| system.desired.iter()) {
            rows.push(vec![path.to_string(), desired.value.to_string()]);
            objects.push(
                json!({"path": path, "value": desired.value, "value_schema": desired.schema}),
            );
        }
        let mut text = Lines::default();
        if objects.is_empty() {
            text.add("Nothing is desired: `aramaki desired set SYSTEM PATH VALUE` says what should be so.");
        }
        let agents = system.iter().flat_map(|system| &system.agents);
        let runs = agents.flat_map(|agent| agent.desired.iter().map(|run| (&agent.label, run)));
        let runs: Vec<(&String, &DesiredRun)> = runs.collect();
        let values = if objects.is_empty() {
            String::new()
        } else {
            table(&rows)
        };
        let acted = if runs.is_empty() {
            String::new()
        } else {
            format!("\n{}", table(&acted(&runs, &heads)))
        };
        Ok(Report::new(
            values + &text.into_text() + &acted,
            &json!({
                "system": space.to_string(),
                "generation": heads,
                "desired": objects,
                "runs": runs
                    .iter()
                    .map(|(machine, run)| json!({
                        "machine": machine,
                        "path": run.path,
                        "action": run.action,
                        "at": run.at.to_string(),
                        "generation": run.generation,
                        "attempt": run.attempt,
                        "again": run.again,
                        "done": run.is_done(),
                        "detail": run.detail,
                    }))
                    .collect::<Vec<_>>(),
            }),
        ))
    }
}
