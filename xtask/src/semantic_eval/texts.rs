//! What the engine is asked: a node's query for a request, with everything that it reads put in its place.

use headwater_analysis::query::Facts;
use headwater_analysis::scope::{Resolution, names, resolve};
use headwater_analysis::syntax::sql::table_references;
use headwater_analysis::{Database, File, FileKind, ReadFact, datafile, interface, semantics};
use headwater_template::{Given, Parameters, Prepared, Request, Secret, Secrets};

/// One question.
pub(super) struct Texts {
    /// Which node, and for which request.
    pub(super) place: String,
    /// The query over tables only; why there is none otherwise.
    pub(super) expanded: Result<String, String>,
    /// What we say of the same text.
    pub(super) facts: Facts,
    /// The rendering, for reports.
    pub(super) text: String,
    /// Whether something that it reads is refused already: that is reported there.
    pub(super) reads_refused: bool,
}

/// The parameters of a request.
type Pairs = Vec<(String, Given)>;

/// Queries inside queries: more of them are no pipeline.
const MAX_DEPTH: usize = 24;

/// A rendering with all that it reads may become this long.
const MAX_BYTES: usize = 400_000;

impl Texts {
    /// The questions about a node.
    pub(super) fn of(db: &Database, file: File, node: usize) -> Vec<Self> {
        let mut out: Vec<Self> = Vec::new();
        let mut seen = std::collections::HashSet::new();
        for (name, parameters) in requests(db, file, node) {
            let rendering = render(db, file, node, &parameters);
            let label = interface(db, file).as_ref().and_then(|f| Some(f.nodes.get(node)?.name.clone()));
            let place = format!("{}:{} [{name}]", file.path(db), label.unwrap_or_default());
            let Ok(text) = rendering else { continue };
            if !seen.insert(text.clone()) {
                continue;
            }
            let facts = semantics::facts_of(db, file, node, &text);
            let mut reads_refused = false;
            let expanded = expand(db, file, node, &text, &parameters, MAX_DEPTH, &mut reads_refused);
            out.push(Self { place, expanded, facts, text, reads_refused });
        }
        out
    }
}

/// The requests that a node is tried with: none of its parameters, all of them, and one for each arm.
fn requests(db: &Database, file: File, node: usize) -> Vec<(String, Pairs)> {
    let mut out = vec![("no parameters".to_owned(), Vec::new())];
    for (n, rendering) in semantics::node_renderings(db, file, node).iter().enumerate() {
        let pairs: Vec<_> =
            rendering.witness.request().map(|(name, value)| (name.to_owned(), value.clone())).collect();
        out.push((format!("arm {n}: {}", rendering.witness), pairs));
    }
    // All at once, with the values that the arms use.
    let mut all: Pairs = Vec::new();
    for (name, value) in out.iter().flat_map(|(_, pairs)| pairs) {
        if !all.iter().any(|(n, _)| n == name) {
            all.push((name.clone(), value.clone()));
        }
    }
    out.push(("all parameters".to_owned(), all));
    out
}

fn node_text(db: &Database, file: File, node: usize) -> Option<String> {
    let parsed = datafile(db, file);
    let view = parsed.datafile.nodes().into_iter().find(|n| n.index == node)?;
    Some(view.sql()?.1.text.to_string())
}

fn render(db: &Database, file: File, node: usize, pairs: &[(String, Given)]) -> Result<String, String> {
    let text = node_text(db, file, node).ok_or("no query")?;
    if !headwater_analysis::syntax::template::is_template(&text) {
        return Ok(text);
    }
    let mut parameters = Parameters::new();
    for (name, value) in pairs {
        parameters.insert(name.clone(), value.to_value());
    }
    let prepared = Prepared::new(&text).map_err(|e| format!("does not render: {e}"))?;
    // Whatever secret is asked for, the query must hold with a text in its place.
    let mut secrets = Secrets::new();
    for name in secret_names(&text) {
        secrets.insert(name, Secret::new("secret"));
    }
    prepared
        .render(&Request::new(&parameters, &secrets))
        .map(|rendered| rendered.sql)
        .map_err(|e| format!("does not render: {e}"))
}

fn secret_names(text: &str) -> Vec<String> {
    let calls = text.match_indices("tb_secret(").map(|(at, call)| &text[at + call.len()..]);
    calls
        .filter_map(|rest| {
            let rest = rest.trim_start();
            let quote = rest.chars().next().filter(|c| matches!(c, '\'' | '"'))?;
            Some(rest[1..].split(quote).next()?.to_owned())
        })
        .collect()
}

/// The query with every node and pipe that it reads as a subquery, rendered for the same request.
fn expand(
    db: &Database,
    file: File,
    node: usize,
    text: &str,
    pairs: &[(String, Given)],
    depth: usize,
    reads_refused: &mut bool,
) -> Result<String, String> {
    if depth == 0 {
        return Err("reads in circles".to_owned());
    }
    let face = interface(db, file).as_ref().ok_or("no interface")?;
    let names = names(db, file.project(db));
    let mut out = text.to_owned();
    let references = table_references(text).ok_or("too large to be looked at")?;
    for reference in references.iter().rev() {
        let read = ReadFact {
            database: reference.database.clone(),
            name: reference.name.clone(),
            usage: reference.usage,
        };
        let (next, at) = match resolve(names, Some((face, node)), &read) {
            Resolution::Node(n) => (file, Some(n)),
            Resolution::Resource(f) if f.kind(db) == Some(FileKind::Pipe) => {
                let other = interface(db, f).as_ref().ok_or("no interface")?;
                (f, headwater_analysis::flow::output_node(other))
            }
            Resolution::Resource(f) => (f, None),
            Resolution::System => continue,
            // A column or an alias behind IN, for all that is known.
            Resolution::Unknown if reference.usage == headwater_analysis::syntax::sql::TableUse::In => {
                continue;
            }
            _ => return Err(format!("reads `{}`, which the project does not hold", reference.name)),
        };
        let replacement = match at {
            None => format!("`{}`", super::engine::table_name(db, next)),
            Some(n) => {
                let inner = render(db, next, n, pairs)?;
                let faults = semantics::facts_of(db, next, n, &inner).faults;
                *reads_refused |= faults.iter().any(|f| f.kind.refuses_query());
                let inner = expand(db, next, n, &inner, pairs, depth - 1, reads_refused)?;
                // On a line of its own: a comment may end it.
                format!("({}\n)", inner.trim().trim_end_matches(';'))
            }
        };
        let range = std::ops::Range::<usize>::from(reference.range);
        let is_from = matches!(
            reference.usage,
            headwater_analysis::syntax::sql::TableUse::From | headwater_analysis::syntax::sql::TableUse::Join
        );
        let alias = if is_from && !has_alias(text, range.clone()) {
            format!(" AS `{}`", reference.name)
        } else {
            String::new()
        };
        out.replace_range(range, &format!("{replacement}{alias}"));
        if out.len() > MAX_BYTES {
            return Err("becomes too long".to_owned());
        }
    }
    Ok(out)
}

/// Whether the table at `range` has an alias of its own.
fn has_alias(text: &str, range: std::ops::Range<usize>) -> bool {
    use headwater_analysis::syntax::sql::{self, ast};
    let Some(tree) = sql::parse(text) else { return false };
    let mut tables = ast::descendants::<ast::TableRef<'_>>(tree.root_node());
    tables.any(|t| {
        use ast::AstNode as _;
        let own = t.source().map(|s| std::ops::Range::<usize>::from(s.range()));
        own == Some(range.clone()) && t.alias().is_some()
    })
}
