//! Where the engine's library is on this machine.
//!
//! Two places, both the user's: the file that `HEADWATER_CHDB` names, and the folder that `headwater setup` fills. Nothing
//! of an opened project is asked.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use crate::setup::Package;

/// The environment variable that names the library.
pub const LIBRARY_VARIABLE: &str = "HEADWATER_CHDB";

/// What the user's environment says about places.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Places {
    /// The library that the user names.
    pub named: Option<PathBuf>,
    /// The user's folder for data of programs, with `headwater` behind it.
    pub data: Option<PathBuf>,
}

/// A library, and why it is this one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    /// The environment names it; nothing about it was checked but that it is a file.
    Named(PathBuf),
    /// `headwater setup` put it there, its checksum verified.
    Installed(PathBuf),
}

impl Found {
    /// The file.
    pub fn path(&self) -> &Path {
        match self {
            Self::Named(path) | Self::Installed(path) => path,
        }
    }
}

impl Places {
    /// Of this process's environment.
    pub fn from_env() -> Self {
        Self::of(|name| std::env::var_os(name))
    }

    /// Of an environment. Relative paths in it do not count, since what they name depends on the folder that somebody
    /// stands in, which may be a stranger's project.
    pub fn of(variable: impl Fn(&str) -> Option<OsString>) -> Self {
        let path = |name: &str| variable(name).map(PathBuf::from).filter(|p| p.is_absolute());
        let home = path("HOME").or_else(|| path("USERPROFILE"));
        let data = path("XDG_DATA_HOME").or_else(|| {
            let below =
                if cfg!(target_os = "macos") { "Library/Application Support" } else { ".local/share" };
            home.map(|home| home.join(below))
        });
        Self {
            named: variable(LIBRARY_VARIABLE).filter(|v| !v.is_empty()).map(PathBuf::from),
            data: data.map(|d| d.join("headwater")),
        }
    }

    /// The folder that holds engines, one folder per version.
    pub fn engines(&self) -> Option<PathBuf> {
        self.data.as_ref().map(|d| d.join("engine"))
    }

    /// The library to load.
    ///
    /// # Errors
    ///
    /// A text that says what to do: set it up, or mend the variable.
    pub fn library(&self) -> Result<Found, String> {
        if let Some(named) = &self.named {
            if !named.is_absolute() {
                return Err(format!(
                    "{LIBRARY_VARIABLE} names {}: it must be an absolute path",
                    named.display()
                ));
            }
            if !named.is_file() {
                return Err(format!("{LIBRARY_VARIABLE} names {}, which is no file", named.display()));
            }
            return Ok(Found::Named(named.clone()));
        }
        let Some(package) = Package::here() else {
            return Err(format!(
                "there is no engine for this platform; on Windows use WSL, elsewhere set {LIBRARY_VARIABLE} to a library of your own"
            ));
        };
        let installed = self.engines().map(|dir| package.library_below(&dir)).filter(|l| l.is_file());
        installed.map(Found::Installed).ok_or_else(|| {
            format!(
                "the engine is not installed: run `headwater setup`, or set {LIBRARY_VARIABLE} to its library"
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn places(vars: &[(&str, &str)]) -> Places {
        Places::of(|name| vars.iter().find(|(n, _)| *n == name).map(|(_, v)| OsString::from(v)))
    }

    #[test]
    fn data_lies_where_the_user_says() {
        let xdg = places(&[("XDG_DATA_HOME", "/data"), ("HOME", "/home/u")]);
        assert_eq!(xdg.engines(), Some("/data/headwater/engine".into()));
        let relative = places(&[("XDG_DATA_HOME", "data"), ("HOME", "/home/u")]);
        assert!(relative.engines().expect("a place").starts_with("/home/u"));
        assert_eq!(places(&[]).engines(), None);
    }

    #[test]
    fn a_library_must_be_named_in_full_and_be_there() {
        let why = |value: &str| places(&[(LIBRARY_VARIABLE, value)]).library().expect_err("refused");
        assert!(why("libchdb.so").contains("absolute"));
        assert!(why("/nowhere/libchdb.so").contains("no file"));
        let here = std::env::current_exe().expect("a path");
        let named = places(&[(LIBRARY_VARIABLE, here.to_str().expect("UTF-8"))]).library();
        assert_eq!(named, Ok(Found::Named(here)));
        assert!(places(&[("HOME", "/nowhere")]).library().expect_err("refused").contains("headwater setup"));
        // Empty is as good as not set.
        assert!(
            places(&[(LIBRARY_VARIABLE, "")]).library().expect_err("refused").contains("headwater setup")
        );
    }
}
