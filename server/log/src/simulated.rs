//! A disk in memory that does what disks are allowed to do.
//!
//! What is not synced may survive a crash or not, sector by sector and in any order; names survive in the order in which they
//! were changed. It fills up, fails to sync once, and stops at an operation of one's choice.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::storage::{Storage, StoredFile};

/// A sector is written whole or not at all.
const SECTOR: usize = 512;

/// A disk in memory.
#[derive(Clone, Default)]
pub struct SimulatedDisk(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    files: Vec<Content>,
    names: BTreeMap<String, usize>,
    durable_names: BTreeMap<String, usize>,
    renamed: Vec<NameChange>,
    operations: u64,
    stop_at: Option<u64>,
    capacity: Option<u64>,
    failing_syncs: u32,
    lying: bool,
}

#[derive(Default, Clone)]
struct Content {
    now: Vec<u8>,
    durable: Vec<u8>,
    changes: Vec<Change>,
}

#[derive(Clone)]
enum Change {
    Write(usize, Vec<u8>),
    Truncate(usize),
}

#[derive(Clone)]
enum NameChange {
    Set(String, usize),
    Remove(String),
    Rename(String, String),
}

impl SimulatedDisk {
    /// An empty disk.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// How many operations that change something were asked for.
    #[must_use]
    pub fn operations(&self) -> u64 {
        self.state().operations
    }

    /// From the operation of this number on nothing is done any more, as if the machine were off.
    pub fn stop_at(&self, operation: u64) {
        self.state().stop_at = Some(operation);
    }

    /// All files together may have so many bytes.
    pub fn set_capacity(&self, bytes: Option<u64>) {
        self.state().capacity = bytes;
    }

    /// The next syncs of files fail, so many.
    pub fn fail_syncs(&self, number: u32) {
        self.state().failing_syncs = number;
    }

    /// From now on a sync says that it was done, and does nothing. No log survives that: it shows that a test would notice.
    pub fn lie_about_syncs(&self) {
        self.state().lying = true;
    }

    /// The disk as it is found after the machine went off now; `random` decides what of the unsynced survived.
    #[must_use]
    pub fn after_crash(&self, random: &mut fastrand::Rng) -> Self {
        let state = self.state();
        let files = state
            .files
            .iter()
            .map(|content| {
                let survived = survive(content, random);
                Content { now: survived.clone(), durable: survived, changes: Vec::new() }
            })
            .collect();
        let mut names = state.durable_names.clone();
        for change in &state.renamed[..random.usize(..=state.renamed.len())] {
            apply(&mut names, change);
        }
        Self(Arc::new(Mutex::new(State { files, durable_names: names.clone(), names, ..State::default() })))
    }

    /// Changes one byte of a file, as a failing disk would.
    ///
    /// # Panics
    /// When there is no such byte.
    pub fn damage(&self, name: &str, offset: usize) {
        let mut state = self.state();
        let file = state.names[name];
        state.files[file].now[offset] ^= 0x40;
        state.files[file].durable = state.files[file].now.clone();
    }

    /// The bytes of a file; none when it is not there.
    #[must_use]
    pub fn content(&self, name: &str) -> Option<Vec<u8>> {
        let state = self.state();
        state.names.get(name).map(|&file| state.files[file].now.clone())
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts an operation; an error when the machine is off.
    fn operate(&self) -> io::Result<MutexGuard<'_, State>> {
        let mut state = self.state();
        state.operations += 1;
        match state.stop_at {
            Some(stop) if state.operations >= stop => Err(io::Error::other("the machine is off")),
            _ => Ok(state),
        }
    }
}

/// What is left of a file: each sector of each write by itself.
fn survive(content: &Content, random: &mut fastrand::Rng) -> Vec<u8> {
    let mut bytes = content.durable.clone();
    for change in &content.changes {
        match change {
            Change::Truncate(size) if random.bool() => bytes.truncate(*size),
            Change::Truncate(_) => {}
            Change::Write(offset, written) => {
                let mut at = 0;
                while at < written.len() {
                    let length = (SECTOR - (offset + at) % SECTOR).min(written.len() - at);
                    if random.bool() {
                        put(&mut bytes, offset + at, &written[at..at + length]);
                    }
                    at += length;
                }
            }
        }
    }
    bytes
}

fn put(bytes: &mut Vec<u8>, offset: usize, written: &[u8]) {
    let end = offset + written.len();
    if bytes.len() < end {
        bytes.resize(end, 0);
    }
    bytes[offset..end].copy_from_slice(written);
}

fn apply(names: &mut BTreeMap<String, usize>, change: &NameChange) {
    match change {
        NameChange::Set(name, file) => {
            names.insert(name.clone(), *file);
        }
        NameChange::Remove(name) => {
            names.remove(name);
        }
        NameChange::Rename(from, to) => {
            if let Some(file) = names.remove(from) {
                names.insert(to.clone(), file);
            }
        }
    }
}

impl State {
    fn rename(&mut self, change: NameChange) {
        apply(&mut self.names, &change);
        self.renamed.push(change);
    }
}

impl Storage for SimulatedDisk {
    fn list(&self) -> io::Result<Vec<String>> {
        Ok(self.state().names.keys().cloned().collect())
    }

    fn open(&self, name: &str) -> io::Result<Arc<dyn StoredFile>> {
        let file = self.state().names.get(name).copied().ok_or(io::ErrorKind::NotFound)?;
        Ok(Arc::new(SimulatedFile { disk: self.clone(), file }))
    }

    fn create(&self, name: &str) -> io::Result<Arc<dyn StoredFile>> {
        let mut state = self.operate()?;
        if state.names.contains_key(name) {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        let file = state.files.len();
        state.files.push(Content::default());
        state.rename(NameChange::Set(name.into(), file));
        Ok(Arc::new(SimulatedFile { disk: self.clone(), file }))
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        let mut state = self.operate()?;
        if !state.names.contains_key(from) {
            return Err(io::ErrorKind::NotFound.into());
        }
        state.rename(NameChange::Rename(from.into(), to.into()));
        Ok(())
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        let mut state = self.operate()?;
        if !state.names.contains_key(name) {
            return Err(io::ErrorKind::NotFound.into());
        }
        state.rename(NameChange::Remove(name.into()));
        Ok(())
    }

    fn sync(&self) -> io::Result<()> {
        let mut state = self.operate()?;
        if !state.lying {
            state.durable_names = state.names.clone();
            state.renamed.clear();
        }
        Ok(())
    }
}

struct SimulatedFile {
    disk: SimulatedDisk,
    file: usize,
}

impl StoredFile for SimulatedFile {
    fn size(&self) -> io::Result<u64> {
        Ok(self.disk.state().files[self.file].now.len() as u64)
    }

    fn read(&self, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
        let state = self.disk.state();
        let offset = usize::try_from(offset).map_err(|_| io::ErrorKind::UnexpectedEof)?;
        let end = offset.checked_add(buffer.len()).ok_or(io::ErrorKind::UnexpectedEof)?;
        let bytes = state.files[self.file].now.get(offset..end).ok_or(io::ErrorKind::UnexpectedEof)?;
        buffer.copy_from_slice(bytes);
        Ok(())
    }

    fn write(&self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        let mut state = self.disk.operate()?;
        let offset = usize::try_from(offset).map_err(|_| io::ErrorKind::StorageFull)?;
        let used: usize = state.names.values().map(|&file| state.files[file].now.len()).sum();
        let grows = (offset + bytes.len()).saturating_sub(state.files[self.file].now.len());
        let room = state.capacity.map_or(usize::MAX, |capacity| (capacity as usize).saturating_sub(used));
        // What fits is written before the rest is refused, as file systems do.
        let fits = bytes.len() - grows.saturating_sub(room);
        let content = &mut state.files[self.file];
        put(&mut content.now, offset, &bytes[..fits]);
        content.changes.push(Change::Write(offset, bytes[..fits].to_vec()));
        if fits < bytes.len() { Err(io::ErrorKind::StorageFull.into()) } else { Ok(()) }
    }

    fn truncate(&self, size: u64) -> io::Result<()> {
        let mut state = self.disk.operate()?;
        let content = &mut state.files[self.file];
        let size = usize::try_from(size).unwrap_or(usize::MAX);
        content.now.truncate(size);
        content.changes.push(Change::Truncate(size));
        Ok(())
    }

    fn sync(&self) -> io::Result<()> {
        let mut state = self.disk.operate()?;
        if state.failing_syncs > 0 {
            state.failing_syncs -= 1;
            return Err(io::Error::other("a sector cannot be written"));
        }
        if !state.lying {
            let content = &mut state.files[self.file];
            content.durable = content.now.clone();
            content.changes.clear();
        }
        Ok(())
    }
}
