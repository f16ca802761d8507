//! What an audit says of closes, on a real store. That of forks needs two copies of one device and stands with the
//! verbs.

use std::time::Duration;

use aramaki_sync::replica::{GrantRequest, Keep};
use aramaki_sync_core::key::DeviceKeys;
use aramaki_sync_core::statement::{Capability, Cut, Statement};
use aramaki_sync_core::{Chain, EnvelopeId, Instance, SpaceId, Timestamp};

use super::*;
use crate::workspace::{EndReason, ShareRequest, SystemChange, opened};

/// A grant of a key whose time came hours ago, and what somebody says of it.
async fn closed(live: &Live, space: SpaceId, keys: &DeviceKeys, cuts: Vec<Cut>) -> EnvelopeId {
    let rows = live.audit(Some(space)).await.unwrap();
    let now = rows.last().unwrap().received;
    let ago = |hours| now.minus(Duration::from_hours(hours));
    let grant = GrantRequest {
        begin: Some(ago(3)),
        ..GrantRequest::to_device(keys.author(), keys.box_public(), Capability::Write, ago(2))
    };
    let target = live.replica().grant(space, grant).await.unwrap().id;
    let close = Statement::Close { target, cuts };
    live.replica().write_control(space, close).await.unwrap();
    target
}

#[tokio::test(flavor = "multi_thread")]
async fn a_close_says_whose_grant_and_what_counts_of_it() {
    let folder = tempfile::tempdir().unwrap();
    let live = opened(&folder).await;
    let changes = vec![SystemChange::Title("Webshop".to_owned())];
    let space = live.create_system(changes).await.unwrap();
    let (silent, busy) = (
        DeviceKeys::from_seed([9; 32]),
        DeviceKeys::from_seed([10; 32]),
    );
    let unseen = closed(&live, space, &silent, Vec::new()).await;
    let cut = Cut {
        chain: Chain {
            author: busy.author(),
            instance: Instance(5),
        },
        seq: 12,
        id: EnvelopeId::from_bytes([5; 32]),
    };
    let seen = closed(&live, space, &busy, vec![cut]).await;

    let rows = live.audit(Some(space)).await.unwrap();
    let of = |grant: EnvelopeId| {
        let mut rows = rows.iter().filter(|row| row.kind == "close");
        rows.find(|row| row.details["grant"] == grant.to_string())
            .unwrap()
    };
    let (unseen, seen) = (of(unseen), of(seen));
    assert_eq!((&unseen.doubt, &seen.doubt), (&None, &None));
    let whose = format!("closed the grant of {}: ", silent.author().short());
    let said = &unseen.text;
    assert!(
        said.ends_with(&format!(
            "{whose}nothing of it had come, and nothing counts"
        )),
        "{said}"
    );
    let whose = busy.author().short();
    let said = format!(
        "closed the grant of {whose}: up to position 12 of {whose} counts; later work does not"
    );
    assert!(seen.text.ends_with(&said), "{}", seen.text);
    assert_eq!(unseen.details["accepted"], json!([]));
    let accepted = json!([{
        "device": busy.author().to_string(), "instance": "0000000000000005", "seq": 12,
    }]);
    assert_eq!(seen.details["accepted"], accepted);
    // The verb shows the same, as text and for programs.
    let verb = Audit {
        system: Some("Webshop".to_owned()),
        readers: false,
        who: None,
    };
    let report = verb.run(&live).await.unwrap();
    assert!(report.text.contains(&seen.text), "{}", report.text);
    let shown = report.json["entries"].as_array().unwrap();
    let closes = shown.iter().filter(|it| it["kind"] == "close");
    let closes: Vec<_> = closes.map(|it| (&it["text"], &it["counts"])).collect();
    assert_eq!(closes.len(), 2);
    assert!(closes.iter().all(|(_text, counts)| **counts == json!(true)));
    // What was closed after its time had ended by time; whose it was is shown with it.
    let readers = Audit {
        readers: true,
        ..verb
    };
    let readers = readers.run(&live).await.unwrap().text;
    let line = readers.lines().find(|line| line.contains(&whose)).unwrap();
    assert!(line.contains("(time)"), "{line}");
    live.close().await;
}

#[test]
fn what_was_over_before_it_began_is_no_span_of_time_that_runs_backwards() {
    let at = |hour: i64| Timestamp::from_millis(1_800_000_000_000 + hour * 3_600_000);
    let row = |end| AccessRow {
        space: SpaceId::from_bytes([7; 32]),
        title: "Webshop".to_owned(),
        device: DeviceKeys::from_seed([9; 32]).author(),
        who: "a friend of a thief".to_owned(),
        capability: Capability::Read,
        begin: at(2),
        end,
        ended: Some("revoked"),
        by: None,
        as_reader_of: None,
        grant: EnvelopeId::from_bytes([5; 32]),
        reason: None,
        end_reason: None,
        code: None,
    };
    let (never, once) = (row(at(1)), row(at(3)));
    let said = access_text(&never).join(" ");
    assert!(
        said.contains("never counted") && !said.contains("until"),
        "{said}"
    );
    let said = access_text(&once).join(" ");
    assert!(said.contains("until") && !said.contains("never"), "{said}");
    let counted = [never, once].map(|row| access_json(&row)["counted"].clone());
    assert_eq!(counted, [json!(false), json!(true)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_that_lets_nobody_in_any_more_is_no_reader() {
    let folder = tempfile::tempdir().unwrap();
    let live = opened(&folder).await;
    let changes = vec![SystemChange::Title("Webshop".to_owned())];
    let space = live.create_system(changes).await.unwrap();
    let request = ShareRequest {
        name: String::new(),
        reason: String::new(),
        capability: Capability::Read,
        begin: None,
        span: Duration::from_hours(8),
        redemptions: 1,
        long_grace: false,
    };
    let [open, ended] = [
        live.share(space, &request).await.unwrap(),
        live.share(space, &request).await.unwrap(),
    ];
    let keep = Keep::WhatIsHere;
    let revoked = live.revoke(space, ended.grant, keep, &EndReason::None);
    revoked.await.unwrap();
    let verb = Audit {
        system: Some("Webshop".to_owned()),
        readers: true,
        who: None,
    };
    let report = verb.run(&live).await.unwrap();
    let access = report.json["access"].as_array().unwrap();
    let of = |grant: EnvelopeId| {
        let mut rows = access.iter().filter(|it| it["grant"] == grant.to_string());
        let row = rows.next().unwrap();
        (row["counted"].clone(), row["code"].clone())
    };
    assert_eq!(of(open.grant), (json!(true), json!("open")));
    assert_eq!(of(ended.grant), (json!(false), json!("unused")));
    let mut lines = report.text.lines();
    assert!(
        lines.any(|it| it.contains("no reader: nobody came by it")),
        "{}",
        report.text
    );
    live.close().await;
}
