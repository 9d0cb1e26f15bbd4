//! How records lie in a segment.
//!
//! Records that became durable together are a **group**: a header, then one frame for each record. All numbers are
//! little-endian.
//!
//! ```text
//! group   "HWG1"  first position u64  records u32  bytes of frames u32  checksum of these 20 bytes and the salt u32
//! frame   length u32  checksum of what follows u32  length of header u32  header  payload
//! ```
//!
//! The next group is written after this one is durable, so that only the last group of a log can be torn, and damage with
//! a whole group behind it is not a crash.

use crate::record::{Draft, Header};

pub(crate) const GROUP_MAGIC: [u8; 4] = *b"HWG1";
pub(crate) const GROUP_HEADER: usize = 24;
/// Bytes of a frame in front of its checksummed part.
pub(crate) const FRAME_PREFIX: usize = 8;

/// What the header of a group says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Group {
    pub(crate) first: u64,
    pub(crate) records: u32,
    pub(crate) bytes: u32,
}

impl Group {
    pub(crate) fn write(self, salt: u64, into: &mut [u8]) {
        into[..4].copy_from_slice(&GROUP_MAGIC);
        into[4..12].copy_from_slice(&self.first.to_le_bytes());
        into[12..16].copy_from_slice(&self.records.to_le_bytes());
        into[16..20].copy_from_slice(&self.bytes.to_le_bytes());
        let sum = Self::sum(&into[..20], salt);
        into[20..24].copy_from_slice(&sum.to_le_bytes());
    }

    /// The group that begins with these bytes; none when they are not the header of one.
    pub(crate) fn read(bytes: &[u8], salt: u64) -> Option<Self> {
        let header = bytes.get(..GROUP_HEADER)?;
        let whole = header[..4] == GROUP_MAGIC && u32_at(header, 20) == Self::sum(&header[..20], salt);
        whole.then(|| Self {
            first: u64::from_le_bytes(header[4..12].try_into().unwrap_or_default()),
            records: u32_at(header, 12),
            bytes: u32_at(header, 16),
        })
    }

    fn sum(bytes: &[u8], salt: u64) -> u32 {
        let mut sum = crc32fast::Hasher::new();
        sum.update(&salt.to_le_bytes());
        sum.update(bytes);
        sum.finalize()
    }
}

/// Appends the frame of a record.
///
/// # Errors
/// The size, when it does not fit into a frame.
pub(crate) fn write_frame(draft: &Draft, into: &mut Vec<u8>) -> Result<(), u64> {
    let start = into.len();
    into.extend([0; FRAME_PREFIX + 4]);
    // Serializing into a vector cannot fail for these types: no maps, no sequences of unknown length.
    if let Ok(header) = postcard::to_allocvec(&Header::of(draft)) {
        into.extend(header);
    }
    let header = into.len() - start - FRAME_PREFIX - 4;
    into.extend(&draft.payload);
    let length = into.len() - start - FRAME_PREFIX;
    let (Ok(length), Ok(header)) = (u32::try_from(length), u32::try_from(header)) else {
        into.truncate(start);
        return Err(length as u64);
    };
    into[start + 8..start + 12].copy_from_slice(&header.to_le_bytes());
    let sum = crc32fast::hash(&into[start + FRAME_PREFIX..]);
    into[start..start + 4].copy_from_slice(&length.to_le_bytes());
    into[start + 4..start + 8].copy_from_slice(&sum.to_le_bytes());
    Ok(())
}

/// The length of the frame that begins with these bytes, its prefix included. Not verified.
pub(crate) fn frame_length(bytes: &[u8]) -> Option<usize> {
    let prefix = bytes.get(..FRAME_PREFIX)?;
    Some(u32_at(prefix, 0) as usize + FRAME_PREFIX)
}

/// Header and payload of a whole frame; why not, when it is damaged.
pub(crate) fn read_frame(frame: &[u8]) -> Result<(Header<'_>, &[u8]), &'static str> {
    if frame_length(frame) != Some(frame.len()) || frame.len() < FRAME_PREFIX + 4 {
        return Err("the length of a record is wrong");
    }
    let content = &frame[FRAME_PREFIX..];
    if crc32fast::hash(content) != u32_at(frame, 4) {
        return Err("the checksum of a record is wrong");
    }
    let header = u32_at(content, 0) as usize;
    let (header, payload) =
        content[4..].split_at_checked(header).ok_or("the header of a record is too long")?;
    let header = postcard::from_bytes(header).map_err(|_| "the header of a record cannot be read")?;
    Ok((header, payload))
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap_or_default())
}
