//! The log as others see it.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, RwLock};
use std::thread::JoinHandle;
use std::time::Duration;

use crossbeam_channel::{Receiver, Sender};

use crate::error::{AppendError, LogError};
use crate::idempotency::Window;
use crate::index::Place;
use crate::reader::Reader;
use crate::record::Draft;
use crate::segment::{Segment, Summary};
use crate::storage::Storage;
use crate::{recovery, writer};

/// Sizes and bounds of a log.
#[derive(Debug, Clone)]
pub struct Options {
    /// A segment is sealed before it would grow above so many bytes; no record is larger.
    pub segment_bytes: u32,
    /// Records that wait together are made durable together, up to about so many bytes.
    pub group_bytes: usize,
    /// At most so many bytes wait to become durable; more is [`AppendError::Busy`].
    pub waiting_bytes: u64,
    /// At most so many bytes in all segments; more is [`AppendError::Full`].
    pub total_bytes: u64,
    /// At most so many idempotency keys are remembered.
    pub keys: usize,
    /// Idempotency keys of records that are so much older than the newest are forgotten, in milliseconds.
    pub keys_milliseconds: u64,
    /// A number that senders cannot know. It keeps payloads from looking like parts of the log.
    pub salt: u64,
}

impl Default for Options {
    /// 64 MiB segments, 8 MiB groups, 256 MiB waiting, no bound in all, 100,000 keys of one day, no salt.
    fn default() -> Self {
        Self {
            segment_bytes: 64 << 20,
            group_bytes: 8 << 20,
            waiting_bytes: 256 << 20,
            total_bytes: u64::MAX,
            keys: 100_000,
            keys_milliseconds: 24 * 60 * 60 * 1000,
            salt: 0,
        }
    }
}

impl Options {
    pub(crate) const fn window(&self) -> Window {
        Window { keys: self.keys, milliseconds: self.keys_milliseconds }
    }
}

/// A record is durable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ack {
    /// Its position.
    pub position: u64,
    /// It was there before: a record with this idempotency key and this payload had been accepted.
    pub repeated: bool,
}

/// A record on its way to the disk.
pub struct Ticket(Receiver<Result<Ack, AppendError>>);

impl Ticket {
    /// Waits until the record is durable.
    ///
    /// # Errors
    /// Why it was not accepted.
    pub fn wait(self) -> Result<Ack, AppendError> {
        self.0.recv().unwrap_or(Err(AppendError::Closed))
    }
}

/// What is written and by whom it is waited for.
pub(crate) struct Submission {
    pub(crate) draft: Draft,
    pub(crate) size: u64,
    pub(crate) done: Sender<Result<Ack, AppendError>>,
}

/// The segment that is written to, as readers see it.
pub(crate) struct Active {
    pub(crate) summary: Summary,
    /// The last position that is durable.
    pub(crate) head: u64,
    pub(crate) closed: bool,
}

/// What writer and readers share.
pub(crate) struct Shared {
    pub(crate) storage: Arc<dyn Storage>,
    pub(crate) options: Options,
    /// Oldest first; the last one is written to. Never empty.
    pub(crate) segments: RwLock<Vec<Arc<Segment>>>,
    pub(crate) active: Mutex<Active>,
    pub(crate) moved: Condvar,
    pub(crate) waiting: AtomicU64,
    pub(crate) total: AtomicU64,
}

impl Shared {
    pub(crate) fn active(&self) -> MutexGuard<'_, Active> {
        self.active.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn segments(&self) -> Vec<Arc<Segment>> {
        self.segments.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The segment that holds a position that is durable, and the first position behind it when it is sealed.
    pub(crate) fn segment_of(&self, position: u64) -> Result<(Arc<Segment>, Option<u64>), LogError> {
        let segments = self.segments.read().unwrap_or_else(PoisonError::into_inner);
        let after = segments.partition_point(|segment| segment.first <= position);
        match after.checked_sub(1) {
            Some(at) => Ok((Arc::clone(&segments[at]), segments.get(after).map(|segment| segment.first))),
            None => Err(LogError::Gone { oldest: segments.first().map_or(1, |segment| segment.first) }),
        }
    }

    /// The places of a stream's durable records from `position` on in the segment that is written to, and the position up
    /// to which this is all; none when that segment does not hold `position`.
    pub(crate) fn active_places(
        &self,
        segment: &Segment,
        stream: &str,
        position: u64,
    ) -> Option<(Vec<Place>, u64)> {
        let active = self.active();
        // The active segment changes under this lock, so what it says belongs together.
        let last = self.segments.read().unwrap_or_else(PoisonError::into_inner).last().map(|last| last.first);
        (last == Some(segment.first))
            .then(|| (active.summary.index.from(stream, position).to_vec(), active.head))
    }
}

/// An append-only log with one writer, this value, and any number of readers.
pub struct Log {
    shared: Arc<Shared>,
    submit: Option<Sender<Submission>>,
    writer: Option<JoinHandle<()>>,
}

impl Log {
    /// Opens the log of a folder, and begins one when there is none. What a crash left unfinished is removed.
    ///
    /// # Errors
    /// As [`LogError`] says. Nothing was changed then, but for what a crash left unfinished.
    pub fn open(storage: Arc<dyn Storage>, options: Options) -> Result<Self, LogError> {
        let recovered = recovery::recover(&*storage, &options)?;
        let (tail, keys) = (recovered.tail, recovered.keys);
        let shared = Arc::new(Shared {
            storage,
            options,
            segments: RwLock::new(recovered.segments),
            active: Mutex::new(Active { summary: recovered.active, head: recovered.head, closed: false }),
            moved: Condvar::new(),
            waiting: AtomicU64::new(0),
            total: AtomicU64::new(recovered.total),
        });
        // Bounded by bytes, not by number: see `submit`.
        let (submit, submissions) = crossbeam_channel::unbounded();
        let writer = std::thread::Builder::new()
            .name("log-writer".into())
            .spawn({
                let shared = Arc::clone(&shared);
                move || writer::run(&shared, &submissions, tail, keys)
            })
            .map_err(|error| LogError::io("the writer's thread", error))?;
        Ok(Self { shared, submit: Some(submit), writer: Some(writer) })
    }

    /// Appends a record and waits until it is durable.
    ///
    /// # Errors
    /// As [`AppendError`] says.
    pub fn append(&self, draft: Draft) -> Result<Ack, AppendError> {
        self.submit(draft)?.wait()
    }

    /// Hands a record over; the order of calls is the order of positions. Does not wait.
    ///
    /// # Errors
    /// [`AppendError::Busy`], [`AppendError::Full`], [`AppendError::TooLarge`], [`AppendError::Closed`].
    pub fn submit(&self, draft: Draft) -> Result<Ticket, AppendError> {
        let Some(submit) = &self.submit else { return Err(AppendError::Closed) };
        let size = (draft.payload.len() + draft.context.len() + draft.stream.len() + 128) as u64;
        let limit = u64::from(self.shared.options.segment_bytes);
        if size > limit {
            return Err(AppendError::TooLarge { size, limit });
        }
        if self.shared.total.load(Ordering::Relaxed).saturating_add(size) > self.shared.options.total_bytes {
            return Err(AppendError::Full);
        }
        let waiting = self.shared.waiting.fetch_add(size, Ordering::Relaxed);
        // One record is always let through, however small the bound is.
        if waiting > 0 && waiting + size > self.shared.options.waiting_bytes {
            self.shared.waiting.fetch_sub(size, Ordering::Relaxed);
            return Err(AppendError::Busy);
        }
        let (done, answer) = crossbeam_channel::bounded(1);
        if submit.send(Submission { draft, size, done }).is_err() {
            self.shared.waiting.fetch_sub(size, Ordering::Relaxed);
            return Err(AppendError::Closed);
        }
        Ok(Ticket(answer))
    }

    /// The position of the last durable record, 0 when there is none.
    #[must_use]
    pub fn head(&self) -> u64 {
        self.shared.active().head
    }

    /// The oldest position that is still there, or would be the first.
    #[must_use]
    pub fn oldest(&self) -> u64 {
        self.shared.segments().first().map_or(1, |segment| segment.first)
    }

    /// The bytes of all segments.
    #[must_use]
    pub fn total_bytes(&self) -> u64 {
        self.shared.total.load(Ordering::Relaxed)
    }

    /// Waits until a record after `position` is durable, at most so long. Says the last durable position.
    #[must_use]
    pub fn wait(&self, position: u64, at_most: Duration) -> u64 {
        let active = self.shared.active();
        let (active, _) = self
            .shared
            .moved
            .wait_timeout_while(active, at_most, |active| active.head <= position && !active.closed)
            .unwrap_or_else(PoisonError::into_inner);
        active.head
    }

    /// Reads the records of a stream, from a position on.
    #[must_use]
    pub fn read(&self, stream: &str, from: u64) -> Reader {
        Reader::new(Arc::clone(&self.shared), stream, from)
    }

    /// How many durable records of a stream stand at `from` and behind. Reads what is known of segments, not the records.
    ///
    /// # Errors
    /// [`LogError::Gone`] when `from` was let go, [`LogError::Damaged`] and [`LogError::Io`].
    pub fn count(&self, stream: &str, from: u64) -> Result<u64, LogError> {
        let mut next = from.max(1);
        let mut count = 0;
        loop {
            let head = self.head();
            if next > head {
                return Ok(count);
            }
            let (segment, sealed_at) = self.shared.segment_of(next)?;
            match sealed_at {
                Some(behind) => {
                    let summary = segment.summary(&*self.shared.storage)?;
                    count += summary.index.from(stream, next).len() as u64;
                    next = behind;
                }
                None => {
                    // It may be sealed between the two looks: then it is looked at again.
                    if let Some((places, head)) = self.shared.active_places(&segment, stream, next) {
                        count += places.len() as u64;
                        next = head + 1;
                    }
                }
            }
        }
    }

    /// Lets go of whole segments whose records are all before `position`. Says the oldest position that is still there.
    ///
    /// # Errors
    /// [`LogError::Io`]; what was let go before it is gone.
    pub fn trim(&self, position: u64) -> Result<u64, LogError> {
        let mut segments = self.shared.segments.write().unwrap_or_else(PoisonError::into_inner);
        let storage = &*self.shared.storage;
        while segments.len() > 1 && segments[1].first <= position {
            let first = segments[0].first;
            let name = Segment::file_name(first);
            let size = segments[0].file.size().map_err(|error| LogError::io(&name, error))?;
            storage.remove(&name).map_err(|error| LogError::io(&name, error))?;
            // Without its segment it says nothing: opening removes it, too.
            let _ = storage.remove(&Segment::summary_name(first));
            segments.remove(0);
            self.shared.total.fetch_sub(size, Ordering::Relaxed);
        }
        storage.sync().map_err(|error| LogError::io("the folder", error))?;
        Ok(segments[0].first)
    }
}

impl Drop for Log {
    /// Writes what was handed over, then closes.
    fn drop(&mut self) {
        self.submit = None;
        if let Some(writer) = self.writer.take() {
            let _ = writer.join();
        }
    }
}
