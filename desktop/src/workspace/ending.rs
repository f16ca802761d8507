//! Ending somebody's access from the window: what it would do, and doing it.

use aramaki_sync::replica::Keep;
use aramaki_sync_core::Timestamp;
use aramaki_sync_core::statement::Capability;

use super::at_agents::AtAgent;
use super::live::Live;
use super::lost::{Holder, LostPlan, SpacePlan};
use super::reason::EndReason;
use super::roster::GrantRow;
use crate::cli::CliError;
use crate::view::{EndWhat, Ending, EndingPlace, Ends, LetIn, WhyCut};

impl Live {
    /// What ending an access would do.
    ///
    /// # Errors
    /// When the grant has ended meanwhile, or this device may not end it.
    pub(super) async fn ending(&self, what: EndWhat) -> Result<Ending, CliError> {
        let titled = |title: Option<String>, space: aramaki_sync_core::SpaceId| {
            title.unwrap_or_else(|| space.short())
        };
        let id = what.grant.to_string();
        let cutting = self.cutting(what.space, &id, kept(&what)).await?;
        if !what.everywhere {
            let count = |n: usize| u64::try_from(n).unwrap_or(u64::MAX);
            let written = cutting.written;
            let place = EndingPlace {
                title: titled(self.title(what.space), what.space),
                kept: kept_of(cutting.kept),
                stay: Vec::new(),
                ends: ends_of(cutting.grants, cutting.at_agents),
                written: (count(written.gone), count(written.stays)),
                discarded: count(written.discarded),
                code: cutting.code.and_then(|it| it.left),
            };
            return Ok(Ending {
                what,
                places: vec![place],
                beyond: Vec::new(),
            });
        }
        let plan = self.plan_of_loss(&what).await?;
        let places = plan.spaces.into_iter().map(|it| EndingPlace {
            ends: ends_with(&it),
            kept: keep_less(&it),
            stay: let_in(&it),
            title: titled(it.title, it.space),
            written: (0, 0),
            discarded: 0,
            code: None,
        });
        let beyond = plan.beyond.into_iter();
        Ok(Ending {
            what,
            places: places.collect(),
            beyond: beyond.map(|(space, title)| titled(title, space)).collect(),
        })
    }

    /// Ends an access, and says why in the Systems where it was.
    ///
    /// # Errors
    /// As [`Live::ending`], and when the store refuses.
    pub(super) async fn end(&self, what: EndWhat, reason: &str) -> Result<(), CliError> {
        if what.everywhere {
            let plan = self.plan_of_loss(&what).await?;
            return self.end_lost(&plan, reason).await;
        }
        // With a guest ends the invitation by which only they came.
        let id = what.grant.to_string();
        let cutting = self.cutting(what.space, &id, kept(&what)).await?;
        match cutting.grants.first() {
            Some(first) => {
                let why = EndReason::in_words(reason);
                self.revoke(what.space, first.id, kept(&what), &why).await
            }
            None => Err(CliError::NoSuchGrant { wanted: id }),
        }
    }

    async fn plan_of_loss(&self, what: &EndWhat) -> Result<LostPlan, CliError> {
        let cut: Vec<_> = what.cut.iter().map(ToString::to_string).collect();
        self.plan_lost(&self.device_of(what).await?, &cut).await
    }

    async fn device_of(&self, what: &EndWhat) -> Result<String, CliError> {
        let wanted = what.grant.to_string();
        let grants = self.grants(what.space).await?;
        let row = grants.into_iter().find(|it| it.id == what.grant);
        row.map(|it| it.author.to_string())
            .ok_or(CliError::NoSuchGrant { wanted })
    }
}

/// Whose access ends, and at which agents.
fn ends_of(grants: Vec<GrantRow>, at_agents: Vec<AtAgent>) -> Vec<Ends> {
    let here = grants.into_iter().map(|it| Ends {
        name: it.who,
        may: Some(it.capability),
        why: None,
    });
    let there = at_agents.into_iter().map(|it| Ends {
        name: format!("{} ({})", it.grant.who, it.label),
        may: None,
        why: None,
    });
    here.chain(there).collect()
}

/// What ends with a lost device, and why. Whom people named has a row of its own, which would move with all
/// below it if it were said here too.
fn ends_with(plan: &SpacePlan) -> Vec<Ends> {
    let entry = |holder: &Holder, why| Ends {
        name: holder.who.clone(),
        may: Some(holder.capability),
        why,
    };
    let mut ends: Vec<_> = plan.lost.iter().map(|it| entry(it, None)).collect();
    for (holder, why) in plan.cut.iter().filter(|(_, why)| *why != WhyCut::Named) {
        let entry = entry(holder, Some(*why));
        if !ends.contains(&entry) {
            ends.push(entry);
        }
    }
    ends
}

/// What those keep without the lost device to whom it had given more. What they keep through it has a line of its
/// own, and people decide about that.
fn keep_less(plan: &SpacePlan) -> Vec<(String, Capability, Timestamp)> {
    let mut kept: Vec<&Holder> = Vec::new();
    for (holder, _why) in &plan.cut {
        if let Some(stays) = plan.stays(holder.author)
            && !stays.by_lost
            && !kept.contains(&stays)
        {
            kept.push(stays);
        }
    }
    let kept = kept.into_iter();
    kept.map(|it| (it.who.clone(), it.capability, it.end))
        .collect()
}

/// Whom a lost device let in, one line for each access that differs; who administers by it does not stay,
/// whatever people say.
fn let_in(plan: &SpacePlan) -> Vec<LetIn> {
    let entry = |holder: &Holder, stays| LetIn {
        grants: holder.grants.clone(),
        name: holder.who.clone(),
        may: (holder.capability, holder.end),
        stays,
    };
    let stay = plan.kept.iter().filter(|it| it.by_lost);
    let cut = plan.cut.iter().filter(|(_, why)| *why == WhyCut::Named);
    let mut all: Vec<_> = stay.map(|holder| entry(holder, true)).collect();
    all.extend(cut.map(|(holder, _)| entry(holder, false)));
    all.sort_by(|a, b| (&a.name, a.may, &a.grants).cmp(&(&b.name, b.may, &b.grants)));
    all
}

/// What whose access ends may do on, by other grants.
fn kept_of(grants: Vec<GrantRow>) -> Vec<(String, Capability, Timestamp)> {
    let kept = grants.into_iter();
    kept.map(|it| (it.who, it.capability, it.end)).collect()
}

/// What stays of what they wrote.
const fn kept(what: &EndWhat) -> Keep {
    if what.from_the_start && !what.everywhere {
        Keep::Nothing
    } else {
        Keep::WhatIsHere
    }
}
