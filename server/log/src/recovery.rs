//! What a log finds when it is opened, and what it makes of it.

use std::sync::Arc;

use crate::error::LogError;
use crate::idempotency::Keys;
use crate::log::Options;
use crate::segment::{SEGMENT_HEADER, Segment, Summary};
use crate::storage::Storage;
use crate::tail::Tail;

/// A log as it was found, mended.
pub(crate) struct Recovered {
    pub(crate) segments: Vec<Arc<Segment>>,
    pub(crate) active: Summary,
    pub(crate) keys: Keys,
    /// The last position.
    pub(crate) head: u64,
    pub(crate) tail: Tail,
    /// The bytes of all segments.
    pub(crate) total: u64,
}

pub(crate) fn recover(storage: &dyn Storage, options: &Options) -> Result<Recovered, LogError> {
    let folder = |error| LogError::io("the folder", error);
    let names = storage.list().map_err(folder)?;
    let mut firsts: Vec<u64> = names.iter().filter_map(|name| Segment::parse_name(name, ".log")).collect();
    firsts.sort_unstable();
    for name in &names {
        let of_none =
            Segment::parse_name(name, ".idx").is_some_and(|first| firsts.binary_search(&first).is_err());
        if of_none || name.ends_with(".idx.new") {
            storage.remove(name).map_err(|error| LogError::io(name, error))?;
        }
    }

    let mut segments: Vec<Arc<Segment>> = Vec::with_capacity(firsts.len() + 1);
    for (at, &first) in firsts.iter().enumerate() {
        let name = Segment::file_name(first);
        let Some(segment) = Segment::open(storage, &name, first)? else {
            if at + 1 < firsts.len() {
                return Err(LogError::Damaged { file: name, offset: 0, what: "its header is wrong" });
            }
            // A crash while it was made: a segment takes records only after its header is durable.
            if storage.open(&name).and_then(|file| file.size()).is_ok_and(|size| size > SEGMENT_HEADER) {
                return Err(LogError::Damaged { file: name, offset: 0, what: "its header is wrong" });
            }
            storage.remove(&name).map_err(|error| LogError::io(&name, error))?;
            storage.sync().map_err(folder)?;
            break;
        };
        if let Some(previous) = segments.last()
            && segment.before != previous.first
        {
            return Err(LogError::Lost { from: previous.scan(&mut |_, _, _| {})?.next, to: first - 1 });
        }
        segments.push(Arc::new(segment));
    }
    if segments.is_empty() {
        let first = Segment::create(storage, 1, 0, options.salt).map_err(folder)?;
        segments.push(Arc::new(first));
    }

    let Some(last) = segments.last().cloned() else { unreachable!("a segment was pushed above") };
    let mut active = Summary::default();
    let scanned = last.scan(&mut |place, header, payload| active.add(place, header, payload))?;
    if scanned.torn.is_some() {
        let cut = last.file.truncate(scanned.end).and_then(|()| last.file.sync());
        cut.map_err(|error| LogError::io(&last.name, error))?;
    }
    let keys = remembered(storage, options, &segments, &active)?;
    let mut total = 0;
    for segment in &segments {
        total += segment.file.size().map_err(|error| LogError::io(&segment.name, error))?;
    }
    Ok(Recovered {
        segments,
        active,
        keys,
        head: scanned.next - 1,
        tail: Tail::new(last, scanned.end),
        total,
    })
}

/// The idempotency keys that are in the window.
fn remembered(
    storage: &dyn Storage,
    options: &Options,
    segments: &[Arc<Segment>],
    active: &Summary,
) -> Result<Keys, LogError> {
    let mut newest_first = vec![active.keys.clone()];
    let mut count = active.keys.len();
    for segment in segments.iter().rev().skip(1) {
        // Records lie in order of their positions, and nearly in order of their times: one segment more makes up for a
        // clock that was set back.
        let newest = newest_first.iter().flatten().map(|used| used.accepted_at).max();
        let oldest = newest_first.iter().flatten().map(|used| used.accepted_at).min();
        let spanned =
            newest.zip(oldest).is_some_and(|(newest, oldest)| newest - oldest > options.keys_milliseconds);
        if count >= options.keys || spanned {
            break;
        }
        let keys = segment.summary(storage)?.keys;
        count += keys.len();
        newest_first.push(keys);
    }
    let mut keys = Keys::new(options.window());
    for used in newest_first.into_iter().rev().flatten() {
        keys.add(used);
    }
    Ok(keys)
}
