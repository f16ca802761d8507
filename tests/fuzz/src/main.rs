//! Searches for bytes that break a decoder: `tests/fuzz/run NAME SECONDS`.
#![no_main]

use std::sync::LazyLock;

use aramaki_tests::decoders::{DECODERS, Decoder};
use libfuzzer_sys::fuzz_target;

static DECODER: LazyLock<&'static Decoder> = LazyLock::new(|| {
    let name = std::env::var("ARAMAKI_DECODER").unwrap_or_default();
    let found = DECODERS.iter().find(|decoder| decoder.name == name);
    found.unwrap_or_else(|| panic!("ARAMAKI_DECODER names no decoder: {name:?}"))
});

fuzz_target!(init: {
    // What libFuzzer hooks in would end the process at panics that the gate catches.
    drop(std::panic::take_hook());
    if let Some(folder) = std::env::var_os("ARAMAKI_SEEDS") {
        for (number, seed) in (DECODER.seeds)().iter().enumerate() {
            let file = std::path::Path::new(&folder).join(format!("seed-{number}"));
            std::fs::write(file, seed).expect("seeds are written");
        }
    }
}, |bytes: &[u8]| {
    if let Err(why) = DECODER.attack(bytes) {
        eprintln!("{}: {why}", DECODER.name);
        std::process::abort();
    }
});
