//! `cargo xtask soak`: the pipeline under kill -9. Writers send events, and engine, program, or both are killed at named points
//! and at random moments, over and over; at the end every table must hold what plain SQL makes of the list of events. The model
//! shares no code with log, pipeline and engine crates.
//!
//! Before it counts, it proves itself: with each of ten rules left out it has to find something.

mod child;
mod events;
mod model;
mod shape;

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use headwater_pipeline::{Fault, POINTS};

pub(crate) use child::run as run_child;
use events::Writer;
use shape::Shape;

/// What is to be done.
pub(crate) struct Options {
    kills: u64,
    seed: u64,
    prove: bool,
    /// A point at which nobody was killed fails the campaign.
    every_point: bool,
}

impl Options {
    pub(crate) fn parse(args: &[String]) -> Result<Self> {
        let number = |name: &str, default: u64| {
            let at = args.iter().position(|a| a == name);
            let Some(at) = at else { return Ok(default) };
            args.get(at + 1).and_then(|n| n.parse().ok()).with_context(|| format!("{name} needs a number"))
        };
        let flag = |name: &str| args.iter().any(|a| a == name);
        if flag("--gate") {
            return Ok(Self::gate());
        }
        let prove = !flag("--no-proof");
        Ok(Self { kills: number("--kills", 1000)?, seed: number("--seed", 1)?, prove, every_point: true })
    }

    /// For the gate.
    pub(crate) fn gate() -> Self {
        Self { kills: 40, seed: 1, prove: false, every_point: true }
    }
}

/// Points beside those of the pipeline: of the check before each start, and of the disk.
const MORE_POINTS: [&str; 5] = ["fsck.before", "fsck.inside", "fsck.after", "disk.cursors", "disk.log"];

/// How long a round may take, whatever was killed in it.
const PATIENCE: Duration = Duration::from_secs(400);

pub(crate) fn run(options: &Options) -> Result<()> {
    let dir = tempfile::Builder::new().prefix("headwater-soak-").tempdir()?;
    let library = crate::engine::library()?;
    let mut tally = Tally::default();
    if options.prove {
        prove(dir.path(), &library, options.seed)?;
    }
    let started = Instant::now();
    let mut dice = fastrand::Rng::with_seed(options.seed);
    let mut campaign = 0;
    // A point is not reached by every life: more rounds are made, not without end, until each was.
    while tally.kills() < options.kills
        || options.every_point && tally.kills() < 3 * options.kills && tally.missed().next().is_some()
    {
        campaign += 1;
        let shape = Shape::of(campaign, &mut dice);
        let folder = dir.path().join(format!("campaign-{campaign}"));
        let mut bench = Bench::new(&folder, &library, shape, dice.u64(..), None)?;
        let rounds = options.kills.saturating_sub(tally.kills()).clamp(5, 30);
        let found = bench.campaign(rounds, &mut tally)?;
        if let Some(what) = found {
            let kept = dir.keep();
            bail!(
                "campaign {campaign} of seed {}, {}: {what}; kept in {}",
                options.seed,
                bench.shape,
                kept.display()
            );
        }
        println!(
            "campaign {campaign} ({}): {} kills so far, {:.0} s",
            bench.shape,
            tally.kills(),
            started.elapsed().as_secs_f64()
        );
        std::fs::remove_dir_all(&folder)?;
    }
    tally.print();
    let missed: Vec<&str> = tally.missed().collect();
    ensure!(!options.every_point || missed.is_empty(), "nobody was killed at {}", missed.join(", "));
    println!("{} kills in {campaign} campaigns: every table is what the events make of it", tally.kills());
    Ok(())
}

/// With each rule left out, something must be found.
fn prove(dir: &Path, library: &Path, seed: u64) -> Result<()> {
    for fault in Fault::ALL {
        let started = Instant::now();
        let mut tally = Tally::default();
        let mut found = None;
        for attempt in 0..12 {
            let mut dice = fastrand::Rng::with_seed(seed ^ attempt);
            let folder = dir.join(format!("proof-{fault:?}-{attempt}"));
            let shape = Shape::for_proof();
            let mut bench = Bench::new(&folder, library, shape, dice.u64(..), Some(fault))?;
            found = bench.campaign(6, &mut tally)?;
            std::fs::remove_dir_all(&folder)?;
            if found.is_some() {
                break;
            }
        }
        let Some(what) = found else {
            bail!(
                "without the rule {fault:?} nothing was found in {} kills: the campaign sees nothing",
                tally.kills()
            );
        };
        let what = what.lines().next().unwrap_or_default().to_owned();
        println!(
            "found {fault:?} after {} kills, {:.0} s: {what}",
            tally.kills(),
            started.elapsed().as_secs_f64()
        );
    }
    Ok(())
}

fn all_points() -> impl Iterator<Item = &'static str> {
    POINTS.into_iter().chain(MORE_POINTS)
}

/// Who was killed where.
#[derive(Default)]
struct Tally(BTreeMap<String, (u64, u64)>);

impl Tally {
    fn add(&mut self, point: &str, is_engine: bool) {
        let (programs, engines) = self.0.entry(point.to_owned()).or_default();
        *(if is_engine { engines } else { programs }) += 1;
    }

    fn at(&self, point: &str) -> u64 {
        self.0.get(point).map_or(0, |(programs, engines)| programs + engines)
    }

    /// Where nobody was killed yet.
    fn missed(&self) -> impl Iterator<Item = &'static str> {
        all_points().filter(|point| self.at(point) == 0)
    }

    fn kills(&self) -> u64 {
        self.0.values().map(|(programs, engines)| programs + engines).sum()
    }

    fn print(&self) {
        println!("{:<20} {:>9} {:>9}", "point", "programs", "engines");
        for (point, (programs, engines)) in &self.0 {
            println!("{point:<20} {programs:>9} {engines:>9}");
        }
    }
}

/// One folder with a pipeline, killed again and again.
struct Bench {
    folder: PathBuf,
    library: PathBuf,
    shape: Shape,
    dice: fastrand::Rng,
    seed: u64,
    fault: Option<Fault>,
    writers: Vec<Writer>,
    /// Ranges that the checking view was told to leave out.
    skipped: Vec<(u64, u64)>,
}

impl Bench {
    fn new(folder: &Path, library: &Path, shape: Shape, seed: u64, fault: Option<Fault>) -> Result<Self> {
        std::fs::create_dir_all(folder)?;
        Ok(Self {
            folder: folder.to_owned(),
            library: library.to_owned(),
            writers: (0..shape.writers).map(|_| Writer::new()).collect(),
            shape,
            dice: fastrand::Rng::with_seed(seed),
            seed,
            fault,
            skipped: Vec::new(),
        })
    }

    /// Rounds with a kill in each, one without, and the comparison: what is wrong, if something is.
    fn campaign(&mut self, rounds: u64, tally: &mut Tally) -> Result<Option<String>> {
        let points: Vec<&str> = all_points().collect();
        for _ in 0..rounds {
            let plan = self.plan(&points, tally);
            // The check changes something only where it finds something.
            self.leave_traces(plan.starts_with("fsck.inside"))?;
            if let Some(wrong) = self.round(&plan, tally)? {
                return Ok(Some(wrong));
            }
        }
        self.leave_traces(false)?;
        if let Some(wrong) = self.round("none", tally)? {
            return Ok(Some(wrong));
        }
        model::compare(&self.folder, &self.library, &self.shape, &self.writers, self.seed, &self.skipped)
    }

    /// Where the next kill is: `point:n:victim`, or `random:milliseconds:victim`.
    fn plan(&mut self, points: &[&str], tally: &Tally) -> String {
        let victim = if self.dice.bool() { "engine" } else { "program" };
        if let Some(fault) = self.fault {
            // Where each rule shows.
            let (point, victim) = match fault {
                Fault::LostIsEmpty => ("block.after", "engine"),
                Fault::ForgetKeys => ("accept.after", "program"),
                Fault::AdvanceFirst => ("advance.after", "program"),
                _ => ("insert.after", "program"),
            };
            return format!("{point}:{}:{victim}", self.dice.u64(1..20));
        }
        // First where nobody was killed yet, then anywhere.
        let missed: Vec<&str> = tally.missed().collect();
        if missed.is_empty() && self.dice.u8(0..4) == 0 {
            return format!("random:{}:{victim}", self.dice.u64(0..1500));
        }
        let from = if missed.is_empty() { points } else { &missed };
        let point = from[self.dice.usize(..from.len())];
        let victim = if point.starts_with("fsck") { "program" } else { victim };
        let is_rare = !missed.is_empty()
            || ["skip", "fsck", "effect", "quarantine"].iter().any(|rare| point.starts_with(rare));
        format!("{point}:{}:{victim}", self.dice.u64(1..if is_rare { 2 } else { 12 }))
    }

    /// One life of the program: it sends, and is killed, or comes to its end.
    fn round(&mut self, plan: &str, tally: &mut Tally) -> Result<Option<String>> {
        let next: Vec<String> = self.writers.iter().map(|writer| writer.next.to_string()).collect();
        let mut command = Command::new(std::env::current_exe()?);
        command
            .arg("soak-child")
            .arg(&self.folder)
            .args([self.seed.to_string(), self.shape.to_string(), next.join(","), plan.to_owned()])
            .arg(self.fault.map_or_else(String::new, |fault| format!("{fault:?}")))
            .env(crate::engine::VARIABLE, &self.library)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped());
        let mut child = command.spawn().context("the program cannot be started")?;
        let lines = lines_of(&mut child)?;
        let deadline = Instant::now() + PATIENCE;
        let mut wrong = None;
        let mut killed = false;
        // An engine that was killed is often there again when the program is killed, too.
        let mut second: Option<Instant> = None;
        loop {
            let until = second.map_or(deadline, |second| second.min(deadline));
            let line = match lines.recv_timeout(until.saturating_duration_since(Instant::now())) {
                Ok(line) => line,
                Err(RecvTimeoutError::Disconnected) => break,
                Err(RecvTimeoutError::Timeout) if second.take().is_some() => {
                    child.kill()?;
                    tally.add("random", false);
                    continue;
                }
                Err(RecvTimeoutError::Timeout) => {
                    wrong = Some(format!("nothing moves any more in {plan}"));
                    child.kill()?;
                    break;
                }
            };
            let words: Vec<&str> = line.split(' ').collect();
            match words[..] {
                ["took", writer, batch, position] => self.took(writer, batch, position)?,
                ["skipped", from, to] => self.skipped.push((from.parse()?, to.parse()?)),
                ["kill", point, victim] => {
                    let is_engine = victim == "engine";
                    tally.add(point, is_engine);
                    killed = true;
                    if is_engine && self.fault.is_none() {
                        second = Some(Instant::now() + Duration::from_millis(self.dice.u64(0..2500)));
                    }
                }
                ["settled"] => {
                    second = None;
                    drop(child.stdin.take());
                }
                ["skips"] => self.skipped.clear(),
                ["wrong:", ..] => wrong = Some(line.clone()),
                _ => {}
            }
        }
        let status = child.wait()?;
        if wrong.is_none() && !status.success() && !killed {
            wrong = Some(format!("the program ended with {status} in {plan}"));
        }
        Ok(wrong)
    }

    fn took(&mut self, writer: &str, batch: &str, position: &str) -> Result<()> {
        let writer = self.writers.get_mut(writer.parse::<usize>()?).context("a writer")?;
        writer.took(batch.parse()?, position.parse()?);
        Ok(())
    }

    /// What a crash may leave and seldom does: a line that was not written to its end, an empty one; and, of an insert that
    /// nobody has noted, a token without its part. `surely` leaves a torn line behind each table that has any.
    fn leave_traces(&mut self, surely: bool) -> Result<()> {
        let noted = self.folder.join("in-flight");
        match std::fs::read_to_string(&noted) {
            Ok(text) => {
                std::fs::remove_file(&noted)?;
                if matches!(self.fault, None | Some(Fault::NoFsck)) {
                    lose_part(text.trim())?;
                }
            }
            Err(_) if !surely => return Ok(()),
            Err(_) => {}
        }
        for table in tables(&self.folder) {
            let Some(log) = newest(&table.join("deduplication_logs")) else { continue };
            if self.fault.is_none() && (surely || self.dice.u8(0..4) == 0) {
                let torn: &[u8] = [&b"1\tall_9"[..], b"\n", b"\n1\tal"][self.dice.usize(0..3)];
                std::fs::OpenOptions::new().append(true).open(&log)?.write_all(torn)?;
            }
        }
        Ok(())
    }
}

fn lines_of(child: &mut Child) -> Result<Receiver<String>> {
    let output = child.stdout.take().context("the program has no output")?;
    let (send, lines) = channel();
    std::thread::spawn(move || {
        for line in BufReader::new(output).lines().map_while(std::result::Result::ok) {
            if send.send(line).is_err() {
                return;
            }
        }
    });
    Ok(lines)
}

/// The folders of tables with a memory of tokens.
fn tables(folder: &Path) -> Vec<PathBuf> {
    let groups = std::fs::read_dir(folder.join("store/engine/store")).into_iter().flatten().flatten();
    let tables = groups.flat_map(|group| std::fs::read_dir(group.path()).into_iter().flatten().flatten());
    tables.map(|table| table.path()).filter(|table| table.join("deduplication_logs").is_dir()).collect()
}

fn newest(folder: &Path) -> Option<PathBuf> {
    let files = std::fs::read_dir(folder).ok()?.flatten().map(|entry| entry.path());
    files.max_by_key(|path| {
        let name = path.file_stem().and_then(|name| name.to_str()).unwrap_or_default();
        name.rsplit('_').next().and_then(|n| n.parse::<u64>().ok()).unwrap_or(0)
    })
}

/// Removes a part of an insert that was done and not noted: as if the process had been killed between token and part, which
/// the engine writes in this order. `text` is what the program left: the folder of the table.
fn lose_part(text: &str) -> Result<()> {
    let table = Path::new(text);
    let Some(log) = newest(&table.join("deduplication_logs")) else { return Ok(()) };
    let lines = String::from_utf8_lossy(&std::fs::read(&log)?).into_owned();
    let Some(part) = lines.lines().rev().find(|l| l.starts_with("1\t")).and_then(|l| l.split('\t').nth(1))
    else {
        return Ok(());
    };
    if table.join(part).is_dir() {
        std::fs::remove_dir_all(table.join(part))?;
    }
    Ok(())
}
