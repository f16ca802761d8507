//! How a replica is opened.

use std::collections::BTreeSet;
use std::path::PathBuf;

use aramaki_sync_core::AuthorId;
use aramaki_sync_core::engine::{Limits, Role};
use aramaki_sync_core::key::DeviceKeys;

use crate::transport::NetworkOptions;

/// How a replica is opened: [`ReplicaOptions::new`], then what differs.
#[derive(Debug)]
pub struct ReplicaOptions {
    /// The data folder; made (0700) if it is not there.
    pub dir: PathBuf,
    /// The device's keys, for instance from [`keys::read_or_create`](crate::keys::read_or_create).
    pub keys: DeviceKeys,
    /// The network; none is a replica that only reads and writes its disk.
    pub network: Option<NetworkOptions>,
    /// Whether it takes part, or stores and forwards what it cannot read.
    pub role: Role,
    /// Bounds on what peers and callers could make grow.
    pub limits: Limits,
    /// Whose Spaces a relay takes up: those in which one of these devices gave it a grant, or gave one to who
    /// did. None: anybody's.
    pub serves: Option<BTreeSet<AuthorId>>,
}

impl ReplicaOptions {
    /// A member that listens on every interface.
    pub fn new(dir: impl Into<PathBuf>, keys: DeviceKeys) -> Self {
        Self {
            dir: dir.into(),
            keys,
            network: Some(NetworkOptions::default()),
            role: Role::Member,
            limits: Limits::default(),
            serves: None,
        }
    }

    /// With this network.
    #[must_use]
    pub fn network(mut self, network: NetworkOptions) -> Self {
        self.network = Some(network);
        self
    }

    /// Without a network.
    #[must_use]
    pub fn offline(mut self) -> Self {
        self.network = None;
        self
    }

    /// Within other bounds.
    #[must_use]
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Taking up the Spaces of these devices only, as a relay.
    #[must_use]
    pub fn serves(mut self, devices: BTreeSet<AuthorId>) -> Self {
        self.serves = Some(devices);
        self
    }

    /// In this role.
    #[must_use]
    pub fn role(mut self, role: Role) -> Self {
        self.role = role;
        self
    }
}
