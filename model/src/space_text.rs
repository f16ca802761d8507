//! The id of a Space as text where people write and read: in TOML and JSON, and as bytes elsewhere.

use aramaki_sync_core::SpaceId;
use serde::{Deserialize as _, Deserializer, Serialize as _, Serializer, de};

/// Writes it.
///
/// # Errors
/// When the serializer fails.
#[expect(clippy::ref_option, reason = "what serde hands over")]
pub fn serialize<S: Serializer>(space: &Option<SpaceId>, serializer: S) -> Result<S::Ok, S::Error> {
    if serializer.is_human_readable() {
        space.map(|space| space.to_string()).serialize(serializer)
    } else {
        space.serialize(serializer)
    }
}

/// Reads it.
///
/// # Errors
/// When it is no id.
pub fn deserialize<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<SpaceId>, D::Error> {
    if !deserializer.is_human_readable() {
        return Option::deserialize(deserializer);
    }
    let text = Option::<String>::deserialize(deserializer)?;
    let parsed = text.map(|text| text.parse()).transpose();
    parsed.map_err(|_not_an_id| de::Error::custom("the id of a System, 64 digits, is expected"))
}
