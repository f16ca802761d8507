//! Where a guest finds a Space, in few bytes.

use std::net::SocketAddr;

use serde::{Deserialize, Serialize};

use super::Bootstrap;

/// A [`Bootstrap`], written shortly.
#[derive(Serialize, Deserialize)]
pub(super) struct Seat {
    endpoint: [u8; 32],
    places: Vec<Place>,
}

/// One address: a socket's takes 7 or 19 bytes so, where its text takes up to 21 or 47.
#[derive(Serialize, Deserialize)]
enum Place {
    V4([u8; 4], [u8; 2]),
    V6([u8; 16], [u8; 2]),
    Text(String),
}

impl Place {
    fn of(address: &str) -> Self {
        match address.parse::<SocketAddr>() {
            // What would read back as another text stays a text.
            Ok(socket) if socket.to_string() != address => Self::Text(address.to_owned()),
            Ok(SocketAddr::V4(at)) => Self::V4(at.ip().octets(), at.port().to_be_bytes()),
            Ok(SocketAddr::V6(at)) if at.scope_id() == 0 => {
                Self::V6(at.ip().octets(), at.port().to_be_bytes())
            }
            _ => Self::Text(address.to_owned()),
        }
    }

    fn into_text(self) -> String {
        match self {
            Self::V4(ip, port) => SocketAddr::from((ip, u16::from_be_bytes(port))).to_string(),
            Self::V6(ip, port) => SocketAddr::from((ip, u16::from_be_bytes(port))).to_string(),
            Self::Text(text) => text,
        }
    }
}

impl From<&Bootstrap> for Seat {
    fn from(peer: &Bootstrap) -> Self {
        let places = peer.addresses.iter().map(|address| Place::of(address));
        Self {
            endpoint: peer.endpoint,
            places: places.collect(),
        }
    }
}

impl From<Seat> for Bootstrap {
    fn from(seat: Seat) -> Self {
        Self {
            endpoint: seat.endpoint,
            addresses: seat.places.into_iter().map(Place::into_text).collect(),
        }
    }
}
