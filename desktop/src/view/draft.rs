//! A note to be drafted from what is known: for the next shift, or after an incident.

use aramaki_model::handover::Period;
use aramaki_sync_core::SpaceId;

/// What is drafted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DraftKind {
    /// What the next shift must know.
    Handover,
    /// What went wrong, and what follows.
    PostMortem,
}

/// A draft that somebody asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Draft {
    /// What.
    pub kind: DraftKind,
    /// Of which System and its parts; it becomes a note there.
    pub system: SpaceId,
    /// Of which time.
    pub period: Period,
    /// What the note is called.
    pub title: String,
    /// The words in it that are not of the timelines.
    pub words: DraftWords,
}

/// The words between what is known, in the language of whoever drafts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DraftWords {
    /// What is still wrong.
    pub open: String,
    /// What was wrong and is over.
    pub over: String,
    /// What was changed.
    pub changed: String,
    /// What people said.
    pub said: String,
    /// What is silenced or under maintenance.
    pub quiet: String,
    /// Where there is nothing to tell.
    pub nothing: String,
    /// Where there may be more than a draft takes.
    pub more: String,
    /// Before the time since when something is wrong.
    pub since: String,
    /// Before the time until when something holds.
    pub until: String,
    /// Before who was told of something.
    pub told: String,
    /// Before who knew of something.
    pub known: String,
    /// Before the time of a later sign of what was not heard.
    pub heard: String,
    /// Where nobody was told that something is over, and nothing was heard since.
    pub unheard: String,
    /// Before the time since when nobody looks any more.
    pub gone: String,
    /// What is wrong with a check of which no result comes.
    pub no_result: String,
    /// Before what such a check said last.
    pub last_result: String,
    /// What is wrong with an agent that is not heard.
    pub silent: String,
    /// What has no name any more.
    pub nameless: String,
    /// Before what the next shift should do, for people to write.
    pub next: String,
    /// The sections of a post-mortem that people write: what happened, whom it hit, why, what follows.
    pub sections: [String; 4],
    /// What happened when.
    pub timeline: String,
    /// What leads to the alert that began with an entry.
    pub alert: String,
}

impl DraftWords {
    /// As the verbs say it.
    pub fn english() -> Self {
        Self {
            open: "Still wrong".to_owned(),
            over: "Was wrong and is over".to_owned(),
            changed: "Changed".to_owned(),
            said: "Said".to_owned(),
            quiet: "Silenced and under maintenance".to_owned(),
            nothing: "Nothing.".to_owned(),
            more: "There may be more than a draft takes: `aramaki timeline --since` has all."
                .to_owned(),
            since: "since".to_owned(),
            until: "until".to_owned(),
            told: "told".to_owned(),
            known: "known to".to_owned(),
            heard: "heard again by".to_owned(),
            unheard: "nothing was heard since".to_owned(),
            gone: "looked at no more since".to_owned(),
            no_result: "no fresh result".to_owned(),
            last_result: "the last one was".to_owned(),
            silent: "agent not heard".to_owned(),
            nameless: "a check or agent that was removed".to_owned(),
            next: "To do next".to_owned(),
            sections: [
                "What happened".to_owned(),
                "Whom it hit".to_owned(),
                "Why".to_owned(),
                "What follows".to_owned(),
            ],
            timeline: "Timeline".to_owned(),
            alert: "alert".to_owned(),
        }
    }
}
