//! Text that people paste, and text that programs print.

use aramaki_model::{Exit, PluginOutput, Range, Selector};
use aramaki_sync::transport::PeerAddress;
use aramaki_sync_core::invitation::{Draft, Invitation, Invitee, Terms};
use aramaki_sync_core::statement::Capability;
use aramaki_sync_core::{EnvelopeId, PrincipalId, SpaceId};

use super::Decoder;
use super::wire::{NOW, entropy};

pub(super) const INVITATION: Decoder = Decoder {
    name: "invitation",
    run: |bytes| {
        let Ok(text) = std::str::from_utf8(bytes) else {
            return;
        };
        if let Ok(invitation) = text.parse::<Invitation>() {
            let written = invitation.to_text();
            let again = written.ok().and_then(|it| it.parse::<Invitation>().ok());
            assert_eq!(
                again.map(|it| it.keys().author()),
                Some(invitation.keys().author())
            );
        }
    },
    seeds: || {
        let terms = Terms {
            invitee: Invitee::Person,
            parent: EnvelopeId::from_bytes([9; 32]),
            principal: PrincipalId::from_bytes([1; 16]),
            capability: Capability::Read,
            not_before: NOW,
            end: NOW,
            redeem_until: NOW,
            redemptions: 1,
            long_grace: false,
        };
        let draft = Draft::new(&terms, &mut entropy());
        let space = SpaceId::from_bytes([4; 32]);
        let invitation = draft.issued(space, EnvelopeId::from_bytes([8; 32]), Vec::new());
        let text = invitation.to_text().ok();
        text.map(|it| it.as_bytes().to_vec()).into_iter().collect()
    },
};

pub(super) const ADDRESS: Decoder = Decoder {
    name: "address",
    run: |bytes| {
        if let Ok(text) = std::str::from_utf8(bytes)
            && let Ok(address) = text.parse::<PeerAddress>()
        {
            assert_eq!(address.to_string().parse::<PeerAddress>(), Ok(address));
        }
    },
    seeds: || {
        let key = "ea4a6c63e29c520abef5507b132ec5f9954776aebebe7b92421eea691446d22c";
        let full = format!("{key}@192.0.2.1:7410,[2001:db8::1]:7410,https://relay.example.org/");
        vec![key.as_bytes().to_vec(), full.into_bytes()]
    },
};

/// What a plugin prints, and the expressions of thresholds and selectors, which documents hold.
pub(super) const PLUGIN_OUTPUT: Decoder = Decoder {
    name: "plugin_output",
    run: |bytes| {
        let (exit, output) = bytes
            .split_first()
            .map_or((0, bytes), |(it, rest)| (*it, rest));
        let read = PluginOutput::parse(Exit::Code(i32::from(exit)), output, output);
        assert!(!read.summary.is_empty());
        if let Ok(text) = std::str::from_utf8(output) {
            if let Ok(range) = text.parse::<Range>() {
                assert_eq!(range.to_string().parse::<Range>().ok(), Some(range));
            }
            if let Ok(selector) = text.parse::<Selector>() {
                drop(selector.to_string().parse::<Selector>());
            }
        }
    },
    seeds: || {
        let seeds = [
            "\0DISK OK - free space: / 3326 MB (56%);| /=2643MB;5948;5958;0;5968\n/ 15272 MB (77%);\n/boot 68 MB (69%); | /boot=68MB;88;93;0;98",
            "\u{2}@10:20",
            "\u{1}~:5.5",
            "\0kind = service and not env = test",
            "\0'a metric'=1.5e3ms;@1:2;~:3;;",
        ];
        seeds.iter().map(|it| it.as_bytes().to_vec()).collect()
    },
};
