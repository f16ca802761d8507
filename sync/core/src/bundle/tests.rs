//! Bundles as bytes and text: what reads back, what is noticed, and by what nobody is let in.

use super::*;
use crate::entropy::Entropy;
use crate::envelope::{self, Position};
use crate::id::{EnvelopeId, Instance, PrincipalId};
use crate::invitation::{Draft, Invitee, Terms};
use crate::key::{DeviceKeys, SpaceKey};
use crate::statement::{Audience, Capability, Grant, GrantFlags, Statement};

const NOW: Timestamp = Timestamp::from_millis(1_800_000_000_000);
const LATER: Timestamp = Timestamp::from_millis(1_800_000_900_000);

/// A Space with its root grant and an invitation into it.
fn bundle() -> Bundle {
    let mut entropy = Entropy::from_seed([1; 32]);
    let key = SpaceKey::generate(&mut entropy);
    let space = key.space();
    let alice = DeviceKeys::from_seed([2; 32]);
    let root = Grant {
        audience: Audience::Author(alice.author()),
        box_key: alice.box_public(),
        principal: PrincipalId::from_bytes([3; 16]),
        capability: Capability::Administer,
        flags: GrantFlags::WITNESS,
        not_before: Timestamp::ZERO,
        end: Timestamp::MAX,
        depth_left: 7,
        redemptions: 0,
        redeem_until: Timestamp::ZERO,
        parent: None,
    };
    let principal = root.principal;
    let root = envelope::found(key, root, None, NOW).unwrap().root;
    let terms = Terms {
        invitee: Invitee::Person,
        parent: root.id(),
        principal,
        capability: Capability::Write,
        not_before: NOW,
        end: LATER,
        redeem_until: LATER,
        redemptions: 1,
        long_grace: true,
    };
    let draft = Draft::new(&terms, &mut entropy);
    let grant = say(&alice, space, root.id(), &draft.statement());
    let invitation = draft.issued(space, grant.id(), Vec::new());
    let envelopes = [root, grant].iter().map(|it| it.raw().clone()).collect();
    Bundle {
        invitation: Some(invitation),
        sections: vec![Section { space, envelopes }],
    }
}

fn say(
    keys: &DeviceKeys,
    space: SpaceId,
    authority: EnvelopeId,
    statement: &Statement,
) -> Envelope {
    let position = Position {
        space,
        instance: Instance(7),
        seq: 1,
        previous: EnvelopeId::ZERO,
        authority,
        ancestors: Vec::new(),
        time: NOW,
    };
    envelope::control(keys, position, statement).unwrap()
}

/// Bytes with a checksum that fits, whatever they say.
fn summed(content: &[u8]) -> Vec<u8> {
    [content, &checksum(content)].concat()
}

fn content(bytes: &[u8]) -> &[u8] {
    bytes.split_last_chunk::<CHECKSUM_LEN_BYTES>().unwrap().0
}

#[test]
fn a_bundle_reads_back_as_bytes_and_as_text() {
    let made = bundle();
    let bytes = made.encode().unwrap();
    assert!(bytes.starts_with(b"aramaki bundle 1\n"));
    assert_eq!(Bundle::decode(&bytes), Ok(made.clone()));
    let text = made.to_text().unwrap();
    assert!(Bundle::is_text(&text) && Bundle::is_text(&format!(" \n{}", text.to_lowercase())));
    assert!(!Bundle::is_text("aramaki1abc") && !Bundle::is_text(""));
    assert!(
        text.chars()
            .all(|c| c.is_ascii_digit() || c.is_ascii_uppercase())
    );
    let mailed = format!("{}\r\n {}", &text[..70].to_lowercase(), &text[70..]);
    assert_eq!(Bundle::from_text(&mailed), Ok(made.clone()));
    let sections = made.clone().verify().unwrap();
    assert_eq!(sections[0].envelopes.len(), 2);
    let empty = Bundle {
        invitation: None,
        sections: Vec::new(),
    };
    assert_eq!(Bundle::decode(&empty.encode().unwrap()), Ok(empty));
}

#[test]
fn every_altered_byte_and_every_lost_end_is_noticed() {
    let bytes = bundle().encode().unwrap();
    for at in 0..bytes.len() {
        let mut altered = bytes.to_vec();
        altered[at] ^= 1;
        assert!(Bundle::decode(&altered).is_err(), "byte {at}");
        assert!(Bundle::decode(&bytes[..at]).is_err(), "{at} bytes");
    }
    let text = bundle().to_text().unwrap();
    for at in 0..text.len() {
        let replacement = if &text[at..=at] == "B" { "C" } else { "B" };
        let mut mistyped = text.to_string();
        mistyped.replace_range(at..=at, replacement);
        // A few last bits say nothing: then it reads as what it was.
        if let Ok(read) = Bundle::from_text(&mistyped) {
            assert_eq!(read, bundle(), "character {at}");
        }
    }
    assert_eq!(
        Bundle::from_text(&format!("{}!{}", &text[..20], &text[21..])),
        Err(BundleError::Character { position: 21 })
    );
}

#[test]
fn what_is_foreign_newer_or_says_too_much_of_itself_is_told_apart() {
    let bytes = bundle().encode().unwrap();
    assert_eq!(Bundle::decode(b"%PDF-1.7 ..."), Err(BundleError::Foreign));
    assert_eq!(Bundle::decode(b""), Err(BundleError::Foreign));
    assert_eq!(
        Bundle::decode(b"aramaki bundle 2\nwhatever"),
        Err(BundleError::Version)
    );
    let followed = summed(&[content(&bytes), b"more"].concat());
    assert_eq!(Bundle::decode(&followed), Err(BundleError::Rest));
    // Heads by hand: a Space twice, four thousand million envelopes, a padded number.
    let space = SpaceId::from_bytes([1; 32]);
    let with_head = |head: &[u8]| summed(&[MAGIC, VERSION, head].concat());
    for (sections, wrong) in [
        (vec![(space, 0), (space, 0)], "that it holds a Space twice"),
        (vec![(space, u32::MAX)], "that it holds more than it does"),
    ] {
        let head = codec::encode(&(None::<&str>, sections)).unwrap();
        let decoded = Bundle::decode(&with_head(&head));
        assert_eq!(decoded, Err(BundleError::Claim(wrong)));
    }
    assert_eq!(
        Bundle::decode(&with_head(&[0, 0x80, 0])),
        Err(BundleError::Head(CodecError::NotCanonical))
    );
    assert_eq!(
        Bundle::decode(&with_head(&[9])),
        Err(BundleError::Head(CodecError::Malformed))
    );
    let bomb = miniz_oxide::deflate::compress_to_vec(&vec![0; 32 << 20], 9);
    let text = format!("{TEXT_PREFIX}{}", BASE32_NOPAD.encode(&bomb[..2_000]));
    assert_eq!(Bundle::from_text(&text), Err(BundleError::Checksum));
    let long = format!("{TEXT_PREFIX}{}", "A".repeat(3 * TEXT_LEN_CHARS_MAX));
    assert_eq!(Bundle::from_text(&long), Err(BundleError::TooLong));
}

#[test]
fn an_envelope_without_form_is_named_by_its_number() {
    let mut forged = bundle();
    forged.sections[0].envelopes[1].signature[3] ^= 1;
    let refused = forged.verify().unwrap_err();
    assert!(matches!(refused, BundleError::Form { number: 2, .. }));
    let mut elsewhere = bundle();
    elsewhere.sections[0].space = SpaceId::from_bytes([9; 32]);
    let refused = elsewhere.verify().unwrap_err();
    assert!(matches!(refused, BundleError::Form { number: 1, .. }));
}

#[test]
fn what_a_newer_program_wrote_is_left_out_and_spoils_nothing() {
    let mut newer = bundle();
    newer.sections[0].envelopes[1].header[0] = envelope::VERSION + 1;
    let sections = newer.verify().unwrap();
    assert_eq!((sections[0].envelopes.len(), sections[0].newer), (1, 1));
}

/// A file is a peer: its invitation opens nothing that the grants beside it do not give.
#[test]
fn a_bundle_lets_nobody_in_whom_its_grants_do_not() {
    let made = bundle();
    let invitation = made.invitation.clone().unwrap();
    let sections = made.clone().verify().unwrap();
    assert_eq!(check_invited(&invitation, &sections, NOW), Ok(()));
    // The grant is missing, or ended, or another's.
    let mut without = made.clone();
    without.sections[0].envelopes.pop();
    let without = without.verify().unwrap();
    let none = Err(BundleError::NotInvited);
    assert_eq!(check_invited(&invitation, &without, NOW), none);
    assert_eq!(check_invited(&invitation, &[], NOW), none);
    let after = LATER.plus(std::time::Duration::from_secs(1));
    assert_eq!(check_invited(&invitation, &sections, after), none);
    let mut other = invitation.clone();
    other.seed = Zeroizing::new([8; 32]);
    assert_eq!(check_invited(&other, &sections, NOW), none);
    // Somebody's own root grant is nobody's.
    let mallory = DeviceKeys::from_seed([66; 32]);
    let mut forged = made;
    let Some(Statement::Grant(grant)) = sections[0].envelopes[0].statement().cloned() else {
        panic!("a grant");
    };
    let own = Grant {
        audience: Audience::Author(mallory.author()),
        ..grant
    };
    let root = say(
        &mallory,
        invitation.space,
        EnvelopeId::ZERO,
        &Statement::Grant(own),
    );
    let Some(statement @ Statement::Grant(_)) = sections[0].envelopes[1].statement() else {
        panic!("a grant");
    };
    let invited = say(&mallory, invitation.space, root.id(), statement);
    forged.sections[0].envelopes = vec![root.raw().clone(), invited.raw().clone()];
    let mut claimed = invitation.clone();
    claimed.grant = invited.id();
    let forged = forged.verify().unwrap();
    assert_eq!(check_invited(&claimed, &forged, NOW), none);
}
