//! Samples and names of secrets beside the datafiles: what editors offer while a schema or a template is written.

use camino::{Utf8Path, Utf8PathBuf};
use headwater_analysis::samples::{SAMPLE_BYTES, Sample, Surroundings, secret_names};

use crate::fs::{EntryKind, FileSystem};

/// Folders of samples.
const FOLDERS: [&str; 2] = ["fixtures", "datasources/fixtures"];

/// Samples of one project that are read.
const MAX_SAMPLES: usize = 200;

/// Files of secrets, in the order in which they count.
const SECRETS: [&str; 2] = [".env", ".env.local"];

/// Whether a path from the root is one of these files.
pub(crate) fn is_one(below: &Utf8Path) -> bool {
    SECRETS.iter().any(|name| below == *name)
        || FOLDERS.iter().any(|folder| below.starts_with(folder)) && is_sample(below)
}

fn is_sample(path: &Utf8Path) -> bool {
    matches!(path.extension(), Some("ndjson" | "jsonl" | "json" | "csv" | "parquet"))
}

/// Reads them. Whatever cannot be read is left out.
pub(crate) fn read(fs: &dyn FileSystem, root: &Utf8Path) -> Surroundings {
    let mut paths: Vec<Utf8PathBuf> = Vec::new();
    for folder in FOLDERS {
        let entries = fs.entries(&root.join(folder)).unwrap_or_default();
        let files = entries.into_iter().filter(|e| matches!(e.kind, EntryKind::File(_)));
        paths.extend(files.map(|e| Utf8Path::new(folder).join(e.name)).filter(|p| is_sample(p)));
    }
    paths.sort_unstable();
    paths.truncate(MAX_SAMPLES);
    let head = |path: &Utf8Path| {
        let bytes = fs.read_head(&root.join(path), SAMPLE_BYTES).ok()?;
        let end = match std::str::from_utf8(&bytes) {
            Ok(text) => text.len(),
            // A character may be cut in two by the bound.
            Err(error) if error.error_len().is_none() => error.valid_up_to(),
            Err(_) => return None,
        };
        std::str::from_utf8(&bytes[..end]).ok().map(|text| text.trim_start_matches('\u{feff}').to_owned())
    };
    let sample = |path: Utf8PathBuf| {
        if path.extension() == Some("parquet") {
            let end = fs.read_tail(&root.join(&path), crate::parquet::MAX_BYTES).ok()?;
            let fields = crate::parquet::fields(&end)?;
            return Some(Sample { path, head: "".into(), fields: Some(fields.into()) });
        }
        Some(Sample { head: head(&path)?.into(), path, fields: None })
    };
    let samples = paths.into_iter().filter_map(sample);
    let mut secrets: Vec<String> = SECRETS
        .iter()
        .filter_map(|name| head(Utf8Path::new(name)))
        .flat_map(|text| secret_names(&text))
        .collect();
    secrets.sort();
    secrets.dedup();
    Surroundings { samples: samples.collect(), secrets }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::MemoryFileSystem;

    #[test]
    fn samples_are_read_and_values_of_secrets_are_not() {
        let fs = MemoryFileSystem::new();
        fs.write("/p/fixtures/a.ndjson", "{\"x\": 1}\n");
        fs.write("/p/fixtures/readme.md", "no");
        fs.write("/p/.env.local", "KEY=do-not-keep\n");
        fs.write("/p/datasources/fixtures/b.csv", "é".repeat(SAMPLE_BYTES));
        let found = read(&fs, "/p".into());
        assert_eq!(
            found.samples.iter().map(|s| s.path.as_str()).collect::<Vec<_>>(),
            ["datasources/fixtures/b.csv", "fixtures/a.ndjson"]
        );
        assert_eq!(found.samples[0].head.len(), SAMPLE_BYTES);
        assert_eq!(found.secrets, ["KEY"]);
        assert!(!format!("{found:?}").contains("do-not-keep"));
    }
}
