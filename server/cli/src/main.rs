//! The `headwater` command.
//!
//! Exit codes are a contract: 0 fine; 1 faults found (warnings too with `--deny-warnings`); 2 wrong usage; 3 could not
//! run.

mod append;
mod args;
mod check;
mod deploy;
mod engine;
mod fmt;
mod host;
mod init;
mod interrupt;
mod lineage;
mod lines;
mod mock;
mod parse;
mod plan;
mod preview;
mod project;
mod render;
mod secret;
#[cfg(unix)]
mod serve;
#[cfg(not(unix))]
#[path = "serve/elsewhere.rs"]
mod serve;
mod setup;
mod sql;
mod status;
mod terminal;
mod test;
mod token;

use std::process::ExitCode;

use clap::{CommandFactory, Parser};

use args::{Cli, Command};

/// Half of the work on a project is making and dropping small things on several threads, and a server is looked at for
/// what it holds. The engine's library, which worker processes load, brings an allocator of its own.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Why a command could not run; the message says what to do next.
#[derive(Debug)]
struct CannotRun(String);

/// How a command that ran ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Fine,
    Faults,
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    let result = match cli.command {
        Command::Lsp { stdio: _, offline } => return headwater_lsp::run_stdio(engine::for_editors(offline)),
        Command::Check(args) => check::run(&args),
        Command::Parse(args) => parse::run(&args),
        Command::Fmt(args) => fmt::run(&args),
        Command::Lineage(args) => lineage::run(&args),
        Command::Plan(args) => plan::run(&args),
        Command::Deploy(args) => deploy::run(&args),
        Command::Append(args) => append::run(&args),
        Command::Token(args) => token::run(&args.command),
        Command::Secret(args) => secret::run(&args.command),
        Command::Status(args) => status::run(&args),
        Command::Serve(args) => serve::run(&args),
        Command::Preview(args) => preview::run(&args),
        Command::Sql(args) if args.host.is_some() || args.data.is_some() => sql::run(args),
        Command::Sql(args) => preview::sql(&args),
        Command::Test(args) => test::run(&args),
        Command::Mock(args) => mock::run(&args),
        Command::Init(args) => init::run(&args),
        Command::Setup(args) => setup::run(&args),
        Command::EngineWorker => return headwater_warehouse::worker_main(),
        Command::Completions { shell } => {
            clap_complete::generate(shell, &mut Cli::command(), "headwater", &mut std::io::stdout());
            Ok(Verdict::Fine)
        }
    };
    match result {
        Ok(Verdict::Fine) => ExitCode::SUCCESS,
        Ok(Verdict::Faults) => ExitCode::from(1),
        Err(CannotRun(message)) => {
            eprintln!("headwater: {message}");
            ExitCode::from(3)
        }
    }
}

/// Writes to standard output; a reader that went away (`| head`) is no failure.
fn print(text: &str) {
    print_bytes(text.as_bytes());
}

/// The same for what is no text.
fn print_bytes(bytes: &[u8]) {
    use std::io::Write;
    let mut out = std::io::stdout().lock();
    let _ = out.write_all(bytes).and_then(|()| out.flush());
}

/// Writes a file as a whole: a run that is killed leaves what was there or what is new.
fn write_whole(path: &camino::Utf8Path, bytes: &[u8]) -> std::io::Result<()> {
    let beside = path.with_file_name(format!(".{}.new", path.file_name().unwrap_or("file")));
    std::fs::write(&beside, bytes).and_then(|()| std::fs::rename(&beside, path)).inspect_err(|_| {
        let _ = std::fs::remove_file(&beside);
    })
}
