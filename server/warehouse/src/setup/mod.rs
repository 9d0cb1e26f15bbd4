//! Brings the engine's library onto this machine: an npm package at a pinned version, its checksum known beforehand.
//!
//! Whatever interrupts it, the machine has the whole library or none: the archive grows in a `.partial` file that the
//! next run continues, and the library appears by renaming a finished folder.

mod download;
mod error;
mod hash;
mod package;
mod registry;
mod unpack;

use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};

pub use error::SetupError;
pub use package::{Package, Pin};
pub use registry::Registry;

/// Where the archive comes from.
#[derive(Debug, Clone)]
pub enum Source {
    /// The user's npm registry.
    Registry(Registry),
    /// A file that the user brought: `npm pack` makes it on a machine that has a network.
    File(PathBuf),
}

/// What an installation is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Another installation runs; this one waits for it.
    Waiting,
    /// Bytes of the archive that are here, and how many there will be.
    Downloading(u64, u64),
    /// The archive's checksum is computed.
    Verifying,
    /// Bytes of the library that are unpacked, and how many there will be; 0 when that is not known.
    Unpacking(u64, u64),
}

/// Installs `package` below `engines` (one folder per version), or finds it there. Returns the library.
///
/// # Errors
///
/// See [`SetupError`]. After a broken download the next call goes on where this one stopped.
pub fn install(
    package: &Package,
    engines: &Path,
    source: &Source,
    progress: &mut dyn FnMut(Step),
) -> Result<PathBuf, SetupError> {
    let library = package.library_below(engines);
    let at = |path: &Path| {
        let path = path.to_owned();
        move |error| SetupError::Io { path, error }
    };
    fs::create_dir_all(engines).map_err(at(engines))?;
    let lock_path = engines.join(".lock");
    let lock = File::create(&lock_path).map_err(at(&lock_path))?;
    match lock.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            progress(Step::Waiting);
            lock.lock().map_err(at(&lock_path))?;
        }
        Err(TryLockError::Error(error)) => return Err(at(&lock_path)(error)),
    }
    if library.is_file() {
        return Ok(library);
    }
    let partial = engines.join(format!("{}.partial", package.archive_name()));
    let archive = match source {
        Source::File(file) => file,
        Source::Registry(registry) => {
            let Some(pin) = &package.pin else { return Err(SetupError::NotPinned(package.clone())) };
            download::download(registry, package, pin, &partial, progress)?;
            &partial
        }
    };
    if let Some(pin) = &package.pin {
        progress(Step::Verifying);
        let found = hash::of_file(archive).map_err(at(archive))?;
        if found != pin.archive_sha256 {
            let removed = archive == &partial;
            if removed {
                fs::remove_file(&partial).map_err(at(&partial))?;
            }
            return Err(SetupError::Checksum {
                removed,
                file: archive.clone(),
                expected: pin.archive_sha256.to_owned(),
                found,
            });
        }
    }
    // Under the lock nobody else has a use for what an interrupted run left.
    let fresh = engines.join(format!("{}.unpacking", package.version));
    if fresh.exists() {
        fs::remove_dir_all(&fresh).map_err(at(&fresh))?;
    }
    fs::create_dir(&fresh).map_err(at(&fresh))?;
    let unpacked = unpack::unpack(package, archive, &fresh, progress);
    if let Err(error) = unpacked {
        let _ = fs::remove_dir_all(&fresh);
        return Err(error);
    }
    let home = engines.join(package.version);
    if home.exists() {
        fs::remove_dir_all(&home).map_err(at(&home))?;
    }
    fs::rename(&fresh, &home).map_err(at(&home))?;
    if archive == &partial {
        // The library is there; a left-over archive only costs space.
        let _ = fs::remove_file(&partial);
    }
    Ok(library)
}

/// Reads the whole installed library and compares it with its checksum, where one is pinned.
///
/// # Errors
///
/// [`SetupError::Checksum`] when it was changed, [`SetupError::Io`] when it cannot be read.
pub fn verify(package: &Package, library: &Path) -> Result<(), SetupError> {
    let found = hash::of_file(library).map_err(|error| SetupError::Io { path: library.to_owned(), error })?;
    match &package.pin {
        Some(pin) if found != pin.library_sha256 => Err(SetupError::Checksum {
            file: library.to_owned(),
            expected: pin.library_sha256.to_owned(),
            found,
            removed: false,
        }),
        _ => Ok(()),
    }
}
