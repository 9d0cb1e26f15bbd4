//! `cargo run -p headwater-fuzz -- --target ast --seed 1 --seconds 60`.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, Result};
use clap::Parser;
use headwater_fuzz::{Limit, Report, Settings, Target, growth, run};

/// Room for trees that nest: what the server's workers have.
const STACK: usize = 16 * 1024 * 1024;

/// Tries hostile inputs, made from a seed.
#[derive(Parser)]
struct Args {
    /// What to try.
    #[arg(long)]
    target: Target,
    /// Makes the inputs.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Stop after this many seconds.
    #[arg(long, conflicts_with = "runs")]
    seconds: Option<u64>,
    /// Stop after this many inputs.
    #[arg(long)]
    runs: Option<u64>,
    /// Measure how time grows with every unit of the dictionary, and do nothing else.
    #[arg(long)]
    growth: bool,
    /// Try this input only, as often as `--runs` says: a text, or a session as JSON.
    #[arg(long)]
    replay: Option<PathBuf>,
    /// Where findings are written; a folder of the system for temporary files if not given.
    #[arg(long)]
    out: Option<PathBuf>,
}

fn main() -> Result<ExitCode> {
    let args = Args::parse();
    let worker = std::thread::Builder::new().stack_size(STACK).spawn(move || work(&args))?;
    worker.join().unwrap_or_else(|_| anyhow::bail!("the fuzzer itself panicked"))
}

fn work(args: &Args) -> Result<ExitCode> {
    if args.growth {
        return Ok(all_growth(args.target));
    }
    if let Some(path) = &args.replay {
        let input =
            std::fs::read_to_string(path).with_context(|| format!("{} cannot be read", path.display()))?;
        return Ok(replayed(args.target, &input, args.runs.unwrap_or(1)));
    }
    let out = args.out.clone().unwrap_or_else(|| std::env::temp_dir().join("headwater-fuzz"));
    std::fs::create_dir_all(&out).with_context(|| format!("{} cannot be created", out.display()))?;
    let limit = match (args.runs, args.seconds) {
        (Some(runs), _) => Limit::Runs(runs),
        (None, seconds) => Limit::Time(Duration::from_secs(seconds.unwrap_or(60))),
    };
    let current = out.join(format!("{}-{}.current", args.target.name(), args.seed));
    let settings = Settings {
        target: args.target,
        seed: args.seed,
        limit,
        growth: args.target != Target::Server,
        current: Some(current.clone()),
    };
    println!("if this process dies, its input is {}", current.display());
    let report = run(&settings)?;
    std::fs::remove_file(&current).ok();
    for finding in &report.findings {
        println!("\n{finding}");
        if finding.repeats > 0 {
            println!("and {} more times", finding.repeats);
        }
        println!("kept as {}", finding.write(&out)?.display());
    }
    for growth in &report.growths {
        println!("grows: {growth}");
    }
    println!("\n{}", summary(args, &report));
    Ok(verdict(report.findings.is_empty() && report.growths.is_empty()))
}

fn summary(args: &Args, report: &Report) -> String {
    format!(
        "{} --seed {}: {} runs in {:.0} s, corpus {}, {} observations, {} findings, {} growths",
        args.target.name(),
        args.seed,
        report.runs,
        report.took.as_secs_f64(),
        report.corpus,
        report.observations,
        report.findings.len(),
        report.growths.len()
    )
}

fn replayed(target: Target, input: &str, runs: u64) -> ExitCode {
    let failures: Vec<_> = (0..runs).filter_map(|_| headwater_fuzz::replay(target, input).err()).collect();
    for failure in &failures {
        println!("{}: {}\n", failure.place, failure.message);
    }
    println!("{} of {runs} failed", failures.len());
    verdict(failures.is_empty())
}

fn all_growth(target: Target) -> ExitCode {
    let mut count = 0;
    growth::table(target.functions(), |growth| {
        count += 1;
        println!("grows: {growth}");
    });
    println!("{count} units grow faster than linear");
    verdict(count == 0)
}

fn verdict(good: bool) -> ExitCode {
    if good { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
