//! The end of a file that grows by groups.

use std::io;
use std::sync::Arc;

use crate::error::AppendError;
use crate::frame::{GROUP_HEADER, Group};
use crate::segment::Segment;

/// Where the next group goes. After a group was refused the file is as before.
pub(crate) struct Tail {
    pub(crate) segment: Arc<Segment>,
    /// Where the last group ends.
    pub(crate) end: u64,
    /// Why nothing is written any more.
    broken: Option<String>,
}

impl Tail {
    pub(crate) const fn new(segment: Arc<Segment>, end: u64) -> Self {
        Self { segment, end, broken: None }
    }

    /// The error of everybody who comes after a failed `fsync`.
    pub(crate) fn broken(&self) -> Option<AppendError> {
        self.broken.clone().map(AppendError::Unsure)
    }

    /// Makes a group durable: `bytes` are its frames, behind room for its header.
    pub(crate) fn append(&mut self, first: u64, records: u32, bytes: &mut [u8]) -> Result<(), AppendError> {
        if let Some(error) = self.broken() {
            return Err(error);
        }
        let size = bytes.len() as u64;
        let frames = u32::try_from(bytes.len() - GROUP_HEADER)
            .map_err(|_| AppendError::TooLarge { size, limit: u64::from(u32::MAX) })?;
        Group { first, records, bytes: frames }.write(self.segment.salt, bytes);
        if let Err(error) = self.segment.file.write(self.end, bytes) {
            return Err(self.undo(&error));
        }
        if let Err(error) = self.segment.file.sync() {
            return Err(self.break_off(&error));
        }
        self.end += size;
        Ok(())
    }

    /// Takes back what was written of a group.
    fn undo(&mut self, error: &io::Error) -> AppendError {
        match self.segment.file.truncate(self.end).and_then(|()| self.segment.file.sync()) {
            Ok(()) => refused(error),
            Err(second) => self.break_off(&second),
        }
    }

    /// After a failed `fsync` the system may have dropped the pages and call them clean: what is durable is known only
    /// after the file was read anew.
    fn break_off(&mut self, error: &io::Error) -> AppendError {
        let why = error.to_string();
        self.broken = Some(why.clone());
        AppendError::Unsure(why)
    }
}

/// Nothing was kept, for this reason.
pub(crate) fn refused(error: &io::Error) -> AppendError {
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => AppendError::DiskFull,
        _ => AppendError::Failed(error.to_string()),
    }
}
