//! What a Space begins with: the anchor above the device, both signed by the Space key, once.

use super::stage::{Actor, END, Stage, grant_to, minute, stage};
use crate::admission::{Outsiders, SpaceLog, Verdict};
use crate::entropy::Entropy;
use crate::envelope::{self, FormError, Founding, Position};
use crate::id::{AuthorId, EnvelopeId, Instance};
use crate::key::{DeviceKeys, EpochKey, SpaceKey};
use crate::statement::{Capability, Grant, Statement};

/// A Space whose anchor stayed offline: nobody but the Space key has signed anything.
fn founded() -> (Stage, Actor, Actor) {
    let mut entropy = Entropy::from_seed([31; 32]);
    let root = SpaceKey::generate(&mut entropy);
    let (mut anchor, mut device) = (Actor::new(30), Actor::new(31));
    let mut stage = Stage {
        space: root.space(),
        log: SpaceLog::new(root.space()),
        all: Vec::new(),
        epoch: EpochKey::generate(&mut entropy),
        entropy,
        outsiders: Outsiders::none(),
    };
    let to_anchor = Grant {
        end: minute(100 * END),
        depth_left: 7,
        ..grant_to(&anchor, Capability::Administer)
    };
    let to_device = Grant {
        depth_left: 6,
        ..grant_to(&device, Capability::Administer)
    };
    let Founding { root, device: own } =
        envelope::found(root, to_anchor, Some(to_device), minute(0)).unwrap();
    let own = own.unwrap();
    anchor.grant = root.id();
    device.grant = own.id();
    stage.deliver(&root, minute(0));
    stage.deliver(&own, minute(0));
    (stage, anchor, device)
}

#[test]
pub(super) fn the_device_works_while_the_anchor_is_offline_and_the_anchor_stands_above_it() {
    let (mut stage, mut anchor, mut device) = founded();
    let mut bob = Actor::new(32);
    stage.grant(&mut device, &mut bob, 1, |_grant| {});
    let let_in = device.cut();
    let written = stage.write(&mut bob, 2);
    let stolen = stage.write(&mut device, 3);
    let evaluation = stage.evaluate(4);
    assert_eq!(evaluation.verdict(written), Verdict::Admitted);
    let member = |author| evaluation.grants_of(author, minute(4)).next().unwrap();
    assert!(member(anchor.keys.author()).through.is_empty());
    assert_eq!(member(device.keys.author()).through, [anchor.grant]);

    // The thief revokes the anchor; the anchor revokes the device.
    let revoke = |target, cuts| Statement::Revoke {
        target,
        cuts,
        reason: 1,
    };
    let against_anchor = stage.say(&mut device, 5, &revoke(anchor.grant, Vec::new()));
    stage.say(
        &mut anchor,
        6,
        &revoke(device.grant, vec![bob.cut(), let_in]),
    );
    let evaluation = stage.evaluate(7);
    assert!(!evaluation.verdict(against_anchor).counts());
    assert_eq!(evaluation.verdict(stolen), Verdict::Cut);
    assert_eq!(evaluation.verdict(written), Verdict::Admitted);
    let (thief, kit) = (device.keys.author(), anchor.keys.author());
    assert_eq!(evaluation.capability(thief, minute(7)), None);
    assert_eq!(
        evaluation.capability(kit, minute(7)),
        Some(Capability::Administer)
    );

    // A new device works on, granted by the anchor.
    let mut new = Actor::new(33);
    stage.grant(&mut anchor, &mut new, 8, |grant| {
        grant.capability = Capability::Administer;
        grant.depth_left = 6;
    });
    stage.grant(&mut new, &mut bob, 9, |_grant| {});
    let written = stage.write(&mut bob, 10);
    assert_eq!(stage.verdict(written, 11), Verdict::Admitted);
}

/// What the Space key would sign, were it not zeroized.
fn by_space_key(change: impl FnOnce(&mut Position, &mut Grant)) -> Option<FormError> {
    // The Space key is a signing key like others: a device whose author is the Space stands for it.
    let keys = DeviceKeys::from_seed([40; 32]);
    let genesis = EnvelopeId::from_bytes([41; 32]);
    let mut position = Position {
        space: crate::id::SpaceId::from_bytes(*keys.author().as_bytes()),
        instance: Instance(0),
        seq: 2,
        previous: genesis,
        authority: genesis,
        ancestors: Vec::new(),
        time: minute(0),
    };
    let mut grant = grant_to(&Actor::new(42), Capability::Administer);
    grant.parent = Some(genesis);
    change(&mut position, &mut grant);
    envelope::control(&keys, position, &Statement::Grant(grant)).err()
}

#[test]
pub(super) fn a06_the_space_key_signs_two_grants_and_nothing_else_by_it_has_form() {
    assert_eq!(by_space_key(|_position, _grant| {}), None);
    let refused = Some(FormError::Field(
        "the Space key signs its first grants alone",
    ));
    let other = EnvelopeId::from_bytes([43; 32]);
    assert_eq!(by_space_key(|position, _grant| position.seq = 3), refused);
    let forms: [fn(&mut Position, &mut Grant); 5] = [
        |position, _grant| position.instance = Instance(1),
        |position, _grant| position.ancestors = vec![EnvelopeId::from_bytes([43; 32])],
        |_position, grant| grant.capability = Capability::Write,
        |_position, grant| grant.parent = None,
        |_position, grant| {
            grant.audience = crate::statement::Audience::ReadersOf(crate::id::SpaceId::ZERO);
        },
    ];
    for form in forms {
        assert_eq!(by_space_key(form), refused);
    }
    let elsewhere = by_space_key(|position, grant| {
        position.authority = other;
        grant.parent = Some(other);
    });
    assert_eq!(elsewhere, refused);
    let (_stage, cast) = stage();
    let keys = DeviceKeys::from_seed([40; 32]);
    let mut position = cast.bob.position(crate::id::SpaceId::ZERO, 1);
    position.space = crate::id::SpaceId::from_bytes(*keys.author().as_bytes());
    let receipt = Statement::Receipt {
        cuts: Vec::new(),
        at: minute(1),
    };
    assert_eq!(
        envelope::control(&keys, position.clone(), &receipt).err(),
        refused
    );
    position.seq = 2;
    position.previous = other;
    let sealed = envelope::sealed(
        &keys,
        position,
        crate::id::DocumentId::named("system"),
        &crate::statement::Body::Merge,
        (other, &EpochKey::from_bytes([1; 32])),
    );
    assert_eq!(sealed.err(), refused);
}

#[test]
pub(super) fn the_second_grant_by_the_space_key_is_inside_the_anchors() {
    let mut entropy = Entropy::from_seed([44; 32]);
    let root = SpaceKey::generate(&mut entropy);
    let (anchor, device) = (Actor::new(45), Actor::new(46));
    let mut log = SpaceLog::new(root.space());
    let to_anchor = Grant {
        depth_left: 7,
        ..grant_to(&anchor, Capability::Administer)
    };
    let too_long = Grant {
        end: minute(END + 1),
        ..grant_to(&device, Capability::Administer)
    };
    let founding = envelope::found(root, to_anchor, Some(too_long), minute(0)).unwrap();
    let device = founding.device.as_ref().unwrap().id();
    for envelope in founding.into_envelopes() {
        log.insert(&envelope, minute(0)).unwrap();
    }
    let evaluation = crate::admission::evaluate(&log, &Outsiders::none(), minute(1));
    assert_eq!(
        evaluation.verdict(device),
        Verdict::Refused(crate::admission::Refusal::Escalation)
    );
}

#[test]
pub(super) fn a_grant_takes_at_most_four_hundred_bytes() {
    let (mut stage, mut cast) = stage();
    let mut guest = Actor::new(50);
    cast.alice.instance = Instance(u64::MAX);
    cast.alice.seq = 0;
    cast.alice.previous = EnvelopeId::ZERO;
    stage.write(&mut cast.alice, 1);
    stage.grant(&mut cast.alice, &mut guest, 2, |grant| {
        grant.end = crate::time::Timestamp::MAX;
        grant.box_key = *AuthorId::from_bytes([9; 32]).as_bytes();
    });
    let (grant, _received) = stage.all.last().unwrap();
    assert!(
        grant.raw().len_bytes() <= 400,
        "{}",
        grant.raw().len_bytes()
    );
}
