//! Asks whether somebody's access is to be given anew, and says until when that would be.

use egui::{Label, RichText, Ui};

use super::dialog::{Dialog, Next, head_ui, primary};
use super::peers::may_until;
use super::trust::member_name;
use crate::theme::{size, space};
use crate::view::{Frame, Intent};
use crate::widget::Look;

/// Draws what is asked.
pub(super) fn renew_ui(
    ui: &mut Ui,
    look: Look<'_>,
    frame: &Frame,
    dialog: &Dialog,
    intents: &mut Vec<Intent>,
) -> Next {
    let Dialog::Renew {
        space: place,
        grant,
    } = dialog
    else {
        return Next::Stay;
    };
    let found = frame.trust.get(place).and_then(|trust| {
        let member = trust.members.iter().find(|it| it.grant == *grant)?;
        Some((member, trust.renewed_until(member, look.now)))
    });
    // It ended while somebody thought about it, or is given anew already.
    let Some((member, end)) = found else {
        return Next::Close;
    };
    let name = member_name(look, member);
    head_ui(
        ui,
        look,
        &look.texts.with("trust-renew-name", &[("name", &name)]),
    );
    let (before, then) = (
        may_until(look, member.may, member.end),
        may_until(look, member.may, end),
    );
    let said = [("before", before.as_str()), ("then", &then)];
    ui.add(Label::new(look.texts.with("trust-renew-until", &said)).wrap());
    let hint = RichText::new(look.texts.get("trust-renew-hint")).size(size::SMALL);
    ui.add(Label::new(hint.color(look.tokens.subdued)).wrap());
    ui.add_space(space::S);
    let mut next = Next::Stay;
    ui.horizontal(|ui| {
        if ui.add(primary(look, "trust-renew-do")).clicked() {
            intents.push(Intent::Renew {
                space: *place,
                grant: *grant,
            });
            next = Next::Close;
        }
        if ui.button(look.texts.get("action-cancel")).clicked() {
            next = Next::Close;
        }
    });
    next
}
