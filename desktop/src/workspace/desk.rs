//! The workspace behind the window: intents go in, frames come out.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use aramaki_model::NoteHistory;
use aramaki_sync_core::invitation::Invitee;
use aramaki_sync_core::statement::Capability;
use aramaki_sync_core::{DocumentId, SpaceId};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::frame::{self, Extras};
use super::fresh;
use super::home::HomeBeside;
use super::live::Live;
use super::profile::Profile;
use super::recovery::RecoveryKit;
use super::serve::ask_to_let_go;
use super::trust::ShareRequest;
use super::{SystemChange, serve_verbs};
use crate::cli::{CliError, Config};
use crate::view::new_kit::NewKit;
use crate::view::{
    Backend, CalledIn, Frame, Handed, IncidentAnswer, Intent, MadeInvitation, Problem, ShareBy,
    ShareFor, Stage, Typed,
};

/// Wishes that wait; a window that asks faster than a disk writes is told so.
const INTENTS_MAX: usize = 1_024;
/// Changes closer together than this become one frame.
const FRAME_PAUSE: Duration = Duration::from_millis(50);
/// Ages and stale checks change without anything arriving.
const TICK: Duration = Duration::from_secs(10);

type Wake = Box<dyn Fn() + Send + Sync>;

/// What the window holds.
#[derive(Clone)]
pub(crate) struct Desk {
    shared: Arc<Shared>,
    intents: mpsc::Sender<Intent>,
}

struct Shared {
    frame: Mutex<Arc<Frame>>,
    wake: Mutex<Option<Wake>>,
    /// Cancelled when there is a window.
    shown: CancellationToken,
}

impl std::fmt::Debug for Desk {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Desk")
    }
}

impl Backend for Desk {
    fn frame(&self) -> Arc<Frame> {
        Arc::clone(&lock(&self.shared.frame))
    }

    fn send(&self, intent: Intent) {
        if let Err(error) = self.intents.try_send(intent) {
            tracing::error!(%error, "a wish was lost");
            let mut frame = Frame::clone(&self.frame());
            frame.problem = Some(problem(&CliError::Write {
                reason: "too much waits for the disk".to_owned(),
            }));
            self.publish(frame);
        }
    }

    fn on_change(&self, wake: Wake) {
        *lock(&self.shared.wake) = Some(wake);
        self.shared.shown.cancel();
    }
}

impl Desk {
    /// A desk, and what the window asks of it.
    pub(super) fn new() -> (Self, mpsc::Receiver<Intent>) {
        let (intents, asked) = mpsc::channel(INTENTS_MAX);
        let shared = Shared {
            frame: Mutex::new(Arc::new(Frame::default())),
            wake: Mutex::new(None),
            shown: CancellationToken::new(),
        };
        (
            Self {
                shared: Arc::new(shared),
                intents,
            },
            asked,
        )
    }

    /// Waits until there is a window.
    pub(super) async fn shown(&self) {
        self.shared.shown.cancelled().await;
    }

    fn publish(&self, frame: Frame) {
        *lock(&self.shared.frame) = Arc::new(frame);
        if let Some(wake) = &*lock(&self.shared.wake) {
            wake();
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

pub(super) fn problem(error: &CliError) -> Problem {
    Problem {
        code: error.code().to_owned(),
        message: error.message(),
    }
}

/// Works for the window until `stop`.
pub(super) async fn work(
    desk: Desk,
    mut asked: mpsc::Receiver<Intent>,
    config: Config,
    stop: CancellationToken,
    opened: impl FnOnce(Live) + Send,
) {
    let mut extras = Extras::default();
    let Some(live) = open(&desk, &mut asked, &config, &mut extras, &stop).await else {
        return;
    };
    if let Err(error) = live.move_perspectives().await {
        tracing::warn!(error = error.message(), "perspectives stay on this disk");
    }
    opened(live.clone());
    serve_verbs(&config, &live, stop.clone());
    let mut changed = live.watch();
    let mut demo = live.watch_demo();
    let mut tick = tokio::time::interval(TICK);
    loop {
        desk.publish(frame::of(&live, &extras).await);
        tokio::select! {
            () = stop.cancelled() => break,
            _ = tick.tick() => {}
            _ = demo.changed() => {}
            _ = changed.changed() => tokio::time::sleep(FRAME_PAUSE).await,
            intent = asked.recv() => match intent {
                Some(intent) => {
                    take(&live, intent, &mut extras).await;
                    while let Ok(intent) = asked.try_recv() {
                        take(&live, intent, &mut extras).await;
                    }
                }
                None => break,
            },
        }
    }
    live.close().await;
}

/// From one attempt to open a workspace that another program has to the next.
const TAKEN_PAUSE: Duration = Duration::from_millis(500);

/// Opens the workspace, or waits until somebody makes one, or until another program lets go of it.
async fn open(
    desk: &Desk,
    asked: &mut mpsc::Receiver<Intent>,
    config: &Config,
    extras: &mut Extras,
    stop: &CancellationToken,
) -> Option<Live> {
    loop {
        let mut taken = None;
        let stage = match Profile::load(&config.data) {
            Ok(_) => match Live::open(config).await {
                Ok(live) => return Some(live),
                Err(error @ CliError::InUse { .. }) => {
                    let says = ask_to_let_go(config).await;
                    taken = Some(says.unwrap_or(error).message());
                    Stage::Taken
                }
                Err(error) => {
                    extras.problem = Some(problem(&error));
                    Stage::Opening
                }
            },
            Err(CliError::NoWorkspace { .. }) => Stage::Absent,
            Err(error) => {
                extras.problem = Some(problem(&error));
                Stage::Opening
            }
        };
        let is_taken = taken.is_some();
        desk.publish(Frame {
            stage,
            taken: taken.unwrap_or_default(),
            problem: extras.problem.clone(),
            ..Frame::default()
        });
        let intent = tokio::select! {
            () = stop.cancelled() => return None,
            () = tokio::time::sleep(TAKEN_PAUSE), if is_taken => continue,
            intent = asked.recv() => intent?,
        };
        extras.problem = None;
        let made = match intent {
            Intent::CreateWorkspace { name, kit } => begin(config, &name, kit.as_ref()),
            Intent::Join {
                invitation,
                name,
                kit,
            } => match begin_joined(config, &name, &invitation, kit.as_ref()).await {
                Ok(live) => return Some(live),
                Err(error) => Err(error),
            },
            Intent::OpenDemo => start_demo(),
            _ => Ok(()),
        };
        extras.problem = made.err().map(|error| problem(&error));
    }
}

fn begin(config: &Config, name: &str, kit: Option<&NewKit>) -> Result<(), CliError> {
    super::refuse_existing(&config.data)?;
    let kit = kit.map(RecoveryKit::typed).transpose()?;
    super::create(&config.data, name, kit.as_ref(), None).map(drop)
}

async fn begin_joined(
    config: &Config,
    name: &str,
    invitation: &str,
    kit: Option<&NewKit>,
) -> Result<Live, CliError> {
    // A mistyped code must not leave a workspace behind. One for a device of one's own is taken here alone:
    // a workspace that begins has nothing yet that a stranger's code could share.
    let is_home = Live::check_invitation(invitation, Invitee::Device).is_ok();
    if !is_home {
        super::carry::check_way_in(invitation)?;
    }
    // What stands above one's other device stands above this one.
    begin(config, name, kit.filter(|_kit| !is_home))?;
    let live = Live::open(config).await?;
    if is_home {
        live.join_home(invitation).await?;
    } else {
        live.join_by(invitation).await?;
    }
    Ok(live)
}

/// Starts the demo as a process of its own.
fn start_demo() -> Result<(), CliError> {
    let failed = |source| CliError::File {
        action: "start",
        path: std::path::PathBuf::from("aramaki demo"),
        source,
    };
    let program = std::env::current_exe().map_err(failed)?;
    tokio::process::Command::new(program)
        .arg("demo")
        .stdin(std::process::Stdio::null())
        .spawn()
        .map(drop)
        .map_err(failed)
}

async fn take(live: &Live, intent: Intent, extras: &mut Extras) {
    if let Err(error) = carry_out(live, intent, extras).await {
        tracing::warn!(error = error.message(), "a wish was not carried out");
        extras.problem = Some(problem(&error));
    }
}

/// What an invitation of the window lets its guest do.
pub(super) const fn capability_of(what: ShareFor) -> Capability {
    match what {
        ShareFor::Reading => Capability::Read,
        ShareFor::Commenting => Capability::Comment,
        ShareFor::Writing => Capability::Write,
    }
}

/// For how long.
pub(super) fn span_of(hours: u32) -> Duration {
    Duration::from_secs(u64::from(hours) * 3_600)
}

/// Opens an incident; when nobody can be invited to it, it is there all the same.
async fn open_incident(
    live: &Live,
    (system, title): (SpaceId, &str),
    called: Option<CalledIn>,
    extras: &mut Extras,
) -> Result<(), CliError> {
    extras.incident = Some(IncidentAnswer::Refused);
    let incident = live.open_incident(system, title).await?;
    extras.incident = Some(IncidentAnswer::Opened(incident));
    if let Some(called) = called {
        extras.invitation = Some(live.call_in(incident, called).await?);
    }
    Ok(())
}

/// Makes an invitation for one device.
async fn share(
    live: &Live,
    space: SpaceId,
    request: ShareRequest,
    by: ShareBy,
) -> Result<MadeInvitation, CliError> {
    if request.begin.is_some() && by != ShareBy::Code {
        return Err(CliError::Refused {
            what: "the invitation",
            reason: "one that begins later needs a network: hand it over as a code".to_owned(),
        });
    }
    let (invited, text, handed) = match by {
        ShareBy::Code => {
            let invited = live.share(space, &request).await?;
            let code = invited.code.clone();
            (invited, code, Handed::Online)
        }
        ShareBy::Inline => {
            let (invited, code) = live.share_inline(space, &request).await?;
            (invited, code.as_str().to_owned(), Handed::Offline)
        }
        ShareBy::File(path) => {
            let file = super::carry::typed_path(path.trim());
            let (invited, _carried) = live.share_file(space, &request, &file).await?;
            (invited, String::new(), Handed::File(file))
        }
    };
    Ok(MadeInvitation {
        space,
        text,
        begin: invited.begin,
        end: invited.end,
        redeem_until: invited.redeem_until,
        relayed: invited.relayed,
        for_device: false,
        handed,
    })
}

/// Makes the invitation that somebody asked for.
async fn share_wish(live: &Live, intent: Intent) -> Result<Option<MadeInvitation>, CliError> {
    let Intent::Share {
        space,
        name,
        reason,
        what,
        begin,
        hours,
        uses,
        by,
    } = intent
    else {
        return Ok(None);
    };
    let request = ShareRequest {
        name,
        reason,
        capability: capability_of(what),
        // What has begun while the wish waited begins at once, as with the verb.
        begin: begin.filter(|begin| *begin > fresh::now()),
        span: span_of(hours),
        redemptions: uses.max(1),
        long_grace: false,
    };
    share(live, space, request, by).await.map(Some)
}

/// Makes a code for another device of this person.
async fn device_code(live: &Live) -> Result<MadeInvitation, CliError> {
    let invited = live.invite_device(HomeBeside::Refused).await?;
    Ok(MadeInvitation {
        space: invited.space,
        text: invited.code,
        begin: None,
        end: invited.redeem_until,
        redeem_until: invited.redeem_until,
        relayed: invited.relayed,
        for_device: true,
        handed: Handed::Online,
    })
}

async fn new_system(
    live: &Live,
    title: String,
    category: String,
    purpose: String,
) -> Result<(), CliError> {
    let mut changes = vec![SystemChange::Title(title)];
    if !category.is_empty() {
        changes.push(SystemChange::Category(category));
    }
    if !purpose.is_empty() {
        changes.push(SystemChange::Purpose(purpose));
    }
    live.create_system(changes).await?;
    Ok(())
}

/// What was done to a note from this window so far.
fn note_work<'a>(
    live: &Live,
    space: SpaceId,
    document: DocumentId,
    extras: &'a mut Extras,
) -> Result<&'a mut (Typed, NoteHistory), CliError> {
    let note = live.note_of(space, document)?;
    let begin = || (Typed::default(), NoteHistory::of(space, note));
    Ok(extras.notes.entry(document).or_insert_with(begin))
}

/// What is asked about people's access.
async fn change_trust(live: &Live, intent: Intent, extras: &mut Extras) -> Result<(), CliError> {
    match intent {
        Intent::GiveUp(space) => {
            live.cancel(&space.to_string()).await?;
        }
        Intent::AskEnd(what) => {
            extras.ending = None;
            extras.ending = Some(live.ending(what).await?);
        }
        Intent::End { what, reason } => {
            extras.ending = None;
            live.end(what, &reason).await?;
        }
        Intent::ForgetEnding => extras.ending = None,
        Intent::Renew { space, grant } => {
            live.renew(space, &grant.to_string(), None, None).await?;
        }
        Intent::EndEmergency => {
            live.give_up_emergencies().await?;
        }
        Intent::AcceptLate {
            space,
            grant,
            reach,
        } => {
            live.accept_late(space, &grant.to_string(), reach).await?;
        }
        _ => {}
    }
    Ok(())
}

/// What is asked about alerts and actions, and of the demo.
async fn carry_out_at_night(
    live: &Live,
    intent: Intent,
    extras: &mut Extras,
) -> Result<(), CliError> {
    match intent {
        Intent::Deed(deed) => extras.undo = live.deed(&deed).await?,
        Intent::UndoDeed => live.undo_deed(std::mem::take(&mut extras.undo)).await?,
        Intent::LookAt(system) => extras.looked_at = Some(system),
        Intent::LookAtRun(system, request) => extras.looked_at_run = Some((system, request)),
        Intent::LookBack(system) => extras.looked_back = Some(system),
        Intent::ReadBack(system, reach) => {
            extras.earlier = Some(Arc::new(live.read_back(system, reach)));
        }
        Intent::Run(wish) => live.run_wish(wish).await?,
        Intent::Answer {
            system,
            request,
            say,
        } => live.answer_wish(system, (request, say)).await?,
        Intent::Work(wish) => live.work_wish(wish).await?,
        Intent::SavePerspective { id, perspective } => {
            extras.undo = live.save_perspective(id, &perspective).await?;
        }
        Intent::DeletePerspective(id) => extras.undo = live.put_perspective(id, None).await?,
        Intent::AskProposals(system) => live.ask_proposals(system).await?,
        Intent::AcceptProposals { system, checks } => {
            extras.undo = live.accept_proposals(system, checks).await?;
        }
        Intent::IgnoreProposals { system, checks } => {
            extras.undo = live.ignore_proposals(system, checks).await?;
        }
        Intent::AskValues { system, check } => live.ask_values(system, &check).await?,
        Intent::ShowEvidence(of) => live.show_evidence(of),
        Intent::HideEvidence(of) => live.hide_evidence(of),
        Intent::Observe(wish) => drop(live.observe(wish).await?),
        Intent::StopRelay => live.want_relay(false),
        Intent::StartRelay => live.want_relay(true),
        _ => {}
    }
    Ok(())
}

fn exists(live: &Live) -> CliError {
    CliError::WorkspaceExists {
        data: live.shared.data.clone(),
    }
}

async fn carry_out(live: &Live, intent: Intent, extras: &mut Extras) -> Result<(), CliError> {
    match intent {
        Intent::Join { invitation, .. } => {
            live.join_by(&invitation).await?;
        }
        Intent::OpenDemo => start_demo()?,
        Intent::NewSystem {
            title,
            category,
            purpose,
        } => new_system(live, title, category, purpose).await?,
        Intent::NewNote { space, title, kind } => {
            live.add_note_of(space, kind, &title, "").await?;
        }
        Intent::Draft(draft) => live.keep_draft(&draft).await?,
        Intent::EditNote {
            space,
            document,
            edit,
            typed,
        } => {
            let (seen, history) = note_work(live, space, document, extras)?;
            // A refused edit counts too: the window must not wait for it.
            *seen = typed;
            live.type_note(space, &edit, history)?;
        }
        Intent::UndoNote { space, document } => {
            let (_, history) = note_work(live, space, document, extras)?;
            live.undo_note(space, document, history)?;
        }
        Intent::RedoNote { space, document } => {
            let (_, history) = note_work(live, space, document, extras)?;
            live.redo_note(space, document, history)?;
        }
        share @ Intent::Share { .. } => extras.invitation = share_wish(live, share).await?,
        Intent::OpenIncident {
            system,
            title,
            called,
        } => open_incident(live, (system, &title), called, extras).await?,
        Intent::ForgetIncident => extras.incident = None,
        intent @ (Intent::GiveUp(_)
        | Intent::AskEnd(_)
        | Intent::End { .. }
        | Intent::ForgetEnding
        | Intent::Renew { .. }
        | Intent::EndEmergency
        | Intent::AcceptLate { .. }) => change_trust(live, intent, extras).await?,
        Intent::AddDevice => {
            extras.invitation = Some(device_code(live).await?);
            live.move_perspectives().await?;
        }
        Intent::AcceptDevice { key } => {
            live.accept_device(&key.to_string()).await?;
        }
        Intent::ForgetInvitation => extras.invitation = None,
        Intent::ForgetProblem => extras.problem = None,
        Intent::CreateWorkspace { .. } => return Err(exists(live)),
        other => carry_out_at_night(live, other, extras).await?,
    }
    Ok(())
}

#[cfg(test)]
pub(super) mod tests;
