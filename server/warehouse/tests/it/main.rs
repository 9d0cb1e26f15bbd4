//! The real engine, from outside: what a pool promises. `cargo xtask test` brings the library; without it these fail and
//! say so.
#![cfg(unix)]

mod campaign;
mod cancel;
mod crash;
mod fence;
mod insert;
mod registry;
mod session;
mod setup;
mod statements;
mod store;

use std::path::PathBuf;

use headwater_warehouse::{Answer, EngineError, Pool, PoolConfig, Program, Request};

/// A pool's configuration with the real library and this crate's own worker.
fn config() -> PoolConfig {
    let program =
        Program { path: PathBuf::from(env!("CARGO_BIN_EXE_headwater-engine-worker")), args: Vec::new() };
    PoolConfig::new(program, library())
}

fn library() -> PathBuf {
    match headwater_warehouse::Places::from_env().library() {
        Ok(library) => library.path().to_owned(),
        Err(why) => panic!("these tests need the SQL engine; `cargo xtask test` brings it. {why}"),
    }
}

fn pool() -> Pool {
    Pool::new(config())
}

/// The answer's text without its last line break.
fn text(answer: Result<Answer, EngineError>) -> String {
    match answer {
        Ok(answer) => answer.text().trim_end_matches('\n').to_owned(),
        Err(error) => panic!("no answer: {error:?}"),
    }
}

fn ask(pool: &Pool, sql: &str) -> String {
    text(pool.query(Request::new(sql)))
}

/// The engine's name of the error that `sql` ends with.
fn error_name(pool: &Pool, request: Request) -> String {
    let sql = request.sql.clone();
    match pool.query(request) {
        Err(EngineError::Statement(e)) => e.name,
        other => panic!("{sql}: expected the engine's refusal, got {other:?}"),
    }
}

/// Set for tests that another test starts as a process of its own.
const HELPER: &str = "HEADWATER_TEST_HELPER";

fn is_helper() -> bool {
    std::env::var_os(HELPER).is_some()
}
