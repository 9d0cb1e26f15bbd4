//! Where a host keeps what: a data folder that stays, and a socket in a folder that the system clears.

use std::ffi::OsString;
use std::fs;
use std::io;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use crate::clock::hex;
use crate::files;

/// The user's folders.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Places {
    /// The user's folder for data of programs, with `headwater` behind it. There is none without a home.
    pub data: Option<PathBuf>,
    /// The user's folder for keys, apart from the data that they open. There is none without a home.
    pub keys: Option<PathBuf>,
    /// The folder for sockets.
    pub runtime: PathBuf,
    /// The one for sockets whose path would be too long for the system there.
    pub short_runtime: PathBuf,
}

/// A path of a socket may have this many bytes: 104 on macOS, 108 on Linux, one of them a 0.
const LONGEST_SOCKET: usize = 103;

impl Places {
    /// Of this process's environment.
    pub fn from_env() -> Self {
        Self::of(|name| std::env::var_os(name), rustix::process::getuid().as_raw())
    }

    /// Of an environment. Relative paths in it do not count: what they name depends on where somebody stands, which may be
    /// a stranger's project.
    pub fn of(variable: impl Fn(&str) -> Option<OsString>, user: u32) -> Self {
        let short_runtime = PathBuf::from(format!("/tmp/headwater-{user}"));
        let named = variable("XDG_RUNTIME_DIR").map(PathBuf::from).filter(|p| p.is_absolute());
        let runtime = named.map_or_else(|| short_runtime.clone(), |p| p.join("headwater"));
        let home = |name: &str| variable(name).map(PathBuf::from).filter(|p| p.is_absolute());
        let config = home("XDG_CONFIG_HOME").or_else(|| home("HOME").map(|home| home.join(".config")));
        let keys = config.map(|config| config.join("headwater").join("keys"));
        let data = headwater_warehouse::Places::of(variable).data;
        Self { data, keys, runtime, short_runtime }
    }

    /// The file with the key that opens the secrets of the host of `data`: not in that folder, so that a copy of it tells
    /// nobody anything.
    pub fn secrets_key(&self, data: &Path) -> Option<PathBuf> {
        Some(self.keys.as_ref()?.join(format!("{}.key", short_hash(data))))
    }

    /// The data folder of the host that is started on demand for the project at `root`: one project, one host.
    ///
    /// # Errors
    ///
    /// When the environment names no home.
    pub fn of_project(&self, root: &Path) -> Result<PathBuf, String> {
        let data = self.data.as_ref().ok_or(
            "neither HOME nor XDG_DATA_HOME names a folder, so there is no place for the project's data; name one with --data",
        )?;
        let root = root.canonicalize().unwrap_or_else(|_| root.to_owned());
        let name = root.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
        let name: String = name
            .chars()
            .map(|c| if c.is_ascii_alphanumeric() || c == '-' { c } else { '_' })
            .take(40)
            .collect();
        Ok(data.join("hosts").join(format!("{name}-{}", short_hash(&root))))
    }

    /// The path of the socket of the host that owns `data`; its folder is made, and is this user's alone.
    ///
    /// # Errors
    ///
    /// When the folder is somebody else's, or cannot be made.
    pub fn socket(&self, data: &Path) -> Result<PathBuf, String> {
        let name = format!("{}.sock", short_hash(data));
        let folder = if self.runtime.join(&name).as_os_str().len() <= LONGEST_SOCKET - ".new".len() {
            &self.runtime
        } else {
            &self.short_runtime
        };
        ours_alone(folder).map_err(|why| {
            format!(
                "no place for the host's socket: {}: {why}. Set XDG_RUNTIME_DIR to a folder of your own",
                folder.display()
            )
        })?;
        Ok(folder.join(name))
    }
}

/// Makes sure that `folder` is a folder of this user that nobody else can look into.
fn ours_alone(folder: &Path) -> Result<(), String> {
    match files::private_folder(folder) {
        Err(e) if e.kind() != io::ErrorKind::AlreadyExists => return Err(format!("it cannot be made: {e}")),
        _ => {}
    }
    // Not through links: in a folder that everybody may write to, somebody else could have laid one here.
    let found = fs::symlink_metadata(folder).map_err(|e| e.to_string())?;
    if !found.is_dir() {
        return Err("it is no folder".to_owned());
    }
    if found.uid() != rustix::process::getuid().as_raw() {
        return Err("it belongs to another user".to_owned());
    }
    if found.mode() & 0o077 != 0 {
        fs::set_permissions(folder, fs::Permissions::from_mode(0o700)).map_err(|e| e.to_string())?;
    }
    Ok(())
}

fn short_hash(path: &Path) -> String {
    hex(&Sha256::digest(path.as_os_str().as_encoded_bytes())[..8])
}

/// The files in a data folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DataFolder(PathBuf);

impl DataFolder {
    /// Makes the folder, for this user alone, if it is not there.
    ///
    /// # Errors
    ///
    /// When it cannot be made, with what to do.
    pub fn make(path: &Path) -> Result<Self, String> {
        let say = |e: io::Error| {
            format!("the data folder {} cannot be made: {e}. Name another one with --data", path.display())
        };
        files::private_folder(path).map_err(say)?;
        Ok(Self(path.canonicalize().map_err(say)?))
    }

    /// The folder, if it is there.
    pub fn find(path: &Path) -> Option<Self> {
        path.canonicalize().ok().filter(|p| p.is_dir()).map(Self)
    }

    /// Its path.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Held by the door that owns the folder; the system lets go of it with the process.
    pub(crate) fn lock(&self) -> PathBuf {
        self.0.join("door.lock")
    }

    /// Held by whoever is starting a door.
    pub(crate) fn start_lock(&self) -> PathBuf {
        self.0.join("start.lock")
    }

    /// Where the door listens, written when it does.
    pub(crate) fn door(&self) -> PathBuf {
        self.0.join("door.json")
    }

    /// Hashes of tokens.
    pub(crate) fn tokens(&self) -> PathBuf {
        self.0.join("tokens.json")
    }

    /// The owner's token, for clients of this user.
    pub fn owner_token(&self) -> PathBuf {
        self.0.join("owner.token")
    }

    /// Secrets, sealed.
    pub(crate) fn secrets(&self) -> PathBuf {
        self.0.join("secrets.json")
    }

    /// Private folders of engine processes.
    pub fn scratch(&self) -> PathBuf {
        self.0.join("scratch")
    }

    /// The log of rows, and how far its consumers are.
    pub fn rows(&self) -> PathBuf {
        self.0.join("rows")
    }

    /// What the engine stores.
    pub fn store(&self) -> PathBuf {
        self.0.join("store")
    }

    /// Logs.
    pub fn logs(&self) -> PathBuf {
        self.0.join("log")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn places(vars: &[(&str, &str)]) -> Places {
        Places::of(|name| vars.iter().find(|(n, _)| *n == name).map(|(_, v)| OsString::from(v)), 7)
    }

    #[test]
    fn folders_are_the_users() {
        let all = places(&[("HOME", "/home/u"), ("XDG_RUNTIME_DIR", "/run/user/7")]);
        assert_eq!(all.runtime, Path::new("/run/user/7/headwater"));
        let project = all.of_project(Path::new("/nowhere/my project")).expect("a home");
        let name = project.file_name().expect("a name").to_string_lossy().into_owned();
        assert!(name.starts_with("my_project-") && name.len() == "my_project-".len() + 16, "{name}");
        assert_eq!(all.keys.as_deref(), Some(Path::new("/home/u/.config/headwater/keys")));
        let relative = places(&[("XDG_RUNTIME_DIR", "run")]);
        assert_eq!(relative.runtime, Path::new("/tmp/headwater-7"));
        assert!(relative.of_project(Path::new("/x")).expect_err("no home").contains("--data"));
    }

    #[test]
    fn a_socket_lies_in_a_folder_that_is_ours_alone() {
        let dir = tempfile::tempdir().expect("a folder");
        let runtime = dir.path().join("run");
        let places =
            Places { data: None, keys: None, runtime: runtime.clone(), short_runtime: runtime.clone() };
        let socket = places.socket(Path::new("/data")).expect("a socket");
        assert_eq!(fs::metadata(&runtime).expect("made").mode() & 0o777, 0o700);
        // The same folder for the same data, another name for other data.
        assert_eq!(places.socket(Path::new("/data")).expect("a socket"), socket);
        assert_ne!(places.socket(Path::new("/data2")).expect("a socket"), socket);
        fs::set_permissions(&runtime, fs::Permissions::from_mode(0o755)).expect("set");
        places.socket(Path::new("/data")).expect("mended");
        assert_eq!(fs::metadata(&runtime).expect("there").mode() & 0o777, 0o700);
        let link = dir.path().join("link");
        std::os::unix::fs::symlink(&runtime, &link).expect("a link");
        let places = Places { data: None, keys: None, runtime: link.clone(), short_runtime: link };
        assert!(places.socket(Path::new("/data")).expect_err("a link").contains("no folder"));
    }

    #[test]
    fn a_long_path_moves_the_socket_not_the_data() {
        let dir = tempfile::tempdir().expect("a folder");
        let long = dir.path().join("x".repeat(90));
        let short = dir.path().join("s");
        let places = Places { data: None, keys: None, runtime: long, short_runtime: short.clone() };
        assert_eq!(places.socket(Path::new("/data")).expect("a socket").parent(), Some(short.as_path()));
    }
}
