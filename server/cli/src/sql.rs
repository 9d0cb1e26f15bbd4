//! `headwater sql`: one statement on a host.

use headwater_warehouse::Format;
use serde_json::Value;

use crate::args::{HostArgs, PreviewFormat, SqlArgs};
use crate::host::require;
use crate::{CannotRun, Verdict, print};

pub(crate) fn run(args: SqlArgs) -> Result<Verdict, CannotRun> {
    let statement = crate::preview::query_text(args.sql.as_deref())?;
    let (format, is_table) = match args.samples.format {
        PreviewFormat::Table => (Format::JsonCompact, true),
        PreviewFormat::Json => (Format::JsonCompact, false),
        PreviewFormat::Ndjson => (Format::JsonEachRow, false),
        PreviewFormat::Csv | PreviewFormat::Markdown | PreviewFormat::Parquet => {
            let message = "a host answers as table, json or ndjson; other formats go into the statement: FORMAT CSVWithNames";
            return Err(CannotRun(message.to_owned()));
        }
    };
    let host = HostArgs { host: args.host, data: args.data, project: args.samples.project };
    let client = require(&host)?;
    let answer = client.sql(&statement, format).map_err(|e| CannotRun(e.to_string()))?;
    let text = String::from_utf8_lossy(&answer);
    // A statement with a FORMAT of its own decides what is printed.
    let table =
        if is_table { serde_json::from_str::<Value>(&text).ok().and_then(|v| table(&v)) } else { None };
    print(table.as_deref().unwrap_or(&text));
    Ok(Verdict::Fine)
}

/// Rows under their names, when `answer` is the engine's `JSONCompact`.
fn table(answer: &Value) -> Option<String> {
    let meta = answer["meta"].as_array()?;
    let head: Vec<String> = meta.iter().map(|c| cell(&c["name"])).collect();
    let is_number: Vec<bool> =
        meta.iter().map(|c| is_number(c["type"].as_str().unwrap_or_default())).collect();
    let rows: Vec<Vec<String>> = answer["data"]
        .as_array()?
        .iter()
        .map(|row| Some(row.as_array()?.iter().map(cell).collect()))
        .collect::<Option<_>>()?;
    let width =
        |n: usize| rows.iter().chain([&head]).map(|r| r.get(n).map_or(0, |c| c.chars().count())).max();
    let widths: Vec<usize> = (0..head.len()).map(|n| width(n).unwrap_or(0)).collect();
    let mut out = String::new();
    for row in [&head].into_iter().chain(&rows) {
        let mut line = String::new();
        for (n, text) in row.iter().enumerate() {
            let pad = " ".repeat(widths[n].saturating_sub(text.chars().count()));
            let gap = if n == 0 { "" } else { "  " };
            let cell = if is_number[n] { format!("{gap}{pad}{text}") } else { format!("{gap}{text}{pad}") };
            line.push_str(&cell);
        }
        out.push_str(line.trim_end());
        out.push('\n');
    }
    let seconds = answer["statistics"]["elapsed"].as_f64().unwrap_or_default();
    let plural = if rows.len() == 1 { "" } else { "s" };
    out.push_str(&format!("\n{} row{plural} in {:.1} ms\n", rows.len(), seconds * 1000.0));
    Some(out)
}

/// A value on one line, without what would move the cursor.
fn cell(value: &Value) -> String {
    let text = match value {
        Value::Null => "NULL".to_owned(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    text.chars()
        .flat_map(|c| if c.is_control() { c.escape_default().collect::<Vec<_>>() } else { vec![c] })
        .collect()
}

fn is_number(ty: &str) -> bool {
    let ty = ty.strip_prefix("Nullable(").unwrap_or(ty);
    ["Int", "UInt", "Float", "Decimal", "BFloat"].iter().any(|p| ty.starts_with(p))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::table;

    #[test]
    fn rows_stand_under_their_names() {
        let answer = json!({
            "meta": [{ "name": "country", "type": "String" }, { "name": "hits", "type": "UInt64" }],
            "data": [["ES", 7], ["a\u{1b}[2J\n", 1200], [null, null]],
            "statistics": { "elapsed": 0.0015 },
        });
        let text = table(&answer).expect("a table");
        assert_eq!(
            text,
            "country       hits\nES               7\na\\u{1b}[2J\\n  1200\nNULL          NULL\n\n3 rows in 1.5 ms\n"
        );
        assert_eq!(table(&json!({ "data": [] })), None);
        assert_eq!(table(&json!([1])), None);
    }
}
