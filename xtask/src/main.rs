//! The project's chores, in plain Rust: `cargo xtask demo|test|codegen|bench|setup`.
//!
//! Each installs what it needs into a cache folder outside the clone, and says what it does.

mod bench;
mod catalog;
mod codegen;
mod complete_eval;
mod demo;
mod edit_eval;
mod editors;
mod engine;
mod fetch;
mod foreign;
mod format_eval;
mod grammar_eval;
mod host_kill;
mod mutation_eval;
mod plan_eval;
mod semantic_eval;
mod setup;
mod soak;
mod soak_editor;
mod test;

use std::ffi::OsStr;
use std::path::PathBuf;
use std::process::{Command, ExitCode};

use anyhow::{Context, Result, ensure};

const USAGE: &str = "\
Usage: cargo xtask <command>

  demo               run the main job on an example project: check, lineage, and how to open it in an editor
  test [--no-editors]
                     everything the gate runs: format, lints, grammar drift, all tests, documentation, real editors
  editors [neovim] [helix] [vscode] [wasm]
                     the sessions in real editors alone, of those that are named
  codegen [--check]  regenerate the parsers and the typed AST; with --check, fail when the committed ones differ
  codegen --ast      regenerate the typed AST alone
  codegen --catalog [--known] [--first DIR]… [NAME]
                     ask the SQL engine about itself and regenerate the data of server/catalog; with --known, from the
                     answers in the cache alone; with --first, beginning with the functions that these folders use; with
                     a NAME, print what becomes of functions with that in their names
  bench [--quick]    print the figures of docs/internals/bars.md, with `ty` beside them for scale
  bench --engine [--quick]
                     print the SQL engine's figures
  bench --ingest [--quick]
                     rows through the log and consumers, against a client's own inserts; run it with
                     `cargo run --release -p xtask`
  bench --grammar DIR… [--rounds N]
                     our SQL parser and others over the statements of these folders
  bench --features   print what completion, rename, tokens cost, at 1,000 files
  bench --oracle [--quick]
                     print what editing costs while the engine is asked for its opinion, with lenses
  bench --baseline   print what comparing with a commit costs, at 1,000 and 5,000 files
  bench --plan       print what a plan costs at 500 files; run it with `cargo run --release -p xtask`
  bench --tests      print what running 300 tests of a project costs
  bench --preview    print what previews over a million rows, and statements on a host, cost beyond the engine's own time
  bench --write DIR  write the project of 5,000 files that they are taken on
  grammar-eval DIR… [--mutants N] [--seed N] [--worst N] [--verdicts FILE]
                     judge the SQL grammar by the engine, on the statements of these folders and on broken ones;
                     with --verdicts, what the engine said is kept in FILE and not asked again
  semantic-eval [DIR|FILE…] [--worst N] [--sql] [--examples]
                     judge what we say of queries by the engine, on every rendering of the nodes of these projects; with
                     --sql the folders hold scripts; with --examples, on the examples of the engine's documentation too
  mutation-eval DIR… [--count N] [--seed N] [--worst N] [--prove]
                     break these projects at random, and judge by the engine whether we notice without it; with
                     --prove, make our rules worse and see that this is noticed
  complete-eval DIR… [--count N] [--seed N] [--worst N]
                     complete words of these projects as if they were being typed, and print at which rank they are
  edit-eval DIR… [--renames N] [--actions N] [--mutations N] [--seed N] [--worst N] [--prove]
                     rename things and apply code actions in these projects, and judge by the engine what became of them
  catalog-eval [DIR…] [--seed N] [--calls N] [--worst N]
                     judge the catalog's types by the engine, on random calls of the functions that these folders use
  format-eval DIR… [--worst N] [--width N] [--show]
                     lay out every datafile of these folders and hold the formatter to its promises
  soak-editor DIR… [--steps N] [--every N] [--seed N] [--no-proof]
                     edit each project 10,000 times in one language server, and compare it with fresh ones; first with
                     faults that must be noticed
  plan-eval DIR… [--reverse] [--distant N] [--transplant N] [--mutate N] [--no-steps] [--engine] [--seed N] [--worst N]
                     plan every change of datafiles in the git histories of these folders, parent to commit; also the way
                     back, N pairs of any two commits, N single files of another commit, N random changes of data
                     sources; with --engine, do what the plans say and judge it
  foreign            hold workflows, SARIF and diagrams against the rules of those who read them
  host-kill [--rounds N] [--seed N]
                     kill hosts and their engines at random moments; the next command must work, and nothing be left
  soak [--kills N] [--seed N] [--no-proof] [--gate]
                     kill the pipeline and its engine at every named point, 1,000 times, and compare all tables with what
                     plain SQL makes of the events; first with rules left out that must be missed;
                     with --gate 40 times, without proof
  setup              build the server; put the SQL engine and the real editors for the tests into the cache
  package [--wasm]   build the VS Code extension, the Neovim plugin and the Helix configuration into target/editors;
                     with --wasm the grammars as WebAssembly too
  screenshots        retake the README's pictures in the real editors
";

fn main() -> ExitCode {
    // The editor sessions start this program as a tap between editor and server.
    if std::env::args_os().nth(1).as_deref() == Some(OsStr::new("lsp-tap")) {
        return match editors::tap(std::env::args_os().skip(2)) {
            Ok(code) => ExitCode::from(u8::try_from(code).unwrap_or(1)),
            Err(error) => fail(&error),
        };
    }
    // The generator of the catalog and the judges start this program as workers of the engine.
    if std::env::args_os().nth(1).as_deref() == Some(OsStr::new("engine-worker")) {
        return headwater_warehouse::worker_main();
    }
    let args: Vec<String> = std::env::args().skip(1).collect();
    // The pipeline that the soak kills is this program, too.
    if args.first().map(String::as_str) == Some("soak-child") {
        return soak::run_child(&args[1..]);
    }
    let flag = |name: &str| args.iter().any(|a| a == name);
    let result = match args.first().map(String::as_str) {
        Some("demo") => demo::run(),
        Some("test") => test::run(!flag("--no-editors")),
        Some("editors") => test::editors(&args[1..]),
        Some("codegen") if flag("--ast") => codegen::run_ast(),
        Some("codegen") if flag("--catalog") => {
            catalog::Options::parse(&args[1..]).and_then(|o| catalog::run(&o))
        }
        Some("codegen") => codegen::run(flag("--check")),
        Some("bench") => match args.get(1).map(String::as_str) {
            Some("--write") => match args.get(2) {
                Some(dir) => bench::write_project(dir.as_ref()),
                None => Err(anyhow::anyhow!("bench --write needs a folder")),
            },
            Some("--grammar") => bench::grammar::measure(&args[2..]),
            _ if flag("--features") => bench::features(flag("--quick")),
            _ if flag("--oracle") => bench::oracles(flag("--quick")),
            _ if flag("--baseline") => bench::baselines(),
            _ if flag("--plan") => bench::plans(),
            _ if flag("--tests") => bench::tests::run(),
            _ if flag("--ingest") => bench::ingest::run(flag("--quick")),
            _ if flag("--preview") => bench::preview::run(flag("--quick")),
            _ if flag("--engine") => bench::engine::run(flag("--quick")),
            _ => bench::run(flag("--quick")),
        },
        Some("soak-editor") => soak_editor::Options::parse(&args[1..]).and_then(|o| soak_editor::run(&o)),
        Some("plan-eval") => plan_eval::run(&args[1..]),
        Some("semantic-eval") => {
            semantic_eval::Options::parse(&args[1..]).and_then(|o| semantic_eval::run(&o))
        }
        Some("mutation-eval") => {
            mutation_eval::Options::parse(&args[1..]).and_then(|o| mutation_eval::run(&o))
        }
        Some("complete-eval") => {
            complete_eval::Options::parse(&args[1..]).and_then(|o| complete_eval::run(&o))
        }
        Some("edit-eval") => edit_eval::Options::parse(&args[1..]).and_then(|o| edit_eval::run(&o)),
        Some("grammar-eval") => grammar_eval::Options::parse(&args[1..]).and_then(|o| grammar_eval::run(&o)),
        Some("catalog-eval") => {
            catalog::eval::Options::parse(&args[1..]).and_then(|o| catalog::eval::run(&o))
        }
        Some("format-eval") => format_eval::Arguments::parse(&args[1..]).and_then(|a| format_eval::run(&a)),
        Some("foreign") => foreign::gate(),
        Some("host-kill") => host_kill::Options::parse(&args[1..]).and_then(|o| host_kill::run(&o)),
        Some("soak") => soak::Options::parse(&args[1..]).and_then(|o| soak::run(&o)),
        Some("setup") => setup::run(),
        Some("package") => setup::package(flag("--wasm")),
        Some("screenshots") => setup::screenshots(),
        _ => {
            eprint!("{USAGE}");
            return ExitCode::from(2);
        }
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => fail(&error),
    }
}

fn fail(error: &anyhow::Error) -> ExitCode {
    eprintln!("xtask: {error:#}");
    ExitCode::FAILURE
}

/// The repository's root.
fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).parent().map(PathBuf::from).unwrap_or_default()
}

/// The same cargo that runs this.
fn cargo() -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(root());
    command
}

/// Builds the server, optimised or not, and says where it is.
fn build_server(release: bool) -> Result<PathBuf> {
    build("headwater", "headwater", release)
}

/// Builds the engine's worker on its own: unlike the server it does not change with the grammar.
fn build_worker() -> Result<PathBuf> {
    build("headwater-warehouse", "headwater-engine-worker", true)
}

fn build(package: &str, binary: &str, release: bool) -> Result<PathBuf> {
    let mut command = cargo();
    command.args(["build", "--quiet", "--package", package, "--bin", binary]);
    if release {
        command.arg("--release");
    }
    ensure!(command.status().context("cargo cannot be started")?.success(), "{binary} does not build");
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from);
    let name = format!("{binary}{}", std::env::consts::EXE_SUFFIX);
    Ok(target.join(if release { "release" } else { "debug" }).join(name))
}
