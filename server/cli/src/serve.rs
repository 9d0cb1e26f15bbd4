//! `headwater serve`: being a host.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use headwater_engine::compile::SESSION_SETTINGS;
use headwater_host::client::stop;
use headwater_host::clock::System;
use headwater_host::door::{HttpLimits, Rate, Rules};
use headwater_host::gate::Gated;
use headwater_host::piped::Piped;
use headwater_host::pipeline::NoPipeline;
use headwater_host::places::{DataFolder, Places};
use headwater_host::serve::{Backend, Ready, ServeConfig, serve};
use headwater_host::supervisor::{Embedded, Engine, Server};
use headwater_warehouse::{ClickHouseConfig, PoolConfig, Program};
use serde_json::json;

use crate::args::ServeArgs;
use crate::host::{data_folder, here};
use crate::{CannotRun, Verdict, print};

pub(crate) fn run(args: &ServeArgs) -> Result<Verdict, CannotRun> {
    if args.stop {
        let local = here(args.data.as_deref(), args.project.as_deref())?;
        let ended = stop(&local).map_err(CannotRun)?;
        print(if ended { "The host has ended.\n" } else { "No host runs there.\n" });
        return Ok(Verdict::Fine);
    }
    let data = data_folder(args.data.as_deref(), args.project.as_deref())?;
    let listen = args.listen.iter().map(|a| address(a)).collect::<Result<Vec<_>, _>>()?;
    let origins = args.allow_origin.iter().map(|o| origin(o)).collect::<Result<Vec<_>, _>>()?;
    let on_demand = args.on_demand.map(|s| Duration::try_from_secs_f64(s).unwrap_or(Duration::MAX));
    let config = ServeConfig {
        data,
        places: Places::from_env(),
        secrets_key: args.secrets_key.as_ref().map(|path| path.clone().into_std_path_buf()),
        listen,
        rules: Rules { hosts: args.allow_host.clone(), origins },
        on_demand,
        build: env!("CARGO_PKG_VERSION").to_owned(),
        limits: HttpLimits {
            strict_parameters: args.strict_parameters,
            endpoint_rate: args.endpoint_rate.map(|n| Rate { per_second: n, burst: n.saturating_mul(2) }),
            ..HttpLimits::default()
        },
        log_to_stderr: on_demand.is_none(),
    };
    let engine = match &args.clickhouse {
        Some(url) => {
            let server = Server::new(clickhouse(url)?).map_err(CannotRun)?;
            Store::Server(Arc::new(server))
        }
        None => Store::Embedded(worker()?),
    };
    let early = on_demand.is_none();
    let engine = move |folder: &DataFolder, log| match engine {
        Store::Server(server) => {
            Ok(Backend { engine: server as Arc<dyn Engine>, pipeline: Arc::new(NoPipeline) })
        }
        Store::Embedded(program) => {
            let mut pool = PoolConfig::new(program, "");
            pool.start_early = early;
            pool.settings =
                SESSION_SETTINGS.iter().map(|s| (s.name.to_owned(), s.value.to_owned())).collect();
            pool.scratch = folder.scratch();
            let places = headwater_warehouse::Places::from_env();
            let engine = Arc::new(Embedded::new(places, pool, folder.store(), log));
            let system = Arc::new(System::new());
            let piped = Piped::open(&folder.rows(), engine.clone(), system.clone(), system)?;
            Ok(Backend { engine, pipeline: Arc::new(piped) })
        }
    };
    let gate = Arc::new(Gated);
    let announce = |ready: &Ready| announce(ready, on_demand.is_some());
    serve(&config, engine, gate, announce).map_err(CannotRun)?;
    Ok(Verdict::Fine)
}

/// Where data is stored.
enum Store {
    Embedded(Program),
    Server(Arc<Server>),
}

/// This very program as a worker. A host runs for weeks, in which the file may be replaced by another version, and the two ends
/// of a worker's pipe must be of one: Linux finds the program that runs, whatever its path holds now.
fn worker() -> Result<Program, CannotRun> {
    let mut program =
        Program::current().map_err(|e| CannotRun(format!("the path of this program is not known: {e}")))?;
    let running = std::path::Path::new("/proc/self/exe");
    if cfg!(target_os = "linux") && running.exists() {
        program.path = running.to_owned();
    }
    Ok(program)
}

fn clickhouse(url: &str) -> Result<ClickHouseConfig, CannotRun> {
    if url.split("://").nth(1).is_some_and(|rest| rest.split('/').next().unwrap_or_default().contains('@')) {
        return Err(CannotRun(
            "--clickhouse: the address holds no credentials, which every process here could read; put them into \
             HEADWATER_CLICKHOUSE_USER and HEADWATER_CLICKHOUSE_PASSWORD"
                .to_owned(),
        ));
    }
    let mut config = ClickHouseConfig::new(url);
    if let Ok(user) = std::env::var("HEADWATER_CLICKHOUSE_USER") {
        config.user = user;
    }
    config.password = std::env::var("HEADWATER_CLICKHOUSE_PASSWORD").unwrap_or_default();
    Ok(config)
}

/// A command that started us waits for a line of JSON; a person reads where to go.
fn announce(ready: &Ready, on_demand: bool) {
    if on_demand {
        let listen: Vec<String> = ready.listen.iter().map(ToString::to_string).collect();
        let line = json!({ "ready": true, "socket": ready.socket.display().to_string(), "listen": listen });
        print(&format!("{line}\n"));
        return;
    }
    let mut text = format!("The host of {} answers at {}", ready.data.display(), ready.socket.display());
    for address in &ready.listen {
        text.push_str(&format!("\n  and at http://{address}"));
        if !address.ip().is_loopback() {
            text.push_str(", in clear text: put a server that speaks TLS in front of it");
        }
    }
    text.push_str(&format!("\nThe owner's token is in {}. Ctrl-C ends it.\n", ready.token.display()));
    print(&text);
}

/// `8181`, `127.0.0.1:8181`, `[::]:8181`.
fn address(text: &str) -> Result<SocketAddr, CannotRun> {
    if let Ok(port) = text.parse::<u16>() {
        return Ok(SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), port));
    }
    let text = text.strip_prefix("localhost:").map_or_else(|| text.to_owned(), |p| format!("127.0.0.1:{p}"));
    text.parse().map_err(|_| {
        CannotRun(format!(
            "--listen {text}: write a port, such as 8181, or an address with a port, such as 0.0.0.0:8181"
        ))
    })
}

/// An origin as browsers send it: no path.
fn origin(text: &str) -> Result<String, CannotRun> {
    let trimmed = text.trim_end_matches('/');
    let name = trimmed.strip_prefix("https://").or_else(|| trimmed.strip_prefix("http://"));
    if name.is_some_and(|n| !n.is_empty() && !n.contains(['/', '?', '#', '@', ' ', '*'])) {
        return Ok(trimmed.to_ascii_lowercase());
    }
    Err(CannotRun(format!(
        "--allow-origin {text}: write scheme and name of the pages, such as https://dash.example.com"
    )))
}
