//! How far each consumer has come, durably.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::error::{AppendError, LogError};
use crate::journal::Journal;
use crate::range::Range;
use crate::storage::Storage;

/// The name of a consumer: the physical table that it fills.
pub type Consumer = Arc<str>;

/// The file.
const NAME: &str = "cursors";
/// The file is rewritten when it is larger than this and mostly of the past.
const REWRITE_ABOVE: u64 = 1 << 20;

/// How far a consumer has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Progress {
    /// Everything up to here is applied.
    pub applied: u64,
    /// What it began to apply. After a crash nobody knows how far that came: it is repeated, exactly.
    pub declared: Option<Range>,
    /// The log keeps what this consumer has not applied.
    pub pins: bool,
}

#[derive(Serialize, Deserialize)]
enum Entry {
    Is(Box<str>, Progress),
    Declared(Box<str>, Range),
    Applied(Box<str>),
    Skipped(Box<str>, Box<str>),
    Ended(Box<str>),
}

/// The cursors of all consumers of a log.
pub struct Cursors {
    journal: Journal<Entry>,
    consumers: BTreeMap<Consumer, Progress>,
}

impl Cursors {
    /// Opens the cursors of a log whose last position is `head`.
    ///
    /// # Errors
    /// As [`LogError`] says; [`LogError::Lost`] when a consumer has applied what is not in the log.
    pub fn open(storage: Arc<dyn Storage>, salt: u64, head: u64) -> Result<Self, LogError> {
        let (journal, entries) = Journal::open(storage, NAME, salt)?;
        let mut consumers: BTreeMap<Consumer, Progress> = BTreeMap::new();
        for entry in entries {
            match entry {
                Entry::Is(name, progress) => {
                    consumers.insert(name.into(), progress);
                }
                Entry::Declared(name, range) => {
                    if let Some(progress) = consumers.get_mut(&*name) {
                        progress.declared = Some(range);
                    }
                }
                Entry::Applied(name) | Entry::Skipped(name, _) => {
                    if let Some(progress) = consumers.get_mut(&*name) {
                        progress.apply();
                    }
                }
                Entry::Ended(name) => {
                    consumers.remove(&*name);
                }
            }
        }
        let furthest = consumers
            .values()
            .map(|progress| progress.declared.map_or(progress.applied, |range| range.to))
            .max();
        match furthest {
            Some(to) if to > head => Err(LogError::Lost { from: head + 1, to }),
            _ => Ok(Self { journal, consumers }),
        }
    }

    /// Makes a consumer that has everything up to `applied`. One of this name is replaced.
    ///
    /// # Errors
    /// As [`AppendError`] says; nothing has changed then.
    pub fn begin(&mut self, consumer: &str, applied: u64, pins: bool) -> Result<(), AppendError> {
        let progress = Progress { applied, declared: None, pins };
        self.write(&Entry::Is(consumer.into(), progress))?;
        self.consumers.insert(consumer.into(), progress);
        Ok(())
    }

    /// Says durably what a consumer is about to apply. Only then may it act.
    ///
    /// # Errors
    /// [`AppendError::Failed`] when the consumer is unknown, has declared something else, or the range is not the next one; and as
    /// [`AppendError`] says. The consumer must not act then.
    pub fn declare(&mut self, consumer: &str, range: Range) -> Result<(), AppendError> {
        let progress = self.known(consumer)?;
        match progress.declared {
            Some(declared) if declared == range => return Ok(()),
            Some(declared) => {
                return Err(AppendError::Failed(format!(
                    "{consumer} has begun with {}–{} and must finish it before anything else",
                    declared.from, declared.to
                )));
            }
            None if range.from != progress.applied + 1 || range.to < range.from => {
                return Err(AppendError::Failed(format!(
                    "{consumer} has applied everything up to {}, so {}–{} is not what comes next",
                    progress.applied, range.from, range.to
                )));
            }
            None => {}
        }
        self.write(&Entry::Declared(consumer.into(), range))?;
        self.update(consumer, |progress| progress.declared = Some(range));
        Ok(())
    }

    /// The declared range is applied, and what it left in the engine is durable.
    ///
    /// # Errors
    /// [`AppendError::Failed`] when nothing was declared, and as [`AppendError`] says. The range stays declared then.
    pub fn applied(&mut self, consumer: &str) -> Result<(), AppendError> {
        self.finish(consumer, &Entry::Applied(consumer.into()))
    }

    /// The declared range is left out, for a reason that is kept. Whoever asks for that has put its records somewhere else.
    ///
    /// # Errors
    /// As for [`Cursors::applied`].
    pub fn skip(&mut self, consumer: &str, why: &str) -> Result<(), AppendError> {
        self.finish(consumer, &Entry::Skipped(consumer.into(), why.into()))
    }

    /// There is nothing for the consumer up to `position`. Not durable by itself: after a crash it is found out again.
    pub fn pass(&mut self, consumer: &str, position: u64) {
        self.update(consumer, |progress| {
            if progress.declared.is_none() {
                progress.applied = progress.applied.max(position);
            }
        });
    }

    /// Forgets a consumer.
    ///
    /// # Errors
    /// As [`AppendError`] says; the consumer is still there then.
    pub fn end(&mut self, consumer: &str) -> Result<(), AppendError> {
        self.known(consumer)?;
        self.write(&Entry::Ended(consumer.into()))?;
        self.consumers.remove(consumer);
        Ok(())
    }

    /// How far a consumer has come.
    #[must_use]
    pub fn progress(&self, consumer: &str) -> Option<Progress> {
        self.consumers.get(consumer).copied()
    }

    /// All consumers in order of their names.
    pub fn iter(&self) -> impl Iterator<Item = (&Consumer, Progress)> {
        self.consumers.iter().map(|(name, progress)| (name, *progress))
    }

    /// The first position that a consumer still needs; none when no consumer pins the log.
    #[must_use]
    pub fn needed(&self) -> Option<u64> {
        self.consumers.values().filter(|progress| progress.pins).map(|progress| progress.applied + 1).min()
    }

    fn finish(&mut self, consumer: &str, entry: &Entry) -> Result<(), AppendError> {
        if self.known(consumer)?.declared.is_none() {
            return Err(AppendError::Failed(format!("{consumer} has begun with nothing")));
        }
        self.write(entry)?;
        self.update(consumer, Progress::apply);
        Ok(())
    }

    fn known(&self, consumer: &str) -> Result<Progress, AppendError> {
        self.progress(consumer).ok_or_else(|| AppendError::Failed(format!("there is no consumer {consumer}")))
    }

    fn update(&mut self, consumer: &str, change: impl FnOnce(&mut Progress)) {
        if let Some(progress) = self.consumers.get_mut(consumer) {
            change(progress);
        }
    }

    fn write(&mut self, entry: &Entry) -> Result<(), AppendError> {
        let present = 256 * self.consumers.len() as u64;
        if self.journal.bytes() > REWRITE_ABOVE.max(4 * present) {
            let now: Vec<Entry> = self
                .consumers
                .iter()
                .map(|(name, progress)| Entry::Is((&**name).into(), *progress))
                .collect();
            self.journal.rewrite(&now)?;
        }
        self.journal.append(entry)
    }
}

impl Progress {
    fn apply(&mut self) {
        if let Some(range) = self.declared.take() {
            self.applied = range.to;
        }
    }
}
