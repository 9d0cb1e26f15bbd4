//! Child processes with a time limit, which take whatever they started with them when they end.

use std::fs::File;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

/// A process and its descendants. Dropping it ends them all.
pub(super) struct Group {
    child: Child,
}

impl Group {
    /// Starts `command` as the leader of a group of its own, its output going to `log`.
    pub(super) fn start(command: &mut Command, log: &Path) -> Result<Self> {
        let file = File::create(log).with_context(|| format!("cannot create {}", log.display()))?;
        command.stdin(Stdio::null()).stderr(file.try_clone()?).stdout(file);
        Self::spawn(command)
    }

    fn spawn(command: &mut Command) -> Result<Self> {
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(command, 0);
        let program = command.get_program().to_owned();
        let child = command.spawn().with_context(|| format!("cannot start {}", program.display()))?;
        Ok(Self { child })
    }

    /// Has it ended by itself?
    pub(super) fn ended(&mut self) -> Result<bool> {
        Ok(self.child.try_wait()?.is_some())
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        // By the shell's own `kill`: a slim system has no program of that name. Also after the leader ended, for what
        // it left behind.
        let kill = format!("kill -s KILL -- -{} 2>/dev/null", self.child.id());
        let _ = Command::new("sh").arg("-c").arg(kill).stdin(Stdio::null()).status();
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Runs `command` and returns what it wrote to standard output; the rest goes to `log`.
pub(super) fn output(command: &mut Command, log: &Path, limit: Duration) -> Result<String> {
    // Through a file: a pipe would have to be drained while waiting.
    let stdout = log.with_extension("out");
    command.stdin(Stdio::null()).stdout(File::create(&stdout)?).stderr(File::create(log)?);
    let mut group = Group::spawn(command)?;
    wait(limit, || group.ended()).with_context(|| {
        format!("{} did not end in time; see {}", command.get_program().display(), log.display())
    })?;
    Ok(std::fs::read_to_string(stdout)?)
}

/// Polls until `done`, at most for `limit`.
pub(super) fn wait(limit: Duration, mut done: impl FnMut() -> Result<bool>) -> Result<()> {
    let start = Instant::now();
    while !done()? {
        if start.elapsed() > limit {
            bail!("waited {} s in vain", limit.as_secs());
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    Ok(())
}
