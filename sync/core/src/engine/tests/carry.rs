//! Envelopes that come in a file: judged like a peer's, and nothing is said of them to anybody.

use std::time::Duration;

use super::stage::{Mood, Stage};
use crate::admission::{Held, LONG_GRACE, Verdict};
use crate::engine::frame::Frame;
use crate::engine::*;
use crate::envelope::Envelope;
use crate::id::{DocumentId, EnvelopeId, PrincipalId};
use crate::invitation::{Draft, Invitation, Invitee, Terms};
use crate::statement::{Capability, Kind, Statement};

const SOON: Duration = Duration::from_secs(30);

/// What a peer's disk holds, as a file carries it.
pub(super) fn file(stage: &Stage, peer: usize) -> Vec<Envelope> {
    let held = &stage.peers[peer].disk.envelopes;
    held.iter().map(|it| it.envelope.clone()).collect()
}

fn bare(envelopes: &[Envelope]) -> Vec<Envelope> {
    let bare = envelopes.iter().map(|it| {
        let mut raw = it.raw().clone();
        if it.header().kind != Kind::Control {
            raw.body = None;
        }
        raw.verify().unwrap()
    });
    bare.collect()
}

pub(super) fn take(
    stage: &mut Stage,
    peer: usize,
    space: SpaceId,
    envelopes: Vec<Envelope>,
) -> Taken {
    give(stage, peer, space, envelopes);
    stage.peers[peer].taken.last().unwrap().clone().unwrap()
}

/// Everything that one holds, in a file, to the other.
pub(super) fn bring(stage: &mut Stage, from: usize, to: usize, space: SpaceId) -> Taken {
    let carried = file(stage, from);
    take(stage, to, space, carried)
}

fn give(stage: &mut Stage, peer: usize, space: SpaceId, envelopes: Vec<Envelope>) {
    let take = TakeId(stage.write_id().0);
    let input = Input::Take {
        take,
        space,
        envelopes,
    };
    stage.tell(peer, input);
}

const DAY: Duration = Duration::from_hours(24);

/// Two members that were never connected, of whom the first invited the second.
fn apart() -> (Stage, SpaceId, Invitation) {
    apart_by(DAY)
}

/// The same by a code that works for so long, of a day's access.
fn apart_by(code: Duration) -> (Stage, SpaceId, Invitation) {
    let mut stage = Stage::new(2, 0);
    let space = stage.found();
    stage.change(0, space, b"before");
    let end = stage.now.plus(DAY);
    let redeem_until = stage.now.plus(code);
    let terms = Terms {
        invitee: Invitee::Person,
        parent: stage.peers[0].engine.best_grant(space).unwrap(),
        principal: PrincipalId::from_bytes([1; 16]),
        capability: Capability::Write,
        not_before: Timestamp::ZERO,
        end,
        redeem_until,
        redemptions: 1,
        long_grace: true,
    };
    let draft = Draft::new(&terms, &mut Entropy::from_seed([5; 32]));
    stage.state(0, space, draft.statement());
    let grant = stage.peers[0].written.last().unwrap().clone().unwrap().id;
    let invitation = draft.issued(space, grant, Vec::new());
    (stage, space, invitation)
}

fn digests(stage: &Stage, space: SpaceId) -> [[u8; 32]; 2] {
    [0, 1].map(|peer| stage.peers[peer].engine.log(space).unwrap().digest())
}

#[test]
fn a_guest_joins_by_a_file_writes_and_is_known_by_a_file() {
    let (mut stage, space, invitation) = apart();
    let carried = file(&stage, 0);
    stage.join(1, &invitation);
    let taken = take(&mut stage, 1, space, carried.clone());
    assert_eq!(taken, Taken::default(), "all of it is new");
    assert_eq!(
        stage.peers[1].engine.capability(space),
        Some(Capability::Write),
        "the guest let itself in"
    );
    stage.change(1, space, b"from the guest");
    stage.change(0, space, b"from the host");
    let back = bring(&mut stage, 1, 0, space);
    assert_eq!((back.known, back.refused), (carried.len(), Vec::new()));
    let news = bring(&mut stage, 0, 1, space);
    assert!(news.refused.is_empty(), "{news:?}");
    let [host, guest] = digests(&stage, space);
    assert_eq!(host, guest);
    for peer in [0, 1] {
        assert_eq!(
            stage.peers[peer]
                .engine
                .admitted(space, DocumentId::named("system"))
                .len(),
            3
        );
    }
    // Twice is as good as once, and the two agree at once when they meet.
    let again = bring(&mut stage, 1, 0, space);
    assert_eq!(again.known, file(&stage, 0).len());
    stage.connect(0, 1);
    stage.wait(SOON);
    assert!(stage.agree(space));
}

/// What the guest of a file wrote, as the host judges it; none when it is not there.
fn written_by_guest(stage: &Stage, space: SpaceId) -> (EnvelopeId, Option<Verdict>) {
    let written = stage.peers[1].written.last().unwrap();
    let id = written.as_ref().unwrap().id;
    let host = &stage.peers[0].engine;
    let here = host.log(space).unwrap().contains(id);
    (
        id,
        here.then(|| host.evaluation(space).unwrap().verdict(id)),
    )
}

/// An administrator takes in what waits of the guest, as far as may be now.
fn accept(stage: &mut Stage, space: SpaceId, written: EnvelopeId) -> usize {
    let host = &stage.peers[0].engine;
    let grant = host.log(space).unwrap().get(written).unwrap();
    let closes = host.acceptance(space, grant.header().authority);
    let count = closes.len();
    for close in closes {
        stage.state(0, space, close);
    }
    stage.wait(SOON);
    count
}

#[test]
fn who_joined_by_a_file_is_heard_over_the_network_after_the_end() {
    for (after_end, counts) in [(Duration::from_hours(1), true), (DAY * 4, false)] {
        let (mut stage, space, invitation) = apart();
        let begun = stage.now;
        let carried = file(&stage, 0);
        stage.join(1, &invitation);
        take(&mut stage, 1, space, carried);
        stage.change(1, space, b"in time");
        stage.now = begun.plus(DAY).plus(after_end);
        stage.wait(SOON);
        let code = invitation.keys().author();
        assert!(stage.peers[1].engine.may_come_by(space, code));
        stage.connect_with(0, 1, &[code]);
        stage.wait(SOON);
        let (written, verdict) = written_by_guest(&stage, space);
        let verdict = verdict.expect("it reaches the host");
        assert_eq!(verdict.counts(), counts, "{verdict:?} after {after_end:?}");
        if !counts {
            assert!(matches!(verdict, Verdict::Held(_)), "{verdict:?}");
            // Somebody comes while it waits, and reads it as soon as it counts and anybody writes.
            let_in_another(&mut stage, space);
            // With this the keys that are due now have gone.
            stage.change(0, space, b"meanwhile");
            stage.wait(SOON);
            assert_ne!(accept(&mut stage, space, written), 0);
            stage.change(0, space, b"and on");
            stage.wait(SOON);
            let (_written, verdict) = written_by_guest(&stage, space);
            assert!(verdict.unwrap().counts(), "{verdict:?}");
            let log = stage.peers[0].engine.log(space).unwrap();
            let own = log.get(written).unwrap().header().epoch;
            let of_host = log.control().filter(|(entry, it)| {
                matches!(it, Statement::Epoch(_)) && entry.header().chain.author == stage.author(0)
            });
            let of_host: Vec<_> = of_host.map(|(entry, _)| entry.id()).collect();
            assert!(
                !of_host.contains(&own),
                "the guest sealed it with a key of its own"
            );
            let newcomer = &stage.peers[2];
            let body = newcomer.disk.read(&newcomer.engine, space, written);
            assert!(body.is_some(), "they have no key for it");
        }
    }
}

/// The host lets in somebody who is there.
fn let_in_another(stage: &mut Stage, space: SpaceId) {
    stage.add_member();
    stage.let_in(space, 2);
    let join = Input::Join {
        write: stage.write_id(),
        space,
        invitation: None,
    };
    stage.tell(2, join);
    stage.connect(0, 2);
    stage.wait(SOON);
}

/// A guest sealed what it wrote for those of whom it knew; the host let somebody else in meanwhile.
#[test]
fn a_reader_gets_a_key_that_was_made_without_it_though_nobody_writes() {
    for by_host in [true, false] {
        let (mut stage, space, invitation) = apart();
        let carried = file(&stage, 0);
        stage.join(1, &invitation);
        take(&mut stage, 1, space, carried);
        stage.change(1, space, b"from the guest");
        let written = stage.peers[1].written.last().unwrap().clone().unwrap().id;
        let_in_another(&mut stage, space);
        if by_host {
            stage.connect(0, 1);
        } else {
            // No administrator is there any more, and the guest alone has the key.
            bring(&mut stage, 2, 1, space);
            stage.restart(2);
            stage.connect(1, 2);
        }
        stage.wait(SOON * 2);
        let reader = &stage.peers[2];
        let body = reader.disk.read(&reader.engine, space, written);
        assert!(body.is_some(), "by the host: {by_host}");
        let shares = |stage: &Stage, peer: usize| {
            let log = stage.peers[peer].engine.log(space).unwrap();
            let all = log.control().filter(|(entry, it)| {
                matches!(it, Statement::EpochShare { .. })
                    && entry.header().chain.author == stage.author(peer)
            });
            all.count()
        };
        let before = [0, 1].map(|peer| shares(&stage, peer));
        stage.wait(SOON * 20);
        assert_eq!([0, 1].map(|peer| shares(&stage, peer)), before, "once");
    }
}

#[test]
fn who_came_by_a_code_that_had_ended_is_taken_in_once_its_access_has_ended() {
    let hours = Duration::from_hours;
    let (mut stage, space, invitation) = apart_by(hours(1));
    let begun = stage.now;
    let carried = file(&stage, 0);
    stage.join(1, &invitation);
    take(&mut stage, 1, space, carried);
    stage.change(1, space, b"in time");
    stage.now = begun.plus(hours(2));
    bring(&mut stage, 1, 0, space);
    let (written, verdict) = written_by_guest(&stage, space);
    assert_eq!(verdict, Some(Verdict::Held(Held::RedeemedLate)));
    // Its access lasts: nobody closes it.
    assert_eq!(accept(&mut stage, space, written), 0);
    stage.now = begun.plus(DAY).plus(LONG_GRACE).plus(hours(1));
    stage.wait(SOON);
    assert_ne!(accept(&mut stage, space, written), 0);
    let (_written, verdict) = written_by_guest(&stage, space);
    assert!(verdict.unwrap().counts(), "{verdict:?}");
}

#[test]
fn headers_without_bodies_make_a_member_and_a_later_file_brings_the_bodies() {
    let (mut stage, space, invitation) = apart();
    let whole = file(&stage, 0);
    stage.join(1, &invitation);
    take(&mut stage, 1, space, bare(&whole));
    let document = DocumentId::named("system");
    assert_eq!(
        stage.peers[1].engine.capability(space),
        Some(Capability::Write)
    );
    assert_eq!(stage.peers[1].engine.missing_bodies(space, document), 1);
    // Nothing is said to be taken before it is durable.
    stage.peers[1].mood = Mood::Stuck;
    let answers = stage.peers[1].taken.len();
    give(&mut stage, 1, space, whole.clone());
    assert_eq!(stage.peers[1].taken.len(), answers);
    stage.unstick(1);
    assert_eq!(stage.peers[1].taken.len(), answers + 1);
    assert_eq!(stage.peers[1].engine.missing_bodies(space, document), 0);
}

#[test]
fn a_file_for_a_space_that_is_not_held_or_by_strangers_fills_no_disk() {
    let (mut stage, space, _invitation) = apart();
    let whole = file(&stage, 0);
    give(&mut stage, 1, space, whole.clone());
    assert_eq!(stage.peers[1].taken, [Err(WriteError::UnknownSpace)]);
    assert!(stage.peers[1].disk.envelopes.is_empty());
    // Somebody whom no grant names wrote on top.
    let stranger = DeviceKeys::from_seed([99; 32]);
    let position = crate::envelope::Position {
        space,
        instance: Instance(1),
        seq: 1,
        previous: EnvelopeId::ZERO,
        authority: whole[0].id(),
        ancestors: Vec::new(),
        time: stage.now,
    };
    let statement = Statement::Card(crate::statement::Card {
        endpoint: [1; 32],
        box_key: [1; 32],
        box_generation: 0,
    });
    let forged = crate::envelope::control(&stranger, position, &statement).unwrap();
    let before = stage.peers[0].disk.envelopes.len();
    let taken = take(&mut stage, 0, space, vec![forged.clone()]);
    assert_eq!(taken.refused, [(forged.id(), Refusal::NoGrant)]);
    assert_eq!(stage.peers[0].disk.envelopes.len(), before);
}

#[test]
fn a_file_that_leaves_something_out_says_so_and_the_rest_counts_once_it_is_there() {
    let (mut stage, space, invitation) = apart();
    stage.join(1, &invitation);
    let whole = file(&stage, 0);
    take(&mut stage, 1, space, whole);
    stage.change(0, space, b"one");
    stage.change(0, space, b"two");
    let newer = file(&stage, 0);
    let (first, second) = (&newer[newer.len() - 2], &newer[newer.len() - 1]);
    let taken = take(&mut stage, 1, space, vec![second.clone()]);
    assert_eq!(taken.refused, [(second.id(), Refusal::Gap)]);
    take(&mut stage, 1, space, vec![first.clone()]);
    let evaluation = stage.peers[1].engine.evaluation(space).unwrap();
    assert_eq!(evaluation.verdict(second.id()), Verdict::Admitted);
}

#[test]
fn a_full_disk_takes_nothing_of_a_file_and_says_so() {
    let (mut stage, space, invitation) = apart();
    stage.join(1, &invitation);
    let whole = file(&stage, 0);
    stage.peers[1].mood = Mood::Full;
    give(&mut stage, 1, space, whole.clone());
    stage.wait(SOON);
    let taken = stage.peers[1].taken.last().unwrap().clone().unwrap();
    assert!(
        taken
            .refused
            .iter()
            .any(|(_id, why)| *why == Refusal::Store)
    );
    assert!(stage.peers[1].disk.envelopes.is_empty());
    stage.peers[1].mood = Mood::Works;
    stage.wait(SOON);
    assert!(take(&mut stage, 1, space, whole).refused.is_empty());
}

#[test]
fn a_space_of_which_nothing_came_is_waited_for_no_more_when_asked_and_no_other() {
    let (mut stage, space, invitation) = apart();
    stage.join(1, &invitation);
    assert!(stage.peers[1].disk.follows.contains_key(&space));
    let forget = |stage: &mut Stage, peer: usize| {
        let write = stage.write_id();
        stage.tell(peer, Input::Forget { write, space });
        stage.peers[peer].written.last().unwrap().clone()
    };
    assert!(forget(&mut stage, 1).is_ok());
    assert!(!stage.peers[1].disk.follows.contains_key(&space));
    assert_eq!(stage.peers[1].engine.spaces().count(), 0);
    assert_eq!(forget(&mut stage, 1), Err(WriteError::NotAllowed), "twice");
    assert_eq!(
        forget(&mut stage, 0),
        Err(WriteError::NotAllowed),
        "it is here"
    );
    stage.join(1, &invitation);
    let whole = file(&stage, 0);
    take(&mut stage, 1, space, whole);
    assert_eq!(
        stage.peers[1].engine.capability(space),
        Some(Capability::Write)
    );
}

/// What a peer said of a code that was used up says nothing of the next one for the same Space.
#[test]
fn another_invitation_is_not_taken_for_the_one_before_that_was_used_up() {
    let (mut stage, space, invitation) = apart();
    stage.join(1, &invitation);
    let (_here, old) = stage.connect(0, 1);
    stage.play();
    let say = |stage: &mut Stage, connection: ConnectionId| {
        let why = AccessEnd::UsedUp;
        let frame = Frame::Ended(frame::Ended { space, why }).encode();
        stage.tell(1, Input::Received { connection, frame });
        stage.peers[1].engine.ended_elsewhere(space)
    };
    assert_eq!(say(&mut stage, old), Some(AccessEnd::UsedUp));
    stage.join(1, &invitation);
    let still = stage.peers[1].engine.ended_elsewhere(space);
    assert_eq!(still, Some(AccessEnd::UsedUp), "it is the same code");
    let mut another = invitation.clone();
    another.seed = zeroize::Zeroizing::new([77; 32]);
    stage.join(1, &another);
    assert_eq!(stage.peers[1].engine.ended_elsewhere(space), None);
    assert_eq!(say(&mut stage, old), None, "it came before");
    let (_here, new) = stage.connect(0, 1);
    stage.play();
    assert_eq!(say(&mut stage, new), Some(AccessEnd::UsedUp));
}

/// Both guests meet the host, with their own keys alone; one of them is in.
fn what_who_came_too_late_hears(stage: &mut Stage, space: SpaceId) -> AccessEnd {
    for guest in [1, 2] {
        stage.restart(guest);
        stage.connect_with(0, guest, &[]);
    }
    stage.wait(SOON);
    let said = [1, 2].map(|guest| stage.peers[guest].engine.ended_elsewhere(space));
    match said {
        [Some(why), None] | [None, Some(why)] => why,
        other => panic!("{other:?}"),
    }
}

/// Two brought what they did by a code for one. What the second wrote never counts, so that whoever ends the code
/// loses nothing of it.
#[test]
fn what_came_by_a_used_code_is_not_lost_by_ending_it() {
    let (mut stage, space, invitation) = apart();
    stage.add_member();
    let carried = file(&stage, 0);
    for guest in [1, 2] {
        stage.join(guest, &invitation);
        take(&mut stage, guest, space, carried.clone());
        stage.change(guest, space, b"from a guest");
        bring(&mut stage, guest, 0, space);
    }
    let host = &stage.peers[0].engine;
    let waits = host.waiting(space);
    assert!(!waits.is_empty() && waits.iter().all(|it| it.held == Held::Redeemed));
    assert_eq!(
        what_who_came_too_late_hears(&mut stage, space),
        AccessEnd::UsedUp
    );
    let host = &stage.peers[0].engine;
    let statement = host.revocation(space, (invitation.grant, true), 0).unwrap();
    let ended = host.grants_below(space, invitation.grant);
    let foreseen = host.foresee(space, &statement, &ended).unwrap();
    assert_eq!((foreseen.discarded, foreseen.gone), (0, 0));
}
