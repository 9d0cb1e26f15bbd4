//! Takes the library out of the archive, and nothing else, without holding either in memory.

use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Write};
use std::path::Path;

use flate2::read::GzDecoder;

use super::hash::Hashing;
use super::package::Package;
use super::{SetupError, Step};

/// No library is larger, bytes: a bound for archives whose checksum is not known.
const MOST: u64 = 4 << 30;

pub(super) fn unpack(
    package: &Package,
    archive: &Path,
    folder: &Path,
    progress: &mut dyn FnMut(Step),
) -> Result<(), SetupError> {
    let broken = |detail: String| SetupError::NotAnArchive { file: archive.to_owned(), detail };
    let file = File::open(archive).map_err(|error| SetupError::Io { path: archive.to_owned(), error })?;
    let mut tar = tar::Archive::new(GzDecoder::new(BufReader::with_capacity(1 << 16, file)));
    let wanted = Path::new("package").join(package.library);
    for entry in tar.entries().map_err(|e| broken(e.to_string()))? {
        let mut entry = entry.map_err(|e| broken(e.to_string()))?;
        // The name is compared and never used as a path.
        let is_library = entry.path().is_ok_and(|p| p == wanted);
        if !is_library || !entry.header().entry_type().is_file() {
            continue;
        }
        let size = entry.size();
        let expected = package.pin.as_ref().map_or(MOST, |p| p.library_bytes);
        if size > expected {
            return Err(broken(format!("its library has {size} bytes, {expected} are the most")));
        }
        let path = folder.join(package.library);
        let (found, copied) = copy(&mut entry, &path, size, progress)
            .map_err(|error| SetupError::Io { path: path.clone(), error })?;
        if copied != size {
            return Err(broken("it ends in the middle of the library".to_owned()));
        }
        return match &package.pin {
            Some(pin) if found != pin.library_sha256 => Err(SetupError::Checksum {
                file: path,
                expected: pin.library_sha256.to_owned(),
                found,
                removed: true,
            }),
            _ => Ok(()),
        };
    }
    Err(broken(format!("there is no {} in it", wanted.display())))
}

fn copy(
    from: &mut impl Read,
    path: &Path,
    size: u64,
    progress: &mut dyn FnMut(Step),
) -> io::Result<(String, u64)> {
    let mut out = Hashing::new(BufWriter::with_capacity(1 << 20, File::create(path)?));
    let mut buffer = vec![0; 1 << 16];
    let mut copied = 0;
    loop {
        let length = from.read(&mut buffer)?;
        if length == 0 {
            break;
        }
        out.write_all(&buffer[..length])?;
        copied += length as u64;
        progress(Step::Unpacking(copied, size));
    }
    let (out, hash) = out.finish();
    // On the disk before its folder gets its final name.
    out.into_inner()?.sync_all()?;
    Ok((hash, copied))
}
