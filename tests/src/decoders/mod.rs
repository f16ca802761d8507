//! Every decoder that faces a peer, as a function of bytes that must never panic, hang or believe.
//!
//! `tests/decoders.rs` plays the kept corpus and seeded mutations of it at every test run;
//! `fuzz/` searches further with libFuzzer, guided by coverage.

use std::cell::RefCell;
use std::panic::{self, AssertUnwindSafe};
use std::sync::Once;

mod actions;
mod bundle;
mod documents;
mod engine;
mod imports;
mod listen;
mod text;
mod wire;

/// One decoder under attack.
#[derive(Clone, Copy, Debug)]
pub struct Decoder {
    /// The name of its folder in `tests/corpus/`.
    pub name: &'static str,
    /// Gives it bytes. Panics where it breaks a promise.
    pub run: fn(&[u8]),
    /// What honest peers send it.
    pub seeds: fn() -> Vec<Vec<u8>>,
}

impl Decoder {
    /// Gives it bytes, and says where it broke a promise. Automerge's own panics, which the gate
    /// catches, are not printed.
    ///
    /// # Errors
    /// The message of the panic that was not caught, and where it came from.
    pub fn attack(&self, bytes: &[u8]) -> Result<(), String> {
        thread_local! {
            /// What panicked last, while this thread is under attack.
            static LAST: RefCell<Option<String>> = const { RefCell::new(None) };
        }
        static HOOK: Once = Once::new();
        HOOK.call_once(|| {
            let print = panic::take_hook();
            panic::set_hook(Box::new(move |info| {
                let kept = LAST.with_borrow_mut(|last| {
                    last.as_mut().map(|last| *last = info.to_string()).is_some()
                });
                if !kept {
                    print(info);
                }
            }));
        });
        LAST.set(Some(String::new()));
        let ran = panic::catch_unwind(AssertUnwindSafe(|| (self.run)(bytes)));
        let last = LAST.take().unwrap_or_default();
        ran.map_err(|_payload| last)
    }
}

/// All of them.
pub const DECODERS: [Decoder; 24] = [
    wire::ENVELOPE,
    wire::STATEMENT,
    wire::BODY,
    wire::SNAPSHOT,
    wire::EPHEMERAL,
    wire::HELLO,
    engine::FRAMES,
    documents::CHANGE,
    documents::ENTRY,
    documents::HEARTBEAT,
    documents::AGENT_CONFIG,
    actions::ACTION,
    text::INVITATION,
    bundle::BUNDLE,
    text::ADDRESS,
    text::PLUGIN_OUTPUT,
    imports::SENSU_CORE,
    imports::SENSU_GO,
    imports::NAGIOS,
    imports::PROMETHEUS_RULES,
    imports::CONSUL,
    listen::SENSU,
    listen::ALERTS,
    listen::STATSD,
];
