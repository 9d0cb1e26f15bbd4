//! A segment: a file of consecutive records, named by the position of its first.
//!
//! ```text
//! "HWLOG\0"  version u16  first position u64  first position of the segment before, or 0, u64  salt u64  checksum u32
//! ```
//!
//! The salt goes into the checksums of groups: a payload that looks like a group must not be taken for one when the bytes
//! behind a crash are searched.

use std::io;
use std::sync::Arc;

use crate::error::LogError;
use crate::frame::{GROUP_HEADER, GROUP_MAGIC, Group, frame_length, read_frame};
use crate::idempotency::Used;
use crate::index::{Index, Place};
use crate::record::{Header, Record};
use crate::storage::{Storage, StoredFile, read_vec, replace};

const MAGIC: [u8; 6] = *b"HWLOG\0";
const VERSION: u16 = 1;
pub(crate) const SEGMENT_HEADER: u64 = 36;
const SEARCH_STEP: usize = 1 << 20;

/// A segment that is open.
pub(crate) struct Segment {
    pub(crate) name: String,
    pub(crate) first: u64,
    /// The first position of the one before, 0 when this is the first of all.
    pub(crate) before: u64,
    pub(crate) salt: u64,
    pub(crate) file: Arc<dyn StoredFile>,
}

/// How far a segment is whole.
pub(crate) struct Scanned {
    /// Where the last whole group ends.
    pub(crate) end: u64,
    /// The position after it.
    pub(crate) next: u64,
    /// What is wrong with the bytes behind it, when there are any.
    pub(crate) torn: Option<&'static str>,
}

/// What is known of a segment beside its records.
#[derive(Default)]
pub(crate) struct Summary {
    pub(crate) index: Index,
    pub(crate) keys: Vec<Used>,
}

impl Segment {
    pub(crate) fn file_name(first: u64) -> String {
        format!("{first:020}.log")
    }

    pub(crate) fn summary_name(first: u64) -> String {
        format!("{first:020}.idx")
    }

    /// The first position in the name of a segment's file.
    pub(crate) fn parse_name(name: &str, extension: &str) -> Option<u64> {
        let digits = name.strip_suffix(extension)?;
        (digits.len() == 20 && digits.bytes().all(|byte| byte.is_ascii_digit()))
            .then(|| digits.parse().ok())?
    }

    /// Makes an empty segment, durable with its name.
    pub(crate) fn create(storage: &dyn Storage, first: u64, before: u64, salt: u64) -> io::Result<Self> {
        Self::create_named(storage, &Self::file_name(first), first, before, salt)
    }

    /// As [`Segment::create`], under another name.
    pub(crate) fn create_named(
        storage: &dyn Storage,
        name: &str,
        first: u64,
        before: u64,
        salt: u64,
    ) -> io::Result<Self> {
        let file = storage.create(name)?;
        let mut header = Vec::with_capacity(36);
        header.extend(MAGIC);
        header.extend(VERSION.to_le_bytes());
        header.extend(first.to_le_bytes());
        header.extend(before.to_le_bytes());
        header.extend(salt.to_le_bytes());
        header.extend(crc32fast::hash(&header).to_le_bytes());
        file.write(0, &header)?;
        file.sync()?;
        storage.sync()?;
        Ok(Self { name: name.into(), first, before, salt, file })
    }

    /// Opens a segment; none when its header is not whole, as after a crash while it was made.
    pub(crate) fn open(storage: &dyn Storage, name: &str, first: u64) -> Result<Option<Self>, LogError> {
        let failed = |error| LogError::io(name, error);
        let file = storage.open(name).map_err(failed)?;
        let header = match read_vec(&*file, 0, 36) {
            Ok(header) => header,
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
            Err(error) => return Err(failed(error)),
        };
        let number = |at: usize| u64::from_le_bytes(header[at..at + 8].try_into().unwrap_or_default());
        if header[..6] != MAGIC || crc32fast::hash(&header[..32]).to_le_bytes() != header[32..36] {
            return Ok(None);
        }
        let version = u16::from_le_bytes([header[6], header[7]]);
        if version != VERSION {
            return Err(LogError::Unknown { file: name.into(), version });
        }
        if number(8) != first {
            return Err(LogError::Damaged { file: name.into(), offset: 8, what: "it was renamed" });
        }
        Ok(Some(Self { name: name.into(), first, before: number(16), salt: number(24), file }))
    }

    /// Walks over the whole groups from the beginning.
    ///
    /// # Errors
    /// [`LogError::Io`], and [`LogError::Damaged`] where a whole group lies behind bytes that are not one.
    pub(crate) fn scan(&self, visit: &mut dyn FnMut(Place, &Header<'_>, &[u8])) -> Result<Scanned, LogError> {
        let failed = |error| LogError::io(&self.name, error);
        let size = self.file.size().map_err(failed)?;
        let mut offset = SEGMENT_HEADER;
        let mut next = self.first;
        while offset < size {
            let (torn, behind) = match self.group(offset, size, next).map_err(failed)? {
                Ok((group, bytes)) => match self.visit_group(group, offset, &bytes, visit) {
                    Ok(()) => {
                        offset += GROUP_HEADER as u64 + u64::from(group.bytes);
                        next += u64::from(group.records);
                        continue;
                    }
                    Err(torn) => (torn, offset + GROUP_HEADER as u64 + u64::from(group.bytes)),
                },
                Err(torn) => (torn, offset + 1),
            };
            if self.group_behind(behind, size, next).map_err(failed)? {
                return Err(LogError::Damaged { file: self.name.clone(), offset, what: torn });
            }
            return Ok(Scanned { end: offset, next, torn: Some(torn) });
        }
        Ok(Scanned { end: offset, next, torn: None })
    }

    fn group(&self, offset: u64, size: u64, next: u64) -> io::Result<Result<(Group, Vec<u8>), &'static str>> {
        if size - offset < GROUP_HEADER as u64 {
            return Ok(Err("a group of records ends in its header"));
        }
        let header = read_vec(&*self.file, offset, GROUP_HEADER)?;
        let Some(group) = Group::read(&header, self.salt) else {
            return Ok(Err("the header of a group is wrong"));
        };
        if group.first != next {
            return Ok(Err("a group of records has the wrong position"));
        }
        if offset + GROUP_HEADER as u64 + u64::from(group.bytes) > size {
            return Ok(Err("a group of records is cut off"));
        }
        let bytes = read_vec(&*self.file, offset + GROUP_HEADER as u64, group.bytes as usize)?;
        Ok(Ok((group, bytes)))
    }

    /// Visits the records of a group once all of them are found to be whole.
    fn visit_group(
        &self,
        group: Group,
        offset: u64,
        bytes: &[u8],
        visit: &mut dyn FnMut(Place, &Header<'_>, &[u8]),
    ) -> Result<(), &'static str> {
        let mut records = Vec::with_capacity(group.records.min(1 << 16) as usize);
        let mut at = 0;
        while at < bytes.len() {
            let length = frame_length(&bytes[at..]).ok_or("a record is cut off")?;
            let frame = bytes.get(at..at + length).ok_or("a record is cut off")?;
            let (header, payload) = read_frame(frame)?;
            // A segment's offsets fit into 32 bits: its size is bounded by `Options::segment_bytes`.
            let place = Place {
                position: group.first + records.len() as u64,
                offset: u32::try_from(offset + (GROUP_HEADER + at) as u64)
                    .map_err(|_| "the segment is too long")?,
                length: u32::try_from(length).map_err(|_| "a record is too long")?,
            };
            records.push((place, header, payload));
            at += length;
        }
        if records.len() != group.records as usize {
            return Err("a group has another number of records than it says");
        }
        for (place, header, payload) in &records {
            visit(*place, header, payload);
        }
        Ok(())
    }

    /// Whether a header of a later group is in the file from `offset` on.
    fn group_behind(&self, mut offset: u64, size: u64, next: u64) -> io::Result<bool> {
        while offset + GROUP_HEADER as u64 <= size {
            let length = usize::try_from(size - offset).unwrap_or(usize::MAX).min(SEARCH_STEP);
            let bytes = read_vec(&*self.file, offset, length)?;
            for at in 0..bytes.len().saturating_sub(GROUP_HEADER - 1) {
                if bytes[at..].starts_with(&GROUP_MAGIC)
                    && let Some(group) = Group::read(&bytes[at..], self.salt)
                    && group.first >= next
                {
                    return Ok(true);
                }
            }
            offset += (bytes.len() - (GROUP_HEADER - 1)) as u64;
        }
        Ok(false)
    }

    /// Reads one record.
    pub(crate) fn read(&self, place: Place) -> Result<Record, LogError> {
        let bytes = read_vec(&*self.file, u64::from(place.offset), place.length as usize)
            .map_err(|error| LogError::io(&self.name, error))?;
        match read_frame(&bytes) {
            Ok((header, payload)) => Ok(Record { position: place.position, draft: header.draft(payload) }),
            Err(what) => {
                Err(LogError::Damaged { file: self.name.clone(), offset: u64::from(place.offset), what })
            }
        }
    }

    /// The summary of a sealed segment: from the file beside it, or from the records when there is none.
    pub(crate) fn summary(&self, storage: &dyn Storage) -> Result<Summary, LogError> {
        if let Some(summary) = self.stored_summary(storage) {
            return Ok(summary);
        }
        let mut summary = Summary::default();
        let scanned = self.scan(&mut |place, header, payload| summary.add(place, header, payload))?;
        match scanned.torn {
            Some(what) => Err(LogError::Damaged { file: self.name.clone(), offset: scanned.end, what }),
            None => Ok(summary),
        }
    }

    fn stored_summary(&self, storage: &dyn Storage) -> Option<Summary> {
        let file = storage.open(&Self::summary_name(self.first)).ok()?;
        let bytes = read_vec(&*file, 0, usize::try_from(file.size().ok()?).ok()?).ok()?;
        Summary::from_bytes(&bytes)
    }

    /// Writes the file beside a segment that is not written to any more. Without it reading is slower, and right.
    pub(crate) fn store_summary(&self, storage: &dyn Storage, summary: &Summary) -> io::Result<()> {
        replace(storage, &Self::summary_name(self.first), &summary.to_bytes())
    }
}

impl Summary {
    pub(crate) fn add(&mut self, place: Place, header: &Header<'_>, payload: &[u8]) {
        self.index.add(header.stream, place);
        self.keys.extend(Used::of(header, payload, place.position));
    }

    fn to_bytes(&self) -> Vec<u8> {
        // Serializing vectors of numbers and texts into a vector cannot fail.
        let mut bytes = postcard::to_allocvec(&(self.index.streams(), &self.keys)).unwrap_or_default();
        let sum = crc32fast::hash(&bytes);
        bytes.extend(sum.to_le_bytes());
        bytes
    }

    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (content, sum) = bytes.split_at_checked(bytes.len().checked_sub(4)?)?;
        if crc32fast::hash(content).to_le_bytes() != sum {
            return None;
        }
        let (streams, keys): (Vec<(&str, Vec<Place>)>, Vec<Used>) = postcard::from_bytes(content).ok()?;
        Some(Self { index: Index::of_streams(streams), keys })
    }
}
