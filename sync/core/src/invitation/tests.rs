//! Invitations as text: what reads back, what is noticed, what is left out.

use super::*;

fn invitation() -> Invitation {
    Invitation {
        invitee: Invitee::Person,
        space: SpaceId::from_bytes([1; 32]),
        grant: EnvelopeId::from_bytes([2; 32]),
        seed: Zeroizing::new([0xab; 32]),
        capability: Capability::Write,
        begin: None,
        end: Timestamp::from_millis(1_795_370_000_000),
        redeem_until: Timestamp::from_millis(1_790_000_000_000),
        addresses: vec![Bootstrap {
            endpoint: [4; 32],
            addresses: vec!["relay.example.org:4433".to_owned()],
        }],
    }
}

#[test]
fn the_text_reads_back_and_is_short() {
    let text = invitation().to_text().unwrap();
    assert!(
        text.starts_with(PREFIX) && text.len() <= 300,
        "{}",
        text.len()
    );
    assert_eq!(text.parse(), Ok(invitation()));
    let mailed = format!("  {}\r\n {}\n", &text[..70].to_uppercase(), &text[70..]);
    assert_eq!(mailed.parse(), Ok(invitation()));
}

/// A text of version 1, as it was made before addresses were written shortly.
#[test]
fn a_text_of_the_first_version_still_reads() {
    let made = invitation();
    let content = Content {
        space: made.space,
        grant: made.grant,
        seed: *made.seed,
        capability: made.capability,
        end: made.end,
        redeem_until: made.redeem_until,
        addresses: made.addresses.clone(),
    };
    let mut bytes = vec![VERSION_TEXTS];
    bytes.extend(codec::encode(&content).unwrap());
    bytes.extend(checksum(Invitee::Person, &bytes));
    let text = format!("{PREFIX}{}", BASE32_NOPAD.encode(&bytes).to_lowercase());
    assert!(text.starts_with("aramaki1aeaqcaibaeaqcaibaeaqcaibaeaqcaibaeaqcaibaeaqcaib"));
    assert_eq!(text.parse(), Ok(made));
}

#[test]
fn a_realistic_set_of_addresses_is_cut_to_three_hundred_characters_and_still_leads_somewhere() {
    let with = |addresses: Vec<(u8, Vec<&str>)>| {
        let mut made = invitation();
        made.addresses = addresses
            .into_iter()
            .map(|(seed, addresses)| Bootstrap {
                endpoint: [seed; 32],
                addresses: addresses.into_iter().map(ToOwned::to_owned).collect(),
            })
            .collect();
        let short = made.shortened();
        let text = short.to_text().unwrap();
        assert_eq!(text.parse(), Ok(short.clone()));
        (text.len(), short.addresses)
    };
    let relay = (
        1,
        vec![
            "https://relay.example.org/",
            "203.0.113.17:7481",
            "[2001:db8:1:2:3:4:5:6]:7481",
        ],
    );
    let laptop = (2, vec!["192.168.178.20:41234", "10.8.0.2:41234"]);
    let (len, kept) = with(vec![relay, laptop.clone()]);
    assert!(len <= SHORT_LEN_CHARS_MAX, "{len}");
    assert_eq!(kept[0].addresses[..1], ["https://relay.example.org/"]);
    assert_eq!(kept.len(), 1, "a relay comes first and is enough");
    // On a train there is no relay: all of a laptop's addresses are in.
    let (len, kept) = with(vec![laptop]);
    assert!(len <= SHORT_LEN_CHARS_MAX, "{len}");
    assert_eq!(kept[0].addresses.len(), 2);
    let four = [
        "192.168.178.20:41234",
        "172.17.0.1:41234",
        "10.8.0.2:41234",
        "10.0.0.9:41234",
    ];
    let (len, kept) = with(vec![(3, four.to_vec())]);
    assert!(len <= SHORT_LEN_CHARS_MAX, "{len}");
    assert_eq!(kept[0].addresses, four);
    // Better long than leading nowhere.
    let long = format!("https://{}.example.org/", "relay-".repeat(12));
    let (len, kept) = with(vec![(4, vec![&long, &format!("{long}longer/")])]);
    assert!(len > SHORT_LEN_CHARS_MAX);
    assert_eq!(kept[0].addresses, [long]);
}

#[test]
fn an_agents_invitation_is_told_by_its_beginning_and_never_read_as_a_persons() {
    let mut invitation = invitation();
    invitation.invitee = Invitee::Agent;
    let text = invitation.to_text().unwrap();
    let rest = text.strip_prefix(AGENT_PREFIX).unwrap();
    assert_eq!(text.parse(), Ok(invitation));
    assert_eq!(
        format!("{PREFIX}{rest}").parse::<Invitation>(),
        Err(InvitationError::Checksum)
    );
}

#[test]
fn every_mistyped_character_is_noticed_and_the_place_is_named() {
    let text = invitation().to_text().unwrap();
    for at in 0..text.len() {
        let replacement = if &text[at..=at] == "b" { "c" } else { "b" };
        let mut mistyped = text.to_string();
        mistyped.replace_range(at..=at, replacement);
        assert!(mistyped.parse::<Invitation>().is_err(), "character {at}");
    }
    let foreign = format!("{}!{}", &text[..20], &text[21..]);
    let position = 21;
    assert_eq!(
        foreign.parse::<Invitation>(),
        Err(InvitationError::Character { position })
    );
    assert_eq!(
        "https://x".parse::<Invitation>(),
        Err(InvitationError::Prefix)
    );
    assert_eq!(
        PREFIX.parse::<Invitation>(),
        Err(InvitationError::Incomplete)
    );
    assert!(matches!(
        text[..text.len() - 8].parse::<Invitation>(),
        Err(InvitationError::Checksum | InvitationError::Incomplete)
    ));
    let long = "a".repeat(10_000);
    assert_eq!(long.parse::<Invitation>(), Err(InvitationError::TooLong));
}

#[test]
fn an_invitation_never_administers_and_names_few_peers() {
    let mut powerful = invitation();
    powerful.capability = Capability::Administer;
    assert!(matches!(powerful.to_text(), Err(InvitationError::Field(_))));
    let mut crowded = invitation();
    crowded.addresses = vec![crowded.addresses[0].clone(); BOOTSTRAPS_MAX + 1];
    assert!(matches!(crowded.to_text(), Err(InvitationError::Field(_))));
}

#[test]
fn a_text_that_begins_later_says_when_and_is_still_short() {
    let later = |begin| Invitation {
        begin: Some(begin),
        ..invitation()
    };
    let begin = Timestamp::from_millis(1_780_000_000_000);
    let text = later(begin).to_text().unwrap();
    assert!(text.len() <= SHORT_LEN_CHARS_MAX, "{}", text.len());
    assert_eq!(text.parse(), Ok(later(begin)));
    let after = invitation()
        .redeem_until
        .plus(std::time::Duration::from_secs(1));
    assert!(matches!(
        later(after).to_text(),
        Err(InvitationError::Field(_))
    ));
    let before = Timestamp::from_millis(-1);
    assert!(matches!(
        later(before).to_text(),
        Err(InvitationError::Field(_))
    ));
}

#[test]
fn a_newer_version_is_told_from_a_broken_text() {
    let mut bytes = vec![VERSION_LATER + 1, 1, 2, 3];
    bytes.extend(checksum(Invitee::Person, &bytes));
    let text = format!("{PREFIX}{}", BASE32_NOPAD.encode(&bytes).to_lowercase());
    assert_eq!(
        text.parse::<Invitation>(),
        Err(InvitationError::Version(VERSION_LATER + 1))
    );
}

#[test]
fn the_secret_is_never_printed() {
    let invitation = invitation();
    let text = format!("{invitation:?}");
    assert!(text.contains("<secret>"));
    assert!(!text.contains("171") && !text.contains("abab") && !text.contains("0xab"));
}
