//! Short words for tests.

use std::sync::Arc;

use headwater_log::simulated::SimulatedDisk;
use headwater_log::{Audience, Body, Draft, Log, LogError, Options, Record, ReleaseId};

/// Small sizes, so that few records make many segments.
pub(crate) fn options() -> Options {
    Options { segment_bytes: 4096, group_bytes: 2048, salt: 7, ..Options::default() }
}

pub(crate) fn open(disk: &SimulatedDisk) -> Result<Log, LogError> {
    Log::open(Arc::new(disk.clone()), options())
}

pub(crate) fn draft(stream: &str, payload: impl Into<Vec<u8>>) -> Draft {
    Draft {
        stream: stream.into(),
        release: ReleaseId([1; 32]),
        audience: Audience::Live,
        accepted_at: 1_000,
        key: None,
        body: Body::Rows { rows: 1 },
        context: Box::default(),
        payload: payload.into().into(),
    }
}

pub(crate) fn records(log: &Log, stream: &str) -> Vec<Record> {
    let mut reader = log.read(stream, log.oldest());
    std::iter::from_fn(|| reader.next().expect("the log is whole")).collect()
}

/// The segments of a disk, oldest first.
pub(crate) fn segments(disk: &SimulatedDisk) -> Vec<String> {
    use headwater_log::Storage;
    let mut names = disk.list().expect("a simulated disk lists its files");
    names.retain(|name| name.ends_with(".log"));
    names.sort();
    names
}
