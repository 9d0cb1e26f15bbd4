//! The little of a disk that a log needs.

use std::io;
use std::sync::Arc;

/// One folder of files, owned by one process at a time.
///
/// What is not synced may be gone after a crash, in any order: bytes of a file until [`StoredFile::sync`], names until
/// [`Storage::sync`].
pub trait Storage: Send + Sync {
    /// The names of the files, in no particular order.
    ///
    /// # Errors
    /// As the system reports them.
    fn list(&self) -> io::Result<Vec<String>>;

    /// Opens a file that is there.
    ///
    /// # Errors
    /// `NotFound`, and as the system reports them.
    fn open(&self, name: &str) -> io::Result<Arc<dyn StoredFile>>;

    /// Makes an empty file.
    ///
    /// # Errors
    /// `AlreadyExists`, and as the system reports them.
    fn create(&self, name: &str) -> io::Result<Arc<dyn StoredFile>>;

    /// Gives a file another name, over one that has it.
    ///
    /// # Errors
    /// As the system reports them.
    fn rename(&self, from: &str, to: &str) -> io::Result<()>;

    /// Removes a file. Open ones stay readable.
    ///
    /// # Errors
    /// As the system reports them.
    fn remove(&self, name: &str) -> io::Result<()>;

    /// Makes names durable: what was created, renamed and removed.
    ///
    /// # Errors
    /// As the system reports them.
    fn sync(&self) -> io::Result<()>;
}

/// An open file. Reads and writes say where; there is no cursor.
pub trait StoredFile: Send + Sync {
    /// The number of bytes.
    ///
    /// # Errors
    /// As the system reports them.
    fn size(&self) -> io::Result<u64>;

    /// Fills `buffer` from `offset` on.
    ///
    /// # Errors
    /// `UnexpectedEof` when the file is shorter, and as the system reports them.
    fn read(&self, offset: u64, buffer: &mut [u8]) -> io::Result<()>;

    /// Writes all of `bytes` at `offset`. After an error any part of them may be written.
    ///
    /// # Errors
    /// `StorageFull` when there is no room, and as the system reports them.
    fn write(&self, offset: u64, bytes: &[u8]) -> io::Result<()>;

    /// Cuts the file off.
    ///
    /// # Errors
    /// As the system reports them.
    fn truncate(&self, size: u64) -> io::Result<()>;

    /// Makes bytes and size durable.
    ///
    /// # Errors
    /// As the system reports them. Afterwards nobody knows what is durable; trying again may report success falsely.
    fn sync(&self) -> io::Result<()>;
}

/// Reads so many bytes from `offset` on.
pub(crate) fn read_vec(file: &dyn StoredFile, offset: u64, length: usize) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0; length];
    file.read(offset, &mut bytes)?;
    Ok(bytes)
}

/// Writes a file that is there as a whole or not at all, whatever happens.
pub(crate) fn replace(storage: &dyn Storage, name: &str, bytes: &[u8]) -> io::Result<()> {
    let temporary = format!("{name}.new");
    match storage.remove(&temporary) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let file = storage.create(&temporary)?;
    file.write(0, bytes)?;
    file.sync()?;
    storage.rename(&temporary, name)?;
    storage.sync()
}
