//! A System whose agents look at others, as people of either see it.

#![expect(clippy::unwrap_used, reason = "a step that fails ends the test")]

mod common;

use std::sync::Arc;

use aramaki_model::alert::agent_check;
use aramaki_model::check::{Builtin, CheckKind, Thresholds};
use aramaki_model::entry::{Acknowledgement, AgentStarted};
use aramaki_model::observer::{Standing, observed_check};
use aramaki_model::root_cause::{Leaf, root_causes};
use aramaki_model::snapshot::{Observed, TimelineEvent};
use aramaki_model::status::Handled;
use aramaki_model::system::{AgentRef, Part};
use aramaki_model::{
    Alert, AlertKind, Check, CheckId, CheckState, Edit, EntryId, Heartbeat, ItemId, JournalEntry,
    Maintenance, Observation, Observer, Severity, Silence, TimelineEntry, View, Workspace,
};
use aramaki_sync_core::SpaceId;
use common::{Sent, at, chain, receive, send, space};

/// Network of a site, and the switch that is a part of it.
const SITE: u8 = 1;
const SWITCH: u8 = 2;
/// Two Systems whose agents look.
const OFFICE: u8 = 3;
const PARTNER: u8 = 4;
const OFFICE_AGENT: u8 = 21;
const OFFICE_SECOND: u8 = 22;
const PARTNER_AGENT: u8 = 23;
const ALICE: u8 = 11;
const ROBOT: u8 = 13;

/// The check of one observer, about the switch.
fn ping(observer: u8, quorum: Option<u32>) -> Check {
    let kind = CheckKind::Builtin(Builtin::Uptime(Thresholds::default()));
    Check {
        ttl_ms: Some(600_000),
        quorum,
        about: Some("sw1".to_owned()),
        about_system: Some(space(SWITCH)),
        ..Check::new(CheckId::from_bytes([observer; 16]), "ping", kind)
    }
}

fn seen_as() -> CheckId {
    observed_check(&space(SWITCH), "ping")
}

/// All that was written, so that several replicas may read some of it.
struct World {
    sent: Vec<Sent>,
    all: Workspace,
}

impl World {
    fn edit(
        &mut self,
        system: u8,
        change: impl Fn(&mut aramaki_model::SystemEdit<'_, '_>) -> Result<(), aramaki_model::EditError>,
    ) {
        self.all.open_space(space(system));
        let edit = self
            .all
            .edit_system(space(system), &chain(ALICE), at(0), change);
        self.keep(system, ALICE, edit.unwrap());
    }

    fn keep(&mut self, of: u8, who: u8, edit: Edit) {
        self.sent.push(send(space(of), &chain(who), edit));
    }

    fn journal(&mut self, agent: u8, seconds: i64, said: JournalEntry) {
        self.all.open_space(space(agent));
        let id = EntryId::new(at(seconds), [agent; 10]);
        let edit = self
            .all
            .append_journal(space(agent), &chain(ROBOT), at(seconds), &[(id, said)]);
        self.keep(agent, ROBOT, edit.unwrap());
    }

    /// An agent tells what it saw of a check at a moment.
    fn tells(&mut self, agent: u8, check: &Check, seconds: i64, severity: Severity) {
        let mut state = CheckState::new(check.id);
        let said = Observation::of_builtin(check.id, at(seconds), severity, "no answer");
        let transition = state.observe(check, &said).unwrap();
        self.journal(agent, seconds, JournalEntry::Transition(transition));
    }

    fn says(&mut self, system: u8, seconds: i64, said: TimelineEntry) {
        let id = EntryId::new(at(seconds), [ALICE; 10]);
        let edit =
            self.all
                .append_timeline(space(system), &chain(ALICE), at(seconds), &[(id, said)]);
        self.keep(system, ALICE, edit.unwrap());
    }

    /// What a replica sees that may read these Spaces, whatever came first.
    fn read_by(&self, spaces: &[u8], turn: usize) -> Workspace {
        let mut workspace = Workspace::new();
        for n in spaces {
            workspace.open_space(space(*n));
        }
        let may_read = |sent: &&Sent| spaces.iter().any(|n| space(*n) == sent.space);
        let mut readable: Vec<_> = self.sent.iter().filter(may_read).collect();
        let count = readable.len().max(1);
        readable.rotate_left(turn % count);
        for sent in readable {
            drop(receive(&mut workspace, sent));
        }
        workspace
    }
}

/// A switch that lets the office look, whose agent does; it is a part of its site.
fn world() -> World {
    let mut world = World {
        sent: Vec::new(),
        all: Workspace::new(),
    };
    world.edit(SITE, |edit| {
        edit.title("Site")?;
        edit.put_part(space(SWITCH), &Part::default())
    });
    world.edit(SWITCH, |edit| {
        edit.title("Switch 1")?;
        edit.put_observer(
            space(OFFICE),
            &Observer {
                label: "the office".to_owned(),
            },
        )
    });
    observe(&mut world, OFFICE, &[OFFICE_AGENT], None);
    world
}

fn observe(world: &mut World, system: u8, agents: &[u8], quorum: Option<u32>) {
    world.edit(system, |edit| {
        edit.title(if system == OFFICE {
            "Office"
        } else {
            "Partner"
        })?;
        edit.put_check(&ping(system, quorum))?;
        agents.iter().try_for_each(|agent| {
            let link = AgentRef {
                label: format!("host{agent}"),
                author: Some(chain(ROBOT).author),
            };
            edit.put_agent(space(*agent), &link)
        })
    });
    for agent in agents {
        world.all.open_space(space(*agent));
    }
}

const EVERYTHING: [u8; 7] = [
    SITE,
    SWITCH,
    OFFICE,
    PARTNER,
    OFFICE_AGENT,
    OFFICE_SECOND,
    PARTNER_AGENT,
];

fn raw(workspace: &Workspace, system: u8) -> (Option<Severity>, Severity) {
    let view = workspace.view(at(60));
    let status = &view.system(&space(system)).unwrap().status;
    (status.own, status.raw)
}

fn alerts(workspace: &Workspace, seconds: i64) -> Vec<Arc<Alert>> {
    workspace.view(at(seconds)).alerts.iter().cloned().collect()
}

#[test]
fn what_is_seen_of_another_system_counts_there_and_not_where_it_is_seen_from() {
    let mut world = world();
    world.tells(OFFICE_AGENT, &ping(OFFICE, None), 10, Severity::Critical);
    assert_eq!(
        raw(&world.all, SWITCH),
        (Some(Severity::Critical), Severity::Critical)
    );
    assert_eq!(raw(&world.all, SITE).1, Severity::Critical);
    assert_eq!(raw(&world.all, OFFICE).0, None, "its own checks are none");
    let view = world.all.view(at(60));
    let switch = view.system(&space(SWITCH)).unwrap();
    let [check] = switch.checks.as_slice() else {
        panic!("{:?}", switch.checks);
    };
    assert_eq!(
        (check.check.id, check.check.name.as_str()),
        (seen_as(), "ping")
    );
    let from = &check.seen_from[0];
    assert_eq!(
        (from.system, from.title.as_str()),
        (space(OFFICE), "Office")
    );
    assert_eq!(
        (from.agent, from.label.as_str()),
        (Some(space(OFFICE_AGENT)), "host21")
    );
    assert_eq!(
        (from.check, from.severity),
        (ping(OFFICE, None).id, Severity::Critical)
    );
    let [alert] = switch.alerts.as_slice() else {
        panic!("{:?}", switch.alerts);
    };
    assert_eq!((alert.system, alert.check), (space(SWITCH), seen_as()));
    assert_eq!(alert.seen_from, check.seen_from);
    let concerned: Vec<SpaceId> = alert.concerns.iter().map(|it| it.system).collect();
    assert_eq!(concerned, [space(SWITCH), space(SITE)]);
    assert_eq!(view.alerts.len(), 1);
    let causes = root_causes(&view, space(SITE));
    assert_eq!(causes[0].words(), "Site → Switch 1: ping: no answer");
    assert_eq!(view.system(&space(SITE)).unwrap().counts.critical, 1);
    assert!(switch.history.contains(&Severity::Critical));
    // The office sees what its agent sees, and whose it is.
    let office = view.system(&space(OFFICE)).unwrap();
    assert_eq!((office.checks.len(), office.agents[0].failing), (0, 0));
    let other = &office.for_others[0];
    assert_eq!(
        (other.system, other.title.as_str()),
        (space(SWITCH), "Switch 1")
    );
    assert_eq!(
        (other.standing, other.view.status.raw),
        (Standing::Counts, Severity::Critical)
    );
    // It happened to the switch, once.
    let is_turn = |event: &TimelineEvent| matches!(event, TimelineEvent::Transition { check, .. } if *check == seen_as());
    let turns = view.timeline.iter().filter(|item| is_turn(&item.event));
    let told: Vec<_> = turns.map(|item| item.system).collect();
    assert_eq!(told, [space(SWITCH)]);
    assert!(
        office
            .timeline
            .iter()
            .all(|item| !matches!(item.event, TimelineEvent::Transition { .. }))
    );
}

#[test]
fn nobody_makes_another_system_red_that_does_not_let_it_look() {
    let mut world = world();
    observe(&mut world, PARTNER, &[PARTNER_AGENT], None);
    world.tells(OFFICE_AGENT, &ping(OFFICE, None), 10, Severity::Ok);
    world.tells(PARTNER_AGENT, &ping(PARTNER, None), 20, Severity::Critical);
    assert_eq!(raw(&world.all, SWITCH).1, Severity::Ok);
    assert_eq!(alerts(&world.all, 60), []);
    let view = world.all.view(at(60));
    let partner = view.system(&space(PARTNER)).unwrap();
    assert_eq!(
        partner.status.own, None,
        "it is not about the partner either"
    );
    let other = &partner.for_others[0];
    assert_eq!(
        (other.standing, other.view.status.raw),
        (Standing::NotLet, Severity::Critical)
    );
    // Nor does leave alone: the office's check must name the switch.
    world.edit(OFFICE, |edit| {
        edit.put_check(&Check {
            about_system: None,
            ..ping(OFFICE, None)
        })
    });
    assert_eq!(raw(&world.all, SWITCH), (None, Severity::Missing));
    assert_eq!(raw(&world.all, OFFICE).1, Severity::Ok);
    // Leave that is taken back ends what was seen.
    world.edit(SWITCH, |edit| {
        edit.put_observer(space(PARTNER), &Observer::default())
    });
    assert_eq!(raw(&world.all, SWITCH).1, Severity::Critical);
    world.edit(SWITCH, |edit| edit.remove_observer(space(PARTNER)));
    assert_eq!(raw(&world.all, SWITCH), (None, Severity::Missing));
}

#[test]
fn every_replica_that_reads_both_sees_the_same_in_whatever_order_it_came() {
    let mut world = world();
    observe(&mut world, PARTNER, &[PARTNER_AGENT], Some(2));
    world.edit(SWITCH, |edit| {
        edit.put_observer(space(PARTNER), &Observer::default())
    });
    world.tells(OFFICE_AGENT, &ping(OFFICE, None), 10, Severity::Critical);
    world.tells(
        PARTNER_AGENT,
        &ping(PARTNER, Some(2)),
        20,
        Severity::Critical,
    );
    let expected = world.all.view(at(60));
    let [alert] = &expected.alerts.iter().cloned().collect::<Vec<_>>()[..] else {
        panic!("{:?}", expected.alerts);
    };
    for turn in 0..world.sent.len() {
        let replica = world.read_by(&EVERYTHING, turn);
        let view = replica.view(at(60));
        assert!(
            view.systems.iter().eq(expected.systems.iter()),
            "turn {turn}"
        );
        assert_eq!(
            view.alerts.iter().map(|it| it.id).collect::<Vec<_>>(),
            [alert.id]
        );
    }
    // Who may not read the site sees the same alert, and so does who reads one of the two that look.
    let fewer = world.read_by(&[SWITCH, OFFICE, PARTNER, OFFICE_AGENT, PARTNER_AGENT], 3);
    assert_eq!(alerts(&fewer, 60)[0].id, alert.id);
}

#[test]
fn of_several_agents_of_several_systems_so_many_must_agree() {
    let mut world = world();
    observe(&mut world, OFFICE, &[OFFICE_AGENT, OFFICE_SECOND], Some(2));
    observe(&mut world, PARTNER, &[PARTNER_AGENT], Some(3));
    world.edit(SWITCH, |edit| {
        edit.put_observer(space(PARTNER), &Observer::default())
    });
    let seen = |world: &World| {
        let view = world.all.view(at(60));
        let check = view.system(&space(SWITCH)).unwrap().checks[0].clone();
        let by = check
            .seen_from
            .iter()
            .map(|it| (it.label.clone(), it.severity));
        (check.status.raw, by.collect::<Vec<_>>(), check.alert)
    };
    let (office, partner) = (ping(OFFICE, Some(2)), ping(PARTNER, Some(3)));
    world.tells(OFFICE_AGENT, &office, 10, Severity::Ok);
    world.tells(OFFICE_SECOND, &office, 11, Severity::Ok);
    world.tells(PARTNER_AGENT, &partner, 12, Severity::Critical);
    let (raw, by, alert) = seen(&world);
    assert_eq!(
        (raw, alert),
        (Severity::Ok, None),
        "one of three is not enough"
    );
    let expected = [
        ("host21", Severity::Ok),
        ("host22", Severity::Ok),
        ("host23", Severity::Critical),
    ];
    assert_eq!(
        by,
        expected.map(|(label, severity)| (label.to_owned(), severity))
    );
    world.tells(OFFICE_SECOND, &office, 20, Severity::Critical);
    let (raw, _, alert) = seen(&world);
    assert_eq!(raw, Severity::Critical, "two see it, as the office asks");
    let completed = alert.unwrap();
    world.tells(OFFICE_AGENT, &office, 30, Severity::Critical);
    assert_eq!(
        seen(&world).2,
        Some(completed),
        "further agreement is the same alert"
    );
}

#[test]
fn who_reads_one_of_the_two_sees_what_is_true() {
    let mut world = world();
    world.tells(OFFICE_AGENT, &ping(OFFICE, None), 10, Severity::Ok);
    let only_switch = world.read_by(&[SITE, SWITCH], 0);
    let view = only_switch.view(at(60));
    let switch = view.system(&space(SWITCH)).unwrap();
    assert_eq!(
        switch.status.raw,
        Severity::Missing,
        "not OK: it is not known"
    );
    assert_eq!(switch.status.observed, Observed::Yes);
    let observer = &switch.observers[0];
    assert_eq!(
        (observer.label.as_str(), observer.checks),
        ("the office", None)
    );
    let causes = root_causes(&view, space(SITE));
    assert_eq!(
        causes[0].words(),
        "Site → Switch 1 → the office: not shared"
    );
    assert_eq!(causes[0].leaf, Leaf::NotShared);
    // Who reads the office and not its agent sees that there is a check and no result.
    let no_agent = world.read_by(&[SWITCH, OFFICE], 0);
    let view = no_agent.view(at(60));
    let check = &view.system(&space(SWITCH)).unwrap().checks[0];
    assert_eq!(check.status.raw, Severity::Missing);
    assert_eq!(
        (check.seen_from[0].agent, check.seen_from[0].title.as_str()),
        (None, "Office")
    );
    // Who reads only the office sees what its agent sees, and about what.
    let only_office = world.read_by(&[OFFICE, OFFICE_AGENT], 0);
    let view = only_office.view(at(60));
    let office = view.system(&space(OFFICE)).unwrap();
    let other = &office.for_others[0];
    assert_eq!(
        (other.standing, other.title.as_str()),
        (Standing::NotShared, "sw1")
    );
    assert_eq!(other.view.status.raw, Severity::Ok);
    assert_eq!(
        (office.status.own, alerts(&only_office, 60).len()),
        (None, 0)
    );
}

#[test]
fn an_observer_that_is_not_heard_is_one_alert_of_its_own_and_nothing_is_fresh() {
    let mut world = world();
    world.all.hears(space(OFFICE_AGENT), true, at(0));
    let started = AgentStarted {
        at: at(1),
        host: "host21".to_owned(),
        version: "0.1.0".to_owned(),
    };
    world.journal(OFFICE_AGENT, 1, JournalEntry::Started(started));
    world.tells(OFFICE_AGENT, &ping(OFFICE, None), 10, Severity::Ok);
    let beat = Heartbeat {
        at: at(20),
        generation: 1,
        checks: Vec::new(),
    };
    world.all.heartbeat(space(OFFICE_AGENT), &beat, at(20));
    let late = 3_600;
    let mut view = View::default();
    drop(view.update(&world.all, at(30)));
    let shown = view.update(&world.all, at(late));
    assert_eq!(*shown, world.all.view(at(late)), "time alone made it old");
    let switch = shown.system(&space(SWITCH)).unwrap();
    assert_eq!(switch.status.raw, Severity::Missing);
    let [alert] = &alerts(&world.all, late)[..] else {
        panic!("{:?}", alerts(&world.all, late));
    };
    assert_eq!(
        (alert.system, alert.kind),
        (
            space(OFFICE),
            AlertKind::Silent {
                agent: space(OFFICE_AGENT)
            }
        )
    );
    // It concerns whom it makes blind, and all above, each once.
    assert_eq!(alert.blind.iter().collect::<Vec<_>>(), [&space(SWITCH)]);
    let concerned: Vec<_> = alert.concerns.iter().map(|it| it.system).collect();
    assert_eq!(concerned, [space(OFFICE), space(SWITCH), space(SITE)]);
    assert_eq!(
        alert.concerns[2].path,
        [space(SITE), space(SWITCH), space(OFFICE)]
    );
    // Who takes care of the agent takes care of what follows from it.
    let silence = Silence {
        check: Some(agent_check(&space(OFFICE_AGENT))),
        reason: "a new disk".to_owned(),
        from: at(0),
        until: at(late + 100),
        ..Silence::default()
    };
    world.edit(OFFICE, |edit| edit.put_silence(ItemId::default(), &silence));
    let handled = |seconds| {
        let view = world.all.view(at(seconds));
        let switch = view.system(&space(SWITCH)).unwrap().clone();
        (switch.status.effective, switch.checks[0].status.handled)
    };
    assert_eq!(handled(late), (Severity::Ok, Some(Handled::Silenced)));
    assert_eq!(handled(late + 101), (Severity::Missing, None));
}

#[test]
fn silences_maintenance_and_acknowledgements_of_the_system_looked_at_count() {
    let mut world = world();
    world.tells(OFFICE_AGENT, &ping(OFFICE, None), 10, Severity::Critical);
    let effective = |world: &World| {
        let view = world.all.view(at(60));
        let switch = view.system(&space(SWITCH)).unwrap();
        (switch.status.effective, switch.checks[0].status.handled)
    };
    let window = Maintenance {
        reason: "new cables".to_owned(),
        from: at(0),
        until: at(100),
        ..Maintenance::default()
    };
    world.edit(OFFICE, |edit| {
        edit.put_maintenance(ItemId::default(), &window)
    });
    assert_eq!(
        effective(&world),
        (Severity::Critical, None),
        "that of the observer does not"
    );
    world.edit(SWITCH, |edit| {
        edit.put_maintenance(ItemId::default(), &window)
    });
    assert_eq!(
        effective(&world),
        (Severity::Ok, Some(Handled::Maintenance))
    );
    world.edit(SWITCH, |edit| edit.remove_maintenance(ItemId::default()));
    let silence = Silence {
        check: Some(seen_as()),
        from: at(0),
        until: at(100),
        ..Silence::default()
    };
    world.edit(SWITCH, |edit| edit.put_silence(ItemId::default(), &silence));
    assert_eq!(effective(&world), (Severity::Ok, Some(Handled::Silenced)));
    world.edit(SWITCH, |edit| edit.remove_silence(ItemId::default()));
    let alert = alerts(&world.all, 60)[0].id;
    let known = Acknowledgement {
        at: at(30),
        alert: Some(alert),
        check: Some(seen_as()),
        text: "on my way".to_owned(),
        ..Acknowledgement::default()
    };
    world.says(SWITCH, 30, TimelineEntry::Acknowledgement(known));
    assert_eq!(
        effective(&world),
        (Severity::Ok, Some(Handled::Acknowledged))
    );
}

#[test]
fn a_check_of_the_machines_own_file_may_be_about_another_system() {
    let mut world = world();
    let declared = Check {
        name: "uplink".to_owned(),
        ..ping(77, None)
    };
    let said = JournalEntry::Declared {
        at: at(5),
        checks: vec![declared.clone()],
    };
    let bytes = said.encode().unwrap();
    assert_eq!(JournalEntry::decode(&bytes), said, "it is sent as it is");
    world.journal(OFFICE_AGENT, 5, said);
    world.tells(OFFICE_AGENT, &declared, 10, Severity::Warning);
    let view = world.all.view(at(60));
    let names: Vec<_> = view
        .system(&space(SWITCH))
        .unwrap()
        .checks
        .iter()
        .map(|it| it.check.name.clone())
        .collect();
    assert_eq!(names, ["uplink", "ping"]);
    // Another machine of the office declares one of that name: another vantage, and no more.
    world.edit(OFFICE, |edit| {
        let link = AgentRef {
            label: "host22".to_owned(),
            author: Some(chain(ROBOT).author),
        };
        edit.put_agent(space(OFFICE_SECOND), &link)
    });
    let twin = Check {
        id: CheckId::from_bytes([78; 16]),
        ..declared.clone()
    };
    observe(&mut world, PARTNER, &[PARTNER_AGENT], None);
    let partners = Check {
        name: "uplink".to_owned(),
        ..ping(PARTNER, Some(1))
    };
    world.edit(PARTNER, |edit| edit.put_check(&partners));
    world.edit(SWITCH, |edit| {
        edit.put_observer(space(PARTNER), &Observer::default())
    });
    world.tells(PARTNER_AGENT, &partners, 6, Severity::Ok);
    let checks = vec![twin.clone()];
    world.journal(
        OFFICE_SECOND,
        5,
        JournalEntry::Declared { at: at(5), checks },
    );
    world.tells(OFFICE_SECOND, &twin, 20, Severity::Ok);
    let view = world.all.view(at(60));
    let uplink = &view.system(&space(SWITCH)).unwrap().checks[0];
    let seen = uplink
        .seen_from
        .iter()
        .map(|it| (it.label.as_str(), it.severity));
    let expected = [
        ("host21", Severity::Warning),
        ("host22", Severity::Ok),
        ("host23", Severity::Ok),
    ];
    assert_eq!(seen.collect::<Vec<_>>(), expected);
}

#[test]
fn a_field_that_is_left_out_is_gone_and_one_of_a_newer_program_stays() {
    let mut world = world();
    let check = || {
        let view = &world.all;
        view.system(&space(OFFICE)).unwrap().checks[&ping(OFFICE, None).id].clone()
    };
    assert_eq!(check().about_system, Some(space(SWITCH)));
    let plain = Check {
        about: None,
        about_system: None,
        ..ping(OFFICE, None)
    };
    world.edit(OFFICE, |edit| edit.put_check(&plain));
    let check = world.all.system(&space(OFFICE)).unwrap().checks[&plain.id].clone();
    assert_eq!(check, plain);
}

#[test]
fn an_observer_of_whom_no_agent_can_be_read_is_a_vantage_that_sees_nothing() {
    let mut world = world();
    world.edit(SWITCH, |edit| {
        edit.put_observer(space(PARTNER), &Observer::default())
    });
    observe(&mut world, PARTNER, &[PARTNER_AGENT], None);
    world.tells(OFFICE_AGENT, &ping(OFFICE, None), 10, Severity::Ok);
    world.tells(PARTNER_AGENT, &ping(PARTNER, None), 20, Severity::Ok);
    let seen = |workspace: &Workspace| -> Vec<_> {
        let view = workspace.view(at(60));
        let check = &view.system(&space(SWITCH)).unwrap().checks[0];
        assert_eq!(check.vantages, [], "each is named with its System instead");
        let seen = check.seen_from.iter();
        seen.map(|it| (it.system, it.agent, it.severity)).collect()
    };
    let office = (space(OFFICE), Some(space(OFFICE_AGENT)), Severity::Ok);
    let partner = (space(PARTNER), Some(space(PARTNER_AGENT)), Severity::Ok);
    assert_eq!(seen(&world.all), [office, partner]);
    let without = world.read_by(&[SITE, SWITCH, OFFICE, PARTNER, OFFICE_AGENT], 0);
    let nobody = (space(PARTNER), None, Severity::Missing);
    assert_eq!(seen(&without), [office, nobody]);
    // What the partner turned off, it does not look at.
    let off = Check {
        enabled: false,
        ..ping(PARTNER, None)
    };
    world.edit(PARTNER, |edit| edit.put_check(&off));
    assert_eq!(seen(&world.all), [office]);
}

#[test]
fn who_lets_itself_look_has_each_check_once() {
    let mut world = world();
    let own = ping(SWITCH, None);
    world.edit(SWITCH, |edit| {
        edit.put_observer(space(SWITCH), &Observer::default())?;
        edit.put_check(&own)
    });
    let view = world.all.view(at(60));
    let switch = view.system(&space(SWITCH)).unwrap();
    let ids: Vec<_> = switch.checks.iter().map(|it| it.check.id).collect();
    assert_eq!(ids.len(), 2, "its own and that of the office");
    assert!(ids.contains(&own.id) && ids.contains(&seen_as()), "{ids:?}");
    let check = switch.checks.iter().find(|it| it.check.id == seen_as());
    let from: Vec<_> = check
        .unwrap()
        .seen_from
        .iter()
        .map(|it| it.system)
        .collect();
    assert_eq!(from, [space(OFFICE)]);
}
