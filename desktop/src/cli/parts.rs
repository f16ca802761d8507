//! What a verb says on its way, before its answer: printed at once, wherever the verb is answered.

use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

tokio::task_local! {
    static PARTS: mpsc::Sender<Part>;
    /// Cancelled when the verb changes nothing any more.
    static LOOKS: CancellationToken;
}

/// What is said on the way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    /// The beginning of the answer: for standard output.
    Answer(String),
    /// Why there is no answer yet: for standard error.
    Waits(String),
    /// What was asked is done, and the rest only looks: the command line that asks for that rest alone.
    Rest(Vec<String>),
}

/// Does something whose parts go there.
pub(crate) async fn to<F: Future>(parts: mpsc::Sender<Part>, verb: F) -> F::Output {
    let verb = PARTS.scope(parts, verb);
    LOOKS.scope(CancellationToken::new(), verb).await
}

/// Says that the rest only looks, and how somebody else is asked for it: whoever answers may let go of the workspace.
pub(crate) async fn say_rest(arguments: Vec<String>) {
    // First: whoever lets go says that it is to be asked again, for this and not for the whole.
    tell(Part::Rest(arguments)).await;
    if let Ok(looks) = LOOKS.try_with(Clone::clone) {
        looks.cancel();
    }
}

/// Waits until the verb changes nothing any more.
pub(crate) async fn looks() {
    match LOOKS.try_with(Clone::clone) {
        Ok(looks) => looks.cancelled().await,
        Err(_nowhere) => std::future::pending().await,
    }
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
