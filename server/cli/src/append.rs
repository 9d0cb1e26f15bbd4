//! `headwater append`: the rows of a file into a data source of a host.

use std::fmt::Write as _;
use std::fs::File;

use serde_json::Value;

use crate::args::{AppendArgs, TextFormat};
use crate::host::{refused, require};
use crate::token::encoded;
use crate::{CannotRun, Verdict, print};

pub(crate) fn run(args: &AppendArgs) -> Result<Verdict, CannotRun> {
    let path = &args.file;
    let (stem, packing) = match path.extension() {
        Some("gz") => (path.with_extension(""), Some("gzip")),
        Some("zst") => (path.with_extension(""), Some("zstd")),
        _ => (path.clone(), None),
    };
    let format = match stem.extension() {
        Some("csv") => "csv",
        Some("ndjson" | "jsonl" | "json") => "ndjson",
        _ => {
            return Err(CannotRun(format!(
                "{path}: the name of the file says how it is written: .csv or .ndjson, with .gz or .zst behind it or not"
            )));
        }
    };
    let file = File::open(path).map_err(|e| CannotRun(format!("{path} cannot be read: {e}")))?;
    let client = require(&args.host)?;
    let name = encoded(&args.datasource);
    let answer = client.append(&name, format, packing, args.key.as_deref(), &file).map_err(refused)?;
    print(&match args.format {
        TextFormat::Json => format!("{answer}\n"),
        TextFormat::Human => human(&args.datasource, &answer),
    });
    let put_aside = answer["quarantined_rows"].as_u64().unwrap_or_default();
    Ok(if put_aside == 0 { Verdict::Fine } else { Verdict::Faults })
}

fn human(name: &str, answer: &Value) -> String {
    let number = |field: &str| answer[field].as_u64().unwrap_or_default();
    let mut out = format!("{} rows are in {name}", number("successful_rows"));
    if answer["repeated"] == true {
        out.push_str("; they had been sent before, and are kept once");
    }
    out.push_str(".\n");
    let put_aside = number("quarantined_rows");
    if put_aside > 0 {
        let _ = writeln!(out, "{put_aside} do not fit and are in {name}_quarantine:");
        for reason in answer["quarantine"].as_array().into_iter().flatten().take(10) {
            let column = reason["column"].as_str().map(|c| format!("{c}: ")).unwrap_or_default();
            let _ = writeln!(
                out,
                "  line {}: {column}{}",
                reason["line"],
                reason["reason"].as_str().unwrap_or_default()
            );
        }
    }
    for consumer in answer["waiting_for"].as_array().into_iter().flatten() {
        let why = consumer["error"].as_str().map(|why| format!(": {why}")).unwrap_or_default();
        let _ = writeln!(
            out,
            "They are kept, and not yet shown by {}{why}",
            consumer["consumer"].as_str().unwrap_or_default()
        );
    }
    out
}
