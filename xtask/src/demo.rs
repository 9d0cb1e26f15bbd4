//! `cargo xtask demo`: the main job on an example project of ours.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, ensure};

use crate::{build_server, root};

pub(crate) fn run() -> Result<()> {
    say("Building the server (the first time takes a few minutes)");
    let server = build_server(true)?;
    let project = root().join("tests/projects/web-analytics");

    say("A clean project: nothing to report");
    headwater(&server, &project, &["check"], 0)?;

    say(
        "The same project after a colleague's edit: a renamed table, a misspelled directive, a cron in the wrong place",
    );
    let broken = edited_copy(&project)?;
    headwater(&server, &broken, &["check"], 1)?;

    say("What flows out of page_hits?");
    headwater(&server, &project, &["lineage", "page_hits"], 0)?;

    say("Another project's tests, on a real engine: rows, views, quarantine and answers");
    let engine = crate::engine::library().context("the SQL engine cannot be installed")?;
    run_with(&server, &root().join("tests/projects/tested"), &["test"], 0, Some(&engine))?;

    say("The first project at work: deployed to a host on this machine, fed, asked");
    at_work(&server, &project, &engine)?;

    say("Open it in your editor");
    let package =
        format!("target/editors, after `cargo xtask package`; the project is {}", project.display());
    println!(
        "  VS Code:  code --install-extension target/editors/headwater.vsix && code {}",
        project.display()
    );
    println!("  Neovim:   add target/editors/nvim to your runtimepath and {} to your PATH", server.display());
    println!("            then: nvim {}", project.join("datasources/page_hits.datasource").display());
    println!("  Both come from {package}");
    Ok(())
}

/// Deploys, sends rows in, and reads what the view made of them, in a data folder that goes with the demo.
fn at_work(server: &Path, project: &Path, engine: &Path) -> Result<()> {
    let folder = tempfile::Builder::new().prefix("headwater-demo-").tempdir()?;
    let data = folder.path().join("data").display().to_string();
    let rows = folder.path().join("page_hits.ndjson");
    let run = |args: &[&str]| run_with(server, project, args, 0, Some(engine));
    // The data source keeps rows for half a year: these are of this month.
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH)?.as_secs().to_string();
    let mock = ["mock", "page_hits", "--rows", "5000", "--now", &now];
    println!("$ headwater {} > page_hits.ndjson", mock.join(" "));
    let made = Command::new(server).args(mock).current_dir(project).output()?;
    ensure!(made.status.success(), "`headwater mock` ended with {}", made.status);
    std::fs::write(&rows, made.stdout)?;
    let at_work = || -> Result<()> {
        run(&["deploy", "--data", &data])?;
        run(&["append", "page_hits", &rows.display().to_string(), "--data", &data])?;
        run(&[
            "sql",
            "SELECT countMerge(hits) AS hits, uniqMerge(visits) AS visits, min(hour) AS since FROM page_hits_hourly",
            "--data",
            &data,
        ])
    };
    // The host ends also when something failed.
    let done = at_work();
    run(&["serve", "--stop", "--data", &data]).and(done)
}

fn say(what: &str) {
    println!("\n── {what}\n");
}

fn headwater(server: &Path, project: &Path, args: &[&str], expected: i32) -> Result<()> {
    run_with(server, project, args, expected, None)
}

fn run_with(
    server: &Path,
    project: &Path,
    args: &[&str],
    expected: i32,
    engine: Option<&Path>,
) -> Result<()> {
    println!("$ headwater {}", args.join(" "));
    let mut command = Command::new(server);
    command.args(args).current_dir(project);
    command.envs(engine.map(|library| (crate::engine::VARIABLE, library)));
    let status = command.status().context("the server cannot be started")?;
    ensure!(
        status.code() == Some(expected),
        "`headwater {}` ended with {status}, not {expected}",
        args.join(" ")
    );
    Ok(())
}

/// A copy of the project with three faults that the vendor's tools would show at deploy, or never.
fn edited_copy(project: &Path) -> Result<std::path::PathBuf> {
    let to = std::env::temp_dir().join(format!("headwater-demo-{}", std::process::id()));
    copy(project, &to)?;
    let edits = [
        ("endpoints/top_pages.pipe", "FROM page_hits_hourly", "FROM page_hits_per_hour"),
        ("endpoints/trend.pipe", "\nTYPE endpoint", "\nTYP endpoint"),
        ("datasources/campaigns.datasource", "IMPORT_SCHEDULE @auto", "IMPORT_SCHEDULE 0 4 * * *"),
    ];
    for (file, from, into) in edits {
        let path = to.join(file);
        let text =
            std::fs::read_to_string(&path).with_context(|| format!("{} cannot be read", path.display()))?;
        ensure!(text.contains(from), "{file} no longer holds `{from}`: adapt the demo");
        std::fs::write(&path, text.replacen(from, into, 1))?;
    }
    Ok(to)
}

fn copy(from: &Path, to: &Path) -> Result<()> {
    std::fs::create_dir_all(to)?;
    for entry in std::fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy(&entry.path(), &target)?;
        } else {
            std::fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}
