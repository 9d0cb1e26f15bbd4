//! `cargo xtask test`: everything the gate runs. A step that fails does not hide the ones behind it.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context, Result, bail};

use crate::catalog::eval::Options;
use crate::editors::{self, Outcome};
use crate::{build_server, cargo, codegen, root};

#[derive(Default)]
struct Tally {
    passed: usize,
    failed: Vec<String>,
    skipped: Vec<String>,
}

impl Tally {
    fn step(&mut self, name: &str, run: impl FnOnce() -> Result<()>) {
        println!("\n── {name}");
        let start = Instant::now();
        match run() {
            Ok(()) => self.passed += 1,
            Err(error) => {
                println!("FAILED: {error:#}");
                self.failed.push(name.to_owned());
            }
        }
        println!("   ({:.0} s)", start.elapsed().as_secs_f64());
    }
}

pub(crate) fn run(with_editors: bool) -> Result<()> {
    let start = Instant::now();
    let mut tally = Tally::default();
    tally.step("format", || status(cargo().args(["fmt", "--all", "--check"])));
    tally.step("grammar drift", || codegen::run(true));
    tally.step("lints", || {
        let lints = ["clippy", "--workspace", "--all-targets", "--quiet", "--", "-D", "warnings"];
        status(cargo().args(lints))
    });
    let engine = crate::engine::library();
    if let Err(error) = &engine {
        // The tests that need it fail below, each by its name; this is why.
        println!("\n── the SQL engine\nFAILED: {error:#}");
        tally.failed.push(format!("the SQL engine for tests ({error:#})"));
    }
    let has_engine = engine.is_ok();
    tests(&mut tally, engine.ok().as_deref())?;
    if has_engine {
        tally.step("catalog against the engine", || crate::catalog::eval::run(&Options::gate()));
        tally.step("queries against the engine", crate::semantic_eval::gate);
        tally.step("mutations against the engine", crate::mutation_eval::gate);
        tally.step("edits against the engine", crate::edit_eval::gate);
        tally.step("hosts and engines killed", || crate::host_kill::run(&crate::host_kill::Options::gate()));
        tally.step("the pipeline killed", || crate::soak::run(&crate::soak::Options::gate()));
    }
    tally.step("workflows, SARIF and diagrams by their own rules", crate::foreign::gate);
    tally.step("documentation", || {
        let doc = ["doc", "--workspace", "--no-deps", "--quiet", "--exclude", "xtask"];
        status(cargo().args(doc).env("RUSTDOCFLAGS", PRIVATE_LINKS))
    });
    if with_editors {
        real_editors(&mut tally, &[])?;
    } else {
        tally.skipped.push("real editors (--no-editors)".to_owned());
    }
    finish(&tally, start)
}

/// The sessions in real editors alone: those that are named, or all.
pub(crate) fn editors(which: &[String]) -> Result<()> {
    let start = Instant::now();
    let mut tally = Tally::default();
    real_editors(&mut tally, which)?;
    finish(&tally, start)
}

fn status(command: &mut Command) -> Result<()> {
    let status = command.stdin(Stdio::null()).status().context("the command cannot be started")?;
    if !status.success() {
        bail!("it ended with {status}");
    }
    Ok(())
}

/// Crate pages explain themselves with names of private modules, which readers of the source follow.
const PRIVATE_LINKS: &str = "-D warnings -A rustdoc::private-intra-doc-links";

/// All Rust tests; every result line is counted, every ignored test named.
fn tests(tally: &mut Tally, engine: Option<&Path>) -> Result<()> {
    println!("\n── tests");
    let start = Instant::now();
    let mut command = cargo();
    if let Some(engine) = engine {
        command.env(crate::engine::VARIABLE, engine);
    }
    let mut child = command
        .args(["test", "--workspace", "--no-fail-fast"])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .context("cargo test cannot be started")?;
    let output = child.stdout.take().context("cargo test has no output")?;
    let mut failed = 0;
    for line in BufReader::new(output).lines() {
        let line = line?;
        let name = line.strip_prefix("test ").and_then(|l| l.split(" ... ").next());
        if let Some(counts) = line.strip_prefix("test result: ") {
            let number = |word: &str| -> usize {
                let part = counts.split([';', '.']).find(|p| p.trim().ends_with(word));
                part.and_then(|p| p.split_whitespace().next()?.parse().ok()).unwrap_or(0)
            };
            tally.passed += number("passed");
            failed += number("failed");
        } else if let (Some(name), true) = (name, line.contains("... ignored")) {
            tally.skipped.push(name.to_owned());
        } else if let (Some(name), true) = (name, line.ends_with("... FAILED")) {
            tally.failed.push(name.to_owned());
        }
        println!("{line}");
    }
    let status = child.wait()?;
    if !status.success() && failed == 0 {
        tally.failed.push(format!("cargo test ended with {status}"));
    }
    println!("   ({:.0} s)", start.elapsed().as_secs_f64());
    Ok(())
}

/// Sessions in real editors. In CI, what cannot be run is a failure: a green gate means that they ran.
fn real_editors(tally: &mut Tally, which: &[String]) -> Result<()> {
    println!("\n── real editors");
    let start = Instant::now();
    let server = build_server(false)?;
    let project = root().join("tests/projects/web-analytics");
    let out = root().join("target/editors/sessions");
    let in_ci = std::env::var("CI").is_ok_and(|v| v == "true");
    for result in editors::sessions(&server, &project, &out, which)? {
        match result.outcome {
            Outcome::Passed => {
                tally.passed += 1;
                println!("ok       {}", result.name);
            }
            Outcome::Failed(why) => {
                println!("FAILED   {}: {why}", result.name);
                tally.failed.push(result.name);
            }
            Outcome::NotRun(why) if in_ci => {
                println!("FAILED   {}: not run in CI: {why}", result.name);
                tally.failed.push(format!("{} (not run: {why})", result.name));
            }
            Outcome::NotRun(why) => {
                println!("not run  {}: {why}", result.name);
                tally.skipped.push(format!("{} ({why})", result.name));
            }
        }
    }
    println!("   ({:.0} s)", start.elapsed().as_secs_f64());
    Ok(())
}

fn finish(tally: &Tally, start: Instant) -> Result<()> {
    println!("\n── result after {:.0} s", start.elapsed().as_secs_f64());
    for name in &tally.skipped {
        println!("skipped: {name}");
    }
    for name in &tally.failed {
        println!("failed: {name}");
    }
    println!("{} passed, {} failed, {} skipped", tally.passed, tally.failed.len(), tally.skipped.len());
    if !tally.failed.is_empty() {
        bail!("{} failed", tally.failed.len());
    }
    Ok(())
}
