//! A project on its way to a host, and at rest there: its files as texts.

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::clock::hex;
use crate::files;

/// The files of a project, by path.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ProjectFiles {
    files: BTreeMap<String, String>,
}

impl ProjectFiles {
    /// Files of a project at most, and their bytes.
    pub const MOST: usize = 20_000;
    /// Bytes of all of them at most.
    pub const MOST_BYTES: usize = 32 << 20;

    /// Files by paths from the project's root.
    ///
    /// # Errors
    ///
    /// A path that leads elsewhere or is none, with what to do; more than a project has.
    pub fn new(files: impl IntoIterator<Item = (String, String)>) -> Result<Self, String> {
        let mut out = BTreeMap::new();
        let mut bytes = 0;
        for (path, text) in files {
            if !is_inside(&path) {
                let shown: String = path.chars().filter(|c| !c.is_control()).take(200).collect();
                return Err(format!(
                    "`{shown}` is no path inside of a project: write `datasources/events.datasource`"
                ));
            }
            bytes += path.len() + text.len();
            if out.len() >= Self::MOST || bytes > Self::MOST_BYTES {
                return Err(format!(
                    "the project has more than {} files or {} MB of text; datafiles are small, so something else is among them",
                    Self::MOST,
                    Self::MOST_BYTES >> 20
                ));
            }
            if out.insert(path.clone(), text).is_some() {
                return Err(format!("`{path}` is sent twice"));
            }
        }
        Ok(Self { files: out })
    }

    /// Paths and texts, in order of paths.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.files.iter().map(|(path, text)| (path.as_str(), text.as_str()))
    }

    /// The text of a file.
    pub fn get(&self, path: &str) -> Option<&str> {
        self.files.get(path).map(String::as_str)
    }

    /// A name for exactly these files: the same wherever and whenever it is worked out.
    pub fn id(&self) -> String {
        let mut hash = Sha256::new();
        for (path, text) in self.iter() {
            for part in [path, text] {
                hash.update((part.len() as u64).to_le_bytes());
                hash.update(part.as_bytes());
            }
        }
        hex(&hash.finalize()[..10])
    }

    /// Keeps them in a folder, under their name.
    ///
    /// # Errors
    ///
    /// What the system says.
    pub fn write(&self, folder: &Path) -> Result<(), String> {
        let path = folder.join(format!("{}.json", self.id()));
        let say = |e: String| format!("{} cannot be written: {e}", path.display());
        files::private_folder(folder).map_err(|e| say(e.to_string()))?;
        let text = serde_json::to_vec(self).map_err(|e| say(e.to_string()))?;
        files::write(&path, &text).map_err(|e| say(e.to_string()))
    }

    /// Finds those of a name.
    ///
    /// # Errors
    ///
    /// When they are not there, or are not what their name says.
    pub fn read(folder: &Path, id: &str) -> Result<Self, String> {
        let path = folder.join(format!("{id}.json"));
        let bytes = std::fs::read(&path).map_err(|e| format!("{} cannot be read: {e}", path.display()))?;
        let found: Self =
            serde_json::from_slice(&bytes).map_err(|e| format!("{} is damaged: {e}", path.display()))?;
        if found.id() == id {
            Ok(found)
        } else {
            Err(format!("{} is damaged: it holds another project", path.display()))
        }
    }
}

/// Whether a path names a file below the root, in one way only.
fn is_inside(path: &str) -> bool {
    !path.is_empty()
        && path.len() <= 500
        && !path.chars().any(|c| c.is_control() || c == '\\')
        && path.split('/').all(|part| !part.is_empty() && part != "." && part != "..")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(paths: &[&str]) -> Result<ProjectFiles, String> {
        ProjectFiles::new(paths.iter().map(|p| ((*p).to_owned(), "x".to_owned())))
    }

    #[test]
    fn files_are_inside_and_have_one_name() {
        for path in ["", "/etc/passwd", "a/../b", "../a", "a//b", "./a", "a/.", "a\\b", "a\0", "a\nb"] {
            assert!(of(&[path]).is_err(), "{path:?}");
        }
        assert!(of(&["a", "a"]).is_err());
        let files = of(&["pipes/a.pipe", "headwater.toml"]).expect("files");
        assert_eq!(files.id(), of(&["headwater.toml", "pipes/a.pipe"]).expect("files").id());
        assert_ne!(files.id(), of(&["pipes/a.pipe"]).expect("files").id());
        let dir = tempfile::tempdir().expect("a folder");
        files.write(dir.path()).expect("written");
        assert_eq!(ProjectFiles::read(dir.path(), &files.id()), Ok(files.clone()));
        let path = dir.path().join(format!("{}.json", files.id()));
        std::fs::write(path, r#"{"files":{"a":"b"}}"#).expect("written");
        assert!(
            ProjectFiles::read(dir.path(), &files.id()).expect_err("another").contains("another project")
        );
    }
}
