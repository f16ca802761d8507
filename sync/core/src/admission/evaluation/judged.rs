//! What is known of one entry, and the verdict that follows.

use crate::admission::grant_chain::Refusal;
use crate::admission::known::Knowledge;
use crate::admission::verdict::{Held, Verdict};
use crate::statement::Kind;

/// What is known of one entry.
#[expect(
    clippy::struct_excessive_bools,
    reason = "independent facts of one entry, kept apart because each is learnt at another time"
)]
#[derive(Clone, Copy, Debug)]
pub(super) struct Judged {
    /// By itself.
    pub(super) own: Verdict,
    pub(super) kind: Kind,
    /// Something that it builds on is not here.
    pub(super) waits: bool,
    /// It builds on refused content.
    pub(super) tainted: bool,
    pub(super) vouched: bool,
    pub(super) quarantined: bool,
    /// All content below it counts, or is cut by what it builds on.
    pub(super) clean: bool,
    /// All that it may vouch for below it is vouched for.
    pub(super) vouches: bool,
    /// What the least knowing of those knew who looked through it for what to vouch for.
    pub(super) swept: Option<Knowledge>,
    /// Which revocations and closes it builds on.
    pub(super) knows: Knowledge,
    /// Above that of everything it builds on.
    pub(super) rank: u64,
}

impl Judged {
    pub(super) fn verdict(&self) -> Verdict {
        match self.own {
            own if self.kind == Kind::Control => own,
            _ if self.quarantined => Verdict::Held(Held::Quarantined),
            Verdict::Refused(refusal) => Verdict::Refused(refusal),
            _ if self.tainted => Verdict::Refused(Refusal::Ancestor),
            Verdict::Admitted if self.waits => Verdict::Held(Held::AncestorMissing),
            Verdict::Admitted => Verdict::Admitted,
            _ if self.vouched => Verdict::Vouched,
            own => own,
        }
    }

    pub(super) fn is_refused_content(&self) -> bool {
        self.kind != Kind::Control && matches!(self.own, Verdict::Refused(_))
    }

    /// Whether others may build on it without taking in anything that does not count.
    pub(super) fn is_clean(&self) -> bool {
        !self.waits && !self.tainted && !self.quarantined && self.clean && self.verdict().counts()
    }
}
