//! The gate against a real engine: hostile statements, holes planted in the gate, random mixtures of hostile and harmless, and
//! the renderer's output.
//!
//! The test is its own worker of the engine; `cargo xtask test` brings the library, and without it this fails and says so.
//! `HEADWATER_GATE_CASES` sets how many random texts are tried, `HEADWATER_GATE_SEED` which.

mod canary;
mod fuzz;
mod renderer;
mod statements;

use std::process::ExitCode;

use canary::Canary;
use statements::Statements;

/// What a part of the campaign found wrong.
type Failures = Vec<String>;

fn main() -> ExitCode {
    if std::env::args().nth(1).as_deref() == Some("engine-worker") {
        return headwater_warehouse::worker_main();
    }
    // What the test runner asks of every test program.
    if std::env::args().any(|a| a == "--list") {
        println!("campaign: test");
        return ExitCode::SUCCESS;
    }
    let canary = Canary::new();
    let statements = Statements::read(&canary);
    let mut failures = Failures::new();
    let parts: [(&str, fn(&Canary, &Statements) -> (String, Failures)); 8] = [
        ("the canaries themselves", canary::prove),
        ("hostile statements", statements::hostile),
        ("hostile statements on a confined engine", canary::confined),
        ("harmless statements", statements::benign),
        ("functions that take functions", statements::takers),
        ("planted holes", statements::holes),
        ("random texts", fuzz::run),
        ("rendered values", renderer::run),
    ];
    for (name, part) in parts {
        let start = std::time::Instant::now();
        let (summary, mut found) = part(&canary, &statements);
        found.extend(canary.alarms());
        println!("{name}: {summary} ({:.1} s)", start.elapsed().as_secs_f64());
        failures.extend(found.into_iter().map(|f| format!("{name}: {f}")));
    }
    for failure in failures.iter().take(60) {
        println!("FAILED {failure}");
    }
    if failures.is_empty() {
        println!("test result: ok. 8 passed; 0 failed;");
        ExitCode::SUCCESS
    } else {
        println!("test result: FAILED. 0 passed; {} failed;", failures.len());
        ExitCode::FAILURE
    }
}
