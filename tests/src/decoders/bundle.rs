//! Files and texts that carry Spaces.

use aramaki_sync_core::bundle::{Bundle, MAGIC, Section, check_invited};
use aramaki_sync_core::invitation::{Draft, Invitee, Terms};
use aramaki_sync_core::statement::Capability;
use aramaki_sync_core::{EnvelopeId, PrincipalId};

use super::Decoder;
use super::wire::{Founded, NOW, entropy};

/// Given bytes are looked at as they are, as a text, and as what stands between a bundle's first line and
/// its checksum: no search would find a checksum that fits.
pub(super) const BUNDLE: Decoder = Decoder {
    name: "bundle",
    run: |bytes| {
        look(bytes);
        let content = [MAGIC, b"1\n", bytes].concat();
        let sum = blake3::derive_key("aramaki bundle checksum v1", &content);
        look(&[&content[..], &sum].concat());
        if let Ok(text) = std::str::from_utf8(bytes)
            && let Ok(bundle) = Bundle::from_text(text)
            && let Ok(text) = bundle.to_text()
        {
            assert_eq!(Bundle::from_text(&text).as_ref(), Ok(&bundle));
        }
    },
    seeds: || {
        let bundle = bundle();
        let bytes = bundle.encode().map(|it| it.to_vec()).unwrap_or_default();
        let from = MAGIC.len() + 2;
        let inner = bytes.get(from..bytes.len().saturating_sub(32));
        let text = bundle.to_text().ok();
        let text = text.map(|it| it.as_bytes().to_vec());
        let inner = inner.map(<[u8]>::to_vec);
        [Some(bytes), inner, text].into_iter().flatten().collect()
    },
};

/// What reads is the same when it is written and read again, and what verifies is judged without a panic.
fn look(bytes: &[u8]) {
    let Ok(bundle) = Bundle::decode(bytes) else {
        return;
    };
    let again = bundle.encode().and_then(|bytes| Bundle::decode(&bytes));
    assert_eq!(again.as_ref(), Ok(&bundle));
    let invitation = bundle.invitation.clone();
    if let Ok(sections) = bundle.verify()
        && let Some(invitation) = invitation
    {
        drop(check_invited(&invitation, &sections, NOW));
    }
}

fn bundle() -> Bundle {
    let founded = Founded::new();
    let terms = Terms {
        invitee: Invitee::Person,
        parent: founded.root.id(),
        principal: PrincipalId::from_bytes([1; 16]),
        capability: Capability::Write,
        not_before: NOW,
        end: NOW,
        redeem_until: NOW,
        redemptions: 1,
        long_grace: true,
    };
    let draft = Draft::new(&terms, &mut entropy());
    let invitation = draft.issued(founded.space, EnvelopeId::from_bytes([8; 32]), Vec::new());
    let written = [&founded.root, &founded.grant, &founded.note(7)];
    let envelopes = written.into_iter().map(|it| it.raw().clone()).collect();
    Bundle {
        invitation: Some(invitation),
        sections: vec![Section {
            space: founded.space,
            envelopes,
        }],
    }
}
