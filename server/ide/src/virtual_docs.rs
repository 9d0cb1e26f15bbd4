//! Documents that are on no disk: what a template becomes, an endpoint as one query, its OpenAPI, lineage as text, and what
//! deploying a file does.

use std::fmt::Write as _;

use headwater_analysis::flow::output;
use headwater_analysis::syntax::template;
use headwater_analysis::{Db, File, NodeType, Vertex, datafile, graph, interface, semantics};
use headwater_template::{Parameters, Prepared, Request, Secrets};

use crate::locate::{label, noun};

/// What a document shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum View {
    /// The SQL of a node for a request.
    Rendered,
    /// The published query of a pipe with the nodes that it reads, as one statement.
    Compiled,
    /// What the endpoint takes and answers, as OpenAPI.
    OpenApi,
    /// What is upstream and downstream.
    Lineage,
    /// What deploying the file over the baseline does, with the statements and the rules that decided.
    Plan,
}

impl View {
    /// Every view, by the name it has in addresses.
    pub const ALL: &'static [(Self, &'static str)] = &[
        (Self::Rendered, "rendered"),
        (Self::Compiled, "compiled"),
        (Self::OpenApi, "openapi"),
        (Self::Lineage, "lineage"),
        (Self::Plan, "plan"),
    ];

    /// The name that it has in addresses.
    pub fn name(self) -> &'static str {
        Self::ALL.iter().find(|(view, _)| *view == self).map_or("", |(_, name)| *name)
    }

    /// The language of its text, as editors call it.
    pub fn language(self) -> &'static str {
        match self {
            Self::Rendered | Self::Compiled => "sql",
            Self::OpenApi => "yaml",
            Self::Lineage => "plaintext",
            Self::Plan => "markdown",
        }
    }

    /// The view of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().find(|(_, n)| *n == name).map(|(view, _)| *view)
    }
}

/// The text of a view of a file. `node` is a node's name; without it the published one, or the last. `parameters` are
/// those of the request. `None` when the file has no such view.
pub fn view(
    db: &dyn Db,
    file: File,
    view: View,
    node: Option<&str>,
    parameters: &[(String, String)],
) -> Option<String> {
    match view {
        View::Rendered => {
            let index = node_index(db, file, node)?;
            Some(rendered(db, file, index, parameters))
        }
        View::Compiled => compiled(db, file, node_index(db, file, node)?, parameters),
        View::OpenApi => open_api(db, file),
        View::Lineage => {
            let vertex = match node {
                Some(_) => Vertex { file, node: Some(node_index(db, file, node)?) },
                None => output(db, file),
            };
            Some(lineage(db, vertex))
        }
        View::Plan => crate::plan_explained::explained(db, file),
    }
}

fn node_index(db: &dyn Db, file: File, node: Option<&str>) -> Option<usize> {
    let face = interface(db, file).as_ref()?;
    match node {
        Some(name) => face.nodes.iter().position(|n| n.name == name),
        None => headwater_analysis::flow::output_node(face).or_else(|| face.nodes.len().checked_sub(1)),
    }
}

/// A node's SQL for a request; why there is none as a comment.
fn rendered(db: &dyn Db, file: File, index: usize, parameters: &[(String, String)]) -> String {
    let parsed = datafile(db, file);
    let Some((_, sql)) = parsed.datafile.nodes().get(index).and_then(|n| n.sql()) else {
        return "-- this node has no query\n".to_owned();
    };
    if !template::is_template(&sql.text) {
        return dedent(&sql.text);
    }
    let given = Parameters::from_pairs(parameters.iter().map(|(n, v)| (n.as_str(), v.as_str())));
    let secrets = Secrets::new();
    let request = Request::new(&given, &secrets);
    let result = Prepared::new(&sql.text).and_then(|prepared| prepared.render(&request));
    match result {
        Ok(done) => dedent(&done.sql),
        Err(error) => format!(
            "-- a request with these parameters fails:\n-- {}\n",
            error.to_string().replace('\n', "\n-- ")
        ),
    }
}

fn dedent(text: &str) -> String {
    let mut out = headwater_analysis::syntax::datafile::dedent(text);
    out.push('\n');
    out
}

/// The query with every node of the pipe that it needs in a `WITH`, in the order in which they depend on each other.
fn compiled(db: &dyn Db, file: File, index: usize, parameters: &[(String, String)]) -> Option<String> {
    let face = interface(db, file).as_ref()?;
    let mut order: Vec<usize> = Vec::new();
    let mut open: Vec<usize> = Vec::new();
    visit(db, file, index, &mut order, &mut open);
    let mut out = String::new();
    let needed: Vec<usize> = order.into_iter().filter(|n| *n != index).collect();
    for (n, node) in needed.iter().enumerate() {
        let text = rendered(db, file, *node, parameters);
        let lead = if n == 0 { "WITH\n" } else { ",\n" };
        let body: Vec<String> = text.trim_end().lines().map(|l| format!("        {l}")).collect();
        let _ = write!(out, "{lead}    {} AS (\n{}\n    )", face.nodes[*node].name, body.join("\n"));
    }
    let text = rendered(db, file, index, parameters);
    if needed.is_empty() {
        return Some(text);
    }
    // A query with a WITH of its own goes into parentheses: two WITHs are no query.
    let starts_with = text.trim_start().get(..4).is_some_and(|w| w.eq_ignore_ascii_case("with"));
    let _ = if starts_with {
        write!(out, "\nSELECT * FROM (\n{})\n", indented(&text))
    } else {
        write!(out, "\n{text}")
    };
    Some(out)
}

fn indented(text: &str) -> String {
    text.lines().map(|l| format!("    {l}\n")).collect()
}

fn visit(db: &dyn Db, file: File, node: usize, order: &mut Vec<usize>, open: &mut Vec<usize>) {
    if order.contains(&node) || open.contains(&node) {
        return;
    }
    open.push(node);
    let graph = graph(db, file.project(db));
    for (source, _) in graph.upstream(Vertex { file, node: Some(node) }) {
        if let (true, Some(inner)) = (source.file == file, source.node) {
            visit(db, file, inner, order, open);
        }
    }
    open.pop();
    order.push(node);
}

/// A text between double quotes, as YAML and JSON read it.
fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => {
                out.push('\\');
                out.push(c);
            }
            '\n' => out.push_str("\\n"),
            c if c.is_control() => out.push(' '),
            c => out.push(c),
        }
    }
    out + "\""
}

/// OpenAPI 3.1 of an endpoint, in YAML.
fn open_api(db: &dyn Db, file: File) -> Option<String> {
    let face = interface(db, file).as_ref()?;
    let index = face.nodes.iter().position(|n| n.ty == NodeType::Endpoint)?;
    let mut out = format!(
        "openapi: 3.1.0\ninfo:\n  title: {}\n  version: \"1\"\npaths:\n  /v0/pipes/{}.json:\n    get:\n      operationId: {}\n",
        quoted(&face.name),
        face.name,
        quoted(&face.name)
    );
    if let Some(description) = &face.description {
        let _ = writeln!(out, "      description: {}", quoted(description.trim()));
    }
    let parameters = parameters(db, file, index);
    if !parameters.is_empty() {
        out += "      parameters:\n";
    }
    for parameter in &parameters {
        let (ty, format) = json_type_of_parameter(parameter.ty.as_deref(), parameter.element.as_deref());
        let _ = writeln!(
            out,
            "        - name: {}\n          in: query\n          required: {}",
            quoted(&parameter.name),
            parameter.required
        );
        if let Some(description) = &parameter.description {
            let _ = writeln!(out, "          description: {}", quoted(description));
        }
        let _ = writeln!(out, "          schema:\n            type: {ty}");
        if let Some(format) = format {
            let _ = writeln!(out, "            {format}");
        }
        if let Some(default) = &parameter.default {
            let _ = writeln!(out, "            default: {}", value(ty, default.trim_matches(['\'', '"'])));
        }
        // The product takes any value: what is listed is what is meant.
        if !parameter.values.is_empty() {
            let values: Vec<String> = parameter.values.iter().map(|v| value(ty, v)).collect();
            let _ = writeln!(out, "            examples: [{}]", values.join(", "));
        }
        if let Some(example) = &parameter.example {
            let _ = writeln!(out, "          example: {}", quoted(example));
        }
    }
    out += "      responses:\n        \"200\":\n          description: rows\n          content:\n            application/json:\n              schema:\n                \
            type: object\n                properties:\n                  data:\n                    type: array\n                    items:\n                      type: object\n";
    let relation = semantics::node_relation(db, file, index);
    let columns: Vec<_> =
        relation.columns.iter().filter_map(|c| Some((c.name.as_ref()?, c.ty.as_ref()))).collect();
    if !columns.is_empty() {
        out += "                      properties:\n";
    }
    for (name, ty) in columns {
        let ty = ty.map(ToString::to_string).unwrap_or_default();
        if ty.is_empty() {
            let _ = writeln!(out, "                        {}: {{}}", quoted(name));
            continue;
        }
        let _ = writeln!(
            out,
            "                        {}:\n                          type: {}",
            quoted(name),
            json_type(&ty)
        );
        let _ = writeln!(out, "                          description: {}", quoted(&ty));
    }
    Some(out)
}

/// The parameters that a request for a node may pass, or for what the pipe gives when none is named; `None` when there is no such
/// node.
pub fn request_parameters(db: &dyn Db, file: File, node: Option<&str>) -> Option<Vec<template::Parameter>> {
    Some(parameters(db, file, node_index(db, file, node)?))
}

/// Parameters of a node and of the nodes of its pipe that it reads, each once, those with a type first.
fn parameters(db: &dyn Db, file: File, index: usize) -> Vec<template::Parameter> {
    let mut order = Vec::new();
    visit(db, file, index, &mut order, &mut Vec::new());
    let parsed = datafile(db, file);
    let nodes = parsed.datafile.nodes();
    let mut out: Vec<template::Parameter> = Vec::new();
    for node in order {
        let Some((_, sql)) = nodes.get(node).and_then(|n| n.sql()) else { continue };
        if !template::is_template(&sql.text) {
            continue;
        }
        for parameter in template::parameters(&sql.text, &template::parse(&sql.text)) {
            match out.iter_mut().find(|p| p.name == parameter.name) {
                Some(known) if known.ty.is_none() && parameter.ty.is_some() => *known = parameter,
                Some(_) => {}
                None => out.push(parameter),
            }
        }
    }
    out
}

/// A literal of that type, as YAML and JSON read it; anything else as text.
fn value(ty: &str, text: &str) -> String {
    let is_plain = match ty {
        "integer" => text.parse::<i128>().is_ok(),
        "number" => text.parse::<f64>().is_ok_and(f64::is_finite),
        "boolean" => {
            return match text.to_lowercase().as_str() {
                "true" | "1" => "true".to_owned(),
                "false" | "0" => "false".to_owned(),
                _ => quoted(text),
            };
        }
        "array" => {
            return format!("[{}]", text.split(',').map(|v| quoted(v.trim())).collect::<Vec<_>>().join(", "));
        }
        _ => false,
    };
    if is_plain { text.to_owned() } else { quoted(text) }
}

fn json_type_of_parameter(ty: Option<&str>, element: Option<&str>) -> (&'static str, Option<String>) {
    match ty.unwrap_or("String") {
        "Boolean" => ("boolean", None),
        "Date" => ("string", Some("format: date".to_owned())),
        "DateTime" | "DateTime64" => ("string", Some("format: date-time".to_owned())),
        "Array" => {
            let (inner, _) = json_type_of_parameter(Some(element.unwrap_or("String")), None);
            ("array", Some(format!("items: {{ type: {inner} }}")))
        }
        ty if ty.starts_with("Float") => ("number", None),
        ty if ty.contains("Int") => ("integer", None),
        _ => ("string", None),
    }
}

fn json_type(ty: &str) -> &'static str {
    let bare = ty.trim_start_matches("LowCardinality(").trim_start_matches("Nullable(");
    match bare {
        _ if bare.starts_with("Array") => "array",
        _ if bare.starts_with("Map") || bare.starts_with("JSON") || bare.starts_with("Tuple") => "object",
        _ if bare.starts_with("Bool") => "boolean",
        _ if bare.starts_with("Int") || bare.starts_with("UInt") => "integer",
        _ if bare.starts_with("Float") || bare.starts_with("Decimal") => "number",
        _ => "string",
    }
}

/// Both directions as indented lists; what was met before is marked and not entered again.
fn lineage(db: &dyn Db, vertex: Vertex) -> String {
    let mut out = format!("{} · {}\n", label(db, vertex), noun(db, vertex));
    let graph = graph(db, vertex.file.project(db));
    for (title, down) in [("upstream", false), ("downstream", true)] {
        let _ = writeln!(out, "\n{title}");
        let mut seen = vec![vertex];
        let start = out.len();
        tree(db, graph, vertex, down, 1, &mut seen, &mut out);
        if out.len() == start {
            out += "  nothing\n";
        }
    }
    out
}

/// Steps away that are shown.
const MAX_DEPTH: usize = 24;

fn tree(
    db: &dyn Db,
    graph: &headwater_analysis::Graph,
    at: Vertex,
    down: bool,
    depth: usize,
    seen: &mut Vec<Vertex>,
    out: &mut String,
) {
    let next = if down { graph.downstream(at) } else { graph.upstream(at) };
    for (vertex, kind) in next {
        let again = seen.contains(vertex);
        let mark = if again { " …" } else { "" };
        let kind = crate::LineageLink::Resource(*kind).name();
        let _ = writeln!(
            out,
            "{}{} · {} ({kind}){mark}",
            "  ".repeat(depth),
            label(db, *vertex),
            noun(db, *vertex)
        );
        if !again && depth < MAX_DEPTH {
            seen.push(*vertex);
            tree(db, graph, *vertex, down, depth + 1, seen, out);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::expect;
    use headwater_test_fixture::Fixture;

    const PIPE: &str = "//- a.datasource\nSCHEMA >\n  id String,\n  n UInt64\n\
        //- top.pipe\nDESCRIPTION The \"top\" ones\nNODE base\nSQL >\n    %\n    SELECT * FROM a WHERE id = {{String(who, description='whose')}}\n\
        NODE out\nSQL >\n    %\n    SELECT id, count() AS total FROM base GROUP BY id LIMIT {{Int32(limit, 10)}}\nTYPE endpoint\n";

    fn shown(kind: View, node: Option<&str>, parameters: &[(&str, &str)]) -> String {
        let (db, _, files) = Fixture::parse(PIPE).load();
        let parameters: Vec<_> = parameters.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect();
        view(&db, files[1], kind, node, &parameters).unwrap_or_else(|| "none".to_owned())
    }

    #[test]
    fn a_template_is_shown_as_its_request_makes_it() {
        assert_eq!(shown(View::Rendered, Some("base"), &[("who", "x")]), "SELECT * FROM a WHERE id = 'x'\n");
        assert!(
            shown(View::Rendered, Some("base"), &[]).starts_with("-- a request with these parameters fails")
        );
        assert_eq!(shown(View::Rendered, Some("nowhere"), &[]), "none");
    }

    #[test]
    fn an_endpoint_is_one_query() {
        expect![[r"
            WITH
                base AS (
                    SELECT * FROM a WHERE id = 'x'
                )
            SELECT id, count() AS total FROM base GROUP BY id LIMIT toInt32('10')
        "]]
        .assert_eq(&shown(View::Compiled, None, &[("who", "x")]));
    }

    #[test]
    fn its_contract_is_open_api() {
        let text = shown(View::OpenApi, None, &[]);
        for part in [
            "description: \"The \\\"top\\\" ones\"",
            "- name: \"who\"\n          in: query\n          required: true\n          description: \"whose\"",
            "- name: \"limit\"\n          in: query\n          required: false",
            "type: integer\n            default: 10",
            "\"total\":\n                          type: integer",
        ] {
            assert!(text.contains(part), "{part} in {text}");
        }
    }

    #[test]
    fn lineage_is_text() {
        expect![[r"
            top · endpoint

            upstream
              top:base · node (read)
                a · data source (read)

            downstream
              nothing
        "]]
        .assert_eq(&shown(View::Lineage, None, &[]));
    }
}
