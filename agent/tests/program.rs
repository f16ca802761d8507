//! The real program: which keys it refuses.

#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "a failed step fails its test")]

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;

use aramaki_sync::keys;
use aramaki_sync_core::entropy::Entropy;
use aramaki_sync_core::id::PrincipalId;
use aramaki_sync_core::invitation::{Draft, Invitee, Terms};
use aramaki_sync_core::statement::Capability;
use aramaki_sync_core::{EnvelopeId, SpaceId, Timestamp};

/// An agent whose key others could have read does not start with it, says which file that is, and leaves it as it
/// was. With the mode that it should have the same key is taken: what is missing then is an invitation.
#[test]
fn a41_an_agent_does_not_start_with_a_key_that_others_can_read() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    std::fs::create_dir(&data).unwrap();
    std::fs::set_permissions(&data, Permissions::from_mode(0o700)).unwrap();
    let config = folder.path().join("agent.toml");
    std::fs::write(&config, "").unwrap();
    let key = data.join("agent.key");
    keys::create(&key, None).unwrap();
    let bytes = std::fs::read(&key).unwrap();
    let run = |mode, verb: &[&str]| {
        std::fs::set_permissions(&key, Permissions::from_mode(mode)).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_aramaki-agent"));
        command.env_clear().arg("--config").arg(&config);
        let output = command.arg("--data").arg(&data).args(verb).output();
        let output = output.unwrap();
        assert_eq!(output.status.code(), Some(1));
        String::from_utf8(output.stderr).unwrap()
    };
    let code = code();
    for mode in [0o644, 0o640, 0o604] {
        let said = run(mode, &["join", &code]);
        assert!(said.contains("agent.key"), "{mode:o}: {said}");
        assert_eq!(std::fs::read(&key).unwrap(), bytes);
        assert!(!data.join("replica").exists());
    }
    let said = run(0o600, &["run"]);
    assert!(
        said.contains("has not joined") && !said.contains("agent.key"),
        "{said}"
    );
}

/// A code for an agent, of a Space that nobody has.
fn code() -> String {
    let end = Timestamp::from_millis(4_000_000_000_000);
    let terms = Terms {
        invitee: Invitee::Agent,
        parent: EnvelopeId::from_bytes([1; 32]),
        principal: PrincipalId::ZERO,
        capability: Capability::Write,
        not_before: Timestamp::ZERO,
        end,
        redeem_until: end,
        redemptions: 1,
        long_grace: false,
    };
    let draft = Draft::new(&terms, &mut Entropy::from_seed([5; 32]));
    let space = SpaceId::from_bytes([2; 32]);
    let code = draft.issued(space, EnvelopeId::from_bytes([3; 32]), Vec::new());
    code.to_text().unwrap().to_string()
}
