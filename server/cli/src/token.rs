//! `headwater token`: who may do what on a host.

use std::fmt::Write as _;

use serde_json::{Value, json};

use crate::args::{TextFormat, TokenCommand};
use crate::host::{refused, require};
use crate::{CannotRun, Verdict, print};

pub(crate) fn run(command: &TokenCommand) -> Result<Verdict, CannotRun> {
    match command {
        TokenCommand::Ls { host, format } => {
            let client = require(host)?;
            let answer = client.call("GET", "/v0/tokens", None).map_err(refused)?;
            print(&match format {
                TextFormat::Json => format!("{answer}\n"),
                TextFormat::Human => listed(&answer),
            });
        }
        TokenCommand::Create { name, scope, ttl, refresh, keep_old, host } => {
            let client = require(host)?;
            let answer = if *refresh {
                let path = format!("/v0/tokens/{}/refresh", encoded(name));
                client.call("POST", &path, Some(&json!({ "keep_old": keep_old })))
            } else {
                let body = json!({ "name": name, "scope": scope, "ttl": ttl });
                client.call("POST", "/v0/tokens", Some(&body))
            };
            let answer = answer.map_err(refused)?;
            // Alone on standard output, so that it can go where it is needed without being seen.
            print(&format!("{}\n", answer["token"].as_str().unwrap_or_default()));
            eprintln!("The value of `{name}` is shown once and kept nowhere.");
        }
        TokenCommand::Rm { name, host } => {
            let client = require(host)?;
            client.call("DELETE", &format!("/v0/tokens/{}", encoded(name)), None).map_err(refused)?;
            print(&format!("The token `{name}` is good for nothing any more.\n"));
        }
    }
    Ok(Verdict::Fine)
}

fn listed(answer: &Value) -> String {
    let mut out = String::new();
    for token in answer["tokens"].as_array().into_iter().flatten() {
        let text = |name: &str| token[name].as_str().unwrap_or_default();
        let _ = write!(out, "{}", text("name"));
        if token["has_value"] == false {
            let _ = write!(out, "  (no value yet: headwater token create {})", text("name"));
        }
        if let Some(end) = token["expires_at"].as_str() {
            let _ = write!(out, "  ends {end}");
        }
        out.push('\n');
        for scope in token["scopes"].as_array().into_iter().flatten() {
            let part = |name: &str| scope[name].as_str().map(|text| format!(":{text}")).unwrap_or_default();
            let by = if scope["declared"] == true { "  by the project" } else { "" };
            let kind = scope["type"].as_str().unwrap_or_default();
            let _ = writeln!(out, "  {kind}{}{}{by}", part("resource"), part("filter"));
        }
    }
    out
}

/// A name as a part of a path.
pub(crate) fn encoded(name: &str) -> String {
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'~');
    let mut out = String::new();
    for byte in name.bytes() {
        if plain(byte) {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}
