//! What a verb says on its way, before its answer: printed at once, wherever the verb is answered.

use tokio::sync::mpsc;

tokio::task_local! {
    static PARTS: mpsc::Sender<String>;
}

/// Does something whose parts go there.
pub(crate) async fn to<F: Future>(parts: mpsc::Sender<String>, verb: F) -> F::Output {
    PARTS.scope(parts, verb).await
}

/// Says something already. Waits for a slow reader; one that went away hears nothing.
pub(crate) async fn say(text: String) {
    let Ok(parts) = PARTS.try_with(Clone::clone) else {
        return;
    };
    if parts.send(text).await.is_err() {
        tracing::debug!("nobody reads along any more");
    }
}
