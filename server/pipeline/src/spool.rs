//! Results that depend on more than their block, kept on disk before anybody acts on them: repeated, and for views behind
//! them, they are the same.
//!
//! ```text
//! "HWSPOOL\0"  version u16  rows u64  bytes u64  checksum u32  rows as the engine's own blocks
//! ```

use std::io;
use std::sync::Arc;

use headwater_log::{Range, Storage, StoredFile};

const MAGIC: [u8; 8] = *b"HWSPOOL\0";
const VERSION: u16 = 1;
const HEADER: usize = 30;
const PREFIX: &str = "spool-";
const UNFINISHED: &str = ".new";

/// A result that was kept.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Kept {
    pub(crate) rows: u64,
    pub(crate) bytes: Vec<u8>,
}

/// The file of an output for a range.
fn name(output: &str, range: &Range) -> String {
    format!("{PREFIX}{output}-{}-{}", range.from, range.to)
}

/// The output and the range's end that a file is of.
fn parse(name: &str) -> Option<(&str, u64)> {
    let (output, rest) = name.strip_prefix(PREFIX)?.split_once('-')?;
    let (_, to) = rest.split_once('-')?;
    Some((output, to.parse().ok()?))
}

/// Keeps a result: as a whole and durably, or not at all. `inside` is called when it is written and not yet durable.
pub(crate) fn keep(
    storage: &dyn Storage,
    output: &str,
    range: &Range,
    kept: &Kept,
    inside: &dyn Fn(),
) -> io::Result<()> {
    let name = name(output, range);
    let unfinished = format!("{name}{UNFINISHED}");
    match storage.remove(&unfinished) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let file = storage.create(&unfinished)?;
    let mut bytes = Vec::with_capacity(HEADER + kept.bytes.len());
    bytes.extend(MAGIC);
    bytes.extend(VERSION.to_le_bytes());
    bytes.extend(kept.rows.to_le_bytes());
    bytes.extend((kept.bytes.len() as u64).to_le_bytes());
    bytes.extend(crc32fast::hash(&kept.bytes).to_le_bytes());
    bytes.extend(&kept.bytes);
    file.write(0, &bytes)?;
    inside();
    file.sync()?;
    storage.rename(&unfinished, &name)?;
    storage.sync()
}

/// What was kept for a range; none when nothing was. What is not whole was durable once, so it is an error.
pub(crate) fn find(storage: &dyn Storage, output: &str, range: &Range) -> io::Result<Option<Kept>> {
    let name = name(output, range);
    let file: Arc<dyn StoredFile> = match storage.open(&name) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let damaged = |what: &str| {
        let why = format!("{name} is damaged: {what}; skip the range, or restore the file from a copy");
        io::Error::new(io::ErrorKind::InvalidData, why)
    };
    let size = usize::try_from(file.size()?).map_err(|_| damaged("it is too large"))?;
    let mut all = vec![0; size];
    file.read(0, &mut all)?;
    let Some((header, bytes)) = all.split_at_checked(HEADER) else { return Err(damaged("it is too short")) };
    let number = |at: usize| header[at..at + 8].iter().rev().fold(0, |n, byte| n << 8 | u64::from(*byte));
    if header[..8] != MAGIC || u16::from_le_bytes([header[8], header[9]]) != VERSION {
        return Err(damaged("its beginning is of no version that is known"));
    }
    let checksum = u32::from_le_bytes([header[26], header[27], header[28], header[29]]);
    if number(18) != bytes.len() as u64 || crc32fast::hash(bytes) != checksum {
        return Err(damaged("its checksum is wrong"));
    }
    Ok(Some(Kept { rows: number(10), bytes: bytes.to_vec() }))
}

/// Lets go of what nobody needs: `applied` says how far all who need an output have come, or that nobody does.
pub(crate) fn sweep(storage: &dyn Storage, applied: &dyn Fn(&str) -> Option<u64>) -> io::Result<()> {
    for file in storage.list()? {
        let is_over = match parse(&file) {
            _ if file.starts_with(PREFIX) && file.ends_with(UNFINISHED) => true,
            Some((output, to)) => applied(output).is_none_or(|applied| to <= applied),
            None => false,
        };
        if is_over {
            storage.remove(&file)?;
        }
    }
    Ok(())
}

/// Lets go of one.
pub(crate) fn remove(storage: &dyn Storage, output: &str, range: &Range) -> io::Result<()> {
    match storage.remove(&name(output, range)) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use headwater_log::ReleaseId;
    use headwater_log::simulated::SimulatedDisk;

    use super::*;

    fn range(from: u64, to: u64) -> Range {
        Range { from, to, release: ReleaseId::default(), effect: false }
    }

    #[test]
    fn what_was_kept_is_found_again_and_damage_is_no_result() {
        let disk = SimulatedDisk::new();
        let kept = Kept { rows: 3, bytes: b"three rows".to_vec() };
        assert_eq!(find(&disk, "a", &range(1, 4)).expect("a disk"), None);
        keep(&disk, "a", &range(1, 4), &kept, &|| {}).expect("room");
        keep(&disk, "a", &range(5, 9), &Kept { rows: 0, bytes: Vec::new() }, &|| {}).expect("room");
        let disk = disk.after_crash(&mut fastrand::Rng::with_seed(1));
        assert_eq!(find(&disk, "a", &range(1, 4)).expect("a disk"), Some(kept));
        assert_eq!(find(&disk, "a", &range(5, 9)).expect("a disk").map(|kept| kept.rows), Some(0));
        assert_eq!(find(&disk, "a", &range(1, 5)).expect("a disk"), None);
        disk.open("spool-a-1-4").expect("there").write(33, b"X").expect("room");
        let error = find(&disk, "a", &range(1, 4)).expect_err("damaged").to_string();
        assert!(error.contains("checksum"), "{error}");
    }

    #[test]
    fn what_nobody_needs_goes() {
        let disk = SimulatedDisk::new();
        let kept = Kept { rows: 0, bytes: Vec::new() };
        for (output, from, to) in [("a", 1, 4), ("a", 5, 9), ("gone", 1, 4)] {
            keep(&disk, output, &range(from, to), &kept, &|| {}).expect("room");
        }
        disk.create("spool-a-10-12.new").expect("room");
        disk.create("cursors").expect("room");
        sweep(&disk, &|output| (output == "a").then_some(4)).expect("a disk");
        let mut left = disk.list().expect("a disk");
        left.sort();
        assert_eq!(left, ["cursors", "spool-a-5-9"]);
        remove(&disk, "a", &range(5, 9)).expect("there");
        remove(&disk, "a", &range(5, 9)).expect("gone already");
    }
}
