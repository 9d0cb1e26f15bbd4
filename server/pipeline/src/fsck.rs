//! What a crash leaves in the engine's memory of tokens, mended before the engine is started.
//!
//! A table of the `MergeTree` family notes a token *before* the part that the token stands for is there. Killed in between,
//! it says "duplicate" to whoever tries again, and the rows are nowhere. So, while nothing has the data open: a line goes whose
//! part is not on disk, neither by itself nor in a part that was merged from it. It has to be done before each start: once merges
//! went on, nobody can tell any more.
//!
//! The format, measured on 26.7.3: `deduplication_logs/deduplication_log_<n>.txt` beside the parts of a table, with lines
//! `1 <tab> part <tab> token` for what came and `2 <tab> part <tab> token` for what went. A file in which no line is like that is
//! of a format that is not known: then the engine is not started, since what it would swallow cannot be told.
//!
//! Linear in the lines and parts; nothing is written where nothing is wrong.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fmt;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// What was found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    /// Tables with a memory of tokens.
    pub tables: u64,
    /// Lines of parts that are not there.
    pub orphans: u64,
    /// Lines that were not written to their end, empty ones, and ones that say nothing.
    pub broken: u64,
    /// Files that were written anew.
    pub mended: u64,
}

/// Why the data must not be opened.
#[derive(Debug)]
pub enum FsckError {
    /// The disk said no.
    Io(PathBuf, io::Error),
    /// A file is of a format that this version does not know.
    Unknown(PathBuf),
}

impl fmt::Display for FsckError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io(path, error) => write!(f, "{}: {error}", path.display()),
            Self::Unknown(path) => write!(
                f,
                "{} is of a format that this version does not know, so it cannot tell which rows a crash left out; use the \
                 version that wrote the data, or the engine that it came with",
                path.display()
            ),
        }
    }
}

impl std::error::Error for FsckError {}

const FOLDER: &str = "deduplication_logs";
const UNFINISHED: &str = "headwater-tokens.new";

/// Mends all tables of an engine's data folder. `probe` is told where it is, for tests: `fsck.before`, `fsck.inside`,
/// `fsck.after`.
///
/// # Errors
/// See [`FsckError`]; files that were mended before it are mended.
pub fn mend(folder: &Path, probe: &dyn Fn(&'static str)) -> Result<Report, FsckError> {
    probe("fsck.before");
    let mut report = Report::default();
    let unfinished = folder.join(UNFINISHED);
    match fs::remove_file(&unfinished) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            return Err(FsckError::Io(unfinished, error));
        }
        _ => {}
    }
    // `store/abc/abcdef…` for tables of databases that know them by identity, `data/database/table` for others.
    for top in ["store", "data"] {
        for group in folders(&folder.join(top))? {
            for table in folders(&group)? {
                if table.join(FOLDER).is_dir() {
                    report.tables += 1;
                    mend_table(&table, &unfinished, probe, &mut report)?;
                }
            }
        }
    }
    probe("fsck.after");
    Ok(report)
}

fn mend_table(
    table: &Path,
    unfinished: &Path,
    probe: &dyn Fn(&'static str),
    report: &mut Report,
) -> Result<(), FsckError> {
    let parts = Parts::of(table)?;
    for path in entries(&table.join(FOLDER))? {
        let is_log = path.file_name().and_then(OsStr::to_str).is_some_and(|name| {
            let number = name.strip_prefix("deduplication_log_").and_then(|rest| rest.strip_suffix(".txt"));
            number.is_some_and(|number| number.parse::<u64>().is_ok())
        });
        if !is_log {
            return Err(FsckError::Unknown(path));
        }
        let bytes = fs::read(&path).map_err(|error| FsckError::Io(path.clone(), error))?;
        let Some(mended) = mended(&bytes, &parts, report) else { return Err(FsckError::Unknown(path)) };
        if mended != bytes {
            report.mended += 1;
            replace(&path, unfinished, &mended, probe).map_err(|error| FsckError::Io(path.clone(), error))?;
        }
    }
    Ok(())
}

/// The lines that stay; `None` when none of them is of the format.
fn mended(bytes: &[u8], parts: &Parts, report: &mut Report) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(bytes.len());
    let (mut known, mut unknown) = (0u64, 0u64);
    for line in bytes.split_inclusive(|byte| *byte == b'\n') {
        let Some(whole) = line.strip_suffix(b"\n") else {
            // The last one, not written to its end.
            report.broken += 1;
            continue;
        };
        match Line::parse(whole) {
            // Where one line is empty, the engine forgets all that come behind it.
            None => {
                report.broken += 1;
                unknown += u64::from(!whole.is_empty());
            }
            Some(line_is) => {
                known += 1;
                match line_is {
                    Line::Came(part) if !parts.cover(&part) => report.orphans += 1,
                    Line::Came(_) | Line::Went => out.extend_from_slice(line),
                }
            }
        }
    }
    (known > 0 || unknown == 0).then_some(out)
}

enum Line {
    Came(Part),
    Went,
}

impl Line {
    fn parse(line: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(line).ok()?;
        let mut fields = text.split('\t');
        let (what, part, token) = (fields.next()?, fields.next()?, fields.next()?);
        if fields.next().is_some() || token.is_empty() {
            return None;
        }
        let part = Part::parse(part)?;
        match what {
            "1" => Some(Self::Came(part)),
            "2" => Some(Self::Went),
            _ => None,
        }
    }
}

/// A part: `partition_first_last_level`, and of a mutated one its version behind that.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Part {
    partition: String,
    first: u64,
    last: u64,
}

impl Part {
    fn parse(name: &str) -> Option<Self> {
        let fields: Vec<&str> = name.split('_').collect();
        let ([partition, first, last, level] | [partition, first, last, level, _]) = fields[..] else {
            return None;
        };
        if fields.len() == 5 {
            fields[4].parse::<u64>().ok()?;
        }
        level.parse::<u32>().ok()?;
        (!partition.is_empty()).then_some(())?;
        Some(Self { partition: partition.to_owned(), first: first.parse().ok()?, last: last.parse().ok()? })
    }
}

/// The parts of a table that are on disk.
struct Parts(BTreeMap<String, Vec<(u64, u64)>>);

impl Parts {
    fn of(table: &Path) -> Result<Self, FsckError> {
        let mut parts: BTreeMap<String, Vec<(u64, u64)>> = BTreeMap::new();
        for path in folders(table)? {
            // Names of parts on their way in and out begin otherwise (`tmp_…`, `delete_tmp_…`), and are none of these.
            let part = path.file_name().and_then(OsStr::to_str).and_then(Part::parse);
            if let Some(part) = part
                && !part.partition.starts_with("tmp")
                && !part.partition.starts_with("delete")
            {
                parts.entry(part.partition).or_default().push((part.first, part.last));
            }
        }
        Ok(Self(parts))
    }

    fn cover(&self, part: &Part) -> bool {
        let there = self.0.get(&part.partition);
        there.is_some_and(|all| all.iter().any(|(first, last)| *first <= part.first && part.last <= *last))
    }
}

/// Puts these bytes in the file's place: the old ones or the new ones are there, whatever happens.
fn replace(path: &Path, unfinished: &Path, bytes: &[u8], probe: &dyn Fn(&'static str)) -> io::Result<()> {
    let mut file = File::create(unfinished)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    probe("fsck.inside");
    fs::rename(unfinished, path)?;
    for folder in [path.parent(), unfinished.parent()].into_iter().flatten() {
        sync_folder(folder)?;
    }
    Ok(())
}

#[cfg(unix)]
fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

/// Windows has no such call: names are durable with the file system's own journal.
#[cfg(not(unix))]
fn sync_folder(_: &Path) -> io::Result<()> {
    Ok(())
}

fn entries(folder: &Path) -> Result<Vec<PathBuf>, FsckError> {
    let failed = |error| FsckError::Io(folder.to_owned(), error);
    match fs::read_dir(folder) {
        Ok(entries) => entries.map(|entry| entry.map(|entry| entry.path()).map_err(failed)).collect(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(failed(error)),
    }
}

/// Links are left alone: those of `data` lead to what is in `store`.
fn folders(folder: &Path) -> Result<Vec<PathBuf>, FsckError> {
    let is_folder = |path: &PathBuf| path.symlink_metadata().is_ok_and(|found| found.is_dir());
    Ok(entries(folder)?.into_iter().filter(is_folder).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A table with parts and lines of its memory; what becomes of these.
    fn mended_text(parts: &[&str], text: &str) -> Result<(String, Report), String> {
        let folder = tempfile::tempdir().expect("a folder");
        let table = folder.path().join("store/abc/abcdef");
        fs::create_dir_all(table.join(FOLDER)).expect("made");
        for part in parts {
            fs::create_dir_all(table.join(part)).expect("made");
        }
        let log = table.join(FOLDER).join("deduplication_log_1.txt");
        fs::write(&log, text).expect("written");
        let report = mend(folder.path(), &|_| {}).map_err(|error| error.to_string())?;
        let again = mend(folder.path(), &|_| {}).map_err(|error| error.to_string())?;
        assert_eq!((again.mended, again.orphans, again.broken), (0, 0, 0), "once is enough");
        assert!(!folder.path().join(UNFINISHED).exists());
        Ok((fs::read_to_string(&log).expect("read"), report))
    }

    #[test]
    fn lines_of_parts_that_are_not_there_go() {
        let parts = ["all_1_4_1", "all_6_6_0", "tmp_insert_all_7_7_0", "detached", "x_8_8_0_12"];
        let text = "1\tall_1_1_0\ta\n1\tall_5_5_0\tb\n1\tall_6_6_0\tc\n1\tall_7_7_0\td\n2\tall_5_5_0\tb\n1\tx_8_8_0\te\n1\ty_8_8_0\tf\n";
        let (left, report) = mended_text(&parts, text).expect("known");
        assert_eq!(left, "1\tall_1_1_0\ta\n1\tall_6_6_0\tc\n2\tall_5_5_0\tb\n1\tx_8_8_0\te\n");
        assert_eq!(report, Report { tables: 1, orphans: 3, broken: 0, mended: 1 });
    }

    #[test]
    fn torn_empty_and_senseless_lines_go() {
        let (left, report) =
            mended_text(&["all_1_1_0"], "1\tall_1_1_0\ta\n\n1\tall_1_1_0\nwhat\n1\tall_1_1_0\tb")
                .expect("known");
        assert_eq!(left, "1\tall_1_1_0\ta\n");
        assert_eq!((report.orphans, report.broken), (0, 4));
    }

    #[test]
    fn where_nothing_remains_nothing_is_left_not_even_an_empty_line() {
        for text in ["1\tall_1_1_0\ta\n", "\n", "1\tall_1", "\0\0\0\0", ""] {
            assert_eq!(mended_text(&[], text).expect("known").0, "", "{text:?}");
        }
    }

    #[test]
    fn a_format_that_is_not_known_is_left_alone() {
        for text in ["format version: 2\n{}\n", "3\tall_1_1_0\ta\n", "1\tall_1_1_0\ta\tmore\n"] {
            let why = mended_text(&["all_1_1_0"], text).expect_err("unknown");
            assert!(why.contains("deduplication_log_1.txt is of a format"), "{why}");
        }
        let folder = tempfile::tempdir().expect("a folder");
        let logs = folder.path().join("data/d/t").join(FOLDER);
        fs::create_dir_all(&logs).expect("made");
        fs::write(logs.join("tokens.bin"), "x").expect("written");
        assert!(matches!(mend(folder.path(), &|_| {}), Err(FsckError::Unknown(_))));
    }

    #[test]
    fn stopped_in_the_middle_the_old_lines_or_the_new_ones_are_there() {
        let folder = tempfile::tempdir().expect("a folder");
        let table = folder.path().join("store/abc/abcdef");
        fs::create_dir_all(table.join(FOLDER)).expect("made");
        let log = table.join(FOLDER).join("deduplication_log_3.txt");
        fs::write(&log, "1\tall_1_1_0\ta\n").expect("written");
        let stopped = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            mend(folder.path(), &|point| assert!(point != "fsck.inside", "stopped")).map(drop)
        }));
        assert!(stopped.is_err());
        assert_eq!(fs::read_to_string(&log).expect("read"), "1\tall_1_1_0\ta\n");
        assert_eq!(mend(folder.path(), &|_| {}).expect("known").orphans, 1);
        assert_eq!(fs::read(&log).expect("read"), b"");
    }

    #[test]
    fn a_folder_without_data_is_fine() {
        let folder = tempfile::tempdir().expect("a folder");
        assert_eq!(mend(folder.path(), &|_| {}).expect("nothing there"), Report::default());
        assert_eq!(mend(&folder.path().join("none"), &|_| {}).expect("nothing there"), Report::default());
    }
}
