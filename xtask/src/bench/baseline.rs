//! What a baseline costs: the same project in no repository, in one, and in one whose baseline is switched off.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use serde_json::json;

use super::{Times, cold_start, generate, mib, open, pull, resident, start};

/// How often each thing is measured.
const ROUNDS: usize = 5;

/// Measures a generated project, which becomes a repository by that.
pub(crate) fn run(server: &Path, project: &Path, files: usize, bar: &str) -> Result<()> {
    println!("── {files} files, in no repository, then in one whose objects are packed");
    cold_start(server, project, files, bar)?;
    git(project, &["init", "--quiet", "--initial-branch=main"])?;
    git(project, &["add", "--all"])?;
    git(project, &["commit", "--quiet", "-m", "all"])?;
    git(project, &["gc", "--quiet"])?;
    cold_start(server, project, files, bar)?;
    let (mut times, mut with, mut without) = (Vec::new(), Vec::new(), Vec::new());
    let config = project.join("headwater.toml");
    for _ in 0..ROUNDS {
        std::fs::remove_file(&config).ok();
        let (time, memory) = session(server, project, "commit ")?;
        times.push(time);
        with.extend(memory);
        std::fs::write(&config, "[impact]\nbaseline = \"off\"\n")?;
        without.extend(session(server, project, "none: headwater.toml")?.1);
    }
    std::fs::remove_file(&config).ok();
    Times::new(times).print(
        &format!("whole project's diagnostics → baseline there, {files} files"),
        "(500 of it waiting for calm)",
    );
    let middle = |mut bytes: Vec<u64>| {
        bytes.sort_unstable();
        bytes.get(bytes.len() / 2).copied()
    };
    match (middle(with), middle(without)) {
        (Some(with), Some(without)) => println!(
            "{:<58} {:>8.1} MiB beside {:.1}; middle of {ROUNDS} each",
            format!("memory the baseline adds, {files} files"),
            mib(with) - mib(without),
            mib(without),
        ),
        _ => println!("memory: not measured (no /proc on this system)"),
    }
    Ok(())
}

/// From the whole project's diagnostics until the status says `wanted` of the baseline, and the memory then.
fn session(server: &Path, project: &Path, wanted: &str) -> Result<(Duration, Option<u64>)> {
    let mut client = start(server, project)?;
    let (uri, _) = open(&mut client, &project.join(generate::EDITED))?;
    pull(&mut client, &uri)?;
    client.request("workspace/diagnostic", &json!({ "previousResultIds": [] }))?;
    let begin = Instant::now();
    loop {
        let status = client.request("headwater/status", &json!({}))?;
        let text = status["text"].as_str().context("a status")?.to_owned();
        let line = text.lines().find(|line| line.contains("Compared with")).context("the baseline's line")?;
        if line.contains(wanted) && !line.contains("being read") {
            break;
        }
        ensure!(begin.elapsed() < Duration::from_secs(60), "the baseline never came: {line}");
        std::thread::sleep(Duration::from_millis(1));
    }
    let time = begin.elapsed();
    // What follows a baseline is part of its price: everything is computed again where it was not remembered.
    client.request("workspace/diagnostic", &json!({ "previousResultIds": [] }))?;
    let memory = resident(client.pid());
    client.stop()?;
    Ok((time, memory))
}

pub(super) fn git(project: &Path, args: &[&str]) -> Result<()> {
    let mut command = Command::new("git");
    command.args([
        "-c",
        "user.name=bench",
        "-c",
        "user.email=bench@example.com",
        "-c",
        "commit.gpgSign=false",
    ]);
    let status = command.args(args).current_dir(project).status().context("git cannot be started")?;
    if !status.success() {
        bail!("git {args:?} ended with {status}");
    }
    Ok(())
}
