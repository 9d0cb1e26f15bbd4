//! `headwater deploy`: a project's files to a host, which makes them its live release.

use std::fmt::Write as _;

use headwater_analysis::{Content, Database};
use headwater_engine::compile::secret_pairs;
use headwater_host::client::HostClient;
use headwater_project::{OsFileSystem, is_datafile, scan};
use serde_json::{Value, json};

use crate::args::{DeployArgs, HostArgs, TextFormat};
use crate::host::{LOCAL, refused, require};
use crate::project::load_one;
use crate::{CannotRun, Verdict, print};

/// Files whose presence says which dialect a project is in; what they hold is the vendor's tools' own affair.
const MARKS: [&str; 2] = [".tinyenv", "tinybird.config.json"];

/// Files with secrets of this machine, later ones over earlier ones.
const ENVIRONMENT: [&str; 2] = [".env", ".env.local"];

pub(crate) fn run(args: &DeployArgs) -> Result<Verdict, CannotRun> {
    let dir = args.dir.as_deref().or(args.host.project.as_deref());
    let mut db = Database::default();
    let loaded = load_one(&mut db, dir)?;
    let root = &loaded.root;
    let scanned = scan(&OsFileSystem, root);
    if scanned.truncated {
        return Err(CannotRun(format!(
            "{} is far larger than a data project; name the project's own folder",
            root.path
        )));
    }
    let mut files = Vec::new();
    for file in scanned.files.iter().filter(|f| is_datafile(&f.path)) {
        match &file.content {
            Content::Text(text) => files.push(json!({ "path": file.path.as_str(), "text": &**text })),
            _ => return Err(CannotRun(format!("{} cannot be read as text", root.path.join(&file.path)))),
        }
    }
    if let Some(config) = &scanned.config {
        files.push(json!({ "path": "headwater.toml", "text": config }));
    }
    for mark in MARKS.iter().filter(|mark| root.path.join(mark).exists()) {
        files.push(json!({ "path": mark, "text": "" }));
    }
    let host = HostArgs {
        host: args.host.host.clone(),
        data: args.host.data.clone(),
        project: Some(root.path.clone()),
    };
    let client = require(&host)?;
    let is_elsewhere = host.host.as_deref().is_some_and(|name| name != LOCAL);
    if !is_elsewhere && !args.check {
        local_secrets(&client, &root.path)?;
    }
    let project = json!({ "files": files, "message": args.message, "check": args.check });
    let answer = client.deploy(&project).map_err(refused)?;
    print(&match args.format {
        TextFormat::Json => format!("{answer}\n"),
        TextFormat::Human => human(client.name(), &answer, args.check),
    });
    Ok(if answer["result"] == "failed" { Verdict::Faults } else { Verdict::Fine })
}

/// What the project's environment files on this machine hold, for the host on this machine.
fn local_secrets(client: &HostClient, root: &camino::Utf8Path) -> Result<(), CannotRun> {
    let texts: Vec<String> =
        ENVIRONMENT.iter().filter_map(|name| std::fs::read_to_string(root.join(name)).ok()).collect();
    for (name, value) in secret_pairs(texts.iter().map(String::as_str)) {
        // Names that no template can say are for other programs.
        if name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
            && !name.starts_with(|c: char| c.is_ascii_digit())
        {
            client
                .call("PUT", &format!("/v0/variables/{name}"), Some(&json!({ "value": value })))
                .map_err(refused)?;
        }
    }
    Ok(())
}

fn human(host: &str, answer: &Value, check: bool) -> String {
    let mut out = String::new();
    let deployment = &answer["deployment"];
    let count = |name: &str| deployment[name].as_array().map_or(0, Vec::len);
    let id = deployment["id"].as_str().unwrap_or_default();
    match answer["result"].as_str() {
        Some("failed") => {
            for error in deployment["errors"].as_array().into_iter().flatten() {
                let text = |name: &str| error[name].as_str().unwrap_or_default();
                let _ = writeln!(out, "{}:{}: {}", text("filename"), error["line"], text("error"));
            }
            let _ = writeln!(out, "\nNothing has changed on {host}.");
        }
        Some("no_changes") => {
            let _ = writeln!(out, "Release {id} of {host} is this very project.");
        }
        _ if check => {
            let _ = writeln!(out, "{host} would take it.");
        }
        _ => {
            let _ = writeln!(
                out,
                "Release {id} is live on {host}: {} data sources, {} pipes.",
                count("new_datasource_names"),
                count("new_pipe_names")
            );
        }
    }
    for note in deployment["feedback"].as_array().into_iter().flatten() {
        let _ = writeln!(out, "  note: {}", note["message"].as_str().unwrap_or_default());
    }
    out
}
