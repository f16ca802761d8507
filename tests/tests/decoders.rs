//! A44: no bytes make a decoder panic, hang or believe. The corpus, and seeded mutations of it.
//!
//! `ARAMAKI_MUTATIONS` sets how many of each decoder; a failure prints the bytes.

#![expect(clippy::unwrap_used, reason = "a step that fails ends the test")]

use std::fs;
use std::path::{Path, PathBuf};

use aramaki_sync_core::Entropy;
use aramaki_tests::decoders::{DECODERS, Decoder};

const MUTATIONS: usize = 5_000;
const LENGTH_BYTES_MAX: usize = 64 << 10;

fn folder(decoder: &Decoder) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("corpus")
        .join(decoder.name)
}

/// What honest peers send, and what a search found worth keeping.
fn corpus(decoder: &Decoder) -> Vec<Vec<u8>> {
    let mut inputs = (decoder.seeds)();
    assert!(!inputs.is_empty(), "{} has no seeds", decoder.name);
    if let Ok(files) = fs::read_dir(folder(decoder)) {
        let mut paths: Vec<_> = files.map(|file| file.unwrap().path()).collect();
        paths.sort_unstable();
        inputs.extend(paths.iter().map(|path| fs::read(path).unwrap()));
    }
    inputs
}

struct Dice(Entropy);

impl Dice {
    fn below(&mut self, bound: usize) -> usize {
        let bound = u64::try_from(bound.max(1)).unwrap();
        usize::try_from(self.0.next_u64() % bound).unwrap()
    }

    fn byte(&mut self) -> u8 {
        self.0.next_u64().to_le_bytes()[0]
    }

    /// One to four changes of one input, sometimes with a piece of another.
    fn bend(&mut self, inputs: &[Vec<u8>]) -> Vec<u8> {
        let mut bytes = inputs[self.below(inputs.len())].clone();
        for _change in 0..=self.below(4) {
            let at = self.below(bytes.len());
            match self.below(8) {
                _ if bytes.is_empty() => bytes.push(self.byte()),
                0 => bytes.truncate(at),
                1 => bytes.insert(at, self.byte()),
                2 => {
                    bytes.remove(at);
                }
                3 => bytes[at] = [0, 1, 0x7f, 0x80, 0xff][self.below(5)],
                4 => bytes[at] ^= 1 << self.below(8),
                5 => {
                    let piece = bytes[at..].to_vec();
                    bytes.extend(piece);
                }
                6 => {
                    let other = &inputs[self.below(inputs.len())];
                    let from = self.below(other.len());
                    bytes.splice(at.., other[from..].iter().copied());
                }
                _ => bytes[at] = self.byte(),
            }
            bytes.truncate(LENGTH_BYTES_MAX);
        }
        bytes
    }
}

#[test]
fn a44_no_bytes_make_a_decoder_panic_or_believe() {
    let mutations = std::env::var("ARAMAKI_MUTATIONS");
    let mutations = mutations.map_or(MUTATIONS, |text| text.parse().unwrap());
    for decoder in &DECODERS {
        let inputs = corpus(decoder);
        let mut dice = Dice(Entropy::from_seed([44; 32]));
        let bent = (0..mutations).map(|_round| dice.bend(&inputs));
        for bytes in inputs.iter().cloned().chain(bent) {
            if let Err(why) = decoder.attack(&bytes) {
                panic!("{}: {why}: {bytes:02x?}", decoder.name);
            }
        }
    }
}
