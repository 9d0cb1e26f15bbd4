//! A short run of each target, the same on every machine. Long ones are in `docs/internals/fuzzing.md`.

use headwater_fuzz::{Limit, Report, Settings, Target, run};

/// Trees nest: as much room as the server's workers have.
fn fuzz(target: Target, seed: u64, runs: u64) -> Report {
    let settings = Settings { target, seed, limit: Limit::Runs(runs), growth: false, current: None };
    let thread = std::thread::Builder::new().stack_size(16 * 1024 * 1024);
    let worker = thread.spawn(move || run(&settings)).expect("a thread");
    let report = worker.join().expect("the fuzzer does not panic").expect("the corpus is there");
    for finding in &report.findings {
        println!("{finding}");
    }
    assert!(report.findings.is_empty(), "{} findings", report.findings.len());
    assert_eq!(report.runs, runs);
    report
}

#[test]
fn scanner() {
    let report = fuzz(Target::Scanner, 1, 1500);
    assert!(report.observations > 100, "{report:?}");
}

#[test]
fn ast() {
    let report = fuzz(Target::Ast, 1, 1000);
    assert!(report.observations > 500, "{report:?}");
}

#[test]
fn server() {
    fuzz(Target::Server, 1, 40);
}
