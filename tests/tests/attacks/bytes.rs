//! Bytes that mean nothing, and files that others can read.

use aramaki_sync_core::Entropy;
use aramaki_sync_core::envelope::RawEnvelope;
use aramaki_sync_core::ephemeral::RawEphemeral;
use aramaki_sync_core::invitation::Invitation;
use serde_bytes::ByteBuf;

use crate::world::{BOB, MALLORY, World};

const ROUNDS: usize = 3_000;

fn noise(entropy: &mut Entropy) -> Vec<u8> {
    let length = usize::try_from(entropy.next_u64() % 400).unwrap();
    (0..length)
        .map(|_at| entropy.next_u64().to_le_bytes()[0])
        .collect()
}

/// No decoder panics on noise, or takes it for something.
#[test]
fn a44_no_decoder_believes_noise() {
    let mut entropy = Entropy::from_seed([44; 32]);
    for _round in 0..ROUNDS {
        let raw = RawEnvelope {
            header: ByteBuf::from(noise(&mut entropy)),
            signature: ByteBuf::from(noise(&mut entropy)),
            body: Some(ByteBuf::from(noise(&mut entropy))),
        };
        assert!(raw.clone().recall().is_err());
        assert!(raw.verify().is_err());
        let bytes = noise(&mut entropy);
        if let Ok(message) = postcard::from_bytes::<RawEphemeral>(&bytes) {
            assert!(message.verify().is_err());
        }
        let text = String::from_utf8_lossy(&bytes).into_owned();
        assert!(text.parse::<Invitation>().is_err());
        let plausible = format!("aramaki1{}", data(&bytes));
        assert!(plausible.parse::<Invitation>().is_err());
    }
}

/// Letters as an invitation has them.
fn data(bytes: &[u8]) -> String {
    let letters = b"abcdefghijklmnopqrstuvwxyz234567";
    let letter = |byte: &u8| char::from(letters[usize::from(*byte % 32)]);
    bytes.iter().map(letter).collect()
}

/// Frames that were altered at one place change nothing that honest peers hold.
#[test]
fn a44_altered_frames_leave_an_engine_as_it_was() {
    let (mut world, mut mallory) = World::with_insider(5_000);
    let said = mallory.write(&world, 1, "a true note");
    let envelopes = vec![said.raw().clone()];
    let mut frame = vec![4];
    frame.extend(postcard::to_stdvec(&(world.space, 9_u64, 0_u64, 0_u64, envelopes)).unwrap());
    let count = world.count(BOB);
    // Behind the numbers of the frame, which only the sender cares for.
    for at in 40..frame.len() {
        let mut altered = frame.clone();
        altered[at] ^= 0x11;
        world.send_bytes(MALLORY, BOB, altered);
        if world.line(MALLORY, BOB).is_none() {
            world.connect(MALLORY, BOB);
        }
        assert_eq!(world.count(BOB), count, "byte {at}");
    }
    world.goes_on();
}

/// A key file that others can read is refused before it is used.
#[cfg(unix)]
#[test]
fn a41_a_key_file_that_others_can_read_is_refused() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o700)).unwrap();
    let file = folder.path().join("device.key");
    let made = aramaki_sync::keys::create(&file, None).unwrap();
    let read = aramaki_sync::keys::read(&file, None).unwrap();
    assert_eq!(read.author(), made.author());
    for mode in [0o644, 0o640, 0o604] {
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(mode)).unwrap();
        let refused = aramaki_sync::keys::read(&file, None).unwrap_err();
        let shown = format!("{refused:?} {refused}");
        assert!(shown.contains("device.key"), "it names the file: {shown}");
    }
}
