//! Bytes to text, or to a reason that a person can act on.

use std::io;

use camino::Utf8Path;
use headwater_analysis::Content;

use crate::fs::{EntryKind, FileSystem};

/// The largest datafile that is read. Real ones end at some hundred kilobytes; beyond this it is data, not a definition.
pub const MAX_BYTES: u64 = 16 * 1024 * 1024;

/// How far into a file a zero byte marks it as binary; git uses the same window.
const BINARY_WINDOW: usize = 8 * 1024;

/// Reads one datafile. Never fails: what cannot be read says why and what to do.
pub fn read_content(fs: &dyn FileSystem, path: &Utf8Path) -> Content {
    match fs.kind(path) {
        Ok(EntryKind::File(length)) if length > MAX_BYTES => Content::Unreadable(format!(
            "The file has {} MB; datafiles are read up to {} MB. Keep definitions here and move data to `fixtures/`.",
            length / (1024 * 1024),
            MAX_BYTES / (1024 * 1024),
        )),
        Ok(EntryKind::File(_)) => match fs.read(path) {
            Ok(bytes) => content_of(bytes),
            Err(error) => of_error(&error),
        },
        Ok(EntryKind::Directory) => Content::Unreadable(
            "This is a folder with a datafile's extension. Rename it, or put the datafile's text into a file.".into(),
        ),
        Ok(EntryKind::Other) => Content::Unreadable(
            "This is no regular file (a dangling link, a socket or a device). Remove it or point the link at a file."
                .into(),
        ),
        Err(error) => of_error(&error),
    }
}

fn content_of(bytes: Vec<u8>) -> Content {
    if bytes.starts_with(&[0xFF, 0xFE]) || bytes.starts_with(&[0xFE, 0xFF]) {
        return Content::Unreadable("The file is UTF-16. Save it as UTF-8.".into());
    }
    if bytes.iter().take(BINARY_WINDOW).any(|byte| *byte == 0) {
        return Content::Unreadable(
            "The file is binary (it has a zero byte near its start). Datafiles are UTF-8 text: check the extension, or \
             restore the file from version control."
                .into(),
        );
    }
    match String::from_utf8(bytes) {
        Ok(text) => Content::Text(text.into()),
        Err(error) => {
            let valid = error.utf8_error().valid_up_to();
            let bytes = error.as_bytes();
            let line = 1 + bytes[..valid].iter().filter(|byte| **byte == b'\n').count();
            Content::Unreadable(format!(
                "The file is not UTF-8: byte 0x{:02X} in line {line}. Save it as UTF-8 (it may be Latin-1 or \
                 Windows-1252).",
                bytes[valid]
            ))
        }
    }
}

fn of_error(error: &io::Error) -> Content {
    match error.kind() {
        io::ErrorKind::NotFound => Content::Deleted,
        io::ErrorKind::PermissionDenied => Content::Unreadable(
            "The file cannot be read: permission denied. Give yourself read access (`chmod u+r`).".into(),
        ),
        _ => Content::Unreadable(format!(
            "The file cannot be read: {error}. Check that the disk is there, then save the file again."
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::MemoryFileSystem;

    fn reason(bytes: impl Into<Vec<u8>>) -> String {
        let fs = MemoryFileSystem::new();
        fs.write("/p/x.pipe", bytes);
        match read_content(&fs, "/p/x.pipe".into()) {
            Content::Unreadable(reason) => reason,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn unreadable_content_says_what_to_do() {
        assert!(reason(*b"NODE a\0b").contains("binary"));
        assert!(reason(*b"NODE a\nNODE \xE9").contains("byte 0xE9 in line 2"));
        assert!(reason(*b"\xFF\xFEN\0").contains("UTF-16"));
        assert!(reason(vec![b'x'; 17 * 1024 * 1024]).contains("17 MB"));
    }

    #[test]
    fn a_denied_file_is_unreadable_and_a_missing_one_deleted() {
        let fs = MemoryFileSystem::new();
        fs.deny("/p/x.pipe").link("/p/y.pipe", "/nowhere");
        assert!(
            matches!(read_content(&fs, "/p/x.pipe".into()), Content::Unreadable(r) if r.contains("permission"))
        );
        assert_eq!(read_content(&fs, "/p/z.pipe".into()), Content::Deleted);
    }

    #[test]
    fn a_zero_byte_far_into_the_file_and_a_mark_at_its_start_are_text() {
        let fs = MemoryFileSystem::new();
        fs.write("/p/x.pipe", [&vec![b' '; 9000][..], b"\0"].concat()).write("/p/y.pipe", "\u{FEFF}NODE a");
        assert!(matches!(read_content(&fs, "/p/x.pipe".into()), Content::Text(_)));
        assert_eq!(read_content(&fs, "/p/y.pipe".into()), Content::Text("\u{FEFF}NODE a".into()));
    }
}
