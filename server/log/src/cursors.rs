//! How far each consumer has come, durably.

use std::collections::{BTreeMap, VecDeque};
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
    DeclaredFor(Box<[Box<str>]>, Range),
    WasSkipped(Box<str>, Skipped),
}

/// A range that a consumer left out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Skipped {
    /// Which.
    pub range: Range,
    /// Why, in the words of whoever asked for it.
    pub why: Box<str>,
}

/// What is known of a consumer.
struct State {
    progress: Progress,
    /// Ranges behind the declared one, in order, which others have begun with.
    ahead: VecDeque<Range>,
    skipped: Vec<Skipped>,
}

impl State {
    const fn new(progress: Progress) -> Self {
        Self { progress, ahead: VecDeque::new(), skipped: Vec::new() }
    }

    /// Where everything that is declared ends.
    fn end(&self) -> u64 {
        let last = self.ahead.back().or(self.progress.declared.as_ref());
        last.map_or(self.progress.applied, |range| range.to)
    }

    fn declare(&mut self, range: Range) {
        match self.progress.declared {
            None => self.progress.declared = Some(range),
            Some(_) => self.ahead.push_back(range),
        }
    }

    fn apply(&mut self) {
        if let Some(range) = self.progress.declared.take() {
            self.progress.applied = range.to;
            self.progress.declared = self.ahead.pop_front();
        }
    }

    fn skip(&mut self, why: &str) {
        if let Some(range) = self.progress.declared {
            self.skipped.push(Skipped { range, why: why.into() });
        }
        self.apply();
    }
}

/// The cursors of all consumers of a log.
pub struct Cursors {
    journal: Journal<Entry>,
    consumers: BTreeMap<Consumer, State>,
}

impl Cursors {
    /// Opens the cursors of a log whose last position is `head`.
    ///
    /// # Errors
    /// As [`LogError`] says; [`LogError::Lost`] when a consumer has applied what is not in the log.
    pub fn open(storage: Arc<dyn Storage>, salt: u64, head: u64) -> Result<Self, LogError> {
        let (journal, entries) = Journal::open(storage, NAME, salt)?;
        let mut consumers: BTreeMap<Consumer, State> = BTreeMap::new();
        for entry in entries {
            match entry {
                Entry::Is(name, progress) => {
                    consumers.insert(name.into(), State::new(progress));
                }
                Entry::Declared(name, range) => {
                    if let Some(state) = consumers.get_mut(&*name) {
                        state.declare(range);
                    }
                }
                Entry::DeclaredFor(names, range) => {
                    for name in &names {
                        if let Some(state) = consumers.get_mut(&**name) {
                            state.declare(range);
                        }
                    }
                }
                Entry::Applied(name) => {
                    if let Some(state) = consumers.get_mut(&*name) {
                        state.apply();
                    }
                }
                Entry::Skipped(name, why) => {
                    if let Some(state) = consumers.get_mut(&*name) {
                        state.skip(&why);
                    }
                }
                Entry::WasSkipped(name, skipped) => {
                    if let Some(state) = consumers.get_mut(&*name) {
                        state.skipped.push(skipped);
                    }
                }
                Entry::Ended(name) => {
                    consumers.remove(&*name);
                }
            }
        }
        let furthest = consumers.values().map(State::end).max();
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
        self.write(&[Entry::Is(consumer.into(), progress)])?;
        self.consumers.insert(consumer.into(), State::new(progress));
        Ok(())
    }

    /// Makes several consumers at once that have everything up to `applied` and pin the log. Those of these names are
    /// replaced, but for what they have skipped.
    ///
    /// # Errors
    /// As [`AppendError`] says; nothing has changed then.
    pub fn begin_all(&mut self, consumers: &[Consumer], applied: u64) -> Result<(), AppendError> {
        let progress = Progress { applied, declared: None, pins: true };
        let mut entries = Vec::new();
        for name in consumers {
            entries.push(Entry::Is((&**name).into(), progress));
            let skipped = self.skipped(name).iter().cloned();
            entries.extend(skipped.map(|skipped| Entry::WasSkipped((&**name).into(), skipped)));
        }
        self.write(&entries)?;
        for name in consumers {
            let skipped = self.consumers.remove(name).map(|state| state.skipped).unwrap_or_default();
            self.consumers.insert(name.clone(), State { skipped, ..State::new(progress) });
        }
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
        self.write(&[Entry::Declared(consumer.into(), range)])?;
        self.update(consumer, |state| state.declare(range));
        Ok(())
    }

    /// Says durably, at once for several consumers, what comes next for each of them behind all that it has begun with: they
    /// see the same records cut in the same way, however far behind some of them are.
    ///
    /// # Errors
    /// [`AppendError::Failed`] when a consumer is unknown or the range is not the next one for it; and as [`AppendError`] says.
    /// No consumer may act then.
    pub fn declare_for(&mut self, consumers: &[Consumer], range: Range) -> Result<(), AppendError> {
        for consumer in consumers {
            let Some(state) = self.consumers.get(consumer) else {
                return Err(AppendError::Failed(format!("there is no consumer {consumer}")));
            };
            if range.from != state.end() + 1 || range.to < range.from {
                return Err(AppendError::Failed(format!(
                    "{consumer} has begun with everything up to {}, so {}–{} is not what comes next",
                    state.end(),
                    range.from,
                    range.to
                )));
            }
        }
        self.write(&[Entry::DeclaredFor(consumers.iter().map(|name| (**name).into()).collect(), range)])?;
        for consumer in consumers {
            if let Some(state) = self.consumers.get_mut(consumer) {
                state.declare(range);
            }
        }
        Ok(())
    }

    /// The declared ranges of these consumers are applied, one each, and what they left in the engine is durable.
    ///
    /// # Errors
    /// As for [`Cursors::applied`]; all ranges stay declared then.
    pub fn applied_all(&mut self, consumers: &[Consumer]) -> Result<(), AppendError> {
        for consumer in consumers {
            self.begun(consumer)?;
        }
        let entries: Vec<Entry> = consumers.iter().map(|name| Entry::Applied((**name).into())).collect();
        self.write(&entries)?;
        for consumer in consumers {
            self.update(consumer, State::apply);
        }
        Ok(())
    }

    /// The declared range is applied, and what it left in the engine is durable.
    ///
    /// # Errors
    /// [`AppendError::Failed`] when nothing was declared, and as [`AppendError`] says. The range stays declared then.
    pub fn applied(&mut self, consumer: &str) -> Result<(), AppendError> {
        self.begun(consumer)?;
        self.write(&[Entry::Applied(consumer.into())])?;
        self.update(consumer, State::apply);
        Ok(())
    }

    /// The declared range is left out, for a reason that is kept. Whoever asks for that has put its records somewhere else.
    ///
    /// # Errors
    /// As for [`Cursors::applied`].
    pub fn skip(&mut self, consumer: &str, why: &str) -> Result<(), AppendError> {
        self.begun(consumer)?;
        self.write(&[Entry::Skipped(consumer.into(), why.into())])?;
        self.update(consumer, |state| state.skip(why));
        Ok(())
    }

    /// There is nothing for the consumer up to `position`. Not durable by itself: after a crash it is found out again.
    pub fn pass(&mut self, consumer: &str, position: u64) {
        self.update(consumer, |state| {
            if state.progress.declared.is_none() {
                state.progress.applied = state.progress.applied.max(position);
            }
        });
    }

    /// Forgets a consumer.
    ///
    /// # Errors
    /// As [`AppendError`] says; the consumer is still there then.
    pub fn end(&mut self, consumer: &str) -> Result<(), AppendError> {
        self.known(consumer)?;
        self.write(&[Entry::Ended(consumer.into())])?;
        self.consumers.remove(consumer);
        Ok(())
    }

    /// How far a consumer has come.
    #[must_use]
    pub fn progress(&self, consumer: &str) -> Option<Progress> {
        self.consumers.get(consumer).map(|state| state.progress)
    }

    /// What is declared for a consumer and not applied, in order.
    pub fn declared(&self, consumer: &str) -> impl Iterator<Item = Range> {
        let state = self.consumers.get(consumer);
        state.into_iter().flat_map(|state| state.progress.declared.iter().chain(&state.ahead).copied())
    }

    /// What a consumer has left out, oldest first.
    #[must_use]
    pub fn skipped(&self, consumer: &str) -> &[Skipped] {
        self.consumers.get(consumer).map_or(&[], |state| &state.skipped)
    }

    /// All consumers in order of their names.
    pub fn iter(&self) -> impl Iterator<Item = (&Consumer, Progress)> {
        self.consumers.iter().map(|(name, state)| (name, state.progress))
    }

    /// The first position that a consumer still needs; none when no consumer pins the log.
    #[must_use]
    pub fn needed(&self) -> Option<u64> {
        let pinning = self.consumers.values().filter(|state| state.progress.pins);
        pinning.map(|state| state.progress.applied + 1).min()
    }

    fn begun(&self, consumer: &str) -> Result<(), AppendError> {
        match self.known(consumer)?.declared {
            Some(_) => Ok(()),
            None => Err(AppendError::Failed(format!("{consumer} has begun with nothing"))),
        }
    }

    fn known(&self, consumer: &str) -> Result<Progress, AppendError> {
        self.progress(consumer).ok_or_else(|| AppendError::Failed(format!("there is no consumer {consumer}")))
    }

    fn update(&mut self, consumer: &str, change: impl FnOnce(&mut State)) {
        if let Some(state) = self.consumers.get_mut(consumer) {
            change(state);
        }
    }

    fn write(&mut self, entries: &[Entry]) -> Result<(), AppendError> {
        let ahead: usize =
            self.consumers.values().map(|state| 1 + state.ahead.len() + state.skipped.len()).sum();
        if self.journal.bytes() > REWRITE_ABOVE.max(4 * 256 * ahead as u64) {
            self.journal.rewrite(&self.present())?;
        }
        self.journal.append_all(entries)
    }

    /// Everything that is known, as entries.
    fn present(&self) -> Vec<Entry> {
        let mut entries = Vec::new();
        for (name, state) in &self.consumers {
            entries.push(Entry::Is((&**name).into(), state.progress));
            let skipped = state.skipped.iter().cloned();
            entries.extend(skipped.map(|skipped| Entry::WasSkipped((&**name).into(), skipped)));
            entries.extend(state.ahead.iter().map(|range| Entry::Declared((&**name).into(), *range)));
        }
        entries
    }
}
