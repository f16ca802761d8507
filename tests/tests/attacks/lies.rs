//! A witness that lies about time: to save what came late, to cut what came in time, and to two peers
//! otherwise.

use std::collections::BTreeSet;
use std::time::Duration;

use aramaki_sync_core::admission::{Held, Inserted, Outsiders, SpaceLog, Verdict, evaluate};
use aramaki_sync_core::engine::Reach;
use aramaki_sync_core::key::DeviceKeys;
use aramaki_sync_core::statement::{Capability, Cut, GrantFlags, Statement};
use aramaki_sync_core::{EnvelopeId, Timestamp};

use crate::actor::{Actor, revoke};
use crate::world::{ALICE, BOB, HONEST, MALLORY, RELAY, RITA, World, minute};

const END: i64 = 60;
const GRACE: i64 = 15;

fn close(target: EnvelopeId, cuts: Vec<Cut>) -> Statement {
    Statement::Close { target, cuts }
}

fn receipt(cut: Cut, at: i64) -> Statement {
    let at = minute(at);
    Statement::Receipt {
        cuts: vec![cut],
        at,
    }
}

/// A Space with a witness in the attacker's hands, and a guest with an hour who wrote in time.
struct Story {
    world: World,
    mallory: Actor,
    guest: Actor,
    written: EnvelopeId,
}

impl Story {
    fn new() -> Self {
        let mut world = World::new();
        let grant = world.grant(MALLORY, Capability::Relay, GrantFlags::WITNESS, 5_000);
        let mut guest = Actor::new(DeviceKeys::from_seed([50; 32]), 800);
        guest.grant = world.grant_key(&guest.keys, END);
        world.write(ALICE, "welcome");
        world.pass(Duration::from_secs(30));
        let mut mallory = world.attacker();
        mallory.grant = grant;
        let written = guest.write(&world, 3, "a guest's");
        world.spread(&[&written]);
        assert_eq!(world.agreed(written.id()), Verdict::Admitted);
        Self {
            world,
            mallory,
            guest,
            written: written.id(),
        }
    }

    /// The guest's hour and grace are over in this minute; nobody has closed yet.
    fn is_over(&mut self) {
        self.world.at(END + GRACE - 2);
        self.world.now = minute(END + GRACE + 1);
    }

    /// The relay is down; alice and bob talk to each other.
    fn without_relay(&mut self) {
        for other in [ALICE, BOB, RITA] {
            self.world.disconnect(RELAY, other);
        }
        self.world.disconnect(MALLORY, RELAY);
        self.world.connect(ALICE, BOB);
        self.world.pass(Duration::from_secs(30));
    }

    fn verdicts(&self, id: EnvelopeId) -> BTreeSet<Verdict> {
        let people = [ALICE, BOB, RITA].into_iter();
        people.map(|at| self.world.verdict(at, id)).collect()
    }

    fn say(&mut self, at: usize, statements: Vec<Statement>) {
        for statement in statements {
            self.world.say(at, statement);
        }
        self.world.pass(Duration::from_secs(30));
    }

    /// Who has closed the guest's grant, as bob holds it.
    fn closers(&self) -> BTreeSet<aramaki_sync_core::AuthorId> {
        let log = self.world.engine(BOB).log(self.world.space).unwrap();
        let evaluation = self.world.evaluation(BOB);
        evaluation.closers(log, &[self.guest.grant])
    }

    /// What a newcomer, who gets everything today, thinks of an envelope.
    fn newcomer(&self, id: EnvelopeId, today: Timestamp) -> Verdict {
        let mut log = SpaceLog::new(self.world.space);
        let mut waiting: Vec<_> = self.world.peers[BOB].store.iter().collect();
        while !waiting.is_empty() {
            let before = waiting.len();
            waiting.retain(|it| {
                let inserted = log.insert(&it.envelope, today);
                !matches!(inserted, Ok(Inserted::New | Inserted::Fork))
            });
            assert!(waiting.len() < before, "nothing goes in any more");
        }
        evaluate(&log, &Outsiders::none(), today).verdict(id)
    }
}

/// An earlier time saves what came late, as long as its witness is believed. No honest witness states it,
/// so that ending the liar's access takes it back, and what waits is shown to a person.
#[test]
fn a18_a_false_early_receipt_is_stated_by_nobody_else_and_goes_with_its_witness() {
    let mut story = Story::new();
    story.is_over();
    let late = story.guest.write(&story.world, 6, "after the end");
    let seen = receipt(story.guest.cut(), 6);
    let lie = story.mallory.say(&story.world, 7, &seen);
    story.world.spread(&[&late, &lie]);
    assert_eq!(story.world.agreed(late.id()), Verdict::Admitted);
    story.world.pass(Duration::from_hours(3));
    assert_eq!(story.closers(), BTreeSet::new());
    let liars = story.mallory.grant;
    story.say(ALICE, vec![revoke(liars, Vec::new())]);
    let waits = Verdict::Held(Held::Expired);
    assert_eq!(story.world.agreed(late.id()), waits);
    assert_eq!(story.world.agreed(story.written), Verdict::Admitted);
    for at in HONEST {
        assert!(!story.world.shows(at, "after the end"));
        assert_eq!(story.world.engine(at).waiting(story.world.space).len(), 1);
    }
    // What it gave was never more than the grant: writing, dated within it.
    let mut honest = story.guest.cut();
    (honest.seq, honest.id) = (1, story.written);
    story.say(RELAY, vec![close(story.guest.grant, vec![honest])]);
    assert_eq!(story.world.agreed(late.id()), Verdict::Cut);
}

/// A close that names what came late saves it too, and goes with its witness as well.
#[test]
fn a20_a_close_that_names_what_came_late_goes_with_its_witness() {
    let mut story = Story::new();
    story.is_over();
    let late = story.guest.write(&story.world, 6, "after the end");
    let named = close(story.guest.grant, vec![story.guest.cut()]);
    let lie = story.mallory.say(&story.world, END + GRACE, &named);
    story.world.spread(&[&late, &lie]);
    story.world.pass(Duration::from_hours(3));
    assert_eq!(story.world.agreed(late.id()), Verdict::Admitted);
    assert_eq!(
        story.closers(),
        BTreeSet::from([story.mallory.keys.author()])
    );
    let liars = story.mallory.grant;
    story.say(ALICE, vec![revoke(liars, Vec::new())]);
    assert_eq!(story.world.agreed(late.id()), Verdict::Held(Held::Expired));
    assert_eq!(story.world.agreed(story.written), Verdict::Admitted);
}

/// Where an honest witness has closed, no earlier time saves anything.
#[test]
fn a18_a_false_early_receipt_saves_nothing_that_an_honest_close_cut() {
    let mut story = Story::new();
    story.world.at(END + GRACE + 15);
    assert!(!story.closers().is_empty());
    let late = story.guest.write(&story.world, 6, "after the end");
    let seen = receipt(story.guest.cut(), 6);
    let lie = story.mallory.say(&story.world, 7, &seen);
    story.world.spread(&[&late, &lie]);
    assert_eq!(story.world.agreed(late.id()), Verdict::Cut);
    assert_eq!(story.world.agreed(story.written), Verdict::Admitted);
}

/// A later time takes nothing away, from who was there and from who comes later: the earliest word counts.
#[test]
fn a21_a_false_late_receipt_cuts_nothing() {
    let mut story = Story::new();
    story.world.at(5);
    let seen = receipt(story.guest.cut(), 10 * END);
    let lie = story.mallory.say(&story.world, 6, &seen);
    story.world.spread(&[&lie]);
    story.is_over();
    story.world.pass(Duration::from_hours(3));
    assert_eq!(story.world.agreed(story.written), Verdict::Admitted);
    let today = minute(100 * END);
    assert_eq!(story.newcomer(story.written, today), Verdict::Admitted);
}

/// A witness that tells two peers two times is believed in the earlier once they meet; if it forks its own
/// chain for that, in neither, and everybody sees who it was.
#[test]
fn a45_two_times_for_two_peers_become_one_or_none_when_they_meet() {
    for forks in [false, true] {
        let mut story = Story::new();
        story.without_relay();
        story.world.connect(MALLORY, RELAY);
        story.is_over();
        let late = story.guest.write(&story.world, 6, "after the end");
        let cut = story.guest.cut();
        let mut other = if forks {
            story.mallory.twin()
        } else {
            let mut other = Actor::new(story.mallory.twin().keys, 501);
            other.grant = story.mallory.grant;
            other
        };
        let to_bob = story.mallory.say(&story.world, 7, &receipt(cut, 6));
        let to_relay = other.say(&story.world, 8, &receipt(cut, 10 * END));
        story.world.inject(BOB, &[&late, &to_bob]);
        story.world.inject(RELAY, &[&late, &to_relay]);
        let (bob, relay) = (
            story.world.verdict(BOB, late.id()),
            story.world.verdict(RELAY, late.id()),
        );
        assert_eq!(bob, Verdict::Admitted);
        assert_eq!(relay, Verdict::Held(Held::Expired));
        for other in [ALICE, BOB, RITA] {
            story.world.connect(RELAY, other);
        }
        story.world.pass(Duration::from_mins(2));
        let met = story.world.agreed(late.id());
        let chain = story.mallory.chain();
        for at in HONEST {
            let log = story.world.engine(at).log(story.world.space).unwrap();
            assert_eq!(log.fork_seq(chain).is_some(), forks, "peer {at}");
        }
        if forks {
            assert_eq!(met, Verdict::Held(Held::Expired));
        } else {
            assert_eq!(met, Verdict::Admitted);
        }
        assert_eq!(story.world.agreed(story.written), Verdict::Admitted);
    }
}

/// A close that leaves out what came in time is answered by the next witness who had it: without anybody's
/// doing, and in the open until then.
#[test]
fn a20_a_false_close_is_answered_by_who_had_more_in_time() {
    let mut story = Story::new();
    story.without_relay();
    story.is_over();
    let nothing = close(story.guest.grant, Vec::new());
    let lie = story.mallory.say(&story.world, END + GRACE, &nothing);
    story.world.spread(&[&lie]);
    assert_eq!(
        story.verdicts(story.written),
        BTreeSet::from([Verdict::Cut])
    );
    assert!(!story.world.shows(RITA, "a guest's"));
    for at in [ALICE, BOB, RITA] {
        let cut_off = story.world.engine(at).cut_off(story.world.space);
        let [told] = cut_off.as_slice() else {
            panic!("{cut_off:?}");
        };
        assert_eq!(
            (told.grant, told.author),
            (story.guest.grant, story.guest.keys.author())
        );
        assert_eq!((told.envelopes, told.in_time), (1, 1));
        let liar = BTreeSet::from([story.mallory.keys.author()]);
        assert_eq!(told.closers, liar);
    }
    // Alice's turn comes after those of both relays and of the kit.
    story.world.pass(Duration::from_mins(45));
    assert_eq!(
        story.verdicts(story.written),
        BTreeSet::from([Verdict::Admitted])
    );
    assert!(story.world.shows(RITA, "a guest's"));
    assert_eq!(story.world.engine(RITA).cut_off(story.world.space), []);
    // Whoever lied does not undo it, and is not needed for it.
    let again = story.mallory.say(
        &story.world,
        END + GRACE + 30,
        &close(story.guest.grant, Vec::new()),
    );
    story.world.spread(&[&again]);
    let liars = story.mallory.grant;
    story.say(ALICE, vec![revoke(liars, Vec::new())]);
    assert_eq!(
        story.verdicts(story.written),
        BTreeSet::from([Verdict::Admitted])
    );
}

/// An administrator who looks gives it back at once, as far as it came in time or all of it; a revocation
/// is no close, and nothing gives back what it cut.
#[test]
fn a20_an_administrator_gives_back_what_a_false_close_left_out() {
    let mut story = Story::new();
    story.without_relay();
    story.is_over();
    let late = story.guest.write(&story.world, 6, "after the end");
    let nothing = close(story.guest.grant, Vec::new());
    let lie = story.mallory.say(&story.world, END + GRACE, &nothing);
    story.world.spread(&[&lie, &late]);
    let space = story.world.space;
    let grant = story.guest.grant;
    let both = |story: &Story| (story.verdicts(story.written), story.verdicts(late.id()));
    let one = |verdict| BTreeSet::from([verdict]);
    assert_eq!(both(&story), (one(Verdict::Cut), one(Verdict::Cut)));
    let told = story.world.engine(ALICE).cut_off(space);
    assert_eq!((told[0].envelopes, told[0].in_time), (2, 1));
    let larger = |story: &Story, reach| story.world.engine(ALICE).restoration(space, grant, reach);
    let in_time = larger(&story, Reach::InTime);
    story.say(ALICE, in_time);
    assert_eq!(both(&story), (one(Verdict::Admitted), one(Verdict::Cut)));
    assert_eq!(larger(&story, Reach::InTime), []);
    let all = larger(&story, Reach::All);
    story.say(ALICE, all);
    assert_eq!(
        both(&story),
        (one(Verdict::Admitted), one(Verdict::Admitted))
    );
    assert_eq!(story.world.engine(ALICE).cut_off(space), []);
    story.say(ALICE, vec![revoke(grant, Vec::new())]);
    assert_eq!(both(&story), (one(Verdict::Cut), one(Verdict::Cut)));
    assert_eq!(story.world.engine(ALICE).cut_off(space), []);
    assert_eq!(larger(&story, Reach::All), []);
}

/// A false close of an administrator's grant takes with it everybody whom they let in; so does the answer
/// bring them back.
#[test]
fn a20_a_false_close_of_an_administrator_is_answered_for_all_below() {
    let mut story = Story::new();
    let mut carol = Actor::new(DeviceKeys::from_seed([51; 32]), 801);
    let mut dave = Actor::new(DeviceKeys::from_seed([52; 32]), 802);
    let given = story.world.administrator(&carol.keys, END);
    carol.grant = given;
    story.world.pass(Duration::from_secs(30));
    let below = carol.grant_to(&story.world, 4, &mut dave, |grant| {
        grant.end = minute(END);
    });
    story.world.spread(&[&below]);
    story.world.write(ALICE, "welcome, dave");
    story.world.pass(Duration::from_secs(30));
    let daves = dave.write(&story.world, 6, "dave's");
    story.world.spread(&[&daves]);
    assert_eq!(story.world.agreed(daves.id()), Verdict::Admitted);
    story.without_relay();
    story.is_over();
    let nothing = close(given, Vec::new());
    let lie = story.mallory.say(&story.world, END + GRACE, &nothing);
    story.world.spread(&[&lie]);
    let one = |verdict| BTreeSet::from([verdict]);
    assert_eq!(story.verdicts(daves.id()), one(Verdict::Cut));
    assert_eq!(story.verdicts(below.id()), one(Verdict::Cut));
    let space = story.world.space;
    // By hand, of dave alone: what carol gave him comes back with it.
    let engine = story.world.engine(ALICE);
    let answer = engine.restoration(space, dave.grant, Reach::InTime);
    assert!(!answer.is_empty());
    story.say(ALICE, answer);
    assert_eq!(story.verdicts(daves.id()), one(Verdict::Admitted));
    assert_eq!(story.verdicts(below.id()), one(Verdict::Admitted));
}
