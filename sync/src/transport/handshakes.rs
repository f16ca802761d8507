//! Incoming connections that have not greeted yet: few at once, and fewer from one place, so that who
//! connects and says nothing keeps nobody else out.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

use iroh::EndpointId;
use iroh::endpoint::IncomingAddr;

/// At once, from everywhere.
const HANDSHAKES_MAX: usize = 256;
/// At once from one address, or of one key through a transport relay. A house whose devices all come back
/// at once has more: the rest dials again.
const HANDSHAKES_OF_ONE_MAX: usize = 32;

/// Where a connection comes from, as far as is known before it greets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Place {
    Address(IpAddr),
    Key(EndpointId),
    Elsewhere,
}

impl From<IncomingAddr> for Place {
    fn from(address: IncomingAddr) -> Self {
        match address {
            IncomingAddr::Ip(address) => Self::Address(address.ip()),
            IncomingAddr::Relay { endpoint_id, .. } => Self::Key(endpoint_id),
            _other => Self::Elsewhere,
        }
    }
}

/// The handshakes that are under way.
#[derive(Debug, Default)]
pub(super) struct Handshakes(Arc<Mutex<BTreeMap<Place, usize>>>);

/// A handshake that counts until this is dropped.
#[derive(Debug)]
pub(super) struct Handshake {
    under_way: Arc<Mutex<BTreeMap<Place, usize>>>,
    place: Place,
}

impl Handshakes {
    /// Begins one; none when there are too many, in all or from this place.
    pub(super) fn begin(&self, from: IncomingAddr) -> Option<Handshake> {
        self.begin_at(from.into())
    }

    fn begin_at(&self, place: Place) -> Option<Handshake> {
        let mut under_way = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let of_place = under_way.get(&place).copied().unwrap_or(0);
        let all: usize = under_way.values().sum();
        if all >= HANDSHAKES_MAX || of_place >= HANDSHAKES_OF_ONE_MAX {
            return None;
        }
        under_way.insert(place, of_place + 1);
        Some(Handshake {
            under_way: Arc::clone(&self.0),
            place,
        })
    }
}

impl Drop for Handshake {
    fn drop(&mut self) {
        let mut under_way = self
            .under_way
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = under_way.get_mut(&self.place) {
            *count -= 1;
            if *count == 0 {
                under_way.remove(&self.place);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    fn place(number: usize) -> Place {
        let number = u32::try_from(number).unwrap();
        Place::Address(Ipv4Addr::from(number).into())
    }

    #[test]
    fn one_place_takes_a_share_and_what_ended_makes_room() {
        let handshakes = Handshakes::default();
        let begin = |number| handshakes.begin_at(place(number));
        let mut silent: Vec<_> = (0..HANDSHAKES_OF_ONE_MAX)
            .filter_map(|_| begin(1))
            .collect();
        assert_eq!(silent.len(), HANDSHAKES_OF_ONE_MAX);
        assert!(begin(1).is_none(), "one more from there");
        let other = begin(2);
        assert!(other.is_some(), "others come in");
        silent.pop();
        assert!(begin(1).is_some());
        let rest = HANDSHAKES_MAX - silent.len() - 1;
        let many: Vec<_> = (3..3 + rest).filter_map(begin).collect();
        assert_eq!(many.len(), rest);
        assert!(begin(9_999).is_none(), "as many as there may be in all");
        drop((silent, other, many));
        assert!(handshakes.0.lock().unwrap().is_empty());
    }
}
