//! Which sample files hold the rows of which data source (specification §16.4).

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use camino::{Utf8Path, Utf8PathBuf};
use rustc_hash::FxHasher;

/// A file of a project that is no datafile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Raw {
    /// From the project's root, with `/`.
    pub path: Utf8PathBuf,
    pub(crate) bytes: Arc<Vec<u8>>,
    /// Equal for equal bytes.
    pub(crate) hash: u64,
}

impl Raw {
    /// A file and its bytes, which are looked through once, for the hash.
    pub fn new(path: impl Into<Utf8PathBuf>, bytes: Arc<Vec<u8>>) -> Self {
        let mut hasher = FxHasher::default();
        bytes.hash(&mut hasher);
        Self::known(path, bytes, hasher.finish())
    }

    /// The same with a hash that is known: equal for equal bytes, of all files that are compared.
    pub fn known(path: impl Into<Utf8PathBuf>, bytes: Arc<Vec<u8>>, hash: u64) -> Self {
        Self { path: path.into(), bytes, hash }
    }
}

/// How a sample file is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum SampleFormat {
    /// Objects, one a line; a list of objects.
    Json,
    /// Comma-separated.
    Csv,
    /// Columns.
    Parquet,
    /// A query that makes the rows.
    Sql,
}

/// What a sample file is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sample {
    /// The data source's name.
    pub source: String,
    /// How it is written.
    pub format: SampleFormat,
    /// It is packed with gzip.
    pub packed: bool,
}

/// Folders with samples, besides `fixtures` folders next to data sources.
const FOLDERS: [&str; 2] = ["fixtures", "datasources/fixtures"];

/// How the file of this name is written, and its name without endings; `None` for files that hold no rows.
pub fn sample_name(path: &Utf8Path) -> Option<(String, SampleFormat, bool)> {
    let name = path.file_name()?;
    let (name, packed) = match name.strip_suffix(".gz") {
        Some(name) => (name, true),
        None => (name, false),
    };
    let (stem, extension) = name.rsplit_once('.')?;
    let format = match extension.to_ascii_lowercase().as_str() {
        "ndjson" | "jsonl" | "json" => SampleFormat::Json,
        "csv" => SampleFormat::Csv,
        "parquet" => SampleFormat::Parquet,
        "sql" => SampleFormat::Sql,
        _ => return None,
    };
    (!stem.is_empty() && !stem.starts_with('.')).then(|| (stem.to_owned(), format, packed))
}

/// Whether the file at `path` (from the project's root) may hold rows of a data source.
pub fn is_sample(path: &Utf8Path) -> bool {
    let folder = path.parent().unwrap_or(Utf8Path::new(""));
    let is_folder = FOLDERS.iter().any(|f| folder == *f) || folder.ends_with("datasources/fixtures");
    is_folder && sample_name(path).is_some()
}

/// The sample file of each data source: the one of its very name before one of a longer name (`events_small` for `events`),
/// rows before a query that makes some, `fixtures/` before other folders. `is_source` says what is a data source.
pub fn choose<'r>(files: &'r [Raw], is_source: &dyn Fn(&str) -> bool) -> Vec<(Sample, &'r Raw)> {
    let mut out: Vec<(Sample, &Raw, (bool, SampleFormat, bool))> = Vec::new();
    let mut sorted: Vec<&Raw> = files.iter().filter(|f| is_sample(&f.path)).collect();
    sorted.sort_by(|a, b| a.path.cmp(&b.path));
    for file in sorted {
        let Some((stem, format, packed)) = sample_name(&file.path) else { continue };
        let mut name = stem.as_str();
        while !is_source(name) {
            match name.rsplit_once('_') {
                Some((shorter, _)) if !shorter.is_empty() => name = shorter,
                _ => break,
            }
        }
        if !is_source(name) {
            continue;
        }
        let rank = (name != stem, format, !file.path.starts_with("fixtures"));
        let sample = Sample { source: name.to_owned(), format, packed };
        match out.iter_mut().find(|(s, ..)| s.source == sample.source) {
            Some(known) if rank < known.2 => *known = (sample, file, rank),
            Some(_) => {}
            None => out.push((sample, file, rank)),
        }
    }
    out.into_iter().map(|(sample, file, _)| (sample, file)).collect()
}

/// Rows that are unpacked from gzip may become this long: a small file can hold any number of bytes.
const MAX_UNPACKED: u64 = 1 << 30;

/// A sample's bytes, unpacked from gzip.
///
/// # Errors
/// When it is no gzip, or unpacks to more than a gigabyte.
pub fn unpacked(bytes: &[u8]) -> Result<Vec<u8>, String> {
    use std::io::Read as _;
    let mut out = Vec::new();
    flate2::read::MultiGzDecoder::new(bytes)
        .take(MAX_UNPACKED + 1)
        .read_to_end(&mut out)
        .map_err(|error| format!("it cannot be unpacked: {error}"))?;
    if out.len() as u64 > MAX_UNPACKED { Err("it unpacks to more than 1 GB".to_owned()) } else { Ok(out) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_source_gets_its_best_file() {
        let raw = |path: &str| Raw::new(path, Arc::default());
        let files: Vec<Raw> = [
            "fixtures/events.sql",
            "fixtures/events_small.ndjson",
            "fixtures/events.ndjson.gz",
            "datasources/fixtures/users.csv",
            "fixtures/orders_old.parquet",
            "fixtures/readme.md",
            "fixtures/nobody.csv",
            "pipes/users.csv",
        ]
        .map(raw)
        .to_vec();
        let chosen = choose(&files, &|name| matches!(name, "events" | "users" | "orders"));
        let mut chosen: Vec<_> = chosen
            .iter()
            .map(|(s, f)| format!("{} {} {:?} {}", s.source, f.path, s.format, s.packed))
            .collect();
        chosen.sort();
        assert_eq!(
            chosen,
            [
                "events fixtures/events.ndjson.gz Json true",
                "orders fixtures/orders_old.parquet Parquet false",
                "users datasources/fixtures/users.csv Csv false",
            ]
        );
    }

    #[test]
    fn packed_rows_are_unpacked() {
        use std::io::Write as _;
        let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        packer.write_all(b"{}\n").expect("memory");
        let bytes = packer.finish().expect("memory");
        assert_eq!(unpacked(&bytes), Ok(b"{}\n".to_vec()));
        assert!(unpacked(b"no gzip").is_err());
    }
}
