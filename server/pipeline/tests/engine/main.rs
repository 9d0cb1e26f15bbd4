//! The pipeline over the real engine: rows come where they belong once, each failure that is known is shown and shown to be
//! closed, and what was killed goes on.
//!
//! The test is its own worker of the engine; `cargo xtask test` brings the library, and without it this fails and says so.

#![cfg(unix)]

mod crash;
mod facts;
mod install;
mod rows;
mod support;
mod views;

use std::process::ExitCode;

const TESTS: &[(&str, fn())] = &[
    ("rows come into their table, those that do not fit into the quarantine", rows::rows),
    ("a row that only the engine refuses goes to quarantine, the others stay", rows::refused_by_the_engine),
    ("blank lines between rows are nothing", rows::blank_lines),
    ("what is sent again under its key is not kept again", rows::keys),
    ("defaults that ask for time and chance are those of acceptance", rows::volatile_defaults),
    ("a table in which order matters has a hidden place", rows::position),
    ("effects happen in order", rows::effects),
    ("views and views behind views", views::chains),
    ("UNION ALL runs all arms", views::union_all),
    ("two views into one target give each row once", views::shared_target),
    ("a target with fewer partitions than its source", views::coarser),
    ("a view that throws stops alone, says so, and is skipped", views::throwing),
    ("rows in too many partitions are refused with words", views::many_partitions),
    ("rows that cannot be applied are set aside when they are skipped", views::skipping_rows),
    ("a view that asks for more than its block keeps its result", views::kept),
    ("releases that cannot be are refused with words", install::refused),
    ("a release is installed once", install::once),
    ("closed and opened again, it goes on", crash::reopened),
    ("the engine killed at every point", crash::engine_killed),
    ("retention lets go of what is applied", crash::trimmed),
    ("fact: a range that is cut anew doubles rows", facts::cut_anew),
    ("fact: a token for parts of a range swallows blocks without an ordinal", facts::no_ordinal),
    ("fact: a view as trigger stops its source", facts::trigger),
    ("fact: rows in a statement run as one", facts::blank_line),
    ("fact: an orphaned token swallows rows, and the check mends it", facts::orphan),
    ("fact: a window below the partitions of a range doubles rows", facts::window),
];

fn main() -> ExitCode {
    if std::env::args().nth(1).as_deref() == Some("engine-worker") {
        return headwater_warehouse::worker_main();
    }
    // What the test runner asks of every test program.
    if std::env::args().any(|a| a == "--list") {
        println!("engine: test");
        return ExitCode::SUCCESS;
    }
    let filter = std::env::args().nth(1).filter(|a| !a.starts_with('-'));
    let (mut passed, mut failed) = (0, Vec::new());
    for (name, test) in TESTS {
        if filter.as_deref().is_some_and(|filter| !name.contains(filter)) {
            continue;
        }
        println!("{name}");
        match std::panic::catch_unwind(test) {
            Ok(()) => passed += 1,
            Err(_) => failed.push(*name),
        }
    }
    let word = if failed.is_empty() { "ok" } else { "FAILED" };
    for name in &failed {
        println!("test {name} ... FAILED");
    }
    println!("test result: {word}. {passed} passed; {} failed", failed.len());
    if failed.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
