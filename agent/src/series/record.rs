//! The records of a file of values, one behind the other; a torn end is left out.

use std::io::{self, Read, Write};

use aramaki_model::CheckId;

/// Bytes of a label or a unit.
const TEXT_LEN_BYTES_MAX: usize = 255;

/// One record.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Record {
    /// From here on this key stands for a metric of a check.
    Name {
        key: u64,
        check: CheckId,
        label: String,
        unit: String,
    },
    /// A value.
    Value { key: u64, at: i64, value: f64 },
    /// What some minutes sum up to.
    Sum { key: u64, sum: Sum },
}

/// What some minutes sum up to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Sum {
    pub(super) at: i64,
    pub(super) min: f64,
    pub(super) max: f64,
    pub(super) total: f64,
    pub(super) count: u32,
}

impl Sum {
    pub(super) const fn of(at: i64, value: f64) -> Self {
        Self {
            at,
            min: value,
            max: value,
            total: value,
            count: 1,
        }
    }

    /// Adds what others sum up to; the moment stays.
    pub(super) fn add(&mut self, other: &Self) {
        self.min = self.min.min(other.min);
        self.max = self.max.max(other.max);
        self.total = (self.total + other.total).clamp(f64::MIN, f64::MAX);
        self.count = self.count.saturating_add(other.count);
    }
}

const NAME: u8 = 1;
const VALUE: u8 = 2;
const SUM: u8 = 3;

impl Record {
    pub(super) fn write(&self, out: &mut impl Write) -> io::Result<()> {
        match self {
            Self::Name {
                key,
                check,
                label,
                unit,
            } => {
                out.write_all(&[NAME])?;
                out.write_all(&key.to_le_bytes())?;
                out.write_all(check.as_bytes())?;
                for text in [label, unit] {
                    let cut = text.floor_char_boundary(TEXT_LEN_BYTES_MAX);
                    let text = text.as_bytes().get(..cut).unwrap_or_default();
                    out.write_all(&[u8::try_from(text.len()).unwrap_or(0)])?;
                    out.write_all(text)?;
                }
                Ok(())
            }
            Self::Value { key, at, value } => {
                out.write_all(&[VALUE])?;
                out.write_all(&key.to_le_bytes())?;
                out.write_all(&at.to_le_bytes())?;
                out.write_all(&value.to_le_bytes())
            }
            Self::Sum { key, sum } => {
                out.write_all(&[SUM])?;
                out.write_all(&key.to_le_bytes())?;
                out.write_all(&sum.at.to_le_bytes())?;
                for number in [sum.min, sum.max, sum.total] {
                    out.write_all(&number.to_le_bytes())?;
                }
                out.write_all(&sum.count.to_le_bytes())
            }
        }
    }

    /// The next record; none at the end, at a torn one, and at one of a newer program.
    pub(super) fn read(from: &mut impl Read) -> io::Result<Option<Self>> {
        match Self::read_whole(from) {
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(None),
            other => other,
        }
    }

    fn read_whole(from: &mut impl Read) -> io::Result<Option<Self>> {
        let [kind] = bytes(from)?;
        if !matches!(kind, NAME | VALUE | SUM) {
            return Ok(None);
        }
        let key = u64::from_le_bytes(bytes(from)?);
        Ok(Some(match kind {
            NAME => Self::Name {
                key,
                check: CheckId::from_bytes(bytes(from)?),
                label: text(from)?,
                unit: text(from)?,
            },
            VALUE => Self::Value {
                key,
                at: i64::from_le_bytes(bytes(from)?),
                value: f64::from_le_bytes(bytes(from)?),
            },
            _ => Self::Sum {
                key,
                sum: Sum {
                    at: i64::from_le_bytes(bytes(from)?),
                    min: f64::from_le_bytes(bytes(from)?),
                    max: f64::from_le_bytes(bytes(from)?),
                    total: f64::from_le_bytes(bytes(from)?),
                    count: u32::from_le_bytes(bytes(from)?),
                },
            },
        }))
    }
}

fn bytes<const N: usize>(from: &mut impl Read) -> io::Result<[u8; N]> {
    let mut bytes = [0; N];
    from.read_exact(&mut bytes)?;
    Ok(bytes)
}

fn text(from: &mut impl Read) -> io::Result<String> {
    let [len] = bytes(from)?;
    let mut text = vec![0; usize::from(len)];
    from.read_exact(&mut text)?;
    Ok(String::from_utf8_lossy(&text).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_read_back_and_a_torn_end_is_left_out() {
        let records = [
            Record::Name {
                key: 7,
                check: CheckId::from_bytes([3; 16]),
                label: "ü".repeat(200),
                unit: "B".to_owned(),
            },
            Record::Value {
                key: 7,
                at: -5,
                value: 0.25,
            },
            Record::Sum {
                key: 7,
                sum: Sum::of(300_000, -1.0),
            },
        ];
        let mut file = Vec::new();
        for record in &records {
            record.write(&mut file).unwrap();
        }
        let read = |mut bytes: &[u8]| {
            let mut read = Vec::new();
            while let Some(record) = Record::read(&mut bytes).unwrap() {
                read.push(record);
            }
            read
        };
        let whole = read(&file);
        assert_eq!(whole[1..], records[1..]);
        assert!(matches!(&whole[0], Record::Name { label, .. } if *label == "ü".repeat(127)));
        for end in 0..file.len() {
            let torn = read(&file[..end]);
            assert_eq!(torn[..], whole[..torn.len()]);
            assert!(torn.len() < 3);
        }
        assert_eq!(read(&[9, 9, 9]), []);
    }
}
