//! A40: each check of the order, by a request that fails it alone.

use std::time::Duration;

use aramaki_model::action::MaintenanceRule;
use aramaki_model::maintenance::redundancy::{Member, Redundancy, Reservation};
use aramaki_sync_core::Instance;

use super::super::attempts::Attempts;
use super::super::definition::tests::flush;
use super::*;

const NOW: Timestamp = Timestamp::from_millis(1_800_000_000_000);
const ASKER: u8 = 1;
const OTHER: u8 = 2;
/// Another device of the asker's.
const ASKERS_PHONE: u8 = 3;
const GUEST: u8 = 4;

fn author(n: u8) -> AuthorId {
    AuthorId::from_bytes([n; 32])
}

fn id(n: u8) -> EnvelopeId {
    EnvelopeId::from_bytes([n; 32])
}

fn minutes(n: u64) -> Duration {
    Duration::from_mins(n)
}

/// Everything as it is when a request is run.
struct Scene {
    now: Timestamp,
    clock: bool,
    actions: Actions,
    journal: Journal,
    people: BTreeMap<AuthorId, Person>,
    grants: Vec<ActionGrant>,
    approvals: Vec<(AuthorId, Approval)>,
    contact: Option<Timestamp>,
    groups: Option<GroupsHeld>,
    asked: Asked,
    _folder: tempfile::TempDir,
}

fn grant(who: u8, power: ActionPower, end: Timestamp) -> ActionGrant {
    ActionGrant {
        grantee: author(who),
        agent: SpaceId::from_bytes([9; 32]),
        actions: vec!["flush".to_owned()],
        power,
        end,
    }
}

fn approval(by: u8, agrees: bool) -> (AuthorId, Approval) {
    let approval = Approval {
        request: id(1),
        agrees,
        end: NOW.plus(minutes(5)),
    };
    (author(by), approval)
}

fn row(result: Option<Vec<u8>>, at: Timestamp, of: &ActionRequest) -> Row {
    Row {
        at,
        action: "flush".to_owned(),
        same: same(of),
        result,
        ran: true,
        told: false,
        attempts: None,
        untold: Vec::new(),
    }
}

impl Scene {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let begun = NOW.minus(minutes(60));
        let definition = flush();
        let person = |principal: u8, is_guest| Person {
            principal: PrincipalId::from_bytes([principal; 16]),
            is_guest,
            is_in_system: true,
        };
        Self {
            now: NOW,
            clock: true,
            journal: Journal::read(folder.path(), Instance(1), begun).unwrap(),
            asked: Asked {
                id: id(1),
                request: ActionRequest {
                    again: None,
                    agent: SpaceId::from_bytes([9; 32]),
                    action: "flush".to_owned(),
                    definition: definition.digest,
                    arguments: [("path".to_owned(), "/shop".to_owned())].into(),
                    not_before: NOW,
                    end: NOW.plus(minutes(5)),
                    reason: "the prices are old".to_owned(),
                    alert: None,
                },
                by: author(ASKER),
                at: NOW,
                maintenance: None,
                groups: 0,
            },
            actions: Actions {
                definitions: [(definition.name.clone(), definition)].into(),
                refused: Vec::new(),
            },
            people: [
                (author(ASKER), person(1, false)),
                (author(ASKERS_PHONE), person(1, false)),
                (author(OTHER), person(2, false)),
                (author(GUEST), person(3, true)),
            ]
            .into(),
            grants: [ASKER, OTHER, ASKERS_PHONE, GUEST]
                .into_iter()
                .flat_map(|who| {
                    let end = NOW.plus(minutes(600));
                    [ActionPower::Request, ActionPower::Approve].map(|power| grant(who, power, end))
                })
                .collect(),
            approvals: vec![approval(OTHER, true)],
            contact: Some(NOW.minus(minutes(1))),
            groups: Some(GroupsHeld::default()),
            _folder: folder,
        }
    }

    fn decide(&self) -> Decision {
        let view = View {
            now: self.now,
            clock: self.clock,
            agent: SpaceId::from_bytes([9; 32]),
            actions: &self.actions,
            journal: &self.journal,
            people: &self.people,
            grants: &self.grants,
            approvals: &self.approvals,
            contact: self.contact,
            groups: self.groups.as_ref(),
        };
        decide(&self.asked, &view)
    }

    fn refused(&self) -> RefusedFor {
        match self.decide() {
            Decision::Refuse(refused) => refused,
            other => panic!("{other:?}"),
        }
    }

    fn runs(&self) -> bool {
        matches!(self.decide(), Decision::Run { .. })
    }

    fn waits(&self) -> bool {
        matches!(self.decide(), Decision::Wait(_) | Decision::Later(_))
    }
}

fn with(change: impl FnOnce(&mut Scene)) -> Scene {
    let mut scene = Scene::new();
    change(&mut scene);
    scene
}

#[test]
fn a_request_that_passes_every_check_is_run() {
    let Decision::Run { argv, .. } = Scene::new().decide() else {
        panic!("{:?}", Scene::new().decide());
    };
    assert_eq!(argv, ["ban", "req.url ~ /shop", "{literal}", "1"]);
}

#[test]
fn a40_not_in_the_catalogue_wrong_target_wrong_definition() {
    let scene = with(|it| it.actions.definitions.clear());
    assert_eq!(scene.refused(), RefusedFor::NotInCatalogue);
    let scene = with(|it| it.asked.request.agent = SpaceId::from_bytes([8; 32]));
    assert_eq!(scene.refused(), RefusedFor::WrongTarget);
    let scene = with(|it| it.asked.request.definition = [0; 32]);
    assert_eq!(scene.refused(), RefusedFor::OtherDefinition);
    let scene = with(|it| {
        let arguments = &mut it.asked.request.arguments;
        arguments.insert("path".into(), "$(id)".into());
    });
    assert!(matches!(scene.refused(), RefusedFor::Argument(_)));
}

#[test]
fn a40_only_whom_an_administrator_let_and_nobody_who_was_revoked() {
    let scene = with(|it| it.grants.retain(|grant| grant.grantee != author(ASKER)));
    assert_eq!(scene.refused(), RefusedFor::NotGranted);
    // Their grant in the Space was revoked.
    let scene = with(|it| {
        it.people.remove(&author(ASKER));
    });
    assert_eq!(scene.refused(), RefusedFor::NotGranted);
    // They were sent away in the System, and their grant here stands: nothing runs, and when its time is
    // over it is refused.
    let mut scene = with(|it| {
        it.people.get_mut(&author(ASKER)).unwrap().is_in_system = false;
    });
    assert!(matches!(scene.decide(), Decision::Wait(_end)));
    scene.now = scene.asked.request.end.plus(minutes(1));
    scene.contact = Some(scene.now);
    assert_eq!(scene.refused(), RefusedFor::NotGranted);
    // Who was sent away there approves nothing.
    let scene = with(|it| {
        it.people.get_mut(&author(OTHER)).unwrap().is_in_system = false;
    });
    assert!(matches!(scene.decide(), Decision::Wait(_end)));
    // The action was taken back by a later grant that has ended.
    let over = grant(ASKER, ActionPower::Request, NOW.minus(minutes(1)));
    assert_eq!(
        with(|it| it.grants.push(over)).refused(),
        RefusedFor::NotGranted
    );
    // A grant to approve is none to ask.
    let scene = with(|it| {
        it.grants
            .retain(|grant| grant.power == ActionPower::Approve);
    });
    assert_eq!(scene.refused(), RefusedFor::NotGranted);
}

/// Power over an action is of one device, one agent, one action and one kind: nothing that is like it, and
/// nobody who is close to its holder, has it.
#[test]
fn an_action_grant_is_its_grantees_alone_and_covers_what_it_names() {
    let lasts = NOW.plus(minutes(600));
    let only = |granted: ActionGrant| {
        with(|it| {
            let asks = |grant: &ActionGrant| grant.power == ActionPower::Request;
            it.grants.retain(|grant| !asks(grant));
            it.grants.push(granted);
        })
    };
    let own = || grant(ASKER, ActionPower::Request, lasts);
    assert!(only(own()).runs());
    // Another device of the same person, in both directions.
    let phones = grant(ASKERS_PHONE, ActionPower::Request, lasts);
    assert_eq!(only(phones).refused(), RefusedFor::NotGranted);
    let mut by_phone = only(own());
    by_phone.asked.by = author(ASKERS_PHONE);
    assert_eq!(by_phone.refused(), RefusedFor::NotGranted);
    for like in ["", "*", "flus", "flush ", "Flush", "flush-all", "flush\0"] {
        let granted = ActionGrant {
            actions: vec![like.to_owned()],
            ..own()
        };
        assert_eq!(only(granted).refused(), RefusedFor::NotGranted, "{like:?}");
    }
    let elsewhere = ActionGrant {
        agent: SpaceId::from_bytes([8; 32]),
        ..own()
    };
    assert_eq!(only(elsewhere).refused(), RefusedFor::NotGranted);
    let over = ActionGrant {
        end: NOW.minus(minutes(1)),
        ..own()
    };
    assert_eq!(only(over).refused(), RefusedFor::NotGranted);
}

#[test]
fn a40_a_request_has_its_time_by_a_clock_that_does_not_go_back() {
    let late = with(|it| it.now = NOW.plus(minutes(6)));
    assert_eq!(late.refused(), RefusedFor::OutOfTime);
    let long = with(|it| it.asked.request.end = NOW.plus(minutes(11)));
    assert_eq!(long.refused(), RefusedFor::OutOfTime);
    let far = with(|it| {
        it.asked.request.not_before = NOW.plus(minutes(25 * 60));
        it.asked.request.end = NOW.plus(minutes(25 * 60 + 5));
    });
    assert_eq!(far.refused(), RefusedFor::OutOfTime);
    let scheduled = with(|it| {
        it.asked.request.not_before = NOW.plus(minutes(60));
        it.asked.request.end = NOW.plus(minutes(65));
    });
    assert!(scheduled.waits());
    assert_eq!(
        with(|it| it.clock = false).refused(),
        RefusedFor::ClockWentBack
    );
}

#[test]
fn a40_an_agent_that_is_out_of_touch_waits_and_then_refuses() {
    let stale = |it: &mut Scene| it.contact = Some(NOW.minus(minutes(16)));
    assert!(with(stale).waits());
    assert!(with(|it| it.contact = None).waits());
    let scene = with(|it| {
        stale(it);
        it.now = NOW.plus(minutes(6));
    });
    assert_eq!(scene.refused(), RefusedFor::StaleView);
}

#[test]
fn a40_approvals_are_of_other_people() {
    let alone = with(|it| it.approvals.clear());
    assert!(alone.waits());
    let after = |approvals: Vec<_>| {
        with(|it| {
            it.approvals = approvals;
            it.now = NOW.plus(minutes(6));
        })
        .refused()
    };
    let none = RefusedFor::NotApproved {
        needed: 1,
        given: 0,
    };
    for by in [ASKER, ASKERS_PHONE, GUEST] {
        assert!(
            with(|it| it.approvals = vec![approval(by, true)]).waits(),
            "{by}"
        );
        assert_eq!(after(vec![approval(by, true)]), none, "{by}");
    }
    // One who may not approve.
    let scene = with(|it| {
        it.grants.retain(|grant| grant.grantee != author(OTHER));
    });
    assert!(scene.waits());
    for by in [OTHER, ASKER] {
        let scene = with(|it| it.approvals.push(approval(by, false)));
        assert_eq!(scene.refused(), RefusedFor::Denied, "{by}");
    }
    assert!(with(|it| it.approvals.push(approval(GUEST, false))).runs());
}

#[test]
fn a40_an_approval_is_of_one_request_and_no_other() {
    let other = with(|it| it.asked.id = id(2));
    assert!(other.waits(), "what was approved is another envelope");
}

#[test]
fn a52_a_guest_of_an_invitation_approves_nothing() {
    assert!(with(|it| it.approvals = vec![approval(GUEST, true)]).waits());
}

#[test]
fn a40_what_was_there_before_the_records_is_not_run() {
    let scene = with(|it| it.asked.at = NOW.minus(minutes(61)));
    assert_eq!(scene.refused(), RefusedFor::BeforeRecords);
}

#[test]
fn the_same_twice_needs_that_the_first_is_known() {
    let before = |result: Option<Vec<u8>>, at| {
        with(|it| {
            let row = row(result, at, &it.asked.request);
            it.journal.rows.insert(id(7), row);
        })
    };
    let ran = || before(Some(Vec::new()), NOW.minus(minutes(9)));
    assert_eq!(ran().refused(), RefusedFor::DuplicateOf(id(7)));
    let mut again = ran();
    again.asked.request.again = Some(id(7));
    assert!(again.runs());
    again.asked.request.again = Some(id(6));
    assert_eq!(again.refused(), RefusedFor::DuplicateOf(id(7)));
    assert!(before(Some(Vec::new()), NOW.minus(minutes(11))).runs());
    let mut other = ran();
    let arguments = &mut other.asked.request.arguments;
    arguments.insert("path".to_owned(), "/other".to_owned());
    assert!(other.runs());
    // One that still runs is the same however long ago it began; another waits for its turn.
    let running = || before(None, NOW.minus(minutes(50)));
    assert_eq!(running().refused(), RefusedFor::DuplicateOf(id(7)));
    let mut other = running();
    let arguments = &mut other.asked.request.arguments;
    arguments.insert("path".to_owned(), "/other".to_owned());
    assert!(other.waits());
}

/// A request for the window from one hour on, which lasts for three.
fn in_window(it: &mut Scene) {
    let mut definition = flush();
    definition.maintenance = Some(MaintenanceRule {
        attempts: 3,
        retry_after_ms: 60_000,
    });
    it.actions
        .definitions
        .insert("flush".to_owned(), definition);
    it.asked.maintenance = Some(ItemId::from_bytes([7; 16]));
    it.asked.request.not_before = NOW.plus(minutes(60));
    it.asked.request.end = NOW.plus(minutes(240));
    for (_by, approval) in &mut it.approvals {
        approval.end = it.asked.request.end;
    }
    it.contact = Some(NOW.plus(minutes(100)));
}

#[test]
fn work_waits_for_its_window_and_is_run_in_all_of_it() {
    let early = with(in_window).decide();
    let opens = NOW.plus(minutes(60));
    assert!(
        matches!(early, Decision::Later(at) if at == opens),
        "{early:?}"
    );
    for minute in [60, 100, 240] {
        let scene = with(|it| {
            in_window(it);
            it.now = NOW.plus(minutes(minute));
        });
        assert!(scene.contact < Some(scene.now) || scene.runs(), "{minute}");
    }
    let late = with(|it| {
        in_window(it);
        it.now = NOW.plus(minutes(241));
    });
    assert_eq!(late.refused(), RefusedFor::StaleView, "out of touch");
}

#[test]
fn work_is_for_actions_that_allow_it_and_a_day_ahead_at_most() {
    let other = with(|it| {
        in_window(it);
        it.actions.definitions.insert("flush".to_owned(), flush());
    });
    assert_eq!(other.refused(), RefusedFor::NotMaintenance);
    let far = with(|it| {
        in_window(it);
        it.asked.request.end = NOW.plus(minutes(24 * 60 + 1));
    });
    assert_eq!(far.refused(), RefusedFor::OutOfTime);
    let ordinary = with(|it| {
        in_window(it);
        it.asked.maintenance = None;
    });
    assert_eq!(ordinary.refused(), RefusedFor::OutOfTime);
    let objected = with(|it| {
        in_window(it);
        it.approvals.push(approval(ASKER, false));
    });
    assert_eq!(objected.refused(), RefusedFor::Denied, "before its window");
}

#[test]
fn between_two_attempts_nothing_runs_and_nobody_else_begins_the_same() {
    let waiting = |it: &mut Scene| {
        in_window(it);
        it.now = NOW.plus(minutes(61));
        let rule = it.actions.definitions["flush"].maintenance.unwrap();
        let attempts = Attempts {
            again_at: Some(NOW.plus(minutes(62))),
            ..Attempts::first(rule, it.asked.request.end)
        };
        let row = Row {
            attempts: Some(attempts),
            ..row(None, NOW.plus(minutes(60)), &it.asked.request)
        };
        it.journal.rows.insert(id(1), row);
    };
    let scene = with(waiting);
    let again = NOW.plus(minutes(62));
    assert!(matches!(scene.decide(), Decision::Later(at) if at == again));
    let due = with(|it| {
        waiting(it);
        it.now = again;
    });
    assert!(due.runs(), "its own row does not stand in its way");
    let other = with(|it| {
        waiting(it);
        it.asked.id = id(2);
        it.approvals[0].1.request = id(2);
    });
    assert_eq!(other.refused(), RefusedFor::DuplicateOf(id(1)));
}

#[test]
fn work_that_would_break_a_group_is_refused_at_its_start() {
    let group = Redundancy {
        at_least: 1,
        members: [5, 6].map(|n| SpaceId::from_bytes([n; 32])).into(),
    };
    let held = |signed: Timestamp| Reservation {
        at: signed,
        id: id(9),
        system: SpaceId::from_bytes([6; 32]),
        window: Window {
            begin: NOW.plus(minutes(50)),
            end: NOW.plus(minutes(70)),
        },
    };
    let with_held = |signed: Timestamp| {
        with(|it| {
            in_window(it);
            it.now = NOW.plus(minutes(60));
            let member = Member {
                out: Vec::new(),
                reserved: vec![held(signed)],
            };
            it.groups = Some(GroupsHeld {
                generation: 1,
                system: SpaceId::from_bytes([5; 32]),
                groups: vec![("web".to_owned(), group.clone())],
                members: [(SpaceId::from_bytes([6; 32]), member)].into(),
                keepers: Vec::new(),
            });
        })
    };
    let broken = RefusedFor::WouldBreak {
        group: "web".to_owned(),
        in_service: 0,
        at_least: 1,
    };
    assert_eq!(with_held(NOW.minus(minutes(1))).refused(), broken);
    // What whoever signed knew of has not arrived: it is waited for, and older is not believed.
    let mut older = with_held(NOW.plus(minutes(1)));
    older.asked.groups = 2;
    assert!(matches!(older.decide(), Decision::Wait(_)), "it may come");
    older.now = older.asked.request.end.plus(minutes(1));
    older.contact = Some(older.now);
    assert!(matches!(older.refused(), RefusedFor::NotStarted(_)));
    assert!(
        with_held(NOW.plus(minutes(1))).runs(),
        "it was signed first"
    );
    let mut unread = with_held(NOW.plus(minutes(1)));
    unread.groups = None;
    assert!(matches!(unread.refused(), RefusedFor::NotStarted(_)));
}

/// What makes a request fail one check.
type Break = (&'static str, fn(&mut Scene));

/// The checks of TRUST §9 in their order, each with what fails it alone. What is waited for until the request ends
/// is looked at after its end.
const ORDER: [Break; 15] = [
    ("BeforeRecords", |it| {
        it.journal.since = NOW.plus(minutes(1));
    }),
    ("NotGranted", |it| it.grants.clear()),
    ("WrongTarget", |it| {
        it.asked.request.agent = SpaceId::from_bytes([8; 32]);
    }),
    ("NotInCatalogue", |it| it.actions.definitions.clear()),
    ("OtherDefinition", |it| {
        it.asked.request.definition = [0; 32];
    }),
    ("ClockWentBack", |it| it.clock = false),
    ("NotMaintenance", |it| {
        it.asked.maintenance = Some(ItemId::from_bytes([7; 16]));
    }),
    ("OutOfTime", |it| {
        it.asked.request.not_before = NOW.plus(minutes(6));
    }),
    ("Argument", |it| it.asked.request.arguments.clear()),
    ("StaleView", |it| {
        it.contact = None;
        it.now = NOW.plus(minutes(6));
    }),
    ("NotGranted", |it| {
        let asker = it.people.get_mut(&author(ASKER));
        asker.unwrap().is_in_system = false;
        it.now = NOW.plus(minutes(6));
    }),
    ("NotApproved", |it| {
        it.approvals.clear();
        it.now = NOW.plus(minutes(6));
    }),
    ("NotStarted", |it| {
        it.asked.groups = 5;
        it.now = NOW.plus(minutes(6));
    }),
    ("OutOfTime", |it| it.now = NOW.plus(minutes(6))),
    ("DuplicateOf", |it| {
        let before = row(None, NOW.minus(minutes(1)), &it.asked.request);
        it.journal.rows.insert(id(2), before);
    }),
];

/// Of two checks that fail the first answers: so each is reached alone, and two that change places are seen.
#[test]
fn a40_the_checks_stand_in_their_order() {
    let alone: Vec<_> = ORDER
        .iter()
        .map(|(_, broken)| with(broken).refused())
        .collect();
    for (first, (name, broken)) in ORDER.iter().enumerate() {
        let said = format!("{:?}", alone[first]);
        assert!(said.starts_with(name), "{name}: {said}");
        for (second, (other, also)) in ORDER.iter().enumerate().skip(first + 1) {
            let both = with(|it| {
                also(it);
                broken(it);
            });
            assert_eq!(
                both.refused(),
                alone[first],
                "{first} {name}, {second} {other}"
            );
        }
    }
}
