//! Devices with folders of their own, and conditions with a limit.
#![expect(clippy::unwrap_used, reason = "a test ends where it fails")]

use std::path::Path;
use std::time::{Duration, Instant, UNIX_EPOCH};

use aramaki_sync::core::key::DeviceKeys;
use aramaki_sync::core::statement::Body;
use aramaki_sync::core::{DocumentId, PrincipalId, SpaceId, Timestamp};
use aramaki_sync::replica::{CreateSpace, Replica, ReplicaError, ReplicaOptions, Role};
use aramaki_sync::store::StoreError;
use aramaki_sync::transport::NetworkOptions;

const LIMIT: Duration = Duration::from_secs(30);

/// A device whose folder outlives its replica.
pub(crate) struct Device {
    seed: u8,
    folder: tempfile::TempDir,
    dir: std::path::PathBuf,
}

impl Device {
    pub(crate) fn new(seed: u8) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let dir = folder.path().join("data");
        Self { seed, folder, dir }
    }

    pub(crate) fn dir(&self) -> &Path {
        assert!(self.folder.path().exists());
        &self.dir
    }

    pub(crate) fn keys(&self) -> DeviceKeys {
        DeviceKeys::from_seed([self.seed; 32])
    }

    fn options(&self) -> ReplicaOptions {
        ReplicaOptions::new(&self.dir, self.keys()).network(NetworkOptions::loopback())
    }

    pub(crate) async fn open(&self) -> Replica {
        open(|| self.options()).await
    }

    pub(crate) async fn open_as(&self, role: Role) -> Replica {
        open(|| self.options().role(role)).await
    }

    pub(crate) async fn open_offline(&self) -> Replica {
        open(|| self.options().offline()).await
    }
}

/// Opens; a replica that was dropped before may hold its folder for a moment.
async fn open(options: impl Fn() -> ReplicaOptions) -> Replica {
    let began = Instant::now();
    loop {
        match Replica::open(options()).await {
            Ok(replica) => return replica,
            Err(ReplicaError::Store(StoreError::InUse { .. })) if began.elapsed() < LIMIT => {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            Err(cause) => panic!("a replica does not open: {cause}"),
        }
    }
}

pub(crate) async fn new_space(replica: &Replica) -> SpaceId {
    let request = CreateSpace::new(PrincipalId::from_bytes([9; 16]));
    replica.create_space(request).await.unwrap()
}

pub(crate) fn changes(text: &str) -> Body {
    Body::Changes(vec![text.as_bytes().to_vec().into()])
}

/// What a document says here, opened.
pub(crate) async fn texts(replica: &Replica, space: SpaceId, document: DocumentId) -> Vec<String> {
    let Ok(entries) = replica.bodies(space, document).await else {
        return Vec::new();
    };
    let bodies = entries.into_iter().filter_map(|entry| entry.body);
    let changes = bodies.filter_map(|body| match body {
        Body::Changes(changes) => Some(changes),
        _ => None,
    });
    changes
        .flatten()
        .map(|change| String::from_utf8(change.into_vec()).unwrap())
        .collect()
}

pub(crate) fn in_a_day() -> Timestamp {
    let since = UNIX_EPOCH.elapsed().unwrap() + Duration::from_hours(24);
    Timestamp::from_millis(i64::try_from(since.as_millis()).unwrap())
}

/// Waits for a condition, with a limit.
pub(crate) async fn eventually(what: &str, condition: impl AsyncFn() -> bool) {
    let began = Instant::now();
    while !condition().await {
        assert!(began.elapsed() < LIMIT, "not in time: {what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}
