//! Every recorded frame against the protocol's own types.

use std::path::Path;
use std::time::Duration;

use anyhow::{Result, ensure};

use super::session::read;
use super::{SessionResult, process};
use crate::fetch::{self, Node};

/// The protocol's types, and what makes a JSON Schema of them and applies it.
const PACKAGES: [&str; 4] = [
    "vscode-languageserver-protocol@3.18.5",
    "ts-json-schema-generator@2.9.0",
    "typescript@5.9.3",
    "ajv@8.20.0",
];

/// Checks every recording in `out`.
pub(super) fn check(out: &Path) -> Vec<SessionResult> {
    read("frames", validate(out))
}

fn validate(out: &Path) -> Result<String> {
    let node = Node::get()?;
    let scripts = super::root()?.join("tests/editors/frames");
    let modules = fetch::cache_dir()?.join("frames");
    node.packages(&modules, &PACKAGES)?;

    // Generated once: it takes seconds, and only the packages and the script decide what comes out.
    let generator = scripts.join("schema.mjs");
    let version = format!("{} {}", PACKAGES.join(" "), std::fs::read_to_string(&generator)?);
    let cached = fetch::cache_dir()?.join("frames-schema");
    fetch::once(&cached, &version, |fresh| {
        let mut command = node.node();
        command.arg(&generator).arg(&modules).arg(fresh.join("schema.json"));
        let said = fetch::run(&mut command)?;
        ensure!(said.trim() == "end", "the schema was not generated: {said}");
        Ok(())
    })?;

    let recorded = |p: &std::path::PathBuf| p.extension().is_some_and(|e| e == "jsonl");
    let mut logs: Vec<_> = std::fs::read_dir(out)?.flatten().map(|e| e.path()).filter(recorded).collect();
    logs.sort();
    ensure!(!logs.is_empty(), "no session recorded anything");
    let mut command = node.node();
    command.arg(scripts.join("check.mjs")).arg(&modules).arg(cached.join("schema.json")).args(logs);
    process::output(&mut command, &out.join("frames.log"), Duration::from_secs(120))
}
