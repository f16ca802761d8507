//! Evidence of an alert: what came with it, and what its agents keep whole.

use std::time::Duration;

use aramaki_model::Alert;
use aramaki_model::evidence::AgentEvidence;
use serde_json::{Value, json};

use crate::cli::report::Lines;
use crate::cli::{CliError, parts};
use crate::view::evidence::{EvidenceFault, size_words};
use crate::workspace::Live;

/// After so long without an answer people are told why.
const TELL_AFTER: Duration = Duration::from_secs(4);

/// What came of fetching evidence from one agent.
#[derive(Debug)]
pub(super) struct Fetched {
    of: AgentEvidence,
    host: String,
    came: Result<String, EvidenceFault>,
}

/// What a System calls an agent.
fn host(live: &Live, agent: &AgentEvidence) -> String {
    let labels = live.agent_labels().into_iter();
    let mut labels = labels;
    let label = labels.find(|(space, _)| *space == agent.agent);
    label.map_or_else(|| agent.agent.short(), |(_, label)| label)
}

/// Fetches all that agents keep of an alert, one after the other.
pub(super) async fn fetch(live: &Live, alert: &Alert) -> Vec<Fetched> {
    let mut fetched = Vec::new();
    for of in &alert.evidence {
        let host = host(live, of);
        let fetching = live.fetch_evidence(*of);
        let came = tokio::select! {
            came = fetching => came,
            came = told(live, of, &host) => came,
        };
        fetched.push(Fetched {
            of: *of,
            host,
            came,
        });
    }
    fetched
}

/// Says why it may take longer, once; never ends.
async fn told(live: &Live, of: &AgentEvidence, host: &str) -> Result<String, EvidenceFault> {
    tokio::time::sleep(TELL_AFTER).await;
    if live.is_deaf(of.agent).await {
        parts::say_waits(format!(
            "waiting for {host}: this device was started a moment ago and takes its word after a minute or two\n"
        ))
        .await;
    }
    std::future::pending().await
}

/// The first that did not come.
pub(super) fn fault(fetched: &[Fetched]) -> Option<CliError> {
    let mut failed = fetched
        .iter()
        .filter_map(|it| Some((it, *it.came.as_ref().err()?)));
    failed.next().map(|(it, fault)| CliError::Evidence {
        host: it.host.clone(),
        hash: it.of.kept.id.short(),
        fault,
    })
}

/// The evidence, whole where it came.
pub(super) fn lines(out: &mut Lines, live: &Live, alert: &Alert, fetched: &[Fetched]) {
    let whole: Vec<_> = fetched
        .iter()
        .filter_map(|it| it.came.as_ref().ok())
        .collect();
    if whole.is_empty() || whole.len() < alert.evidence.len() {
        if !alert.detail.is_empty() {
            out.add(format_args!("\n{}", alert.detail.trim_end()));
        }
        for of in &alert.evidence {
            let size = size_words(of.kept.len_bytes);
            let host = host(live, of);
            out.add(format_args!(
                "… {size} in all, kept by {host}: --evidence prints them"
            ));
        }
    }
    for text in whole {
        out.add(format_args!("\n{}", text.trim_end()));
    }
}

/// What agents keep of an alert, for programs.
pub(super) fn all_json(live: &Live, alert: &Alert) -> Value {
    let all = alert.evidence.iter();
    all.map(|of| one_json(of, &host(live, of))).collect()
}

/// The same with what came.
pub(super) fn fetched_json(fetched: &[Fetched]) -> Value {
    let all = fetched.iter().map(|it| {
        let mut object = one_json(&it.of, &it.host);
        if let Value::Object(fields) = &mut object {
            match &it.came {
                Ok(text) => fields.insert("text".to_owned(), json!(text)),
                Err(fault) => fields.insert("fault".to_owned(), json!(fault.to_string())),
            };
        }
        object
    });
    all.collect()
}

fn one_json(of: &AgentEvidence, host: &str) -> Value {
    json!({
        "agent": of.agent.to_string(),
        "host": host,
        "hash": of.kept.id.to_string(),
        "bytes": of.kept.len_bytes,
    })
}
