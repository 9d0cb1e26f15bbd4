//! `cargo xtask host-kill`: kills hosts and their engines at random moments, in the middle of commands, and holds them to
//! what they promise: the next command works, and at the end nothing is left.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};

use crate::{build_server, engine};

/// What is to be done.
pub(crate) struct Options {
    rounds: usize,
    seed: u64,
}

impl Options {
    pub(crate) fn parse(args: &[String]) -> Result<Self> {
        let number = |name: &str, default: u64| {
            let at = args.iter().position(|a| a == name);
            let Some(at) = at else { return Ok(default) };
            args.get(at + 1).and_then(|n| n.parse().ok()).with_context(|| format!("{name} needs a number"))
        };
        Ok(Self { rounds: usize::try_from(number("--rounds", 200)?)?, seed: number("--seed", 1)? })
    }

    /// For the gate.
    pub(crate) fn gate() -> Self {
        Self { rounds: 12, seed: 1 }
    }
}

/// No command takes longer, whatever was killed under it.
const PATIENCE: Duration = Duration::from_secs(90);

#[derive(Default)]
struct Tally {
    doors: usize,
    engines: usize,
    in_flight: usize,
    lost: usize,
}

pub(crate) fn run(options: &Options) -> Result<()> {
    let dir = Dir::new()?;
    // A copy: whoever builds meanwhile shall not change what is tested.
    let binary = dir.0.join("headwater");
    std::fs::copy(build_server(false)?, &binary)?;
    let bench = Bench { binary, library: engine::library()?, dir };
    let mut dice = fastrand::Rng::with_seed(options.seed);
    let mut tally = Tally::default();
    let started = Instant::now();
    for round in 0..options.rounds {
        bench.round(&mut dice, &mut tally).with_context(|| {
            format!(
                "in round {round} of seed {}; the host's log is kept in {}",
                options.seed,
                bench.dir.keep().display()
            )
        })?;
        if round % 20 == 19 {
            println!("{} rounds, {:.0} s", round + 1, started.elapsed().as_secs_f64());
        }
    }
    bench.nothing_is_left()?;
    println!(
        "{} rounds, seed {}: {} doors and {} engines killed; {} commands under way, {} of them lost; each next command worked, nothing was left",
        options.rounds, options.seed, tally.doors, tally.engines, tally.in_flight, tally.lost
    );
    Ok(())
}

struct Bench {
    binary: PathBuf,
    library: PathBuf,
    dir: Dir,
}

impl Bench {
    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(&self.binary);
        command
            .args(args)
            .args(["--data"])
            .arg(self.data())
            .current_dir(&self.dir.0)
            .env("XDG_RUNTIME_DIR", self.dir.0.join("run"))
            .env("XDG_DATA_HOME", self.dir.0.join("home"))
            .env(engine::VARIABLE, &self.library)
            .env_remove("HEADWATER_TOKEN")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    fn data(&self) -> PathBuf {
        self.dir.0.join("data")
    }

    /// Commands at once, a kill among them, then one that must work.
    fn round(&self, dice: &mut fastrand::Rng, tally: &mut Tally) -> Result<()> {
        let mut running = Vec::new();
        for _ in 0..dice.usize(1..=3) {
            // From no time at all to about a second.
            let rows = [1, 100_000_000, 1_000_000_000, 2_000_000_000][dice.usize(0..4)];
            let sql = format!("SELECT sum(number) FROM numbers({rows}) FORMAT TSV");
            let args = if dice.u8(0..4) == 0 { vec!["status", "--start"] } else { vec!["sql", sql.as_str()] };
            running.push(self.command(&args).spawn().context("the server cannot be started")?);
        }
        std::thread::sleep(Duration::from_millis(dice.u64(0..500)));
        let door = self.door();
        let engine = door.and_then(engine_of);
        let (kill_door, kill_engine) = match dice.u8(0..5) {
            0 | 1 => (true, false),
            2 | 3 => (false, true),
            _ => (true, true),
        };
        if let Some(pid) = engine.filter(|_| kill_engine) {
            tally.engines += usize::from(kill(pid));
        }
        if let Some(pid) = door.filter(|_| kill_door) {
            tally.doors += usize::from(kill(pid));
        }
        for child in running {
            tally.in_flight += 1;
            let (code, said) = finish(child)?;
            // Lost with words is what may happen to what was under way.
            match code {
                Some(0) => {}
                Some(3) if !said.trim().is_empty() => tally.lost += 1,
                other => bail!("a command under way ended with {other:?}: {said}"),
            }
        }
        let next = self.command(&["sql", "SELECT 20 + 22 FORMAT TSV"]).spawn()?;
        let (code, said) = finish(next)?;
        ensure!(code == Some(0) && said.trim() == "42", "the next command ended with {code:?}: {said}");
        Ok(())
    }

    /// The process that `door.json` names, if it lives.
    fn door(&self) -> Option<u32> {
        let text = std::fs::read(self.data().join("door.json")).ok()?;
        let door: serde_json::Value = serde_json::from_slice(&text).ok()?;
        let pid = u32::try_from(door["pid"].as_u64()?).ok()?;
        self.is_ours(pid).then_some(pid)
    }

    /// Numbers of processes are used again: only what runs on our folder is ours to kill.
    fn is_ours(&self, pid: u32) -> bool {
        let line = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        String::from_utf8_lossy(&line).contains(&*self.dir.0.to_string_lossy())
    }

    fn nothing_is_left(&self) -> Result<()> {
        // Once with the engine running, killed: what it left must go with the next host.
        let door = self.door().context("no host runs at the end")?;
        let engine = engine_of(door).context("no engine runs at the end")?;
        kill(door);
        let deadline = Instant::now() + Duration::from_secs(10);
        while is_alive(engine) {
            ensure!(Instant::now() < deadline, "the engine outlives its door by 10 s");
            std::thread::sleep(Duration::from_millis(10));
        }
        let (code, said) = finish(self.command(&["status", "--start"]).spawn()?)?;
        ensure!(code == Some(0), "no host starts at the end: {said}");
        let (code, said) = finish(self.command(&["sql", "SELECT 1"]).spawn()?)?;
        ensure!(code == Some(0), "no query runs at the end: {said}");
        let (code, said) = finish(self.command(&["serve", "--stop"]).spawn()?)?;
        ensure!(code == Some(0) && said.contains("has ended"), "the host does not end: {said}");
        let left = processes_in(&self.dir.0);
        ensure!(left.is_empty(), "processes are left: {left:?}");
        let sockets = entries(&self.dir.0.join("run/headwater"));
        ensure!(sockets.is_empty(), "sockets are left: {sockets:?}");
        let expected = ["door.lock", "log", "owner.token", "rows", "start.lock", "store", "tokens.json"];
        let left: Vec<_> =
            entries(&self.data()).into_iter().filter(|n| !expected.contains(&n.as_str())).collect();
        ensure!(left.is_empty(), "the data folder has {left:?}");
        for name in ["door.lock", "start.lock"] {
            let lock = std::fs::File::open(self.data().join(name))?;
            ensure!(lock.try_lock().is_ok(), "{name} is held");
        }
        Ok(())
    }
}

/// Waits for a command, not for ever: its exit code, and what it said.
fn finish(mut child: Child) -> Result<(Option<i32>, String)> {
    let deadline = Instant::now() + PATIENCE;
    while child.try_wait()?.is_none() {
        if Instant::now() > deadline {
            child.kill()?;
            let output = child.wait_with_output()?;
            bail!("a command hangs; it said {}", String::from_utf8_lossy(&output.stderr));
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    let output = child.wait_with_output()?;
    let said = [output.stdout, output.stderr].concat();
    Ok((output.status.code(), String::from_utf8_lossy(&said).into_owned()))
}

fn kill(pid: u32) -> bool {
    Command::new("kill")
        .args(["-KILL", &pid.to_string()])
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|s| s.success())
}

fn is_alive(pid: u32) -> bool {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    !status.is_empty() && !status.contains("State:\tZ")
}

/// The process that a door started.
fn engine_of(door: u32) -> Option<u32> {
    let tasks = std::fs::read_dir(format!("/proc/{door}/task")).ok()?.flatten();
    let mut lists = tasks.filter_map(|t| std::fs::read_to_string(t.path().join("children")).ok());
    lists.find_map(|list| list.split_whitespace().next()?.parse().ok())
}

/// Processes that were started with this folder, or stand in it.
fn processes_in(dir: &Path) -> Vec<u32> {
    let text = dir.to_string_lossy().into_owned();
    let pids = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    let pids = pids.filter_map(|e| e.file_name().to_str()?.parse::<u32>().ok());
    pids.filter(|pid| {
        let line = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        let here = std::fs::read_link(format!("/proc/{pid}/cwd")).unwrap_or_default();
        is_alive(*pid) && (String::from_utf8_lossy(&line).contains(&text) || here.starts_with(dir))
    })
    .collect()
}

fn entries(dir: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(dir).into_iter().flatten().flatten();
    entries.map(|e| e.file_name().to_string_lossy().into_owned()).collect()
}

/// A folder that goes at the end, unless somebody wants to look at it.
struct Dir(PathBuf, std::cell::Cell<bool>);

impl Dir {
    fn new() -> Result<Self> {
        let path = std::env::temp_dir().join(format!("headwater-host-kill-{}", std::process::id()));
        std::fs::create_dir_all(&path)?;
        Ok(Self(path.canonicalize()?, std::cell::Cell::new(false)))
    }

    fn keep(&self) -> &Path {
        self.1.set(true);
        &self.0
    }
}

impl Drop for Dir {
    fn drop(&mut self) {
        for pid in processes_in(&self.0) {
            kill(pid);
        }
        if !self.1.get() {
            let _ = std::fs::remove_dir_all(&self.0);
        }
    }
}
