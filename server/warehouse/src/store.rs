//! Stored data: one process that has a folder open, with several connections to it.
//!
//! A folder belongs to one owner at a time. The owner is the process that holds the [`Store`], not the engine's child, which
//! comes and goes: so two owners cannot take turns at restarting engines over the same data.

use std::fmt;
use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::config::Stored;
use crate::driver::{Driver, Hook};
use crate::error::EngineError;
use crate::pool::{PoolConfig, Threads};
use crate::process::Role;
use crate::request::Request;
use crate::scratch;
use crate::warehouse::{Most, Warehouse};

/// How stored data is opened.
#[derive(Clone)]
pub struct StoreConfig {
    /// Program, library, limits. Its number of workers does not count: one process holds the data. Its prelude runs once at
    /// each start, on the first connection that writes.
    pub engine: PoolConfig,
    /// The folder, which is made when it is not there. All in it is the store's.
    pub path: PathBuf,
    /// The database that unqualified names mean; it is made when it is not there.
    pub database: String,
    /// Further databases that may be made and changed: names, or beginnings of names with a `*` behind them.
    pub writable: Vec<String>,
    /// Databases that the reading connections see, likewise.
    pub readable: Vec<String>,
    /// Connections that change data.
    pub writers: usize,
    /// Connections that read, and cannot do anything else.
    pub readers: usize,
    /// Called with the engine's folder before each start of the engine, when nothing has it open: to mend what a crash left.
    /// Its error keeps the engine from being started, and is what statements are answered.
    pub before_start: Option<Arc<dyn Fn(&Path) -> Result<(), String> + Send + Sync>>,
    /// How long to wait for an engine whose owner was killed a moment ago.
    pub patience: Duration,
}

impl StoreConfig {
    /// One connection that writes and two that read, over the database `data` alone.
    pub fn new(engine: PoolConfig, path: impl Into<PathBuf>) -> Self {
        Self {
            engine,
            path: path.into(),
            database: "data".to_owned(),
            writable: Vec::new(),
            readable: vec!["data".to_owned()],
            writers: 1,
            readers: 2,
            before_start: None,
            patience: Duration::from_secs(5),
        }
    }
}

/// Stored data that is open. Dropping it closes it.
pub struct Store {
    writers: Warehouse,
    readers: Warehouse,
    threads: Threads,
    /// Let go last.
    _owner: File,
}

/// Why stored data is not open.
#[derive(Debug)]
pub enum StoreError {
    /// Somebody else has it.
    Taken {
        /// The folder.
        path: PathBuf,
        /// Who, by their own words.
        owner: String,
    },
    /// The folder cannot be used.
    Folder(PathBuf, std::io::Error),
    /// A database's name is none that can be granted.
    Name(String),
    /// The engine does not open it.
    Engine(EngineError),
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Taken { path, owner } => write!(
                f,
                "the data in {} is in use by {owner}: stop that one, or name another folder",
                path.display()
            ),
            Self::Folder(path, error) => write!(f, "the folder {} cannot be used: {error}", path.display()),
            Self::Name(name) => write!(
                f,
                "`{name}` is no name of a database: letters, digits and `_`, with at most one `*` at the end"
            ),
            Self::Engine(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for StoreError {}

impl Store {
    const OWNER: &str = "owner.lock";
    const DATA: &str = "engine";

    /// Opens the data, and waits until the engine has it.
    ///
    /// # Errors
    ///
    /// See [`StoreError`].
    pub fn open(config: StoreConfig) -> Result<Self, StoreError> {
        let StoreConfig { mut engine, path, database, mut writable, readable, writers, readers, .. } = config;
        if !is_name(&database) {
            return Err(StoreError::Name(database));
        }
        if let Some(bad) =
            writable.iter().chain(&readable).find(|n| !is_name(n.strip_suffix('*').unwrap_or(n)))
        {
            return Err(StoreError::Name(bad.clone()));
        }
        writable.push(database.clone());
        let path = std::path::absolute(&path).map_err(|e| StoreError::Folder(path, e))?;
        let (owner, data) = own(&path)?;
        scratch::sweep(&engine.scratch);
        engine.workers = 1;
        let (writers, readers) = (writers.max(1), readers.max(1));
        let most = Most::of(&engine);
        let role =
            Role { stored: Some((data.clone(), Stored { writable, readable })), database, writers, readers };
        let before_start = config.before_start.map(|hook| -> Hook { Arc::new(move || hook(&data)) });
        let mut threads = Threads::new(1);
        let place = threads.place(0, Arc::new(engine), role, before_start);
        let (writing, write_queue) = Warehouse::new(most, writers);
        let (reading, read_queue) = Warehouse::new(most, readers);
        for lane in 0..writers + readers {
            let queue = if lane < writers { &write_queue } else { &read_queue };
            threads.start(Driver::new(place.clone(), lane, queue.clone()));
        }
        let store = Self { writers: writing, readers: reading, threads, _owner: owner };
        store.wait_until_open(config.patience)?;
        Ok(store)
    }

    /// An engine whose owner was killed has the data open until it has noticed.
    fn wait_until_open(&self, patience: Duration) -> Result<(), StoreError> {
        let deadline = Instant::now() + patience;
        loop {
            match self.writers.query(Request::new("SELECT 1")) {
                Ok(_) => return Ok(()),
                Err(EngineError::Unavailable(why))
                    if Instant::now() < deadline && why.contains("Cannot lock file") =>
                {
                    std::thread::sleep(Duration::from_millis(50));
                }
                Err(error) => return Err(StoreError::Engine(error)),
            }
        }
    }

    /// The connections that change data. Several statements at a time, each on a connection of its own.
    pub fn writers(&self) -> &Warehouse {
        &self.writers
    }

    /// The connections that read. Whatever a statement says, it changes nothing, and sees no database that is not declared.
    pub fn readers(&self) -> &Warehouse {
        &self.readers
    }

    /// The engine's process, when it runs. For status pages, and for tests that end it.
    pub fn pids(&self) -> Vec<u32> {
        self.threads.pids()
    }

    /// What the system does not keep the engine's process from, in words; `None` when it is confined, or does not run.
    pub fn unconfined(&self) -> Option<String> {
        self.threads.unconfined()
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        self.threads.close(Duration::from_secs(5));
    }
}

/// Takes the folder for this process. The system lets go of the lock with the process, however that ends.
fn own(path: &Path) -> Result<(File, PathBuf), StoreError> {
    let folder = |e| StoreError::Folder(path.to_owned(), e);
    let data = path.join(Store::DATA);
    std::fs::create_dir_all(&data).map_err(folder)?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o700)).map_err(folder)?;
    }
    let mut file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(path.join(Store::OWNER))
        .map_err(folder)?;
    match file.try_lock() {
        Ok(()) => {}
        Err(std::fs::TryLockError::Error(error)) => return Err(folder(error)),
        Err(std::fs::TryLockError::WouldBlock) => {
            let mut owner = String::new();
            let _ = file.take(1000).read_to_string(&mut owner);
            let owner = owner.trim();
            let owner = if owner.is_empty() { "another process".to_owned() } else { owner.to_owned() };
            return Err(StoreError::Taken { path: path.to_owned(), owner });
        }
    }
    let program = std::env::current_exe().ok();
    let program = program.as_deref().and_then(Path::file_name).unwrap_or_default().to_string_lossy();
    let write = |file: &mut File| {
        file.set_len(0)?;
        file.rewind()?;
        writeln!(file, "process {} ({program})", std::process::id())?;
        file.flush()
    };
    write(&mut file).map_err(folder)?;
    Ok((file, data))
}

fn is_name(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}
