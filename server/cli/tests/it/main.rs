//! The real binary, from outside: the command line as a contract, hostile input, and the server over its pipes.

#[cfg(unix)]
mod backends;
mod check;
#[cfg(unix)]
mod deploying;
mod editor_tests;
mod engine;
mod engineless;
mod fmt;
#[cfg(unix)]
mod host;
mod hostile;
mod parse_and_lineage;
mod plan;
mod preview;
mod server;
mod setup;
mod tests;

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

/// The binary under test, on a machine where no engine is installed.
fn headwater() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_headwater"));
    command.env_remove("HEADWATER_CHDB").env("XDG_DATA_HOME", "/nowhere");
    command
}

/// One of the repository's example projects.
fn example(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/projects").join(name)
}

/// Runs `headwater ARGS` in a folder.
fn run(dir: &Path, args: &[&str]) -> Output {
    headwater().args(args).current_dir(dir).output().expect("the binary runs")
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).expect("output is UTF-8")
}

fn json(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).expect("output is JSON")
}

/// A folder of its own that is gone at the end of the test.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("headwater-it-{name}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&path);
        // The search for a project goes up to the repository's root, not into what else lies in this machine's folder.
        std::fs::create_dir_all(path.join(".git")).expect("a temporary folder can be made");
        Self(path.canonicalize().expect("it exists"))
    }

    fn write(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.0.join(name);
        std::fs::create_dir_all(path.parent().expect("a name has a folder")).expect("folders can be made");
        std::fs::write(&path, content).expect("files can be written");
        path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
