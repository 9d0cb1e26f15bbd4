//! Where the records of each stream are in a segment.

use std::sync::Arc;

use rustc_hash::FxHashMap;
use serde::{Deserialize, Serialize};

/// The place of one record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Place {
    pub(crate) position: u64,
    pub(crate) offset: u32,
    /// The whole frame.
    pub(crate) length: u32,
}

/// The places of a segment's records by stream, each in order.
#[derive(Debug, Default)]
pub(crate) struct Index {
    streams: FxHashMap<Arc<str>, Vec<Place>>,
}

impl Index {
    pub(crate) fn add(&mut self, stream: &str, place: Place) {
        match self.streams.get_mut(stream) {
            Some(places) => places.push(place),
            None => {
                self.streams.insert(stream.into(), vec![place]);
            }
        }
    }

    /// The places of a stream's records from `position` on.
    pub(crate) fn from(&self, stream: &str, position: u64) -> &[Place] {
        let places = self.streams.get(stream).map_or(&[][..], Vec::as_slice);
        &places[places.partition_point(|place| place.position < position)..]
    }

    /// The streams in order of their names, so that one index is always written as the same bytes.
    pub(crate) fn streams(&self) -> Vec<(&str, &[Place])> {
        let mut streams: Vec<(&str, &[Place])> =
            self.streams.iter().map(|(stream, places)| (&**stream, places.as_slice())).collect();
        streams.sort_unstable_by_key(|(stream, _)| *stream);
        streams
    }

    pub(crate) fn of_streams(streams: Vec<(&str, Vec<Place>)>) -> Self {
        Self { streams: streams.into_iter().map(|(stream, places)| (stream.into(), places)).collect() }
    }
}
