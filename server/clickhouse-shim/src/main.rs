//! The shim by hand, and what its tests start as the engine's worker.
//!
//! `headwater-clickhouse-shim FOLDER` serves what is stored in FOLDER until its input ends.

use std::io::Read;
use std::process::ExitCode;

use headwater_clickhouse_shim::{Shim, User};
use headwater_warehouse::{Places, PoolConfig, Program, Store, StoreConfig, worker_main};

fn main() -> ExitCode {
    let mut args = std::env::args().skip(1);
    match (args.next().as_deref(), args.next()) {
        (Some("engine-worker"), None) => worker_main(),
        (Some(folder), None) => match serve(folder) {
            Ok(()) => ExitCode::SUCCESS,
            Err(why) => {
                eprintln!("{why}");
                ExitCode::FAILURE
            }
        },
        _ => {
            eprintln!("usage: headwater-clickhouse-shim FOLDER");
            ExitCode::from(2)
        }
    }
}

fn serve(folder: &str) -> Result<(), String> {
    let program = Program::current().map_err(|e| e.to_string())?;
    let engine = PoolConfig::new(program, Places::from_env().library()?.path());
    let mut config = StoreConfig::new(engine, folder);
    config.database = "default_data".to_owned();
    config.writable = vec!["headwater_*".to_owned()];
    config.writers = 4;
    let store = Store::open(config).map_err(|e| e.to_string())?;
    let shim = Shim::start(store.writers().clone(), User::default()).map_err(|e| e.to_string())?;
    println!("{}", shim.url());
    let _ = std::io::stdin().read_to_end(&mut Vec::new());
    Ok(())
}
