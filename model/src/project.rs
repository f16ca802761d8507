//! Derives a [`Snapshot`] from all documents and a clock: same facts, same snapshot.
//!
//! A [`View`] remembers what it derived: one changed System costs itself and those that contain
//! it, not a walk over everything.

mod alerts;
mod back;
mod care;
mod concern;
mod draw;
mod ended;
mod gone;
mod inhibit;
mod notes;
mod observed;
mod own;
mod quiet;
mod roll;
mod silent;
mod sum;
mod system;
mod take;
mod timeline;
mod together;
mod told;
mod vantage;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use aramaki_sync_core::{AuthorId, SpaceId, Timestamp};

pub use self::back::{REACH_ITEMS_MAX, TimelineReach};
use self::own::Own;
use self::sum::Sum;
use self::told::Told;
use crate::alert::Alert;
use crate::finding::Finding;
use crate::graph::Graph;
use crate::journal::Journal;
use crate::rollup::RolledUp;
use crate::selector::Selector;
use crate::severity::Severity;
use crate::snapshot::Snapshot;
use crate::workspace::Workspace;

/// A System's link to an agent: its Space, and whose entries there count.
type Link = (SpaceId, Option<AuthorId>);

/// What was derived from a Workspace so far.
///
/// **Invariant:** [`View::update`] gives the same snapshot as a new View would: what is remembered
/// only saves work. A property test holds it to that.
#[derive(Clone, Debug, Default)]
pub struct View {
    /// The Workspace's version that was taken in.
    version: u64,
    graph: Arc<Graph>,
    /// Groups of Systems that contain each other, parts first, and in which each System is.
    circles: Vec<BTreeSet<SpaceId>>,
    circle_of: BTreeMap<SpaceId, usize>,
    /// Groups of Systems that contain or use each other, what is reached first, and in which each
    /// System is.
    bounds: Vec<BTreeSet<SpaceId>>,
    bound: BTreeMap<SpaceId, usize>,
    /// Systems at which a reader begins.
    tops: BTreeSet<SpaceId>,
    /// Which Systems read which journal, and the other way round.
    readers: BTreeMap<Link, BTreeSet<SpaceId>>,
    links: BTreeMap<SpaceId, BTreeSet<Link>>,
    journals: BTreeMap<Link, Journal>,
    /// From when on a journal says more: entries of it are ahead of the clock.
    early: BTreeMap<Link, Timestamp>,
    /// Which Systems' documents a System depends on besides its own, because one looks at the other,
    /// and the other way round. They may be of Spaces that are not here.
    beside: BTreeMap<SpaceId, BTreeSet<SpaceId>>,
    looked_from: BTreeMap<SpaceId, BTreeSet<SpaceId>>,
    own: BTreeMap<SpaceId, Own>,
    /// Systems by the moment at which time alone changes them.
    deadlines: BTreeSet<(Timestamp, SpaceId)>,
    own_raw: BTreeMap<SpaceId, Severity>,
    own_effective: BTreeMap<SpaceId, Severity>,
    /// Systems that tell of an earlier moment, because nobody listens to an agent of theirs.
    unheard: BTreeMap<SpaceId, Timestamp>,
    /// The earliest of those moments in a System and in everything that it reaches.
    told: BTreeMap<SpaceId, Timestamp>,
    /// Systems that silence what their parts bring.
    quiet: BTreeSet<SpaceId>,
    /// Systems whose parts follow from a selector, and what selectors ask of every System.
    selectors: BTreeMap<SpaceId, Selector>,
    traits: BTreeMap<SpaceId, Traits>,
    raw: RolledUp,
    effective: RolledUp,
    sums: BTreeMap<SpaceId, Sum>,
    findings: BTreeMap<SpaceId, Vec<Finding>>,
    /// Systems at the top of the overview.
    anchors: BTreeSet<SpaceId>,
    /// Alerts of Systems that have any, complete.
    alerts: BTreeMap<SpaceId, Vec<Arc<Alert>>>,
    /// Entries that an agent did not write, by journal.
    foreign: BTreeMap<Link, Finding>,
    snapshot: Arc<Snapshot>,
}

/// What selectors ask for: category and labels.
type Traits = (String, BTreeMap<String, String>);

/// What an update looks at.
struct Seen<'a> {
    view: &'a View,
    workspace: &'a Workspace,
    /// What observers told of the Systems that are renewed.
    told: &'a Told<'a>,
    now: Timestamp,
}

/// What an update changed.
#[derive(Default)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each says whether one thing that follows is due"
)]
struct Changed {
    /// Systems that say something else of themselves.
    own: BTreeSet<SpaceId>,
    /// Those of them that show it to whoever contains or uses them.
    above: BTreeSet<SpaceId>,
    /// Those of them that are called something else.
    titles: BTreeSet<SpaceId>,
    /// Those of them that add another state to their aggregates.
    states: BTreeSet<SpaceId>,
    /// Those of them that tell of another moment.
    unheard: BTreeSet<SpaceId>,
    /// Whether something else was left out.
    findings: bool,
    /// Whether Systems or edges came or went.
    reshaped: bool,
    /// Whether selectors may select others now.
    reselect: bool,
    /// Systems that began or ended to silence what their parts bring.
    quieted: BTreeSet<SpaceId>,
}

impl Workspace {
    /// Everything that can be seen here at this moment, derived anew. Keep a [`View`] where this
    /// is asked again and again.
    pub fn view(&self, now: Timestamp) -> Snapshot {
        Arc::unwrap_or_clone(View::default().update(self, now))
    }
}

impl View {
    /// Everything that can be seen at this moment. Costs what changed since the last call, so give
    /// it always the same Workspace; meant for a thread that is not the window's.
    pub fn update(&mut self, workspace: &Workspace, now: Timestamp) -> Arc<Snapshot> {
        if now < self.snapshot.now {
            // The clock went back: what is over may not be over yet.
            *self = Self::default();
        }
        let changed = self.take(workspace, now);
        self.roll(&changed);
        self.draw(workspace, now, &changed);
        Arc::clone(&self.snapshot)
    }
}
