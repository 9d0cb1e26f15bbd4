//! A file of small entries, each durable before the next: what was decided, in order.

use std::marker::PhantomData;
use std::sync::Arc;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::{AppendError, LogError};
use crate::frame::{GROUP_HEADER, write_frame};
use crate::record::{Audience, Body, Draft, ReleaseId};
use crate::segment::{SEGMENT_HEADER, Segment};
use crate::storage::Storage;
use crate::tail::Tail;

/// Entries of one type in one file. They are written as they are declared, by position: a type may get new variants at its
/// end, nothing else.
pub struct Journal<T> {
    storage: Arc<dyn Storage>,
    name: String,
    salt: u64,
    tail: Tail,
    next: u64,
    entries: PhantomData<fn(T) -> T>,
}

impl<T: Serialize + DeserializeOwned> Journal<T> {
    /// Opens a journal, and begins one when there is none; and what is in it, oldest first. An entry that a crash left
    /// unfinished is removed.
    ///
    /// # Errors
    /// As [`LogError`] says.
    pub fn open(storage: Arc<dyn Storage>, name: &str, salt: u64) -> Result<(Self, Vec<T>), LogError> {
        let failed = |error| LogError::io(name, error);
        let there = storage.list().map_err(failed)?;
        // A rewrite that did not come to its end.
        let unfinished = unfinished_name(name);
        if there.contains(&unfinished) {
            storage.remove(&unfinished).map_err(failed)?;
        }
        let segment = match there.iter().any(|other| other == name) {
            true => Segment::open(&*storage, name, 1)?,
            false => None,
        };
        let segment = match segment {
            Some(segment) => segment,
            None => {
                if storage.open(name).and_then(|file| file.size()).is_ok_and(|size| size > SEGMENT_HEADER) {
                    return Err(LogError::Damaged {
                        file: name.into(),
                        offset: 0,
                        what: "its header is wrong",
                    });
                }
                Self::write(&*storage, name, salt, &[]).map_err(|error| match error {
                    AppendError::DiskFull => failed(std::io::ErrorKind::StorageFull.into()),
                    error => failed(std::io::Error::other(error.to_string())),
                })?
            }
        };
        let mut entries = Vec::new();
        let mut unreadable = None;
        let scanned = segment.scan(&mut |place, _, payload| match postcard::from_bytes(payload) {
            Ok(entry) => entries.push(entry),
            Err(_) => unreadable = unreadable.or(Some(u64::from(place.offset))),
        })?;
        if let Some(offset) = unreadable {
            return Err(LogError::Damaged {
                file: name.into(),
                offset,
                what: "an entry is of an unknown kind",
            });
        }
        if scanned.torn.is_some() {
            segment.file.truncate(scanned.end).and_then(|()| segment.file.sync()).map_err(failed)?;
        }
        let tail = Tail::new(Arc::new(segment), scanned.end);
        Ok((
            Self { storage, name: name.into(), salt, tail, next: scanned.next, entries: PhantomData },
            entries,
        ))
    }

    /// Appends an entry and makes it durable.
    ///
    /// # Errors
    /// As [`AppendError`] says.
    pub fn append(&mut self, entry: &T) -> Result<(), AppendError> {
        let mut bytes = vec![0; GROUP_HEADER];
        frame(entry, &mut bytes)?;
        self.tail.append(self.next, 1, &mut bytes)?;
        self.next += 1;
        Ok(())
    }

    /// Appends entries that become durable together, all or none.
    ///
    /// # Errors
    /// As [`AppendError`] says.
    pub fn append_all<'e>(&mut self, entries: impl IntoIterator<Item = &'e T>) -> Result<(), AppendError>
    where
        T: 'e,
    {
        let mut bytes = vec![0; GROUP_HEADER];
        let mut count = 0;
        for entry in entries {
            frame(entry, &mut bytes)?;
            count += 1;
        }
        if count > 0 {
            self.tail.append(self.next, count, &mut bytes)?;
            self.next += u64::from(count);
        }
        Ok(())
    }

    /// Puts these entries in the place of all that are there: the old ones are there until the new ones are durable.
    ///
    /// # Errors
    /// As [`AppendError`] says; the old entries are there then.
    pub fn rewrite(&mut self, entries: &[T]) -> Result<(), AppendError> {
        let segment = Self::write(&*self.storage, &self.name, self.salt, entries)?;
        let end = segment.file.size().map_err(|error| AppendError::Failed(error.to_string()))?;
        self.tail = Tail::new(Arc::new(segment), end);
        self.next = 1 + entries.len() as u64;
        Ok(())
    }

    /// The size of the file.
    #[must_use]
    pub const fn bytes(&self) -> u64 {
        self.tail.end
    }

    fn write(storage: &dyn Storage, name: &str, salt: u64, entries: &[T]) -> Result<Segment, AppendError> {
        let refused = |error: std::io::Error| crate::tail::refused(&error);
        let unfinished = unfinished_name(name);
        match storage.remove(&unfinished) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(refused(error)),
            _ => {}
        }
        let segment = Segment::create_named(storage, &unfinished, 1, 0, salt).map_err(refused)?;
        let segment = Arc::new(segment);
        let mut tail = Tail::new(Arc::clone(&segment), SEGMENT_HEADER);
        let mut next = 1;
        for group in entries.chunks(GROUP) {
            let mut bytes = vec![0; GROUP_HEADER];
            for entry in group {
                frame(entry, &mut bytes)?;
            }
            let count = u32::try_from(group.len()).unwrap_or(u32::MAX);
            tail.append(next, count, &mut bytes)?;
            next += u64::from(count);
        }
        storage.rename(&unfinished, name).map_err(refused)?;
        storage.sync().map_err(refused)?;
        Ok(Segment { name: name.into(), first: 1, before: 0, salt, file: Arc::clone(&segment.file) })
    }
}

/// Entries of a rewrite that become durable together.
const GROUP: usize = 1000;

fn unfinished_name(name: &str) -> String {
    format!("{name}.new")
}

/// An entry is a record without a stream, so that a journal is read with the same care as a log.
fn frame<T: Serialize>(entry: &T, into: &mut Vec<u8>) -> Result<(), AppendError> {
    let payload = postcard::to_allocvec(entry).map_err(|error| AppendError::Failed(error.to_string()))?;
    let draft = Draft {
        stream: "".into(),
        release: ReleaseId::default(),
        audience: Audience::Live,
        accepted_at: 0,
        key: None,
        body: Body::Effect,
        context: Box::default(),
        payload: payload.into(),
    };
    write_frame(&draft, into).map_err(|size| AppendError::TooLarge { size, limit: u64::from(u32::MAX) })
}
