//! A recovery kit that is to be written when a workspace begins.

use std::fmt;

use zeroize::Zeroizing;

/// How long its passphrase has to be.
pub const KIT_PASSPHRASE_LEN_CHARS_MIN: usize = 12;

/// Where a kit goes, and what seals it.
#[derive(Clone)]
pub struct NewKit {
    /// The new file, as it was typed.
    pub file: String,
    /// Its passphrase, a secret.
    pub passphrase: Zeroizing<String>,
}

impl fmt::Debug for NewKit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "NewKit({:?}, <secret>)", self.file)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn its_passphrase_is_not_printed() {
        let kit = NewKit {
            file: "kit".to_owned(),
            passphrase: Zeroizing::new("a long winter evening".to_owned()),
        };
        assert_eq!(format!("{kit:?}"), "NewKit(\"kit\", <secret>)");
    }
}
