//! A small organisation, and a desk over it that answers as the real one does.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use aramaki_desktop::view::earlier::Earlier;
use aramaki_desktop::view::observe::Let;
use aramaki_desktop::view::{
    Awaited, Backend, CalledIn, Ends, Frame, Handed, IncidentAnswer, Intent, MadeInvitation,
    Member, NoteWork, OwnDevice, Peer, PeerKind, Presence, ShareBy, ShareFor, Stage, SyncState,
    Through, Trust, Typed,
};
use aramaki_model::check::CheckKind;
use aramaki_model::entry::{AgentStarted, Message};
use aramaki_model::system::{AgentRef, Contact, Dashboard, NoteRef, Part, Rule, Touch};
use aramaki_model::{
    Builtin, Check, CheckBeat, CheckId, CheckState, EditError, EntryId, Heartbeat, ItemId,
    JournalEntry, NoteHistory, NoteId, Observation, Observer, Severity, Splice, SystemEdit,
    Thresholds, TimelineEntry, TimelineReach, View, Workspace, name,
};
use aramaki_sync_core::engine::Reach;
use aramaki_sync_core::statement::Capability;
use aramaki_sync_core::{AuthorId, Chain, DocumentId, EnvelopeId, Instance, SpaceId, Timestamp};

/// A Sunday night.
const NOW_MS: i64 = 1_795_316_460_000;

pub(crate) const WEBSHOP: u8 = 1;
pub(crate) const CHECKOUT: u8 = 2;
pub(crate) const DATABASES: u8 = 3;
/// The incident that is opened.
pub(crate) const INCIDENT: u8 = 60;
/// The title of one that is not.
pub(crate) const REFUSED: &str = "refused";
pub(crate) const ME: u8 = 100;
pub(crate) const AGENT: u8 = 50;

pub(crate) fn space(n: u8) -> SpaceId {
    SpaceId::from_bytes([n; 32])
}

pub(crate) fn at(seconds: i64) -> Timestamp {
    Timestamp::from_millis(NOW_MS + seconds * 1_000)
}

pub(crate) fn chain(n: u8) -> Chain {
    Chain {
        author: AuthorId::from_bytes([n; 32]),
        instance: Instance(u64::from(n)),
    }
}

fn note_id() -> NoteId {
    NoteId::new(at(-9_000), [7; 10])
}

/// The note of Checkout.
pub(crate) fn note() -> DocumentId {
    name::note(note_id())
}

/// What the window asked for, and what it gets to see.
#[derive(Clone)]
pub(crate) struct Desk {
    world: Arc<Mutex<World>>,
}

struct World {
    workspace: Workspace,
    frame: Arc<Frame>,
    seen: Typed,
    history: NoteHistory,
    /// Seconds; steps of undo are what was typed without a pause.
    clock: i64,
    /// Edits that wait, so that others can come first.
    held: Option<Vec<Intent>>,
    asked: Vec<String>,
    invited: Vec<String>,
    begun: Vec<Option<Timestamp>>,
    shared: Vec<(ShareFor, u32, u16)>,
    accepted: Vec<Reach>,
    ended: Vec<String>,
    wake: Option<Box<dyn Fn() + Send + Sync>>,
}

impl Backend for Desk {
    fn frame(&self) -> Arc<Frame> {
        Arc::clone(&self.lock().frame)
    }

    fn send(&self, intent: Intent) {
        let mut world = self.lock();
        match &mut world.held {
            Some(held) => held.push(intent),
            None => world.take(intent),
        }
    }

    fn on_change(&self, wake: Box<dyn Fn() + Send + Sync>) {
        self.lock().wake = Some(wake);
    }
}

impl Desk {
    /// A desk over the organisation.
    pub(crate) fn new() -> Self {
        Self::of(organisation())
    }

    /// A desk over a workspace.
    pub(crate) fn of(workspace: Workspace) -> Self {
        let mut world = World {
            workspace,
            frame: Arc::new(Frame {
                stage: Stage::Open,
                person: "Duty operator".to_owned(),
                sync: sync(),
                trust: trust(),
                devices: devices(),
                ..Frame::default()
            }),
            seen: Typed::default(),
            history: NoteHistory::of(space(CHECKOUT), note_id()),
            clock: 0,
            held: None,
            asked: Vec::new(),
            invited: Vec::new(),
            begun: Vec::new(),
            shared: Vec::new(),
            accepted: Vec::new(),
            ended: Vec::new(),
            wake: None,
        };
        world.publish();
        Self {
            world: Arc::new(Mutex::new(world)),
        }
    }

    /// A desk over a frame that does not change.
    pub(crate) fn over(frame: Frame) -> Self {
        let desk = Self::new();
        desk.lock().frame = Arc::new(frame);
        desk
    }

    fn lock(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap()
    }

    /// Changes what is shown.
    pub(crate) fn show(&self, change: impl FnOnce(&mut Frame)) {
        let mut world = self.lock();
        let mut frame = Frame::clone(&world.frame);
        change(&mut frame);
        world.frame = Arc::new(frame);
        world.wake();
    }

    /// Somebody else edits the note.
    pub(crate) fn remote(&self, at_place: usize, delete: usize, insert: &str) {
        let mut world = self.lock();
        let splice = Splice {
            at: at_place,
            delete,
            insert: insert.to_owned(),
        };
        let space = space(CHECKOUT);
        world
            .workspace
            .splice_note(space, note_id(), &chain(ME + 1), at(0), &splice)
            .map(drop)
            .unwrap();
        world.publish();
    }

    /// Lets the window's wishes wait from now on.
    pub(crate) fn hold(&self) {
        self.lock().held = Some(Vec::new());
    }

    /// Carries out what waited.
    pub(crate) fn let_go(&self) {
        let mut world = self.lock();
        for intent in world.held.take().unwrap_or_default() {
            world.take(intent);
        }
    }

    /// The note's text in the document.
    pub(crate) fn text(&self) -> String {
        let world = self.lock();
        let text = world.workspace.note_text(&space(CHECKOUT), note_id());
        text.unwrap().to_owned()
    }

    /// The wishes so far, by name.
    pub(crate) fn asked(&self) -> Vec<String> {
        self.lock().asked.clone()
    }

    /// Where access was ended, and why.
    pub(crate) fn ended(&self) -> Vec<String> {
        self.lock().ended.clone()
    }

    /// For what, for how many hours and for how many devices invitations were made.
    pub(crate) fn shared(&self) -> Vec<(ShareFor, u32, u16)> {
        self.lock().shared.clone()
    }

    /// From when on invitations let in.
    pub(crate) fn begun(&self) -> Vec<Option<Timestamp>> {
        self.lock().begun.clone()
    }

    /// How much of late work was accepted.
    pub(crate) fn accepted(&self) -> Vec<Reach> {
        self.lock().accepted.clone()
    }

    /// Whom invitations were made for.
    pub(crate) fn invited(&self) -> Vec<String> {
        self.lock().invited.clone()
    }
}

impl World {
    fn take(&mut self, intent: Intent) {
        if let Intent::LookAt(_) | Intent::LookAtRun(..) | Intent::LookBack(_) = intent {
            // A page says what it is about; nobody asked.
            return;
        }
        self.asked.push(format!("{intent:?}"));
        match intent {
            Intent::EditNote { edit, typed, .. } => {
                self.seen = typed;
                self.clock += 10;
                let now = at(self.clock);
                self.workspace
                    .edit_note(&chain(ME), now, &edit, &mut self.history)
                    .map(drop)
                    .unwrap();
            }
            Intent::UndoNote { .. } => {
                self.workspace
                    .undo_note(&chain(ME), at(self.clock), &mut self.history)
                    .map(drop)
                    .unwrap();
            }
            Intent::RedoNote { .. } => {
                self.workspace
                    .redo_note(&chain(ME), at(self.clock), &mut self.history)
                    .map(drop)
                    .unwrap();
            }
            share @ Intent::Share { .. } => self.share(share),
            Intent::End { what, reason } => {
                let at = if what.everywhere {
                    "everywhere"
                } else {
                    "here"
                };
                let without = match what.cut.len() {
                    0 => String::new(),
                    cut => format!(" without {cut}"),
                };
                self.ended.push(format!("{at}{without}: {reason}"));
            }
            Intent::OpenIncident { title, called, .. } => self.open(&title, called),
            Intent::AcceptLate { reach, .. } => self.accepted.push(reach),
            Intent::ForgetIncident => Arc::make_mut(&mut self.frame).incident = None,
            Intent::GiveUp(_space) => {
                Arc::make_mut(&mut self.frame).sync.awaited.clear();
            }
            Intent::Deed(deed) => crate::night::carry_out(&mut self.workspace, &deed),
            Intent::ForgetInvitation => Arc::make_mut(&mut self.frame).invitation = None,
            other => self.keep(other),
        }
        self.publish();
    }

    /// Makes an invitation.
    fn share(&mut self, intent: Intent) {
        let Intent::Share {
            space,
            name,
            reason,
            begin,
            hours,
            uses,
            what,
            by,
            ..
        } = intent
        else {
            return;
        };
        self.shared.push((what, hours, uses));
        self.begun.push(begin);
        self.invited.push(if reason.is_empty() {
            name
        } else {
            format!("{name}: {reason}")
        });
        Arc::make_mut(&mut self.frame).invitation = Some(MadeInvitation {
            space,
            text: "aramaki1exampleinvitation".repeat(12),
            begin,
            end: at(i64::from(hours) * 3_600),
            redeem_until: at(i64::from(hours) * 3_600),
            relayed: true,
            for_device: false,
            handed: match by {
                ShareBy::Code => Handed::Online,
                ShareBy::Inline => Handed::Offline,
                ShareBy::File(path) => Handed::File(path.into()),
            },
        });
    }

    /// Keeps what somebody wants to have kept.
    fn keep(&mut self, intent: Intent) {
        match intent {
            Intent::SavePerspective { id, perspective } => {
                let kept = &mut Arc::make_mut(&mut self.frame).perspectives;
                let id = id.unwrap_or_else(|| item(u8::try_from(kept.len()).unwrap()));
                kept.retain(|(known, _)| *known != id);
                kept.push((id, perspective));
            }
            Intent::DeletePerspective(id) => {
                let kept = &mut Arc::make_mut(&mut self.frame).perspectives;
                kept.retain(|(known, _)| *known != id);
            }
            Intent::AcceptProposals { system, checks } => {
                self.workspace
                    .edit_system(system, &chain(ME), at(0), |edit| {
                        checks.iter().try_for_each(|check| edit.put_check(check))
                    })
                    .map(drop)
                    .unwrap();
            }
            Intent::IgnoreProposals { system, checks } => {
                self.workspace
                    .edit_system(system, &chain(ME), at(0), |edit| {
                        let mut checks = checks.iter();
                        checks.try_for_each(|check| edit.put_ignored(check.id, &check.name))
                    })
                    .map(drop)
                    .unwrap();
            }
            Intent::ReadBack(system, reach) => self.read_back(system, reach),
            Intent::Observe(wish) => {
                let observer = Observer {
                    label: wish.label.unwrap_or_default(),
                };
                self.workspace
                    .edit_system(wish.system, &chain(ME), at(0), |edit| match wish.what {
                        Let::Look => edit.put_observer(wish.observer, &observer),
                        Let::End => edit.remove_observer(wish.observer),
                    })
                    .map(drop)
                    .unwrap();
            }
            _ => {}
        }
    }

    /// Reads timelines further back, as the workspace does.
    fn read_back(&mut self, system: Option<SpaceId>, reach: TimelineReach) {
        let mut view = View::default();
        let graph = Arc::clone(&view.update(&self.workspace, at(0)).graph);
        let systems = system.map(|system| {
            let mut systems = graph.below(system);
            systems.push(system);
            systems
        });
        let snapshot = view.reaching_back(&self.workspace, systems.as_deref(), reach);
        Arc::make_mut(&mut self.frame).earlier = Some(Arc::new(Earlier {
            system,
            reach,
            snapshot: Arc::new(snapshot),
        }));
    }

    /// Opens an incident, or refuses one with a certain title.
    fn open(&mut self, title: &str, called: Option<CalledIn>) {
        let frame = Arc::make_mut(&mut self.frame);
        if title == REFUSED {
            frame.incident = Some(IncidentAnswer::Refused);
            return;
        }
        frame.incident = Some(IncidentAnswer::Opened(space(INCIDENT)));
        add(&mut self.workspace, INCIDENT, title, "incident", |_edit| {
            Ok(())
        });
        if let Some(called) = called {
            let frame = Arc::make_mut(&mut self.frame);
            self.invited.push(called.name);
            frame.invitation = Some(MadeInvitation {
                space: space(INCIDENT),
                text: "aramaki1exampleinvitation".repeat(12),
                begin: None,
                end: at(i64::from(called.hours) * 3_600),
                redeem_until: at(86_400),
                relayed: true,
                for_device: false,
                handed: Handed::Online,
            });
        }
    }

    fn publish(&mut self) {
        let snapshot = Arc::new(self.workspace.view(at(0)));
        let work = NoteWork {
            seen: self.seen,
            can_undo: self.history.can_undo(),
            can_redo: self.history.can_redo(),
        };
        let frame = Arc::make_mut(&mut self.frame);
        frame.snapshot = Some(snapshot);
        frame.notes.insert(note(), work);
        self.wake();
    }

    fn wake(&self) {
        if let Some(wake) = &self.wake {
            wake();
        }
    }
}

pub(crate) fn item(n: u8) -> ItemId {
    ItemId::new(at(-9_000), [n; 10])
}

pub(crate) fn check(n: u8, name: &str) -> Check {
    let id = CheckId::new(at(-9_000), [n; 10]);
    Check::new(
        id,
        name,
        CheckKind::Builtin(Builtin::Uptime(Thresholds::default())),
    )
}

/// Webshop with a broken Checkout, and others that are well, late or not looked at.
pub(crate) fn organisation() -> Workspace {
    let mut workspace = Workspace::new();
    add(&mut workspace, WEBSHOP, "Webshop", "Services", |edit| {
        edit.purpose("Sells shoes in eleven countries.")?;
        for (part, label) in [
            (CHECKOUT, "Checkout"),
            (DATABASES, "Databases"),
            (99, "Payment provider"),
        ] {
            edit.put_part(space(part), &part_of(label))?;
        }
        Ok(())
    });
    add(&mut workspace, CHECKOUT, "Checkout", "Services", checkout);
    let text = "First look at the queue.\nThen call.";
    workspace
        .set_note(space(CHECKOUT), note_id(), &chain(ME), at(-900), text)
        .map(drop)
        .unwrap();
    observe(&mut workspace);
    add(
        &mut workspace,
        DATABASES,
        "Databases",
        "Infrastructure",
        |_edit| Ok(()),
    );
    add(
        &mut workspace,
        4,
        "Office network",
        "Infrastructure",
        |edit| edit.purpose("Switches and access points of three floors."),
    );
    for n in 5..30 {
        let title = format!("Customer project {n:02}");
        add(&mut workspace, n, &title, "Projects", |_edit| Ok(()));
    }
    workspace
}

/// Everything that somebody who was woken needs.
fn checkout(edit: &mut SystemEdit<'_, '_>) -> Result<(), EditError> {
    edit.purpose("Baskets, payment, orders.")?;
    let rules = [
        (Touch::Freely, "restart web workers, one at a time"),
        (Touch::AskFirst, "payment gateway settings"),
        (Touch::Escalate, "anything that shows card data"),
    ];
    for (n, (touch, text)) in (0..).zip(rules) {
        let text = text.to_owned();
        edit.put_rule(item(n), &Rule { touch, text })?;
    }
    let contact = Contact {
        role: "developer on call".to_owned(),
        reach: "+49 30 0000 0000".to_owned(),
        hours: "every night".to_owned(),
        ..Contact::default()
    };
    edit.put_contact(item(10), &contact)?;
    let dashboard = Dashboard {
        title: "Orders per minute".to_owned(),
        url: "https://dashboards.example.org/orders".to_owned(),
    };
    edit.put_dashboard(item(11), &dashboard)?;
    edit.put_check(&check(1, "replication"))?;
    edit.put_check(&check(2, "uptime"))?;
    let label = "db2.example.org".to_owned();
    let agent = AgentRef {
        label,
        author: None,
    };
    edit.put_agent(space(AGENT), &agent)?;
    let title = "Payment gateway is slow".to_owned();
    let place = NoteRef {
        title,
        ..NoteRef::default()
    };
    edit.put_note(note_id(), &place)
}

fn part_of(label: &str) -> Part {
    Part {
        label: label.to_owned(),
        ..Part::default()
    }
}

fn add(
    workspace: &mut Workspace,
    n: u8,
    title: &str,
    category: &str,
    more: impl FnOnce(&mut SystemEdit<'_, '_>) -> Result<(), EditError>,
) {
    workspace.open_space(space(n));
    workspace
        .edit_system(space(n), &chain(ME), at(-9_000), |edit| {
            edit.title(title)?;
            edit.category(category)?;
            more(edit)
        })
        .map(drop)
        .unwrap();
}

/// An agent sees replication break 14 minutes ago, and somebody says so.
fn observe(workspace: &mut Workspace) {
    workspace.open_space(space(AGENT));
    let started = AgentStarted {
        at: at(-7_200),
        host: "db2.example.org".to_owned(),
        version: "0.1.0".to_owned(),
    };
    let mut entries = vec![JournalEntry::Started(started)];
    let results = [
        (1, "replication", -7_100, Severity::Ok, "lag 0 s"),
        (2, "uptime", -7_100, Severity::Ok, "up for 31 d"),
        (
            1,
            "replication",
            -840,
            Severity::Critical,
            "lag 41 s, limit 10 s",
        ),
    ];
    let mut states = BTreeMap::new();
    for (n, name, seconds, severity, said) in results {
        let check = check(n, name);
        let state = states.entry(n).or_insert_with(|| CheckState::new(check.id));
        let observation = Observation::of_builtin(check.id, at(seconds), severity, said);
        let transition = state.observe(&check, &observation);
        entries.extend(transition.map(JournalEntry::Transition));
    }
    let entries: Vec<_> = (0..)
        .zip(entries)
        .map(|(n, entry)| (EntryId::new(at(-7_200), [n; 10]), entry))
        .collect();
    workspace
        .append_journal(space(AGENT), &chain(AGENT), at(-840), &entries)
        .map(drop)
        .unwrap();
    let beat = |n, raw| CheckBeat {
        check: check(n, "").id,
        at: at(-4),
        raw,
        attempt: 0,
    };
    let heartbeat = Heartbeat {
        at: at(-4),
        generation: 1,
        checks: vec![beat(1, Severity::Critical), beat(2, Severity::Ok)],
    };
    workspace.hears(space(AGENT), true, at(-60));
    workspace.heartbeat(space(AGENT), &heartbeat, at(-4));
    let message = Message {
        at: at(-600),
        text: "Looking at it.".to_owned(),
    };
    let entry = (
        EntryId::new(at(-600), [1; 10]),
        TimelineEntry::Message(message),
    );
    workspace
        .append_timeline(space(CHECKOUT), &chain(ME), at(-600), &[entry])
        .map(drop)
        .unwrap();
}

/// A relay that is here, a device that is away, an agent.
fn sync() -> SyncState {
    let peer = |name: &str, kind, path: Option<&str>, seen, may| Peer {
        name: name.to_owned(),
        kind,
        path: path.map(str::to_owned),
        seen: Some(at(seen)),
        may: Some((may, at(28_800))),
        spaces: 3,
        agent: None,
    };
    SyncState {
        pending: 0,
        newest: Some(at(-4)),
        peers: vec![
            peer(
                "93aef377",
                PeerKind::Relay,
                Some("direct, 0.5 ms"),
                -1,
                Capability::Relay,
            ),
            peer("0a2b1597", PeerKind::Device, None, -660, Capability::Write),
            Peer {
                agent: Some(space(AGENT)),
                ..peer(
                    "db2.example.org",
                    PeerKind::Agent,
                    Some("direct, 1.1 ms"),
                    -2,
                    Capability::Write,
                )
            },
        ],
        awaited: vec![Awaited {
            space: space(0x77),
            begin: None,
            until: at(28_800),
            is_spent: false,
        }],
        over_quota: Vec::new(),
    }
}

/// The duty operator's devices: this one, and one that waits.
fn devices() -> Vec<OwnDevice> {
    [(1, true), (2, false)]
        .map(|(key, here)| OwnDevice {
            key: AuthorId::from_bytes([key; 32]),
            here,
            accepted: here,
            beyond: 0,
        })
        .into()
}

fn trust() -> BTreeMap<SpaceId, Trust> {
    let member = |name: &str, kind, may, through| Member {
        key: AuthorId::from_bytes([u8::try_from(name.len()).unwrap_or(0); 32]),
        name: name.to_owned(),
        kind,
        may,
        begin: at(-90_000),
        end: at(28_800),
        depth: 0,
        can_end: !matches!(kind, PeerKind::Here),
        through,
        grant: EnvelopeId::from_bytes([u8::try_from(name.len()).unwrap_or(0); 32]),
        reason: String::new(),
        seen: None,
        presence: Presence::Away,
        code_end: None,
        left: None,
        opened: None,
        can_renew: matches!(kind, PeerKind::Device),
    };
    let members = vec![
        member(
            "Duty operator",
            PeerKind::Here,
            Capability::Administer,
            Through::Root,
        ),
        member(
            "0a2b1597",
            PeerKind::Device,
            Capability::Read,
            Through::Invitation("Duty operator".to_owned()),
        ),
        member(
            "93aef377",
            PeerKind::Relay,
            Capability::Relay,
            Through::Member("Duty operator".to_owned()),
        ),
    ];
    let trust = Trust {
        mine: Some(Capability::Administer),
        ended_elsewhere: false,
        awaits_key: false,
        clock_ahead: None,
        only_here: 0,
        members,
        late: Vec::new(),
        ended: Vec::new(),
        two_histories: vec!["0a2b1597".to_owned()],
    };
    [WEBSHOP, CHECKOUT, DATABASES]
        .map(|n| (space(n), trust.clone()))
        .into()
}

/// Somebody whose access was chosen to end.
pub(crate) fn ends(name: &str) -> Ends {
    Ends {
        name: name.to_owned(),
        may: Some(Capability::Read),
        why: None,
    }
}

/// How long a frame may wait before it is drawn again when nothing happens.
pub(crate) const NEVER: Duration = Duration::MAX;
