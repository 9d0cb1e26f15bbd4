//! `headwater status`: whether a host runs, and how it is.

use std::fmt::Write as _;

use headwater_host::protocol::Status;
use serde_json::json;

use crate::args::{StatusArgs, TextFormat};
use crate::host::{Found, find};
use crate::{CannotRun, Verdict, print};

pub(crate) fn run(args: &StatusArgs) -> Result<Verdict, CannotRun> {
    let client = match find(&args.host, args.start)? {
        Found::Host(client) => client,
        Found::Nowhere(data) => {
            print(&match args.format {
                TextFormat::Human => {
                    format!("No host runs for {}. Commands that need one start it.\n", data.display())
                }
                TextFormat::Json => {
                    format!("{}\n", json!({ "running": false, "data": data.display().to_string() }))
                }
            });
            return Ok(Verdict::Fine);
        }
    };
    let status = client.status().map_err(|e| CannotRun(e.to_string()))?;
    match args.format {
        TextFormat::Human => print(&human(client.name(), &status)),
        TextFormat::Json => {
            let mut value = serde_json::to_value(&status).unwrap_or_default();
            value["running"] = true.into();
            print(&format!("{value}\n"));
        }
    }
    Ok(Verdict::Fine)
}

fn human(name: &str, status: &Status) -> String {
    let mut out = String::new();
    let _ = writeln!(
        out,
        "{} runs: headwater {}, process {}, for {}",
        capital(name),
        status.version.build,
        status.pid,
        duration(status.uptime_seconds)
    );
    let _ = writeln!(out, "  data      {}", status.data);
    for address in &status.listen {
        let _ = writeln!(out, "  listens   http://{address}");
    }
    let engine = &status.engine;
    let process = status.engine_pid.map(|pid| format!(", process {pid}")).unwrap_or_default();
    let state = match engine.state.as_str() {
        "idle" => "starts with the first query",
        other => other,
    };
    let _ = writeln!(out, "  engine    {} ({state}{process})", engine.kind);
    if let Some(message) = &engine.message {
        let _ = writeln!(out, "            {message}");
    }
    if let Some(open) = &engine.unconfined {
        let _ = writeln!(out, "            not confined by the system: {open}");
    }
    let _ = writeln!(out, "  requests  {} running", status.running_requests);
    match (status.idle_exit_seconds, status.holds.as_slice()) {
        (None, _) => {}
        (Some(seconds), []) => {
            let _ = writeln!(out, "  ends      after {} without requests", duration(seconds));
        }
        (Some(_), holds) => {
            let _ = writeln!(out, "  stays     because of: {}", holds.join(", "));
        }
    }
    out
}

fn capital(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map(|first| first.to_uppercase().chain(chars).collect()).unwrap_or_default()
}

fn duration(seconds: u64) -> String {
    match seconds {
        0..120 => format!("{seconds} s"),
        120..7200 => format!("{} min", seconds / 60),
        7200..172_800 => format!("{} h", seconds / 3600),
        _ => format!("{} days", seconds / 86_400),
    }
}
