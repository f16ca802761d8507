//! A database file seen through memory: what is written stays there, and the file is only read.
//!
//! redb cannot be opened without room to write, because opening repairs what an error left behind.
//! On a full disk it is opened on this, so that reading goes on.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use redb::StorageBackend;

const BLOCK_LEN_BYTES: usize = 4_096;
/// How much may be written over the file: a repair writes little, and only to places that hold no
/// committed data.
const BLOCKS_MAX: usize = (64 << 20) / BLOCK_LEN_BYTES;

/// A file below, and blocks in memory above it.
#[derive(Debug)]
pub(super) struct Overlay(Mutex<Blocks>);

#[derive(Debug)]
struct Blocks {
    file: File,
    /// How much of the file still shows: less than all of it once the whole was made shorter.
    file_len: u64,
    len: u64,
    written: BTreeMap<u64, [u8; BLOCK_LEN_BYTES]>,
}

/// A part of one block.
struct Span {
    block: u64,
    from: usize,
    len: usize,
}

impl Overlay {
    /// Opens a file for reading only.
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        let file = File::open(path)?;
        let len = file.metadata()?.len();
        Ok(Self(Mutex::new(Blocks {
            file,
            file_len: len,
            len,
            written: BTreeMap::new(),
        })))
    }

    fn blocks(&self) -> MutexGuard<'_, Blocks> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Blocks {
    fn check(&self, offset: u64, len: usize) -> io::Result<()> {
        let end = u64::try_from(len)
            .ok()
            .and_then(|len| offset.checked_add(len));
        if end.is_none_or(|end| end > self.len) {
            return Err(io::Error::from(io::ErrorKind::UnexpectedEof));
        }
        Ok(())
    }

    /// A block as it is now; zero where there is nothing.
    fn block(&mut self, block: u64) -> io::Result<[u8; BLOCK_LEN_BYTES]> {
        if let Some(written) = self.written.get(&block) {
            return Ok(*written);
        }
        let mut bytes = [0; BLOCK_LEN_BYTES];
        let start = block * BLOCK_LEN_BYTES as u64;
        let shown = self.file_len.saturating_sub(start);
        let shown = usize::try_from(shown).map_or(BLOCK_LEN_BYTES, |len| len.min(BLOCK_LEN_BYTES));
        if shown > 0 {
            self.file.seek(SeekFrom::Start(start))?;
            self.file.read_exact(&mut bytes[..shown])?;
        }
        Ok(bytes)
    }
}

/// Cuts a range at the ends of blocks.
fn spans(mut offset: u64, mut len: usize) -> impl Iterator<Item = Span> {
    std::iter::from_fn(move || {
        if len == 0 {
            return None;
        }
        let from = usize::try_from(offset % BLOCK_LEN_BYTES as u64).ok()?;
        let span = Span {
            block: offset / BLOCK_LEN_BYTES as u64,
            from,
            len: len.min(BLOCK_LEN_BYTES - from),
        };
        offset += span.len as u64;
        len -= span.len;
        Some(span)
    })
}

impl StorageBackend for Overlay {
    fn len(&self) -> io::Result<u64> {
        Ok(self.blocks().len)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let mut blocks = self.blocks();
        blocks.check(offset, out.len())?;
        let mut done = 0;
        for span in spans(offset, out.len()) {
            let block = blocks.block(span.block)?;
            out[done..done + span.len].copy_from_slice(&block[span.from..span.from + span.len]);
            done += span.len;
        }
        Ok(())
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        let mut blocks = self.blocks();
        if len < blocks.len {
            // What is made longer again must be zero there.
            blocks.file_len = blocks.file_len.min(len);
            let whole = len / BLOCK_LEN_BYTES as u64;
            let mut cut = blocks.written.split_off(&whole);
            if let Some(mut last) = cut.remove(&whole) {
                let keep = usize::try_from(len % BLOCK_LEN_BYTES as u64).unwrap_or(0);
                last[keep..].fill(0);
                blocks.written.insert(whole, last);
            }
        }
        blocks.len = len;
        Ok(())
    }

    fn sync_data(&self) -> io::Result<()> {
        Ok(())
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        let mut blocks = self.blocks();
        blocks.check(offset, data.len())?;
        let mut done = 0;
        for span in spans(offset, data.len()) {
            let mut block = blocks.block(span.block)?;
            block[span.from..span.from + span.len].copy_from_slice(&data[done..done + span.len]);
            if blocks.written.len() >= BLOCKS_MAX && !blocks.written.contains_key(&span.block) {
                return Err(io::Error::from(io::ErrorKind::StorageFull));
            }
            blocks.written.insert(span.block, block);
            done += span.len;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_and_the_file_stays_as_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        let before: Vec<u8> = (0..10_000_u32).map(|at| at.to_le_bytes()[0]).collect();
        std::fs::write(&path, &before).unwrap();
        let overlay = Overlay::open(&path).unwrap();
        let mut expected = before.clone();
        overlay.write(4_000, &[0xAA; 5_000]).unwrap();
        expected[4_000..9_000].fill(0xAA);
        let mut all = vec![0; 10_000];
        overlay.read(0, &mut all).unwrap();
        assert_eq!(all, expected);
        // Shorter, then longer than the file: what was cut off does not come back.
        overlay.set_len(5_000).unwrap();
        assert!(overlay.read(4_999, &mut [0; 2]).is_err());
        overlay.set_len(12_000).unwrap();
        expected.truncate(5_000);
        expected.resize(12_000, 0);
        let mut all = vec![1; 12_000];
        overlay.read(0, &mut all).unwrap();
        assert_eq!(all, expected);
        assert_eq!(std::fs::read(&path).unwrap(), before);
    }
}
