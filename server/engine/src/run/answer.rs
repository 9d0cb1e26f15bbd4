//! What an endpoint or a query answers, as the format's HTTP interface has it (specification §19.2).

use headwater_analysis::{File, NodeType};
use headwater_warehouse::Format;

use super::parameters;
use crate::compile::{Around, CompileError, ErrorOrigin, Pairs, Statement};
use crate::json::{Json, push_quoted, quote};
use crate::suite::OutputFormat;
use crate::suite::compare::Order;
use crate::world::{Trouble, World};

/// An answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Actual {
    /// The HTTP status.
    pub status: u16,
    /// The body; of an error, its text.
    pub body: String,
    /// Whose words an error is.
    pub source: Source,
    /// What the query says of the order of rows.
    pub order: Order,
    /// Seconds in the engine, and bytes that it read.
    pub cost: (f64, u64),
}

/// Whose words an answer is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// Rows, or what the project says itself: `error()`.
    Project,
    /// Words that differ from platform to platform, and what has to be in them: one of each list.
    Platform(Vec<Vec<String>>),
}

/// Why there is no answer, not even one that is an error.
pub(super) enum NoAnswer {
    /// Something in the project or its samples is wrong.
    Fault(String),
    /// The engine is gone.
    Lost(String),
}

/// What is asked of a pipe.
pub(super) struct Ask<'a> {
    pub(super) pipe: File,
    pub(super) name: &'a str,
    pub(super) pairs: &'a Pairs,
    /// A query over the answer.
    pub(super) query: Option<&'a str>,
    pub(super) format: OutputFormat,
}

/// What a request may choose of how its answer is written (specification §8.7, §19.2); the session has them off.
const SWITCHES: [&str; 2] = ["output_format_json_quote_64bit_integers", "output_format_json_quote_denormals"];

/// The switches that a request turns on.
fn switches(pairs: &Pairs) -> Vec<&'static str> {
    let is_on = |switch: &&str| {
        let value = pairs.iter().rev().find(|(name, _)| name == switch).map(|(_, value)| value.as_str());
        value.is_some_and(|v| v == "1" || v.eq_ignore_ascii_case("true"))
    };
    SWITCHES.into_iter().filter(is_on).collect()
}

/// Asks a pipe.
pub(super) fn pipe(world: &mut World<'_>, ask: &Ask<'_>) -> Result<Actual, NoAnswer> {
    let values = parameters(ask.pairs);
    let q = ask.pairs.iter().find(|(name, value)| name == "q" && !value.is_empty()).map(|(_, q)| q.as_str());
    let made = match ask.query.or(q) {
        Some(query) => {
            let aliases = [("_", ask.pipe), (ask.name, ask.pipe)];
            world.compiler().query(query, Around { pipe: Some(ask.pipe), aliases: &aliases }, &values)
        }
        None => world.compiler().pipe_query(ask.pipe, &values),
    };
    answer(world, made.map_err(|error| (error, ask.pairs)), ask.format, &switches(ask.pairs))
}

/// Whether a pipe answers requests: those that are no endpoint do so too, for tests alone.
pub(super) fn is_endpoint(world: &World<'_>, pipe: File) -> bool {
    world.compiler().output(pipe).is_some_and(|(_, ty)| ty == NodeType::Endpoint)
}

/// The answer of a query.
pub(super) fn answer(
    world: &mut World<'_>,
    made: Result<Statement, (CompileError, &Pairs)>,
    format: OutputFormat,
    switched_on: &[&str],
) -> Result<Actual, NoAnswer> {
    let mut statement = match made {
        Ok(statement) => statement,
        Err((error, pairs)) => return refused(error, pairs),
    };
    let order = match &statement.order {
        None => Order::None,
        Some(columns) if columns.is_empty() => Order::Some,
        Some(columns) => Order::By(columns.clone()),
    };
    let wire = match format {
        OutputFormat::Ndjson => Format::JsonEachRow,
        OutputFormat::Json => Format::JsonCompact,
        OutputFormat::Csv => {
            statement.sql.push_str("\nFORMAT CSVWithNames");
            Format::Tsv
        }
    };
    match world.ask_with(&statement, wire, switched_on) {
        Ok(answer) => {
            let text = answer.text().into_owned();
            let body = if format == OutputFormat::Json { whole_json(&text) } else { text };
            let cost = (answer.stats.elapsed.as_secs_f64(), answer.stats.read_bytes);
            Ok(Actual { status: 200, body, source: Source::Project, order, cost })
        }
        Err(Trouble::Refused { message, name, timed_out }) => {
            let words = if name.is_empty() { Vec::new() } else { vec![vec![name.clone()]] };
            let body = if name.is_empty() { message } else { format!("{message} ({name})") };
            let status = if timed_out { 408 } else { 400 };
            Ok(Actual { status, body, source: Source::Platform(words), order, cost: (0.0, 0) })
        }
        Err(Trouble::Tables(why)) => Err(NoAnswer::Fault(why)),
        Err(Trouble::Lost(why)) => Err(NoAnswer::Lost(why)),
    }
}

fn refused(error: CompileError, pairs: &Pairs) -> Result<Actual, NoAnswer> {
    let source = match error.origin {
        ErrorOrigin::Project => Source::Project,
        // A parameter is named, or its value is.
        ErrorOrigin::Request(names) => {
            let any = |name: String| {
                let values =
                    pairs.iter().filter(|(n, v)| *n == name && !v.is_empty()).map(|(_, v)| v.clone());
                let values: Vec<String> = values.collect();
                std::iter::once(name).chain(values).collect()
            };
            Source::Platform(names.into_iter().map(any).collect())
        }
        ErrorOrigin::Files => return Err(NoAnswer::Fault(error.message)),
    };
    // The text of a custom object's `error`, as the format's own runner reads it; the object where it has none.
    let body = match &error.body {
        Some(body) => {
            let json = Json::parse(body).ok();
            json.as_ref()
                .and_then(|j| j.get("error")?.text())
                .map_or_else(|| body.clone(), |t| t.into_owned())
        }
        None => error.message,
    };
    Ok(Actual { status: error.status, body, source, order: Order::None, cost: (0.0, 0) })
}

/// `{"meta":…,"data":[{…}],"rows":n}` of rows as lists.
fn whole_json(compact: &str) -> String {
    let Ok(json) = Json::parse(compact) else { return compact.to_owned() };
    let meta = json.get("meta").map_or("[]", Json::raw);
    let names: Vec<String> = match json.get("meta") {
        Some(Json::Array(_, columns)) => {
            columns.iter().filter_map(|c| Some(quote(&c.get("name")?.said()))).collect()
        }
        _ => Vec::new(),
    };
    let mut data = String::new();
    let mut rows = 0;
    if let Some(Json::Array(_, items)) = json.get("data") {
        rows = items.len();
        for item in items {
            let Json::Array(_, values) = item else { continue };
            let fields: Vec<String> =
                names.iter().zip(values).map(|(n, v)| format!("{n}:{}", v.raw())).collect();
            data.push_str(if data.is_empty() { "" } else { "," });
            data.push_str(&format!("{{{}}}", fields.join(",")));
        }
    }
    format!("{{\"meta\":{meta},\"data\":[{data}],\"rows\":{rows}}}\n")
}

/// What a command prints, as rows of JSON that can be compared by value; `None` when it is nothing of the kind.
pub(super) fn as_rows(format: OutputFormat, text: &str) -> Option<String> {
    match format {
        OutputFormat::Ndjson => Some(text.to_owned()),
        OutputFormat::Csv => {
            let lines = crate::ingest::csv_lines(text.as_bytes());
            let (header, rows) = lines.split_first()?;
            let mut out = String::new();
            for row in rows {
                out.push('{');
                for (n, cell) in row.iter().enumerate() {
                    if n > 0 {
                        out.push(',');
                    }
                    match header.get(n) {
                        Some(name) => push_quoted(name, &mut out),
                        None => push_quoted(&format!("#{}", n + 1), &mut out),
                    }
                    out.push(':');
                    if matches!(Json::parse(cell), Ok(Json::Number(_))) {
                        out.push_str(cell);
                    } else {
                        push_quoted(cell, &mut out);
                    }
                }
                out.push_str("}\n");
            }
            // A table without rows still has a header.
            if rows.is_empty() {
                out = header.iter().map(|name| format!("{}\n", quote(name))).collect();
            }
            Some(out)
        }
        OutputFormat::Json => {
            let json = Json::parse(text.trim()).ok()?;
            let Some(Json::Array(_, items)) = json.get("data") else { return None };
            Some(items.iter().map(|item| format!("{}\n", item.raw().replace(['\n', '\r'], " "))).collect())
        }
    }
}
