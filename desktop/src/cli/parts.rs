//! What a verb says on its way, before its answer: printed at once, wherever the verb is answered.

use tokio::sync::mpsc;

tokio::task_local! {
    static PARTS: mpsc::Sender<Part>;
}

/// What is said on the way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    /// The beginning of the answer: for standard output.
    Answer(String),
    /// Why there is no answer yet: for standard error.
    Waits(String),
}

/// Does something whose parts go there.
pub(crate) async fn to<F: Future>(parts: mpsc::Sender<Part>, verb: F) -> F::Output {
    PARTS.scope(parts, verb).await
}

/// Says something of the answer already. Waits for a slow reader; one that went away hears nothing.
pub(crate) async fn say(text: String) {
    tell(Part::Answer(text)).await;
}

/// Says for what it waits.
pub(crate) async fn say_waits(text: String) {
    tell(Part::Waits(text)).await;
}

async fn tell(part: Part) {
    let Ok(parts) = PARTS.try_with(Clone::clone) else {
        return;
    };
    if parts.send(part).await.is_err() {
        tracing::debug!("nobody reads along any more");
    }
}
