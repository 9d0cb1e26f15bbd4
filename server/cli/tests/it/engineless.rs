//! A machine without the engine: what needs it says what to run, and everything else works.

use std::process::Output;

use crate::{Folder, headwater, stdout};

/// What becomes of a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    /// It does what it does everywhere.
    Works,
    /// It says that the engine is missing and how to get it, and ends with 3.
    NeedsEngine,
}

use Outcome::{NeedsEngine, Works};

/// Commands, by what stands behind `headwater`. `serve` has tests of its own.
const COMMANDS: &[(&[&str], Outcome)] = &[
    (&["check"], Works),
    (&["check", "--offline"], Works),
    (&["parse", "--datafile", "endpoints/top.pipe"], Works),
    (&["fmt", "--check"], Works),
    (&["lineage", "events"], Works),
    (&["plan", "--against", "."], Works),
    (&["status"], Works),
    (&["mock", "events", "--rows", "3"], Works),
    (&["init", "--cicd", "github"], Works),
    (&["completions", "bash"], Works),
    (&["test"], NeedsEngine),
    (&["test", "--format", "json"], NeedsEngine),
    (&["preview", "top"], NeedsEngine),
    (&["preview", "top", "--estimate"], NeedsEngine),
    (&["sql", "SELECT 1"], NeedsEngine),
    (&["sql", "--host", "local", "SELECT 1"], NeedsEngine),
    (&["setup", "--check"], NeedsEngine),
];

fn project() -> Folder {
    let folder = Folder::new("engineless");
    folder.write("datasources/events.datasource", "SCHEMA >\n    `n` UInt32 `json:$.n`\n");
    folder.write("endpoints/top.pipe", "NODE e\nSQL >\n    SELECT n\n    FROM events\n\nTYPE endpoint\n");
    folder.write("fixtures/events.ndjson", "{\"n\":1}\n");
    folder.write("tests/top.yaml", "- name: one\n  parameters: ''\n  expected_result: |\n    {\"n\":1}\n");
    folder
}

#[test]
fn every_command_works_or_says_what_to_run() {
    let folder = project();
    let run = |args: &[&str]| -> Output {
        let mut command = headwater();
        command.args(args).current_dir(&folder.0).env("XDG_RUNTIME_DIR", folder.0.join("run"));
        command.env("XDG_DATA_HOME", folder.0.join("data")).env("HEADWATER_IDLE", "5");
        command.output().expect("the binary runs")
    };
    let mut wrong = Vec::new();
    for (args, outcome) in COMMANDS {
        let output = run(args);
        let words = format!("{}{}", stdout(&output), String::from_utf8_lossy(&output.stderr));
        let is_right = match outcome {
            Works => output.status.code() == Some(0),
            NeedsEngine => output.status.code() == Some(3) && words.contains("headwater setup"),
        };
        if !is_right {
            wrong.push(format!("{args:?}: {:?}: {words}", output.status.code()));
        }
    }
    let _ = run(&["serve", "--stop"]);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
