//! `headwater secret`: what templates use and nobody should read.

use std::fmt::Write as _;
use std::io::{IsTerminal, Read};

use serde_json::json;

use crate::args::{SecretCommand, TextFormat};
use crate::host::{refused, require};
use crate::token::encoded;
use crate::{CannotRun, Verdict, print};

pub(crate) fn run(command: &SecretCommand) -> Result<Verdict, CannotRun> {
    match command {
        SecretCommand::Ls { host, format } => {
            let client = require(host)?;
            let answer = client.call("GET", "/v0/variables", None).map_err(refused)?;
            let mut out = String::new();
            for secret in answer["variables"].as_array().into_iter().flatten() {
                let text = |name: &str| secret[name].as_str().unwrap_or_default();
                let _ = writeln!(out, "{}  set {}", text("name"), text("updated_at"));
            }
            print(&match format {
                TextFormat::Json => format!("{answer}\n"),
                TextFormat::Human => out,
            });
        }
        SecretCommand::Create { name, host } => {
            let value = value()?;
            let client = require(host)?;
            let path = format!("/v0/variables/{}", encoded(name));
            client.call("PUT", &path, Some(&json!({ "value": value }))).map_err(refused)?;
            print(&format!("The secret `{name}` is set.\n"));
        }
        SecretCommand::Rm { name, host } => {
            let client = require(host)?;
            client.call("DELETE", &format!("/v0/variables/{}", encoded(name)), None).map_err(refused)?;
            print(&format!("The secret `{name}` is gone.\n"));
        }
    }
    Ok(Verdict::Fine)
}

/// From standard input: what stands on a command line is seen by every process and kept by shells. One line end behind it
/// is not part of it.
fn value() -> Result<String, CannotRun> {
    let mut input = std::io::stdin();
    if input.is_terminal() {
        eprintln!("Type the value, then Enter and Ctrl-D:");
    }
    let mut text = String::new();
    input.read_to_string(&mut text).map_err(|e| CannotRun(format!("standard input cannot be read: {e}")))?;
    let value = text.strip_suffix('\n').map_or(text.as_str(), |t| t.strip_suffix('\r').unwrap_or(t));
    if value.is_empty() {
        return Err(CannotRun(
            "there is no value: send it on standard input, `headwater secret create NAME < FILE`".to_owned(),
        ));
    }
    Ok(value.to_owned())
}
