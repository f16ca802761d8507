//! A bounded look at a change before Automerge decodes it.
//!
//! Automerge's decoder trusts run lengths: a hundred bytes can stand for a million operations.
//! So every column's runs are counted here first. Layout of a plain change chunk:
//! ```text
//! magic 4 | checksum 4 | type 1 = 1 | length
//! dependencies | actor | seq | start op | time | message | other actors | columns | column data
//! ```
//! Numbers are LEB128. Whether the bytes are canonical is decided later, by encoding them again.

use crate::doc::gate::Refusal;

/// How many operations a change may have.
pub(super) const OPERATIONS_MAX: u64 = 20_000;
/// How many changes a change may directly depend on.
pub(super) const DEPENDENCIES_MAX: u64 = 1_000;
/// How many actors besides its own a change may name.
const ACTORS_MAX: u64 = 1_000;
/// How many values the operations of a change may replace.
const PREDECESSORS_MAX: u64 = 2 * OPERATIONS_MAX;
/// How long a change's message may be.
const MESSAGE_LEN_BYTES_MAX: u64 = 256;
/// How long an actor is.
const ACTOR_LEN_BYTES: u64 = 16;

const MAGIC: [u8; 4] = [0x85, 0x6f, 0x4a, 0x83];
const CHUNK_CHANGE: u8 = 1;

/// What the gate needs to know before decoding.
#[derive(Debug)]
pub(super) struct Scanned {
    /// Direct dependencies.
    pub(super) dependencies: Vec<[u8; 32]>,
    /// Whose change it is.
    pub(super) actor: [u8; 16],
    /// Its number among that actor's changes.
    pub(super) seq: u64,
}

/// How the runs of a column are written.
#[derive(Clone, Copy)]
enum Column {
    /// Runs of unsigned numbers.
    Unsigned,
    /// Runs of unsigned numbers, each counting rows of the next columns.
    Group,
    /// Runs of unsigned numbers, each telling the length of a value.
    Lengths,
    /// Runs of signed numbers.
    Signed,
    /// Runs of text.
    Text,
    /// Alternating runs of no and yes.
    Boolean,
    /// Bytes.
    Raw,
}

/// The columns of a change in their order: specification, layout, and the limit of rows.
const COLUMNS: [(u64, Column, u64); 14] = [
    (0x01, Column::Unsigned, OPERATIONS_MAX),
    (0x02, Column::Unsigned, OPERATIONS_MAX),
    (0x11, Column::Unsigned, OPERATIONS_MAX),
    (0x13, Column::Signed, OPERATIONS_MAX),
    (0x15, Column::Text, OPERATIONS_MAX),
    (0x34, Column::Boolean, OPERATIONS_MAX),
    (0x42, Column::Unsigned, OPERATIONS_MAX),
    (0x56, Column::Lengths, OPERATIONS_MAX),
    (0x57, Column::Raw, 0),
    (0x70, Column::Group, OPERATIONS_MAX),
    (0x71, Column::Unsigned, PREDECESSORS_MAX),
    (0x73, Column::Signed, PREDECESSORS_MAX),
    (0x94, Column::Boolean, OPERATIONS_MAX),
    (0xa5, Column::Text, OPERATIONS_MAX),
];

/// Looks at the bytes of one change. Takes time linear in their number and no memory beyond the
/// list of dependencies.
pub(super) fn scan(bytes: &[u8]) -> Result<Scanned, Refusal> {
    let mut input = Input(bytes);
    if input.take(4)? != MAGIC {
        return Err(Refusal::Malformed("magic"));
    }
    input.take(4)?;
    if input.take(1)? != [CHUNK_CHANGE] {
        return Err(Refusal::ChunkKind);
    }
    let length = input.unsigned()?;
    if length != input.0.len() as u64 {
        return Err(Refusal::Malformed("length"));
    }
    let count = input.unsigned()?;
    if count > DEPENDENCIES_MAX {
        return Err(Refusal::TooManyDependencies(count));
    }
    let mut dependencies = Vec::new();
    for _ in 0..count {
        dependencies.push(input.array::<32>()?);
    }
    let actor = input.actor()?;
    let seq = input.unsigned()?;
    let _start_op = input.unsigned()?;
    let _time = input.signed()?;
    let message = input.unsigned()?;
    if message > MESSAGE_LEN_BYTES_MAX {
        return Err(Refusal::Malformed("message"));
    }
    input.take(message)?;
    let actors = input.unsigned()?;
    if actors > ACTORS_MAX {
        return Err(Refusal::Malformed("actors"));
    }
    for _ in 0..actors {
        input.actor()?;
    }
    columns(&mut input)?;
    if !input.0.is_empty() {
        return Err(Refusal::Malformed("bytes after the columns"));
    }
    Ok(Scanned {
        dependencies,
        actor,
        seq,
    })
}

/// Reads the list of columns and looks through the data of each.
fn columns(input: &mut Input<'_>) -> Result<(), Refusal> {
    let count = input.unsigned()?;
    if count > COLUMNS.len() as u64 {
        return Err(Refusal::Malformed("number of columns"));
    }
    let mut list = Vec::new();
    let mut known = COLUMNS.iter();
    for _ in 0..count {
        let (specification, length) = (input.unsigned()?, input.unsigned()?);
        // Columns come in order; one that is unknown, deflated or repeated is not found.
        let (_, column, limit) = known
            .find(|(known, ..)| *known == specification)
            .ok_or(Refusal::Malformed("column"))?;
        list.push((*column, *limit, length));
    }
    let mut lengths = 0;
    for (column, limit, length) in list {
        let data = Input(input.take(length)?);
        match column {
            Column::Raw if lengths != length => return Err(Refusal::Malformed("values")),
            Column::Raw => lengths = 0,
            Column::Lengths => lengths = runs(data, column, limit)?,
            _ => {
                runs(data, column, limit)?;
            }
        }
    }
    if lengths == 0 {
        Ok(())
    } else {
        Err(Refusal::Malformed("values"))
    }
}

/// Counts the rows of a column; returns the length of all values when they are lengths.
fn runs(mut data: Input<'_>, column: Column, limit: u64) -> Result<u64, Refusal> {
    let mut rows = 0_u64;
    let mut total = 0_u64;
    while !data.0.is_empty() {
        let (repeat, values) = match column {
            Column::Boolean => (data.unsigned()?, 0),
            _ => match data.signed()? {
                0 => (data.unsigned()?, 0),
                run if run > 0 => (run.unsigned_abs(), 1),
                literal => (1, literal.unsigned_abs()),
            },
        };
        let added = repeat.saturating_mul(values.max(1));
        rows = rows.saturating_add(added);
        if rows > limit {
            return Err(Refusal::TooManyOperations);
        }
        for _ in 0..values {
            match column {
                Column::Unsigned => {
                    data.unsigned()?;
                }
                Column::Group => {
                    let count = data.unsigned()?;
                    total = total.saturating_add(count.saturating_mul(repeat));
                }
                Column::Lengths => {
                    let length = data.unsigned()? >> 4;
                    total = total.saturating_add(length.saturating_mul(repeat));
                }
                Column::Signed => {
                    data.signed()?;
                }
                Column::Text => {
                    let length = data.unsigned()?;
                    data.take(length)?;
                }
                Column::Boolean | Column::Raw => {}
            }
        }
        if matches!(column, Column::Group) && total > PREDECESSORS_MAX {
            return Err(Refusal::TooManyOperations);
        }
    }
    Ok(total)
}

/// Bytes that are still to be read.
struct Input<'a>(&'a [u8]);

impl<'a> Input<'a> {
    fn take(&mut self, count: u64) -> Result<&'a [u8], Refusal> {
        let (taken, rest) = usize::try_from(count)
            .ok()
            .and_then(|count| self.0.split_at_checked(count))
            .ok_or(Refusal::Malformed("too short"))?;
        self.0 = rest;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], Refusal> {
        let (taken, rest) = self
            .0
            .split_first_chunk::<N>()
            .ok_or(Refusal::Malformed("too short"))?;
        self.0 = rest;
        Ok(*taken)
    }

    fn actor(&mut self) -> Result<[u8; 16], Refusal> {
        if self.unsigned()? == ACTOR_LEN_BYTES {
            self.array()
        } else {
            Err(Refusal::Actor)
        }
    }

    fn unsigned(&mut self) -> Result<u64, Refusal> {
        let mut number = 0_u64;
        for shift in (0..64).step_by(7) {
            let [byte] = self.array()?;
            let bits = u64::from(byte & 0x7f);
            if shift == 63 && bits > 1 {
                break;
            }
            number |= bits << shift;
            if byte & 0x80 == 0 {
                return Ok(number);
            }
        }
        Err(Refusal::Malformed("number"))
    }

    fn signed(&mut self) -> Result<i64, Refusal> {
        let mut number = 0_i64;
        for shift in (0_u32..64).step_by(7) {
            let [byte] = self.array()?;
            if shift == 63 && byte != 0 && byte != 0x7f {
                break;
            }
            number |= i64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                // The sign is the highest bit that was written.
                if shift < 57 && byte & 0x40 != 0 {
                    number |= -1 << (shift + 7);
                }
                return Ok(number);
            }
        }
        Err(Refusal::Malformed("number"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_as_leb128() {
        assert_eq!(Input(&[0xe5, 0x8e, 0x26]).unsigned().ok(), Some(624_485));
        assert_eq!(Input(&[0xc0, 0xbb, 0x78]).signed().ok(), Some(-123_456));
        assert_eq!(Input(&[0x7f]).signed().ok(), Some(-1));
        let max = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01];
        assert_eq!(Input(&max).unsigned().ok(), Some(u64::MAX));
        let min = [0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x7f];
        assert_eq!(Input(&min).signed().ok(), Some(i64::MIN));
        assert!(Input(&[0xff; 11]).unsigned().is_err());
        assert!(Input(&[0x80]).unsigned().is_err());
    }

    #[test]
    fn runs_are_counted_not_believed() {
        let million = [0xc0, 0x84, 0x3d, 0x01];
        assert!(runs(Input(&million), Column::Unsigned, OPERATIONS_MAX).is_err());
        assert!(runs(Input(&[5, 1]), Column::Unsigned, OPERATIONS_MAX).is_ok());
        let nulls = [0x00, 0xff, 0xff, 0xff, 0x7f];
        assert!(runs(Input(&nulls), Column::Unsigned, OPERATIONS_MAX).is_err());
        let flags = [0xff, 0xff, 0xff, 0xff, 0x0f];
        assert!(runs(Input(&flags), Column::Boolean, OPERATIONS_MAX).is_err());
        let group = [0x02, 0xff, 0xff, 0xff, 0x7f];
        assert!(runs(Input(&group), Column::Group, OPERATIONS_MAX).is_err());
        // A literal run that claims more than there is.
        assert!(runs(Input(&[0x80, 0x7f, 1]), Column::Unsigned, OPERATIONS_MAX).is_err());
    }
}
