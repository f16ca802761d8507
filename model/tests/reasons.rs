//! Why grants were given and ended: words in a System's document, beside what older programs wrote.

mod common;

use aramaki_model::Workspace;
use aramaki_model::system::{NAME_LEN_BYTES_MAX, REASON_LEN_BYTES_MAX};
use aramaki_sync_core::EnvelopeId;
use common::{at, chain, receive, send, space};

const ALICE: u8 = 11;

fn grant(n: u8) -> EnvelopeId {
    EnvelopeId::from_bytes([n; 32])
}

#[test]
fn reasons_are_kept_beside_what_documents_held_before() {
    let (mut writer, mut reader) = (Workspace::new(), Workspace::new());
    for workspace in [&mut writer, &mut reader] {
        workspace.open_space(space(1));
    }
    let alice = chain(ALICE);
    // As programs wrote that know of no reasons.
    let before = writer.edit_system(space(1), &alice, at(0), |edit| {
        edit.title("Webshop")?;
        edit.put_person(alice.author, "alice")
    });
    assert!(receive(&mut reader, &send(space(1), &alice, before.unwrap())).is_empty());
    let system = reader.system(&space(1)).unwrap();
    assert!(system.reasons.is_empty() && system.revoked.is_empty());
    assert!(system.unreadable.is_empty());

    let after = writer.edit_system(space(1), &alice, at(1), |edit| {
        edit.put_reason(grant(1), "  audit of\npayments \u{202e}")?;
        edit.put_reason(grant(2), "")?;
        edit.put_reason(grant(3), &"ä".repeat(REASON_LEN_BYTES_MAX))?;
        edit.put_revoked(grant(1), "the audit is over")?;
        // What names no grant is passed over, and nothing else is lost.
        edit.put_label("reason", "a label")
    });
    assert!(receive(&mut reader, &send(space(1), &alice, after.unwrap())).is_empty());
    let system = reader.system(&space(1)).unwrap();
    assert_eq!(system.reasons[&grant(1)], "audit of payments");
    assert!(!system.reasons.contains_key(&grant(2)), "says nothing");
    let long = system.reasons[&grant(3)].len();
    assert!(
        NAME_LEN_BYTES_MAX < long && long <= REASON_LEN_BYTES_MAX,
        "{long}"
    );
    assert_eq!(system.revoked[&grant(1)], "the audit is over");
    assert_eq!(system.people[&alice.author], "alice");
    assert_eq!(system.labels["reason"], "a label");
    let view = reader.view(at(2));
    let view = view.system(&space(1)).unwrap();
    assert_eq!(view.reasons, system.reasons);
}
