//! The engine's second opinion: whether there is an engine, and what a check makes of it.

use headwater_analysis::Database;
use headwater_lsp::EngineChoice;
use headwater_oracle::{Known, Pass, Session};
use headwater_project::Loaded;
use headwater_warehouse::{Places, PoolConfig, Program};

use crate::CannotRun;

/// What became of the engine in a check.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Engine {
    /// `--offline`.
    #[default]
    Offline,
    /// There is none on this machine.
    Missing,
    /// It gave its opinion on this many texts of queries.
    Asked(usize),
}

/// Questions in one round: the worker answers them in some seconds at most.
const ROUND: usize = 2_000;

/// Asks the engine about every query, and puts its opinions into the database. What stands in the way costs its opinion and
/// nothing else; it is said on standard error.
pub(crate) fn ask(db: &mut Database, projects: &[Loaded]) -> Engine {
    let config = match config() {
        Ok(config) => config,
        Err(Unset::Missing(_)) => return Engine::Missing,
        Err(Unset::Wrong(why)) => {
            eprintln!("headwater: checked without the engine: {why}");
            return Engine::Missing;
        }
    };
    let mut session = Session::new(config);
    let mut judged = 0;
    for loaded in projects {
        let mut known = Known::default();
        let pass = loop {
            let pass = Pass::new(db, loaded.project, &known, &[], ROUND);
            if pass.is_settled() {
                break pass;
            }
            match pass.ask(&mut session) {
                Ok(answers) => known.learn(answers),
                Err(why) => {
                    eprintln!("headwater: checked without the engine: {why}");
                    return Engine::Missing;
                }
            }
        };
        judged += pass.tally(&known).judged;
        for disagreement in pass.disagreements(&known) {
            eprintln!(
                "headwater: not reported in {}, since the engine takes it: {}. Please tell us",
                disagreement.node, disagreement.ours
            );
        }
        for (file, opinions) in pass.opinions(&known) {
            file.hear(db, opinions);
        }
    }
    Engine::Asked(judged)
}

/// What the language server may use: the same engine, for trusted folders.
pub(crate) fn for_editors(offline: bool) -> EngineChoice {
    if offline {
        return EngineChoice::Off("`--offline` was given".to_owned());
    }
    match config() {
        Ok(config) => EngineChoice::Use(Box::new(config)),
        Err(Unset::Missing(why) | Unset::Wrong(why)) => EngineChoice::Off(why),
    }
}

/// The engine, for commands that can do nothing without one.
pub(crate) fn required() -> Result<PoolConfig, CannotRun> {
    config().map_err(|(Unset::Missing(why) | Unset::Wrong(why))| {
        CannotRun(format!("this needs the SQL engine, and {why}"))
    })
}

/// Why there is no engine.
enum Unset {
    /// Nobody set one up, or there is none for this system, which is fine.
    Missing(String),
    /// Somebody wanted one.
    Wrong(String),
}

/// Workers of this very program, with the library that the user's environment names or `headwater setup` put there.
fn config() -> Result<PoolConfig, Unset> {
    let places = Places::from_env();
    let library = places.library().map_err(|why| match places.named {
        Some(_) => Unset::Wrong(why),
        None => Unset::Missing(why),
    })?;
    let program = Program::current()
        .map_err(|e| Unset::Wrong(format!("the path of this program is not known: {e}")))?;
    Ok(PoolConfig::new(program, library.path()))
}
