//! Work that is asked for in a maintenance window, and how it stands: derived, never stored.

use std::collections::BTreeMap;

use aramaki_sync_core::{EnvelopeId, SpaceId, Timestamp};
use serde::{Deserialize, Serialize};

use super::Maintenance;
use crate::action::{Outcome, RefusedFor, SCHEDULE_SPAN_MAX};

/// Requests of one System that are read.
pub const REQUESTS_MAX: usize = 256;
/// A program that is done.
pub const EXIT_DONE: i32 = 0;
/// A program that wants the next window.
pub const EXIT_POSTPONE: i32 = 69;
/// A program that wants to be tried again in this window.
pub const EXIT_RETRY: i32 = 75;

/// Somebody asks for work in a window.
///
/// It stands in the System's document and runs nothing: a host runs what somebody *confirmed* by a signed
/// request of its own, which names this one.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct MaintenanceRequest {
    /// On the host of which agent: its own Space.
    pub agent: SpaceId,
    /// The action's exact name.
    pub action: String,
    /// Values by parameter.
    pub arguments: BTreeMap<String, String>,
    /// Why.
    pub reason: String,
    /// When it was asked for.
    pub at: Timestamp,
    /// From when to when; none: in the next window of the System.
    pub stated: Option<Window>,
}

/// From when to when.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Window {
    /// When it opens.
    pub begin: Timestamp,
    /// When it closes.
    pub end: Timestamp,
}

impl Window {
    /// Whether it is open.
    #[must_use]
    pub fn covers(&self, now: Timestamp) -> bool {
        (self.begin..self.end).contains(&now)
    }

    /// Whether both are open at some time.
    #[must_use]
    pub fn overlaps(&self, other: &Self) -> bool {
        self.begin < other.end && other.begin < self.end
    }

    /// What a request that is signed now may ask for of it: its rest, as far ahead as a signature counts.
    /// None while it is too far away, and when it is over.
    #[must_use]
    pub fn signable(&self, now: Timestamp) -> Option<Self> {
        let far = now.plus(SCHEDULE_SPAN_MAX);
        let signed = Self {
            begin: self.begin.max(now),
            end: self.end.min(far),
        };
        (signed.begin < signed.end).then_some(signed)
    }
}

/// A request was taken back.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Withdrawn {
    /// When.
    pub at: Timestamp,
    /// Why; empty when nobody says.
    pub reason: String,
}

/// A signed request of somebody for such work, and what its host says of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Confirmed<'a> {
    /// The envelope that carries it.
    pub id: EnvelopeId,
    /// When it was signed.
    pub at: Timestamp,
    /// When the host may begin, and until when.
    pub window: Window,
    /// How often the host began.
    pub attempts: u32,
    /// When the host tries again, if it waits for that.
    pub again_at: Option<Timestamp>,
    /// What came of it.
    pub outcome: Option<&'a Outcome>,
}

/// How a request stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum RequestState {
    /// Its window is not open.
    Pending,
    /// Its window is open, and it has not begun.
    Due,
    /// It runs.
    Running,
    /// It is tried again in this window.
    Retry,
    /// It is done.
    Success,
    /// It was run, or refused, and is not tried again.
    Error,
    /// It was begun, and its host does not know how it ended. It is not run again.
    Unknown,
    /// It was withdrawn.
    Deleted,
    /// Its program wants the next window.
    Postponed,
    /// Its window closed before it could begin.
    Missed,
}

impl RequestState {
    /// The word for it.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Due => "due",
            Self::Running => "running",
            Self::Retry => "retry",
            Self::Success => "success",
            Self::Error => "error",
            Self::Unknown => "unknown",
            Self::Deleted => "deleted",
            Self::Postponed => "postponed",
            Self::Missed => "missed",
        }
    }

    /// Whether nothing follows any more.
    pub const fn is_over(self) -> bool {
        matches!(
            self,
            Self::Success | Self::Error | Self::Unknown | Self::Deleted
        )
    }
}

/// What a request waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Wants {
    /// Nothing, or time alone.
    Nothing,
    /// Somebody confirms it: its window is near enough for a signature.
    Confirmation,
    /// Somebody plans a window.
    Window,
    /// Its host answers.
    Host,
}

/// How a request stands, and what comes next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    /// How.
    pub state: RequestState,
    /// What it waits for.
    pub wants: Wants,
    /// The window in which it is to run, or is confirmed for.
    pub window: Option<Window>,
    /// The signed request that counts.
    pub confirmed: Option<EnvelopeId>,
    /// How often the host began it.
    pub attempts: u32,
    /// When the host tries again.
    pub again_at: Option<Timestamp>,
}

impl MaintenanceRequest {
    /// How it stands: the newest of `confirmed` counts, and the System's windows where none does.
    pub fn standing(
        &self,
        withdrawn: Option<&Withdrawn>,
        confirmed: &[Confirmed<'_>],
        windows: &[&Maintenance],
        now: Timestamp,
    ) -> Standing {
        let newest = confirmed.iter().max_by_key(|it| (it.at, it.id));
        let standing = match newest {
            Some(newest) => Self::after(newest, windows, now),
            None => Self::unconfirmed(self.stated, windows, now),
        };
        match withdrawn {
            // What ran, ran.
            Some(_) if standing.state == RequestState::Running || standing.state.is_over() => {
                standing
            }
            Some(_) => Standing {
                state: RequestState::Deleted,
                wants: if standing.confirmed.is_some() && may_begin(standing.state) {
                    Wants::Host
                } else {
                    Wants::Nothing
                },
                ..standing
            },
            None => standing,
        }
    }

    fn after(signed: &Confirmed<'_>, windows: &[&Maintenance], now: Timestamp) -> Standing {
        let state = state_of(signed, now);
        let standing = Standing {
            state,
            wants: if state == RequestState::Due {
                Wants::Host
            } else {
                Wants::Nothing
            },
            window: Some(signed.window),
            confirmed: Some(signed.id),
            attempts: signed.attempts,
            again_at: signed.again_at,
        };
        match state {
            RequestState::Postponed | RequestState::Missed => {
                let from = now.max(signed.window.end);
                let next = Self::next(windows, from);
                Standing {
                    confirmed: None,
                    window: next,
                    wants: wants(next, now),
                    ..standing
                }
            }
            _ => standing,
        }
    }

    fn unconfirmed(stated: Option<Window>, windows: &[&Maintenance], now: Timestamp) -> Standing {
        let open = stated.filter(|stated| now < stated.end && stated.begin < stated.end);
        let window = open.or_else(|| Self::next(windows, now));
        let state = match (stated, open, window) {
            (Some(_), None, _) => RequestState::Missed,
            (_, _, Some(window)) if window.covers(now) => RequestState::Due,
            _ => RequestState::Pending,
        };
        Standing {
            state,
            wants: wants(window, now),
            window,
            confirmed: None,
            attempts: 0,
            again_at: None,
        }
    }

    /// The window that is open at a time, or else the next.
    fn next(windows: &[&Maintenance], from: Timestamp) -> Option<Window> {
        let next = windows.iter().filter_map(|it| it.next_window(from));
        let next = next.map(|(begin, end)| Window { begin, end });
        next.min()
    }
}

/// Whether a host that has not heard of more may still begin it.
const fn may_begin(state: RequestState) -> bool {
    matches!(
        state,
        RequestState::Pending | RequestState::Due | RequestState::Retry
    )
}

fn wants(window: Option<Window>, now: Timestamp) -> Wants {
    match window {
        None => Wants::Window,
        Some(window) if window.signable(now).is_some() => Wants::Confirmation,
        Some(_far) => Wants::Nothing,
    }
}

fn state_of(signed: &Confirmed<'_>, now: Timestamp) -> RequestState {
    match signed.outcome {
        Some(Outcome::Exit(EXIT_DONE)) => RequestState::Success,
        Some(Outcome::Exit(EXIT_POSTPONE)) => RequestState::Postponed,
        Some(Outcome::Unknown) => RequestState::Unknown,
        Some(Outcome::Refused(why)) => refused(why),
        Some(Outcome::Exit(_) | Outcome::Signal(_) | Outcome::TimedOut) => RequestState::Error,
        None if signed.again_at.is_some() => RequestState::Retry,
        None if signed.attempts > 0 => RequestState::Running,
        None if now < signed.window.begin => RequestState::Pending,
        None if now < signed.window.end => RequestState::Due,
        // Nothing was heard of it; its host may have been away, and does not run it any more.
        None => RequestState::Missed,
    }
}

/// What was not run for want of time, people or room may be confirmed for another window.
const fn refused(why: &RefusedFor) -> RequestState {
    match why {
        RefusedFor::OutOfTime
        | RefusedFor::StaleView
        | RefusedFor::NotApproved { .. }
        | RefusedFor::WouldBreak { .. } => RequestState::Missed,
        RefusedFor::Denied => RequestState::Deleted,
        _ => RequestState::Error,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(hours: i64) -> Timestamp {
        Timestamp::from_millis(hours * 3_600_000)
    }

    fn window(begin: i64, end: i64) -> Window {
        Window {
            begin: at(begin),
            end: at(end),
        }
    }

    /// Two hours from hour 100 on, each week.
    fn weekly() -> Maintenance {
        Maintenance {
            from: at(100),
            until: at(102),
            every_days: Some(7),
            ..Maintenance::default()
        }
    }

    fn request() -> MaintenanceRequest {
        MaintenanceRequest {
            at: at(10),
            ..MaintenanceRequest::default()
        }
    }

    fn signed(outcome: Option<&Outcome>, attempts: u32) -> Confirmed<'_> {
        Confirmed {
            id: EnvelopeId::from_bytes([1; 32]),
            at: at(90),
            window: window(100, 102),
            attempts,
            again_at: None,
            outcome,
        }
    }

    fn stands(
        withdrawn: Option<&Withdrawn>,
        signed: &[Confirmed<'_>],
        now: i64,
    ) -> (RequestState, Wants, Option<Window>) {
        let standing = request().standing(withdrawn, signed, &[&weekly()], at(now));
        (standing.state, standing.wants, standing.window)
    }

    #[test]
    fn a_request_waits_for_its_window_and_is_to_be_confirmed_a_day_before() {
        let first = Some(window(100, 102));
        for (now, state, wants) in [
            (10, RequestState::Pending, Wants::Nothing),
            (75, RequestState::Pending, Wants::Nothing),
            (77, RequestState::Pending, Wants::Confirmation),
            (101, RequestState::Due, Wants::Confirmation),
        ] {
            assert_eq!(stands(None, &[], now), (state, wants, first), "{now}");
        }
        // Nobody confirmed it: it waits for the next one.
        let next = Some(window(268, 270));
        let waits = (RequestState::Pending, Wants::Nothing, next);
        assert_eq!(stands(None, &[], 103), waits);
        let standing = request().standing(None, &[], &[], at(10));
        assert_eq!(
            (standing.state, standing.wants),
            (RequestState::Pending, Wants::Window)
        );
    }

    #[test]
    fn what_its_host_says_is_how_it_stands() {
        let done = Outcome::Exit(0);
        let failed = Outcome::Exit(1);
        let gave_up = Outcome::Exit(EXIT_RETRY);
        let lost = Outcome::Unknown;
        let objected = Outcome::Refused(RefusedFor::Denied);
        for (outcome, attempts, now, state) in [
            (None, 0, 95, RequestState::Pending),
            (None, 0, 101, RequestState::Due),
            (None, 1, 101, RequestState::Running),
            (None, 1, 103, RequestState::Running),
            (None, 0, 102, RequestState::Missed),
            (Some(&done), 1, 101, RequestState::Success),
            (Some(&failed), 1, 101, RequestState::Error),
            (Some(&gave_up), 3, 101, RequestState::Error),
            (Some(&lost), 1, 101, RequestState::Unknown),
            (Some(&objected), 0, 99, RequestState::Deleted),
        ] {
            let (found, ..) = stands(None, &[signed(outcome, attempts)], now);
            assert_eq!(found, state, "{outcome:?} at {now}");
        }
        let again = Confirmed {
            again_at: Some(at(101)),
            ..signed(None, 1)
        };
        assert_eq!(stands(None, &[again], 101).0, RequestState::Retry);
    }

    #[test]
    fn what_is_postponed_or_missed_waits_for_the_next_window_and_a_new_confirmation() {
        let postpone = Outcome::Exit(EXIT_POSTPONE);
        let stale = Outcome::Refused(RefusedFor::StaleView);
        let next = Some(window(268, 270));
        for (outcome, state) in [
            (Some(&postpone), RequestState::Postponed),
            (Some(&stale), RequestState::Missed),
        ] {
            let signed = [signed(outcome, 1)];
            // The window in which it was postponed is still open, and is not the next.
            for (now, wants) in [(101, Wants::Nothing), (250, Wants::Confirmation)] {
                assert_eq!(stands(None, &signed, now), (state, wants, next));
            }
            let again = Confirmed {
                id: EnvelopeId::from_bytes([2; 32]),
                at: at(250),
                window: window(268, 270),
                ..signed[0]
            };
            let again = Confirmed {
                outcome: None,
                attempts: 0,
                ..again
            };
            let both = [again, signed[0]];
            assert_eq!(stands(None, &both, 251).0, RequestState::Pending);
        }
    }

    #[test]
    fn a_stated_time_is_for_once() {
        let stated = MaintenanceRequest {
            stated: Some(window(50, 51)),
            ..request()
        };
        let standing = stated.standing(None, &[], &[&weekly()], at(49));
        assert_eq!(standing.window, Some(window(50, 51)));
        assert_eq!(standing.wants, Wants::Confirmation);
        let standing = stated.standing(None, &[], &[&weekly()], at(52));
        assert_eq!(standing.state, RequestState::Missed);
        assert_eq!(standing.window, Some(window(100, 102)));
    }

    #[test]
    fn what_is_withdrawn_is_deleted_unless_it_ran() {
        let withdrawn = Withdrawn::default();
        let is = |signed: &[Confirmed<'_>], now| {
            let (state, wants, _) = stands(Some(&withdrawn), signed, now);
            (state, wants)
        };
        let deleted = (RequestState::Deleted, Wants::Nothing);
        assert_eq!(is(&[], 101), deleted);
        // Its host has a signed request and has not answered yet.
        let told = (RequestState::Deleted, Wants::Host);
        assert_eq!(is(&[signed(None, 0)], 95), told);
        assert_eq!(is(&[signed(None, 0)], 103), deleted);
        assert_eq!(is(&[signed(None, 1)], 101).0, RequestState::Running);
        let done = Outcome::Exit(0);
        assert_eq!(is(&[signed(Some(&done), 1)], 101).0, RequestState::Success);
        let postponed = Outcome::Exit(EXIT_POSTPONE);
        assert_eq!(is(&[signed(Some(&postponed), 1)], 101), deleted);
    }

    #[test]
    fn a_signature_reaches_a_day_ahead_and_not_beyond_the_window() {
        let long = window(100, 200);
        assert_eq!(long.signable(at(76)), None);
        assert_eq!(long.signable(at(77)), Some(window(100, 101)));
        assert_eq!(long.signable(at(110)), Some(window(110, 134)));
        assert_eq!(long.signable(at(190)), Some(window(190, 200)));
        assert_eq!(long.signable(at(200)), None);
    }

    #[test]
    fn a_window_is_closed_when_it_closes_and_the_earliest_of_several_counts() {
        let open = |now| window(100, 102).covers(at(now));
        assert_eq!([99, 100, 101, 102].map(open), [false, true, true, false]);
        let later = Maintenance {
            from: at(110),
            until: at(120),
            ..Maintenance::default()
        };
        let weekly = weekly();
        for windows in [[&weekly, &later], [&later, &weekly]] {
            let standing = request().standing(None, &[], &windows, at(10));
            assert_eq!(standing.window, Some(window(100, 102)));
        }
    }
}
