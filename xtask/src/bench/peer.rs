//! The fastest peer on the same machine in the same run, for scale.

use std::path::Path;
use std::process::Command;
use std::time::Instant;

use anyhow::{Context, Result};
use serde_json::json;

use super::client::{Client, file_uri};
use super::{Times, pull};
use crate::fetch::{cache_dir, once, run};

const TY: &str = "0.0.105";

/// `ty`, the type checker for Python, over 300 modules: keystroke to diagnostics.
pub(super) fn ty(base: &Path, rounds: usize) -> Result<()> {
    let Some(ty) = install()? else {
        println!("ty {TY}: not measured (pip cannot install it here)");
        return Ok(());
    };
    let dir = base.join("ty");
    std::fs::create_dir_all(&dir)?;
    for n in 0..300 {
        std::fs::write(dir.join(format!("m{n}.py")), module(n))?;
    }
    let mut client = Client::start(Command::new(ty).arg("server"), &dir)?;
    let path = dir.join("m299.py");
    let (uri, text) = (file_uri(&path), std::fs::read_to_string(&path)?);
    let document = json!({ "uri": uri, "languageId": "python", "version": 1, "text": text });
    client.notify("textDocument/didOpen", &json!({ "textDocument": document }))?;
    pull(&mut client, &uri)?;
    let line = text.lines().position(|l| l.contains("return")).context("a line to edit")?;
    let column = text.lines().nth(line).map_or(0, str::len);
    let mut times = Vec::new();
    for round in 0..rounds {
        let (end, new) = if round % 2 == 0 { (column, "1") } else { (column + 1, "") };
        let range = json!({ "start": { "line": line, "character": column }, "end": { "line": line, "character": end } });
        let change = json!({
            "textDocument": { "uri": uri, "version": round + 2 },
            "contentChanges": [{ "range": range, "text": new }],
        });
        let begin = Instant::now();
        client.notify("textDocument/didChange", &change)?;
        pull(&mut client, &uri)?;
        times.push(begin.elapsed());
    }
    Times::new(times).print(&format!("for scale: ty {TY}, keystroke → diagnostics, 300 modules"), "");
    client.stop()
}

fn install() -> Result<Option<std::path::PathBuf>> {
    let dir = cache_dir()?.join("ty");
    let made = once(&dir, TY, |to| {
        let package = format!("ty=={TY}");
        run(Command::new("python3")
            .args(["-m", "pip", "install", "--quiet", "--no-deps", "--target"])
            .arg(to)
            .arg(package))
        .map(|_| ())
    });
    Ok(made.is_ok().then(|| dir.join("bin/ty")))
}

fn module(n: usize) -> String {
    let mut text = String::new();
    for k in 1..=3 {
        if n >= k {
            text += &format!("from m{} import C{}\n", n - k, n - k);
        }
    }
    text += &format!("\n\nclass C{n}:\n");
    for m in 0..12 {
        text +=
            &format!("    def method_{m}(self, x: int) -> int:\n        y = x + {m}\n        return y\n\n");
    }
    text
}
