//! Who may read and change a System, what came too late, and what an end would do.

use std::collections::BTreeSet;
use std::time::Duration;

use aramaki_sync_core::admission::Held;
use aramaki_sync_core::engine::ClockAhead;
use aramaki_sync_core::statement::Capability;
use aramaki_sync_core::{AuthorId, EnvelopeId, SpaceId, Timestamp};

use super::PeerKind;

/// Who may read and change a System.
#[derive(Clone, Debug, Default)]
pub struct Trust {
    /// What this device may do.
    pub mine: Option<Capability>,
    /// Whether a peer says that this is over, though what ended it has not come here.
    pub ended_elsewhere: bool,
    /// Whether what is written there now cannot be read here yet: its key has not come.
    pub awaits_key: bool,
    /// How far this device's clock is ahead of whoever keeps it, and until when nobody counts what it wrote last.
    pub clock_ahead: Option<ClockAhead>,
    /// Changes made here that no other peer is known to hold.
    pub only_here: u64,
    /// Everyone with a grant that has not ended, most capable first.
    pub members: Vec<Member>,
    /// What came too late and waits for somebody to decide.
    pub late: Vec<Late>,
    /// Whose access was ended, newest first; known of the System whose trust page was opened last.
    pub ended: Vec<Ended>,
    /// Who signed two histories, as they are called here.
    pub two_histories: Vec<String>,
}

/// Work of one grant that came too late.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Late {
    /// Under which grant it was written.
    pub grant: EnvelopeId,
    /// What its author is called here.
    pub name: String,
    /// How many envelopes.
    pub envelopes: u64,
    /// When the last was written, by its author's clock.
    pub last: Timestamp,
    /// For what it waits.
    pub held: Held,
    /// Whether a close left it out, and how much of it came here before the access had ended; none: it is
    /// held.
    pub left_out: Option<LeftOut>,
    /// Whether this device can accept it.
    pub can_accept: bool,
}

/// Work that a close left out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeftOut {
    /// How many of the envelopes came to this device before the access had ended.
    pub in_time: u64,
    /// What those are called who closed so.
    pub closers: Vec<String>,
}

/// Somebody's access that has ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ended {
    /// What its holder is called here.
    pub name: String,
    /// Who ended it; none: its time came.
    pub by: Option<String>,
    /// When, by their clock.
    pub at: Timestamp,
    /// Whether they said that the device was lost.
    pub was_lost: bool,
    /// Why, in the words of whoever may write there; empty when nobody said.
    pub reason: String,
    /// How many others' access ended with it.
    pub others: u64,
}

/// Whose access is to end, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EndWhat {
    /// The System on whose page it was asked.
    pub space: SpaceId,
    /// The grant there.
    pub grant: EnvelopeId,
    /// Everything that its holder may anywhere, because the device was lost; else that grant.
    pub everywhere: bool,
    /// With all that they ever wrote there; else what is here now stays. Of one grant alone.
    pub from_the_start: bool,
    /// Which grants do not stay either, of those that a lost device gave.
    pub cut: BTreeSet<EnvelopeId>,
}

/// What ending somebody's access would do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ending {
    /// What was asked.
    pub what: EndWhat,
    /// System by System.
    pub places: Vec<EndingPlace>,
    /// Where the access stays, because this device stands no nearer the System's own key.
    pub beyond: Vec<String>,
}

/// What ends in one System or agent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EndingPlace {
    /// What it is called.
    pub title: String,
    /// Whose access ends, what of it, and why.
    pub ends: Vec<Ends>,
    /// Who keeps which power until when, by another grant.
    pub kept: Vec<(String, Capability, Timestamp)>,
    /// Whom a lost device let in, what they may until when, and whether they stay: only people know whether it
    /// was its owner who let them in.
    pub stay: Vec<LetIn>,
    /// How much of what they wrote would no longer count, and how much would although they are to go
    /// from the start: others wrote on top of it.
    pub written: (u64, u64),
    /// How much of what waits for somebody's word would never count.
    pub discarded: u64,
    /// How many more devices the code by which they came let in, and until when: it ends with them, and
    /// others who came by it stay.
    pub code: Option<(u16, Timestamp)>,
}

/// Somebody's access that ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ends {
    /// What its holder is called.
    pub name: String,
    /// What they may; none where that is said elsewhere.
    pub may: Option<Capability>,
    /// Why it ends with a lost device; none: it is what people chose to end.
    pub why: Option<WhyCut>,
}

/// Why somebody's access ends with a lost device, though it is another's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WhyCut {
    /// It is an invitation that the lost device made.
    Invitation,
    /// Its holder has access without the lost device, and keeps that.
    More,
    /// The lost device made its holder an administrator: the owner, or a thief.
    Administrator,
    /// People said so.
    Named,
    /// It was given by something that somebody does not keep.
    Below,
}

/// What a lost device let somebody do in one System: each access that differs is decided by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LetIn {
    /// By which grants.
    pub grants: BTreeSet<EnvelopeId>,
    /// What its holder is called.
    pub name: String,
    /// What they may, and until when.
    pub may: (Capability, Timestamp),
    /// Whether they stay.
    pub stays: bool,
}

/// Why an invitation lets in nobody else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CodeEnd {
    /// As many devices came by it as it lets in.
    Used,
    /// Somebody who came by it was sent away.
    GuestSentAway,
}

/// Somebody with a grant.
#[derive(Clone, Debug)]
pub struct Member {
    /// Their key.
    pub key: AuthorId,
    /// What it is called here.
    pub name: String,
    /// What it is.
    pub kind: PeerKind,
    /// What it may do.
    pub may: Capability,
    /// From when.
    pub begin: Timestamp,
    /// Until when.
    pub end: Timestamp,
    /// How many grants may follow below it: it can be given on as often.
    pub depth: u8,
    /// Through whom it came.
    pub through: Through,
    /// The grant itself.
    pub grant: EnvelopeId,
    /// Why, in the words of whoever may write there; empty when nobody said.
    pub reason: String,
    /// When it was last connected here, as far as is known.
    pub seen: Option<Timestamp>,
    /// Whether it is connected here now.
    pub presence: Presence,
    /// Why it is an invitation that lets in nobody else.
    pub code_end: Option<CodeEnd>,
    /// Of an invitation: how many more devices it lets in, and until when its code works.
    pub left: Option<(u16, Timestamp)>,
    /// Of an emergency key: when it was last opened, and why; none: never.
    pub opened: Option<(Timestamp, String)>,
    /// Whether this device can end it.
    pub can_end: bool,
    /// Whether this device can give it anew.
    pub can_renew: bool,
}

/// Access that ends is pointed out this long before at most.
const SOON_MAX: Duration = Duration::from_hours(72);

/// It is pointed out in the last of so many parts of its time.
const SOON_PARTS: u32 = 10;

/// Whether what lasts from the one time until the other ends soon: in the last tenth of its time, and
/// within three days.
pub fn ends_soon(now: Timestamp, (begin, end): (Timestamp, Timestamp)) -> bool {
    let soon = (end.since(begin) / SOON_PARTS).min(SOON_MAX);
    begin <= now && now <= end && end <= now.plus(soon)
}

impl Late {
    /// Whether an administrator decides about it; what else waits counts by itself one day, or never.
    pub fn is_undecided(&self) -> bool {
        self.left_out.is_some() || matches!(self.held, Held::Expired | Held::RedeemedLate)
    }

    /// Whether nothing can make it count.
    pub fn is_for_nothing(&self) -> bool {
        self.left_out.is_none() && self.held == Held::Redeemed
    }
}

impl Member {
    /// Whether somebody loses access soon: time to give it anew. A relay whose time has come stores and
    /// forwards no more.
    pub fn ends_soon(&self, now: Timestamp) -> bool {
        let is_holder = matches!(
            self.kind,
            PeerKind::Here | PeerKind::Device | PeerKind::Agent | PeerKind::Relay
        );
        is_holder && ends_soon(now, (self.begin, self.end))
    }
}

impl Trust {
    /// Until when an access lasts that is given anew: for as long as it was given for, and no longer than what
    /// this device gives it from.
    pub fn renewed_until(&self, member: &Member, now: Timestamp) -> Timestamp {
        let end = now.plus(member.end.since(member.begin));
        let own = self.members.iter().filter(|it| {
            let gives = it.may == Capability::Administer && it.depth > 0;
            it.kind == PeerKind::Here && gives && it.end > now
        });
        own.map(|it| it.end).max().map_or(end, |own| own.min(end))
    }

    /// Whose access ends soon; who has another that lasts is left out.
    pub fn ending_soon(&self, now: Timestamp) -> impl Iterator<Item = &Member> {
        let lasts = move |soon: &Member| {
            self.members.iter().any(|it| {
                let as_much = it.key == soon.key && it.may >= soon.may;
                as_much && it.end > soon.end && !it.ends_soon(now)
            })
        };
        let members = self.members.iter();
        members.filter(move |it| it.ends_soon(now) && !lasts(it))
    }
}

/// Whether somebody is connected here.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Presence {
    /// Now.
    Here,
    /// Not now.
    #[default]
    Away,
}

/// Through whom somebody may do something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Through {
    /// The System's own key: it began there.
    Root,
    /// A grant of this one.
    Member(String),
    /// An invitation of this one.
    Invitation(String),
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: Duration = Duration::from_hours(1);

    /// An access of eight hours is pointed out too, in its last tenth; one of years three days before.
    #[test]
    fn access_ends_soon_in_the_last_tenth_of_its_time_and_within_three_days() {
        let begin = Timestamp::from_millis(1_800_000_000_000);
        for (span, before, soon) in [
            (8 * HOUR, HOUR, false),
            (8 * HOUR, HOUR / 2, true),
            (8 * HOUR, Duration::ZERO, true),
            (240 * HOUR, 25 * HOUR, false),
            (240 * HOUR, 23 * HOUR, true),
            (24 * 365 * HOUR, 73 * HOUR, false),
            (24 * 365 * HOUR, 71 * HOUR, true),
        ] {
            let end = begin.plus(span);
            let now = end.minus(before);
            assert_eq!(ends_soon(now, (begin, end)), soon, "{span:?} {before:?}");
            assert!(!ends_soon(end.plus(HOUR), (begin, end)), "it is over");
            assert!(!ends_soon(begin.minus(HOUR), (begin, end)), "it comes");
        }
    }
}
