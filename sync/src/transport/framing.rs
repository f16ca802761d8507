//! Length-prefixed frames on a QUIC stream.

use bytes::{BufMut as _, Bytes, BytesMut};
use iroh::endpoint::{ReadExactError, RecvStream};
use thiserror::Error;

/// The longest frame; the engine's own limit is lower.
pub const FRAME_BYTES_MAX: usize = 1 << 20;
const READ_STEP_BYTES: usize = 64 << 10;

/// A stream on which no frame can be read any more.
#[derive(Debug, Error)]
pub(super) enum FrameError {
    #[error("stream ended")]
    Stream(#[from] ReadExactError),
    #[error("frame of {0} bytes is over the limit")]
    TooLong(usize),
}

/// The frame with its length before it.
pub(super) fn framed(frame: &[u8]) -> Option<Bytes> {
    if frame.len() > FRAME_BYTES_MAX {
        return None;
    }
    let mut bytes = BytesMut::with_capacity(frame.len() + 4);
    bytes.put_u32(u32::try_from(frame.len()).ok()?);
    bytes.put_slice(frame);
    Some(bytes.freeze())
}

/// Reads one frame. Memory grows with what arrived, not with what was announced.
pub(super) async fn read(stream: &mut RecvStream, max: usize) -> Result<Vec<u8>, FrameError> {
    let mut len = [0; 4];
    stream.read_exact(&mut len).await?;
    let len = usize::try_from(u32::from_be_bytes(len)).unwrap_or(usize::MAX);
    if len > max {
        return Err(FrameError::TooLong(len));
    }
    let mut frame = Vec::with_capacity(len.min(READ_STEP_BYTES));
    while frame.len() < len {
        let start = frame.len();
        frame.resize(len.min(start + READ_STEP_BYTES), 0);
        stream.read_exact(&mut frame[start..]).await?;
    }
    Ok(frame)
}
