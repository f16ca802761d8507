//! Where services run now: all claims that can be read here, judged by the clock.

use std::collections::{BTreeMap, BTreeSet};

use aramaki_sync_core::{SpaceId, Timestamp};

use super::{Places, SERVICES_MAX, ServiceClaim};
use crate::severity::Severity;
use crate::snapshot::{AgentView, CheckView, Snapshot, SystemView};
use crate::status::{AgentLife, Handled};

/// Milliseconds without a sign of its agent after which a claim is history.
pub const ARCHIVE_AFTER_MS: u64 = 24 * 3_600_000;

/// How far a claim is believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Lease {
    /// Its agent was heard of within the lease.
    Fresh,
    /// It was not, or the agent stopped: where it ran last.
    Stale,
    /// Not for [`ARCHIVE_AFTER_MS`] and a lease: history.
    Archived,
}

impl Lease {
    /// In one word.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Fresh => "fresh",
            Self::Stale => "stale",
            Self::Archived => "archived",
        }
    }
}

/// What the checks of a service say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Health {
    /// The worst hard state of its checks; Missing where nobody is heard of, Unknown where a check that is
    /// named does not exist.
    pub severity: Severity,
    /// Why that asks for no attention: known, silenced, expected.
    pub handled: Option<Handled>,
}

/// Why two claims cannot both be right.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Conflict {
    /// It runs in one place only, and two machines say so.
    Places,
    /// Another machine claims the same endpoint.
    Endpoint,
}

impl Conflict {
    /// In one word.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Places => "places",
            Self::Endpoint => "endpoint",
        }
    }
}

/// A service in one place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceView {
    /// Of which System.
    pub system: SpaceId,
    /// Its title.
    pub title: String,
    /// Whose word it is: the agent's Space.
    pub agent: SpaceId,
    /// The machine's name.
    pub machine: String,
    /// What the agent says.
    pub claim: ServiceClaim,
    /// How far that is believed.
    pub lease: Lease,
    /// When the agent was heard of last, as far as known here.
    pub seen: Option<Timestamp>,
    /// Up to when this replica would have heard it; none while it would hear it now.
    pub as_of: Option<Timestamp>,
    /// What its checks say; none: no check speaks for it.
    pub health: Option<Health>,
    /// Why it cannot be so.
    pub conflict: Option<Conflict>,
}

/// Every service of every System that can be read here: by name and System, the freshest lease first.
pub fn registry(snapshot: &Snapshot, now: Timestamp) -> Vec<ServiceView> {
    let systems = snapshot.systems.iter();
    sorted(systems.flat_map(|system| claims_of(system, now)).collect())
}

/// The services of one System; conflicts with others are not known here.
pub fn services_of(system: &SystemView, now: Timestamp) -> Vec<ServiceView> {
    sorted(claims_of(system, now).collect())
}

fn claims_of(system: &SystemView, now: Timestamp) -> impl Iterator<Item = ServiceView> {
    system.agents.iter().flat_map(move |agent| {
        let claims = agent.services.iter();
        let claims = claims.filter(|claim| claim.examine().is_ok());
        let claims = claims.take(SERVICES_MAX);
        claims.map(move |claim| view(system, agent, claim, now))
    })
}

fn sorted(mut views: Vec<ServiceView>) -> Vec<ServiceView> {
    views.sort_by(|a, b| order(a).cmp(&order(b)));
    mark_conflicts(&mut views);
    views
}

/// By name and System; fresh before stale, then the newest claim first, whoever is heard of more lately
/// by chance.
fn order(view: &ServiceView) -> impl Ord + '_ {
    let newest = std::cmp::Reverse((view.claim.since, view.seen));
    let key = (&view.claim.name, &view.title, view.system);
    (key, view.lease, newest, view.agent)
}

fn view(
    system: &SystemView,
    agent: &AgentView,
    claim: &ServiceClaim,
    now: Timestamp,
) -> ServiceView {
    let lease = lease(agent, claim, now);
    ServiceView {
        system: system.space,
        title: system.title.clone(),
        agent: agent.space,
        machine: agent.label.clone(),
        claim: claim.clone(),
        lease,
        seen: agent.heard,
        as_of: agent.as_of,
        health: health(&system.checks, agent.space, claim, lease),
        conflict: None,
    }
}

fn lease(agent: &AgentView, claim: &ServiceClaim, now: Timestamp) -> Lease {
    let silent_ms = agent.heard.map(|heard| now.since(heard).as_millis());
    let within = |limit: u64| silent_ms.is_some_and(|silent| silent <= u128::from(limit));
    let is_running = agent.life != AgentLife::Stopped;
    if is_running && within(claim.lease_ms) {
        Lease::Fresh
    } else if within(ARCHIVE_AFTER_MS.saturating_add(claim.lease_ms)) {
        Lease::Stale
    } else {
        Lease::Archived
    }
}

fn health(
    checks: &[CheckView],
    agent: SpaceId,
    claim: &ServiceClaim,
    lease: Lease,
) -> Option<Health> {
    let of_check = |wanted: &super::ServiceCheck| {
        let found = checks.iter().find(|it| Some(it.check.id) == wanted.id);
        found.map_or(
            Health {
                severity: Severity::Unknown,
                handled: None,
            },
            |found| {
                // Where several look, each speaks for what runs beside it.
                let own = found.vantages.iter().find(|(space, _)| *space == agent);
                Health {
                    severity: own.map_or(found.status.raw, |(_, severity)| *severity),
                    handled: found.status.handled,
                }
            },
        )
    };
    let worst = claim.checks.iter().map(of_check);
    let worst = worst.max_by_key(|health| (health.severity, health.handled.is_none()))?;
    Some(match lease {
        Lease::Fresh => worst,
        Lease::Stale | Lease::Archived => Health {
            severity: Severity::Missing,
            ..worst
        },
    })
}

/// Marks claims that cannot all be right. One agent that observes two Systems is one place.
fn mark_conflicts(views: &mut [ServiceView]) {
    let mut places: BTreeMap<(SpaceId, String), (BTreeSet<SpaceId>, bool)> = BTreeMap::new();
    let mut endpoints: BTreeMap<String, BTreeSet<SpaceId>> = BTreeMap::new();
    for view in views.iter().filter(|view| view.lease == Lease::Fresh) {
        let key = (view.system, view.claim.name.clone());
        let (agents, is_one) = places.entry(key).or_default();
        agents.insert(view.agent);
        *is_one |= view.claim.places == Places::One;
        for endpoint in view.claim.endpoints.iter().filter(|it| !it.is_local()) {
            let agents = endpoints.entry(endpoint.address().to_owned()).or_default();
            agents.insert(view.agent);
        }
    }
    for view in views.iter_mut().filter(|view| view.lease == Lease::Fresh) {
        let known = places.get(&(view.system, view.claim.name.clone()));
        let is_elsewhere = known.is_some_and(|(agents, is_one)| *is_one && agents.len() > 1);
        let mut addresses = view.claim.endpoints.iter().map(super::Endpoint::address);
        let is_taken =
            addresses.any(|address| endpoints.get(address).is_some_and(|it| it.len() > 1));
        view.conflict = if is_elsewhere {
            Some(Conflict::Places)
        } else {
            is_taken.then_some(Conflict::Endpoint)
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::presence::Presence;
    use crate::service::{LEASE_MS, ServiceCheck};
    use crate::snapshot::Access;

    const NOW: i64 = 200_000_000;

    fn at(ms: i64) -> Timestamp {
        Timestamp::from_millis(ms)
    }

    fn agent(machine: u8, silent_ms: i64, life: AgentLife) -> AgentView {
        AgentView {
            space: SpaceId::from_bytes([machine; 32]),
            label: format!("m{machine}"),
            access: Access::Readable,
            life,
            presence: Presence::Always,
            as_of: None,
            seen: Some(at(NOW - silent_ms)),
            heard: Some(at(NOW - silent_ms)),
            generation: None,
            version: None,
            services: Vec::new(),
            desired: Vec::new(),
            failing: 0,
            back: None,
            former: Vec::new(),
        }
    }

    fn claim(name: &str, endpoint: &str, since: i64) -> ServiceClaim {
        ServiceClaim {
            name: name.to_owned(),
            endpoints: vec![endpoint.parse().unwrap()],
            since: at(since),
            ..ServiceClaim::default()
        }
    }

    fn told(machine: u8, silent_ms: i64, claim: &ServiceClaim) -> ServiceView {
        let agent = agent(machine, silent_ms, AgentLife::Alive);
        let lease = lease(&agent, claim, at(NOW));
        ServiceView {
            system: SpaceId::ZERO,
            title: "Shop".to_owned(),
            agent: agent.space,
            machine: agent.label,
            claim: claim.clone(),
            lease,
            seen: agent.heard,
            as_of: None,
            health: health(&[], agent.space, claim, lease),
            conflict: None,
        }
    }

    fn said(views: Vec<ServiceView>) -> Vec<(String, Lease, Option<Conflict>)> {
        let views = sorted(views).into_iter();
        views
            .map(|it| (it.machine, it.lease, it.conflict))
            .collect()
    }

    #[test]
    fn the_newest_claim_with_a_fresh_lease_comes_first_and_two_of_one_are_a_conflict() {
        let one = |since| ServiceClaim {
            places: Places::One,
            ..claim("db", "127.0.0.1:5432", since)
        };
        let day = i64::try_from(ARCHIVE_AFTER_MS).unwrap();
        let views = vec![
            told(1, 10, &one(10)),
            told(2, 120_001, &one(30)),
            told(3, 20_000, &one(20)),
            told(4, day + 120_001, &one(40)),
        ];
        assert_eq!(
            said(views),
            [
                ("m3".to_owned(), Lease::Fresh, Some(Conflict::Places)),
                ("m1".to_owned(), Lease::Fresh, Some(Conflict::Places)),
                ("m2".to_owned(), Lease::Stale, None),
                ("m4".to_owned(), Lease::Archived, None),
            ]
        );
    }

    #[test]
    fn a_service_that_may_run_anywhere_conflicts_only_where_an_endpoint_is_claimed_twice() {
        let views = |second: &str| {
            vec![
                told(1, 0, &claim("web", "https://192.0.2.7:443", 1)),
                told(2, 0, &claim("web", second, 2)),
            ]
        };
        let conflicts = |second: &str| -> Vec<_> {
            let said = said(views(second)).into_iter();
            said.map(|(_, _, conflict)| conflict).collect()
        };
        assert_eq!(conflicts("192.0.2.8:443"), [None, None]);
        let both = [Some(Conflict::Endpoint); 2];
        assert_eq!(conflicts("192.0.2.7:443"), both);
        // The same machine, seen from two Systems, is one place; loopback is another one everywhere.
        let mut twice = views("192.0.2.7:443");
        twice[1].agent = twice[0].agent;
        assert!(
            said(twice)
                .iter()
                .all(|(_, _, conflict)| conflict.is_none())
        );
        let local = vec![
            told(1, 0, &claim("web", "127.0.0.1:80", 1)),
            told(2, 0, &claim("web", "127.0.0.1:80", 2)),
        ];
        assert!(
            said(local)
                .iter()
                .all(|(_, _, conflict)| conflict.is_none())
        );
        // Who is not believed any more claims nothing.
        let mut old = views("192.0.2.7:443");
        old[1].lease = Lease::Stale;
        assert!(said(old).iter().all(|(_, _, conflict)| conflict.is_none()));
    }

    #[test]
    fn a_lease_ends_by_the_clock_alone_or_when_its_agent_stops() {
        let short = ServiceClaim {
            lease_ms: 30_000,
            ..claim("db", "db:1", 1)
        };
        assert_eq!(told(1, 30_000, &short).lease, Lease::Fresh);
        assert_eq!(told(1, 30_001, &short).lease, Lease::Stale);
        let usual = i64::try_from(LEASE_MS).unwrap();
        assert_eq!(told(1, usual, &claim("db", "db:1", 1)).lease, Lease::Fresh);
        let stopped = agent(1, 0, AgentLife::Stopped);
        assert_eq!(lease(&stopped, &short, at(NOW)), Lease::Stale);
        let silent = AgentView {
            heard: None,
            ..agent(1, 0, AgentLife::Unseen)
        };
        assert_eq!(lease(&silent, &short, at(NOW)), Lease::Archived);
    }

    #[test]
    fn health_is_never_better_than_what_is_known() {
        let checked = ServiceClaim {
            checks: vec![ServiceCheck {
                name: "gone".to_owned(),
                id: None,
            }],
            ..claim("db", "db:1", 1)
        };
        let severity = |silent_ms| told(1, silent_ms, &checked).health.map(|it| it.severity);
        assert_eq!(severity(0), Some(Severity::Unknown));
        assert_eq!(severity(120_001), Some(Severity::Missing));
        assert_eq!(told(1, 0, &claim("db", "db:1", 1)).health, None);
    }

    #[test]
    fn who_runs_in_one_place_and_says_so_alone_is_no_conflict() {
        let alone = ServiceClaim {
            places: Places::One,
            ..claim("db", "db:1", 1)
        };
        let told = said(vec![told(1, 0, &alone)]);
        assert_eq!(told, [("m1".to_owned(), Lease::Fresh, None)]);
    }

    /// A check that machine 1 sees fine and machine 2 critical.
    fn seen_by_two(n: u8, handled: Option<Handled>) -> CheckView {
        use crate::check::{Builtin, Check, CheckKind, Thresholds};
        let kind = CheckKind::Builtin(Builtin::Uptime(Thresholds::default()));
        let status = crate::status::CheckStatus {
            raw: Severity::Critical,
            effective: Severity::Critical,
            last: Some(Severity::Critical),
            soft: None,
            attempt: None,
            since: None,
            seen: None,
            handled,
        };
        let space = |n: u8| SpaceId::from_bytes([n; 32]);
        CheckView {
            check: Check::new(crate::CheckId::from_bytes([n; 16]), "c", kind),
            status,
            stands: None,
            alert: None,
            summary: String::new(),
            detail: String::new(),
            flapping: false,
            last_ok: None,
            history: Vec::new(),
            days: std::sync::Arc::default(),
            machine: None,
            vantages: vec![(space(1), Severity::Ok), (space(2), Severity::Critical)],
            seen_from: Vec::new(),
            was_observed: None,
        }
    }

    #[test]
    fn each_machine_speaks_for_what_runs_beside_it_and_what_nobody_knows_of_counts_more() {
        let named = |n: u8| ServiceCheck {
            name: "c".to_owned(),
            id: Some(crate::CheckId::from_bytes([n; 16])),
        };
        let checked = |ids: &[u8]| ServiceClaim {
            checks: ids.iter().copied().map(named).collect(),
            ..claim("db", "db:1", 1)
        };
        let known = Some(Handled::Acknowledged);
        let checks = [seen_by_two(1, None), seen_by_two(2, known)];
        let says = |machine: u8, ids: &[u8]| {
            let machine = SpaceId::from_bytes([machine; 32]);
            let health = health(&checks, machine, &checked(ids), Lease::Fresh).unwrap();
            (health.severity, health.handled)
        };
        assert_eq!(says(1, &[1]), (Severity::Ok, None));
        assert_eq!(says(2, &[1]), (Severity::Critical, None));
        assert_eq!(
            says(3, &[1]),
            (Severity::Critical, None),
            "it does not look"
        );
        for ids in [[1, 2], [2, 1]] {
            assert_eq!(says(2, &ids), (Severity::Critical, None), "{ids:?}");
        }
        assert_eq!(says(2, &[2]), (Severity::Critical, known));
    }
}
