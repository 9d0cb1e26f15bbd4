//! `/v0/pipes`: endpoints, asked by name; what there is of them, and their description as OpenAPI.

use std::sync::Arc;

use axum::Extension;
use axum::body::Body;
use axum::extract::{Path, Request, State};
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use headwater_analysis::{NodeType, interface};
use headwater_engine::compile::{Around, Compiler, Endpoint, Mention};
use headwater_template::Parameters;
use headwater_warehouse::{Format, Stats};
use serde_json::{Value, json};

use super::answer::{self, Question, compile, compile_failure, content_type};
use super::failure::{Failure, json as answer_json};
use super::guard::must;
use super::input::{self, Fields};
use super::sql::may_read;
use super::{Door, openapi};
use crate::tokens::Holder;

const SECTION: &str = "endpoints";

/// Parameters that are the interface's own (specification §8.7): they never reach a template.
const OWN: [&str; 19] = [
    "__tb__csv_header",
    "__tb__deployment",
    "__tb__semver",
    "debug",
    "debug_source_tables",
    "explain",
    "finalize_aggregations",
    "format",
    "output_format_json_quote_64bit_integers",
    "output_format_json_quote_denormals",
    "output_format_parquet_string_as_string",
    "pipeline",
    "playground",
    "q",
    "query_id",
    "release_replacements",
    "tag",
    "template_parameters",
    "token",
];

/// Of these, settings of the engine that a request may choose.
const SETTINGS: [&str; 3] = [
    "output_format_json_quote_64bit_integers",
    "output_format_json_quote_denormals",
    "output_format_parquet_string_as_string",
];

/// The header that names parameters which nobody asked for.
const UNKNOWN: HeaderName = HeaderName::from_static("x-headwater-unknown-parameters");
const STATISTICS: HeaderName = HeaderName::from_static("x-db-statistics");

/// The formats that endpoints answer in, by the ending of the path.
fn format_of(ending: &str) -> Option<Format> {
    Some(match ending {
        "json" => Format::Json,
        "ndjson" => Format::JsonEachRow,
        "csv" => Format::CsvWithNames,
        "parquet" => Format::Parquet,
        "prometheus" => Format::Prometheus,
        _ => return None,
    })
}

/// `GET /v0/pipes`.
pub(super) async fn list(
    State(door): State<Arc<Door>>,
    Extension(holder): Extension<Holder>,
) -> Result<Response, Failure> {
    let access = holder.access.clone();
    let pipes = compile(&door, &holder.access, move |compiler, _| {
        let files = compiler.project().files(compiler.db());
        let mut all: Vec<Value> = files
            .iter()
            .filter_map(|file| {
                let name = headwater_analysis::resource_name(compiler.db(), *file);
                access.may_ask(name).then(|| described(compiler, name, access.may_read_all())).flatten()
            })
            .collect();
        all.sort_by(|a, b| a["name"].as_str().cmp(&b["name"].as_str()));
        Ok(all)
    });
    Ok(answer_json(StatusCode::OK, &json!({ "pipes": pipes.await? })))
}

/// `/v0/pipes/NAME.FORMAT`, `/v0/pipes/NAME`, `/v0/pipes/openapi.json`.
pub(super) async fn one(
    State(door): State<Arc<Door>>,
    Extension(holder): Extension<Holder>,
    Path(path): Path<String>,
    request: Request,
) -> Result<Response, Failure> {
    if path == "openapi.json" {
        return describe_all(&door, &holder).await;
    }
    match path.rsplit_once('.').and_then(|(name, ending)| Some((name, format_of(ending)?))) {
        Some((name, format)) => endpoint(&door, &holder, name, format, request).await,
        None => show(&door, &holder, path).await,
    }
}

async fn show(door: &Arc<Door>, holder: &Holder, name: String) -> Result<Response, Failure> {
    readers(holder, &name)?;
    let everything = holder.access.may_read_all();
    let shown = compile(door, &holder.access, move |compiler, _| {
        described(compiler, &name, everything).ok_or_else(|| no_pipe(&name))
    });
    Ok(answer_json(StatusCode::OK, &shown.await?))
}

async fn describe_all(door: &Arc<Door>, holder: &Holder) -> Result<Response, Failure> {
    let access = holder.access.clone();
    let document = compile(door, &holder.access, move |compiler, _| {
        let endpoints: Vec<Endpoint> =
            compiler.endpoints().into_iter().filter(|e| access.may_ask(&e.name)).collect();
        Ok(openapi::document(&endpoints))
    });
    Ok(answer_json(StatusCode::OK, &document.await?))
}

async fn endpoint(
    door: &Arc<Door>,
    holder: &Holder,
    name: &str,
    format: Format,
    request: Request,
) -> Result<Response, Failure> {
    readers(holder, name)?;
    let taken = door.limits.endpoint_rate.map(|rate| {
        door.rates.take(&format!("endpoint {} {}", holder.name, name), rate, door.clock.elapsed())
    });
    if let Some(taken) = taken {
        taken.check(SECTION, &format!("the endpoint `{name}` with this token"))?;
    }
    let (head, content) = request.into_parts();
    let (fields, raw) = input::read(door, &head, content, SECTION).await?;
    if raw.is_some_and(|raw| !raw.trim_ascii().is_empty()) {
        let message = "send parameters in the query string, as a form or as a JSON object with Content-Type: application/json";
        return Err(Failure::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, SECTION, message));
    }
    if let Some(other) =
        ["__tb__deployment", "__tb__semver"].iter().find(|n| fields.get(n).is_some_and(|v| v != "live"))
    {
        let message = format!("`{other}`: this host has no other release than the live one");
        return Err(Failure::new(StatusCode::BAD_REQUEST, SECTION, message));
    }
    let strict = door.limits.strict_parameters;
    let settings = settings(&fields)?;
    let limits = door.limits.query;
    let (name, access) = (name.to_owned(), holder.access.clone());
    let pipe_name = name.clone();
    let asked = compile(door, &holder.access, move |compiler, workspace| {
        let pipe = compiler.pipe(&name).ok_or_else(|| no_pipe(&name))?;
        let endpoint = compiler.endpoint(pipe).ok_or_else(|| {
            let message = format!("the pipe `{name}` is no endpoint: its node has no `TYPE endpoint`");
            Failure::new(StatusCode::NOT_FOUND, SECTION, message)
        })?;
        let given: Vec<(&str, &str)> = fields
            .pairs()
            .iter()
            .map(|(n, v)| (n.as_str(), v.as_str()))
            .filter(|(n, _)| !OWN.contains(n))
            .collect();
        let query = fields.get("q");
        let in_query = query.map(parameters_of).unwrap_or_default();
        let mut unknown: Vec<String> = given
            .iter()
            .filter(|(n, _)| {
                endpoint.parameters.iter().all(|p| p.name != *n) && !in_query.iter().any(|p| p == n)
            })
            .map(|(n, _)| (*n).to_owned())
            .collect();
        unknown.dedup();
        if strict && !unknown.is_empty() {
            let known: Vec<&str> = endpoint.parameters.iter().map(|p| p.name.as_str()).collect();
            let known = if known.is_empty() {
                "it takes none".to_owned()
            } else {
                format!("it takes {}", known.join(", "))
            };
            let message = format!("`{name}` has no parameter `{}`; {known}", unknown.join("`, `"));
            return Err(Failure::new(StatusCode::BAD_REQUEST, SECTION, message));
        }
        let parameters = Parameters::from_pairs(given);
        let statement = match query {
            Some(query) => {
                let aliases = [("_", pipe)];
                let may = |mention: Mention<'_>| may_read(&access, mention);
                compiler.query_for(query, Around { pipe: None, aliases: &aliases }, &parameters, Some(&may))
            }
            None => compiler.node_query(pipe, endpoint.node, &parameters),
        };
        let mut statement = statement.map_err(|e| compile_failure(e, SECTION))?;
        let threads = statement.max_threads.map(|n| ("max_threads", n.clamp(1, 64).to_string()));
        let settings: Vec<String> =
            threads.into_iter().chain(settings).map(|(name, value)| format!("{name} = {value}")).collect();
        if !settings.is_empty() {
            // A query of its own around the project's, which may have settings itself.
            statement.sql = format!("SELECT * FROM (\n{}\n) SETTINGS {}", statement.sql, settings.join(", "));
        }
        Ok((Question::new(compiler, workspace, &access, statement, format, limits), unknown))
    });
    let (question, unknown) = asked.await?;
    if !unknown.is_empty() {
        door.metrics.unknown_parameters(&pipe_name, unknown.len());
    }
    let answered = answer::ask(door, &question).await?;
    let kind = HeaderValue::from_static(content_type(&answered.format));
    let mut response = ([(header::CONTENT_TYPE, kind)], Body::from(answered.answer.body)).into_response();
    let headers = response.headers_mut();
    if let Ok(value) = HeaderValue::from_str(&statistics(&answered.answer.stats).to_string()) {
        headers.insert(STATISTICS, value);
    }
    if let Some(value) = unknown_header(&unknown) {
        headers.insert(UNKNOWN, value);
    }
    if let Some(taken) = taken {
        taken.write(headers);
    }
    Ok(response)
}

/// What an answer cost, as answers in JSON have it too.
fn statistics(stats: &Stats) -> Value {
    json!({
        "elapsed": stats.elapsed.as_secs_f64(), "rows_read": stats.read_rows, "bytes_read": stats.read_bytes,
    })
}

/// Names, as far as a header can hold them.
fn unknown_header(names: &[String]) -> Option<HeaderValue> {
    let plain = |name: &&String| {
        name.len() <= 64 && name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.'))
    };
    let shown: Vec<&str> = names.iter().filter(plain).take(20).map(String::as_str).collect();
    match (names.is_empty(), shown.is_empty()) {
        (true, _) => None,
        (false, true) => Some(HeaderValue::from(names.len())),
        _ => HeaderValue::from_str(&shown.join(", ")).ok(),
    }
}

fn settings(fields: &Fields) -> Result<Vec<(&'static str, String)>, Failure> {
    let mut out = Vec::new();
    for name in SETTINGS {
        match fields.get(name) {
            None => {}
            Some("0" | "false") => out.push((name, "0".to_owned())),
            Some("1" | "true") => out.push((name, "1".to_owned())),
            Some(_) => {
                let message = format!("`{name}` is 0 or 1");
                return Err(Failure::new(StatusCode::BAD_REQUEST, SECTION, message));
            }
        }
    }
    Ok(out)
}

/// The parameters of a query that somebody wrote.
fn parameters_of(sql: &str) -> Vec<String> {
    use headwater_analysis::syntax::template;
    if !template::is_template(sql) {
        return Vec::new();
    }
    template::parameters(sql, &template::parse(sql)).into_iter().map(|p| p.name).collect()
}

fn readers(holder: &Holder, name: &str) -> Result<(), Failure> {
    must(holder, holder.access.may_ask(name), &format!("ask `{}`", shown_name(name)), "PIPES:READ:NAME")
}

/// A name from a path, fit to be said back.
fn shown_name(name: &str) -> String {
    name.chars().filter(|c| !c.is_control()).take(100).collect()
}

fn no_pipe(name: &str) -> Failure {
    Failure::new(StatusCode::NOT_FOUND, SECTION, format!("there is no pipe `{}`", shown_name(name)))
}

/// A pipe as it is listed; its queries only to those who may read everything.
fn described(compiler: &Compiler<'_>, name: &str, everything: bool) -> Option<Value> {
    let pipe = compiler.pipe(name)?;
    let db = compiler.db();
    let face = interface(db, pipe).as_ref()?;
    let endpoint = compiler.endpoint(pipe);
    let kind = match face.nodes.iter().map(|n| n.ty).find(|ty| *ty != NodeType::Standard) {
        _ if endpoint.is_some() => "endpoint",
        Some(NodeType::Materialized) => "materialized",
        Some(NodeType::Copy) => "copy",
        Some(NodeType::Sink) => "sink",
        _ => "default",
    };
    let parsed = headwater_analysis::datafile(db, pipe);
    let views = parsed.datafile.nodes();
    let nodes: Vec<Value> = face
        .nodes
        .iter()
        .enumerate()
        .map(|(index, node)| {
            let sql = views.get(index).and_then(|v| Some(v.sql()?.1.text.to_string())).filter(|_| everything);
            let reads: Vec<&str> =
                node.reads.iter().map(|r| r.name.as_str()).filter(|_| everything).collect();
            let parameters: Vec<Value> =
                compiler.parameters(pipe, index).iter().map(openapi::parameter_metadata).collect();
            json!({
                "name": node.name, "node_type": node_type(node.ty), "sql": sql,
                "params": parameters, "dependencies": reads,
            })
        })
        .collect();
    let endpoint_node = endpoint.as_ref().and_then(|e| face.nodes.get(e.node)).map(|n| n.name.clone());
    let status = (kind == "sink").then_some("not run by this host");
    Some(json!({
        "name": name, "description": face.description, "type": kind, "endpoint": endpoint_node,
        "nodes": nodes, "status": status,
        "path": endpoint.is_some().then(|| format!("/v0/pipes/{name}.json")),
    }))
}

fn node_type(ty: NodeType) -> &'static str {
    match ty {
        NodeType::Standard => "standard",
        NodeType::Endpoint => "endpoint",
        NodeType::Materialized => "materialized",
        NodeType::Copy => "copy",
        NodeType::Sink => "sink",
    }
}
