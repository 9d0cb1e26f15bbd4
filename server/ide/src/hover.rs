//! Hover: what a resource is, what it holds, and what depends on it.

use headwater_analysis::access::{grants, test_files};
use headwater_analysis::{Db, Directive, File, Interface, TextRange, TextSize, Vertex, graph, interface};

use crate::cron::Moment;
use crate::locate::{Located, What, label, locate, noun};
use crate::place::query_at;

mod details;

/// Markdown for a place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hover {
    /// The text.
    pub markdown: String,
    /// What it is about.
    pub range: TextRange,
}

/// Columns beyond this are counted, not listed: a hover is a glance.
const MAX_COLUMNS: usize = 24;

/// What stands at `offset`. `now` is for schedules: without it their next times are left out.
pub fn hover(db: &dyn Db, file: File, offset: TextSize, now: Option<Moment>) -> Option<Hover> {
    let located = locate(db, file, offset).or_else(|| expression(db, file, offset))?;
    let markdown = match located.what {
        What::Vertex(vertex) => resource(db, vertex),
        What::Directive(directive) => directive_help(db, file, directive),
        What::Service { database, name } => {
            format!("**{database}.{name}** · service data source\n\nProvided by the platform; read-only.")
        }
        What::Token(token) => self::token(db, file, &token),
        What::Include(target) => format!("**{}** · include", target.path(db)),
        What::Column(column) => details::column(db, &column),
        What::Local { name, definition, is_query } => {
            details::local(db, file, (&name, definition, is_query), offset)
        }
        What::Parameter(name) => details::parameter(db, file, &name),
        What::Function(name) => details::function(db, file, &name, offset)?,
        What::TemplateFunction(name) => crate::template_docs::find(&name)?.markdown(),
        What::Type(name) => {
            details::from_catalog("type", &name, headwater_catalog::Topic::Type, &canonical_type(&name))?
        }
        What::Setting { name, is_merge_tree } => details::setting(&name, is_merge_tree)?,
        What::Format(name) => {
            details::from_catalog("format", &name, headwater_catalog::Topic::Format, &name)?
        }
        What::Engine(name) => details::engine(&name)?,
        What::Schedule(schedule) => details::schedule(&schedule, now)?,
        What::Secret(name) => details::secret(db, file, &name),
        What::Expression(ty) => format!("```sql\n{ty}\n```\n"),
    };
    Some(Hover { markdown, range: located.range })
}

/// The type of the smallest expression around a place of a query.
fn expression(db: &dyn Db, file: File, offset: TextSize) -> Option<Located> {
    let (node, body, at) = query_at(db, file, offset)?;
    let around = headwater_analysis::semantics::around(db, file, node, &body.text, at);
    let (range, ty) = around.values.into_iter().find_map(|(range, ty)| Some((range, ty?)))?;
    Some(Located { range: body.to_source(range), what: What::Expression(ty.to_string()) })
}

/// The name that the catalog has a family of types under.
fn canonical_type(name: &str) -> String {
    let family = headwater_catalog::type_families().iter().find(|f| f.name.eq_ignore_ascii_case(name));
    family.map_or(name, |f| f.alias_for.unwrap_or(f.name)).to_owned()
}

fn directive_help(db: &dyn Db, file: File, directive: Directive) -> String {
    let mut text = crate::directives_help::markdown(directive);
    // The first line of a data source is where people look for what depends on it.
    if directive == Directive::Schema {
        let vertex = Vertex { file, node: None };
        text += &flow(db, vertex);
    }
    text
}

pub(crate) fn resource(db: &dyn Db, vertex: Vertex) -> String {
    let mut out = format!("**{}** · {}\n", label(db, vertex), noun(db, vertex));
    let Some(face) = interface(db, vertex.file) else { return out };
    if let Some(description) = &face.description {
        out += &format!("\n{}\n", description.trim());
    }
    match vertex.node.and_then(|n| face.nodes.get(n)) {
        Some(node) => {
            let parameters: Vec<_> = node
                .parameters
                .iter()
                .filter(|p| p.ty.is_some())
                .map(|p| {
                    let default = p.default.as_ref().map(|d| format!(" = {d}")).unwrap_or_default();
                    format!("`{}: {}{default}`", p.name, p.ty.as_deref().unwrap_or_default())
                })
                .collect();
            if !parameters.is_empty() {
                out += &format!("\nParameters: {}\n", parameters.join(", "));
            }
            if let Some(target) = &node.writes {
                out += &format!("\nWrites `{target}`\n");
            }
            out += &details::columns_of_vertex(db, vertex);
        }
        None => out += &table(face),
    }
    out += &flow(db, vertex);
    out + &access(db, vertex, face)
}

/// Who may use it, and what tests it.
fn access(db: &dyn Db, vertex: Vertex, face: &Interface) -> String {
    if vertex != headwater_analysis::flow::output(db, vertex.file) {
        return String::new();
    }
    let mut out = String::new();
    if !face.tokens.is_empty() {
        let tokens: Vec<_> = face.tokens.iter().map(|(name, right)| format!("`{name}` ({right})")).collect();
        out += &format!("\nTokens: {}\n", tokens.join(", "));
    }
    if let Some(tests) = test_files(db, vertex.file.project(db)).get(&vertex.file) {
        let paths: Vec<_> = tests.iter().map(|t| format!("`{}`", t.path(db))).collect();
        out += &format!("\nTests: {}\n", paths.join(", "));
    }
    out
}

/// What a static token may do in the whole project.
fn token(db: &dyn Db, file: File, token: &str) -> String {
    let mut out = format!("**{token}** · static token\n");
    for (file, right) in grants(db, file.project(db)).get(token).into_iter().flatten() {
        let name = interface(db, *file).as_ref().map_or(file.stem(db), |face| face.name.as_str());
        out += &format!("\n- {right} `{name}`");
    }
    out + "\n"
}

fn table(face: &Interface) -> String {
    let mut out = String::new();
    if let Some(engine) = &face.engine {
        out += &format!("\n{}", engine.name);
        for (word, key) in [("sorted by", &engine.sorting_key), ("partitioned by", &engine.partition_key)] {
            if let Some(key) = key {
                out += &format!(" · {word} `{key}`");
            }
        }
        if let Some(ttl) = &engine.ttl {
            out += &format!(" · TTL `{ttl}`");
        }
        out.push('\n');
    }
    if let Some(service) = &face.service {
        out += &format!("\nType `{service}`\n");
    }
    if let Some(connection) = &face.connection {
        out += &format!("\nIngests from `{connection}`\n");
    }
    if !face.columns.is_empty() {
        out += "\n```sql\n";
        for column in face.columns.iter().take(MAX_COLUMNS) {
            let default = column.default.as_ref().map(|d| format!(" DEFAULT {d}")).unwrap_or_default();
            out += &format!("{} {}{default}\n", column.name, column.ty);
        }
        let hidden = face.columns.len().saturating_sub(MAX_COLUMNS);
        if hidden > 0 {
            out += &format!("-- and {hidden} more\n");
        }
        out += "```\n";
    }
    out
}

/// Who reads it, and everything downstream in one line.
fn flow(db: &dyn Db, vertex: Vertex) -> String {
    let graph = graph(db, vertex.file.project(db));
    let names = |edges: &[(Vertex, _)]| {
        let mut names: Vec<_> = edges.iter().map(|(v, _)| format!("`{}`", label(db, *v))).collect();
        names.sort();
        names.dedup();
        names.join(", ")
    };
    let mut out = String::new();
    let (up, down) = (graph.upstream(vertex), graph.downstream(vertex));
    if !up.is_empty() {
        out += &format!("\nReads from {}\n", names(up));
    }
    if !down.is_empty() {
        out += &format!("\nRead by {}\n", names(down));
    }
    if let Some(summary) = graph.impact(db, &graph.all_downstream(vertex)).summary() {
        out += &format!("\nDownstream: {summary}\n");
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::expect;
    use headwater_test_fixture::Fixture;

    fn markdown(text: &str) -> String {
        let fixture = Fixture::parse(text);
        let (db, _, files) = fixture.load();
        let (index, offset) = fixture.cursor.expect("a cursor");
        hover(&db, files[index], offset, None).expect("a hover").markdown
    }

    #[test]
    fn an_endpoint_shows_its_tokens_and_tests_and_a_token_its_rights() {
        let files = "//- a.datasource\nTOKEN app APPEND\nSCHEMA >\n  x String\n\
             //- endpoints/top.pipe\nTOKEN <1>app READ\nNODE <2>n\nSQL >\n  SELECT * FROM a\nTYPE endpoint\n\
             //- tests/top.yaml\n- name: a\n";
        expect![[r"
            **app** · static token

            - APPEND `a`
            - READ `top`
        "]]
        .assert_eq(&markdown(&files.replace("<1>", "$0").replace("<2>", "")));
        expect![[r#"
            **top** · endpoint

            ```sql
            x String
            ```

            Reads from `a`

            Tokens: `app` (READ)

            Tests: `tests/top.yaml`
        "#]]
        .assert_eq(&markdown(&files.replace("<1>", "").replace("<2>", "$0")));
    }

    #[test]
    fn a_data_source_shows_columns_engine_and_readers() {
        let fixture = Fixture::parse(
            "//- datasources/hits.datasource\nDESCRIPTION Page hits\nSCHEMA >\n  ts DateTime,\n  url String DEFAULT ''\nENGINE_SORTING_KEY ts\n\
             //- endpoints/top.pipe\nNODE a\nSQL >\n  SELECT * FROM h$0its\nNODE b\nSQL >\n  SELECT * FROM a\nTYPE endpoint\n",
        );
        let (db, _, files) = fixture.load();
        let (index, offset) = fixture.cursor.expect("a cursor");
        let hover = hover(&db, files[index], offset, None).expect("a hover");
        expect![[r"
            **hits** · data source

            Page hits

            MergeTree · sorted by `ts`

            ```sql
            ts DateTime
            url String DEFAULT ''
            ```

            Read by `top:a`

            Downstream: 1 node · 1 endpoint
        "]]
        .assert_eq(&hover.markdown);
    }
}
