//! The host on this machine: found by its data folder, started when there is none.

use std::fs::OpenOptions;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crossbeam_channel::bounded;

use super::unix::{NoResolver, UnixConnector};
use super::{HostClient, HostError, TOKEN_VARIABLE};
use crate::files;
use crate::owner::{DoorFile, open_lock, wait_for};
use crate::places::DataFolder;
use crate::protocol::{Fit, PROTOCOL};

/// A host on this machine, there or not.
#[derive(Debug, Clone)]
pub struct Local {
    /// The data folder that it owns.
    pub data: PathBuf,
    /// The program that becomes a host, and its arguments: `headwater serve --data DIR --on-demand`.
    pub program: (PathBuf, Vec<String>),
    /// How long to wait for it.
    pub patience: Duration,
}

/// What was found.
enum Found {
    /// A host that we can speak to.
    Ready(HostClient),
    /// One that is older and nobody's: it may be ended.
    Old(HostClient),
    Nothing,
}

impl Local {
    /// The host of `data`, if it runs.
    ///
    /// # Errors
    ///
    /// When one runs that cannot be spoken to, with what to do.
    pub fn find(&self) -> Result<Option<HostClient>, String> {
        let Some(folder) = DataFolder::find(&self.data) else { return Ok(None) };
        Ok(match look(&folder)? {
            Found::Ready(client) | Found::Old(client) => Some(client),
            Found::Nothing => None,
        })
    }

    /// The host of `data`, started if none runs. However many ask at once, one is started.
    ///
    /// # Errors
    ///
    /// Why none runs, with what to do.
    pub fn require(&self) -> Result<HostClient, String> {
        let folder = DataFolder::make(&self.data)?;
        let deadline = Instant::now() + self.patience;
        if let Found::Ready(client) = look(&folder)? {
            return Ok(client);
        }
        // One starter at a time; the others find what it started.
        let lock = open_lock(&folder.start_lock())?;
        let mut last = String::new();
        while Instant::now() < deadline {
            if !wait_for(&lock, deadline.saturating_duration_since(Instant::now())) {
                break;
            }
            match look(&folder)? {
                Found::Ready(client) => return Ok(client),
                Found::Old(client) => {
                    end(&client, &folder, deadline.saturating_duration_since(Instant::now()))?;
                }
                Found::Nothing => {}
            }
            match self.start(&folder, deadline) {
                Ok(()) => {}
                // Another one may have been faster, and that is as good.
                Err(why) => last = why,
            }
            if let Found::Ready(client) = look(&folder)? {
                return Ok(client);
            }
            if !last.is_empty() && !last.contains("owns the data folder") {
                break;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        if last.is_empty() {
            last = format!("it did not answer within {} s", self.patience.as_secs());
        }
        Err(format!("the local host does not start: {last}\nIts log is below {}", folder.logs().display()))
    }

    /// Starts a host and waits until it answers or ends.
    fn start(&self, folder: &DataFolder, deadline: Instant) -> Result<(), String> {
        let words = folder.logs().join("start.log");
        let say = |what: &str, e: std::io::Error| format!("{what}: {e}");
        files::private_folder(&folder.logs()).map_err(|e| say("its log has no folder", e))?;
        let stderr = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(&words)
            .map_err(|e| say("its log cannot be written", e))?;
        let (program, args) = &self.program;
        let mut child = Command::new(program)
            .args(args)
            // Not in the folder of whoever started it, which it would keep busy.
            .current_dir(folder.path())
            .env_remove(TOKEN_VARIABLE)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(stderr)
            .spawn()
            .map_err(|e| say(&format!("{} cannot be started", program.display()), e))?;
        let (said, ready) = bounded(1);
        if let Some(stdout) = child.stdout.take() {
            std::thread::spawn(move || {
                let mut line = String::new();
                let _ = BufReader::new(stdout).read_line(&mut line);
                let _ = said.send(line);
            });
        }
        let line = ready.recv_timeout(deadline.saturating_duration_since(Instant::now()));
        match line {
            Ok(line) if line.starts_with('{') => {
                reap(child);
                Ok(())
            }
            Ok(_) => {
                let _ = child.wait();
                let text = std::fs::read_to_string(&words).unwrap_or_default();
                let text = text.trim().trim_start_matches("headwater: ");
                Err(if text.is_empty() { "it ended without a word".to_owned() } else { text.to_owned() })
            }
            Err(_) => {
                let _ = child.kill();
                let _ = child.wait();
                Err("it did not get ready in time".to_owned())
            }
        }
    }
}

/// A host outlives the command that started it, but not every caller is a command: one that ends while an editor's server
/// runs shall not stay behind as a zombie.
fn reap(mut child: Child) {
    std::thread::spawn(move || {
        let _ = child.wait();
    });
}

/// Ends the host of `data`, if one runs, and waits until it is gone. Says whether there was one.
///
/// # Errors
///
/// When it does not end.
pub fn stop(local: &Local) -> Result<bool, String> {
    let Some(folder) = DataFolder::find(&local.data) else { return Ok(false) };
    let client = match DoorFile::read(&folder).map(|door| client(&folder, &door)) {
        Some(client) => client?,
        None => return Ok(false),
    };
    match client.version() {
        Ok(_) => {}
        Err(HostError::Unreachable(_)) => return Ok(false),
        Err(other) => return Err(other.to_string()),
    }
    end(&client, &folder, local.patience)?;
    Ok(true)
}

fn end(client: &HostClient, folder: &DataFolder, patience: Duration) -> Result<(), String> {
    match client.post("/v0/stop", "", super::SHORT) {
        // It may be gone before its answer is here.
        Ok(_) | Err(HostError::Unreachable(_)) => {}
        Err(other) => return Err(other.to_string()),
    }
    let lock = open_lock(&folder.lock())?;
    if wait_for(&lock, patience) {
        return Ok(());
    }
    Err(format!(
        "the host of {} does not end; its log is below {}",
        folder.path().display(),
        folder.logs().display()
    ))
}

fn client(folder: &DataFolder, door: &DoorFile) -> Result<HostClient, String> {
    let path = folder.owner_token();
    let token =
        std::fs::read_to_string(&path).map_err(|e| format!("{} cannot be read: {e}", path.display()))?;
    let config = HostClient::config().proxy(None).build();
    let agent = ureq::Agent::with_parts(config, UnixConnector(door.socket.clone()), NoResolver);
    Ok(HostClient::new(agent, "http://localhost", token.trim(), "the local host"))
}

/// Looks for a host, with the handshake.
fn look(folder: &DataFolder) -> Result<Found, String> {
    // One that is just ending may close the connection under the first question.
    for _ in 0..3 {
        let Some(door) = DoorFile::read(folder) else { return Ok(Found::Nothing) };
        // Written before the socket is; not there, it is being made.
        let Ok(client) = client(folder, &door) else { return Ok(Found::Nothing) };
        let version = match client.version() {
            Ok(version) => version,
            Err(HostError::Unreachable(_)) => {
                std::thread::sleep(Duration::from_millis(10));
                continue;
            }
            // The token was made anew under our feet.
            Err(HostError::Refused { status: 401 | 403, .. }) => {
                std::thread::sleep(Duration::from_millis(50));
                continue;
            }
            Err(other) => return Err(other.to_string()),
        };
        return match version.fit(PROTOCOL) {
            Fit::Fits => Ok(Found::Ready(client)),
            Fit::Replace => Ok(Found::Old(client)),
            Fit::UpdateUs => Err(format!(
                "the local host runs headwater {}, which is newer than this one: use that one, or end the host with `headwater serve --stop`",
                version.build
            )),
            Fit::UpdateHost => Err(format!(
                "the local host runs headwater {}, which is older than this one, and somebody started it by hand: start it anew with this one",
                version.build
            )),
        };
    }
    Ok(Found::Nothing)
}
