//! Reading one stream in order.

use std::sync::Arc;

use crate::error::LogError;
use crate::index::Place;
use crate::log::Shared;
use crate::record::Record;
use crate::segment::Segment;

/// The durable records of a stream, one after the other. It sees what is appended while it reads.
pub struct Reader {
    shared: Arc<Shared>,
    stream: Box<str>,
    /// Every position before this one was looked at.
    next: u64,
    segment: Option<Arc<Segment>>,
    places: std::vec::IntoIter<Place>,
    /// The first position behind `places`.
    behind: u64,
    /// A record that was read and given back.
    back: Option<Record>,
}

impl Reader {
    pub(crate) fn new(shared: Arc<Shared>, stream: &str, from: u64) -> Self {
        let next = from.max(1);
        Self {
            shared,
            stream: stream.into(),
            next,
            segment: None,
            places: Vec::new().into_iter(),
            behind: next,
            back: None,
        }
    }

    /// The next record; none when there is none yet.
    ///
    /// # Errors
    /// [`LogError::Gone`] when retention was faster, [`LogError::Damaged`] and [`LogError::Io`]. Calling again tries again.
    #[expect(
        clippy::should_implement_trait,
        reason = "the end is not the end: more may follow, and errors may pass"
    )]
    pub fn next(&mut self) -> Result<Option<Record>, LogError> {
        if let Some(record) = self.back.take() {
            return Ok(Some(record));
        }
        loop {
            if let Some(segment) = &self.segment
                && let Some(place) = self.places.as_slice().first().copied()
            {
                let record = segment.read(place)?;
                self.places.next();
                self.next = record.position + 1;
                return Ok(Some(record));
            }
            self.next = self.next.max(self.behind);
            if !self.find()? {
                return Ok(None);
            }
        }
    }

    /// Gives the record back that was read last: the next one is it again.
    pub(crate) fn put_back(&mut self, record: Record) {
        self.back = Some(record);
    }

    /// The last position that is behind this reader: there is nothing for it up to here.
    #[must_use]
    pub fn position(&self) -> u64 {
        self.back.as_ref().map_or(self.next, |record| record.position) - 1
    }

    /// Finds where the next records are. False when the log ends before there is one.
    fn find(&mut self) -> Result<bool, LogError> {
        if self.next > self.shared.active().head {
            return Ok(false);
        }
        let (segment, sealed_at) = self.shared.segment_of(self.next)?;
        let (places, behind) = match sealed_at {
            Some(behind) => {
                let summary = segment.summary(&*self.shared.storage)?;
                (summary.index.from(&self.stream, self.next).to_vec(), behind)
            }
            None => match self.shared.active_places(&segment, &self.stream, self.next) {
                Some((places, head)) => (places, head + 1),
                // It was sealed between the two looks.
                None => return Ok(true),
            },
        };
        self.segment = Some(segment);
        self.places = places.into_iter();
        self.behind = behind;
        Ok(true)
    }
}
