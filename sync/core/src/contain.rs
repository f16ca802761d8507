//! Libraries that panic on damaged or hostile bytes: their panic is an answer like any other, and
//! does not reach the terminal of a person who can do nothing about it.

use std::cell::Cell;
use std::panic::{self, AssertUnwindSafe};
use std::sync::Once;

thread_local! {
    /// How many contained calls this thread is in.
    static CONTAINED: Cell<u32> = const { Cell::new(0) };
}

/// Runs what may panic. The value that it worked on must not be used after a panic; the panic
/// message is the error, and is printed nowhere.
///
/// The first call sets a panic hook for the process, which hands everything else to the one that
/// was set before.
///
/// # Errors
/// What the panic said.
pub fn run<T>(call: impl FnOnce() -> T) -> Result<T, String> {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let before = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            if CONTAINED.get() == 0 {
                before(info);
            }
        }));
    });
    CONTAINED.set(CONTAINED.get() + 1);
    let done = panic::catch_unwind(AssertUnwindSafe(call));
    CONTAINED.set(CONTAINED.get() - 1);
    done.map_err(|payload| {
        let text = payload
            .downcast_ref::<&str>()
            .map(|text| (*text).to_owned());
        let text = text.or_else(|| payload.downcast_ref::<String>().cloned());
        text.unwrap_or_else(|| "it panicked".to_owned())
    })
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_panic_is_an_answer_and_the_next_call_works() {
        assert_eq!(super::run(|| 7), Ok(7));
        let panicked: Result<(), _> = super::run(|| panic!("damaged page {}", 5));
        assert_eq!(panicked, Err("damaged page 5".to_owned()));
        assert_eq!(super::run(|| 7), Ok(7));
    }
}
