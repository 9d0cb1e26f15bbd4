//! What the engine is asked: a node's query for a request, with everything that it reads put in its place.

use headwater_analysis::scope::{Resolution, names, resolve};
use headwater_analysis::syntax::sql::{self, TableUse, ast, table_references};
use headwater_analysis::{
    Database, File, FileKind, ReadFact, datafile, flow, interface, resource_name, semantics,
};
use headwater_template::{Given, Parameters, Prepared, Request, Secret, Secrets};

use crate::danger::danger;
use crate::table::quoted;

/// The parameters of a request.
pub type Pairs = Vec<(String, Given)>;

/// One question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    /// The query over tables only; why there is none otherwise.
    pub sql: Result<String, String>,
    /// Whether something that it reads is refused by our own rules: that is reported there.
    pub reads_refused: bool,
    /// Data sources that it reads.
    pub tables: Vec<File>,
}

/// Queries inside queries: more of them are no pipeline.
const MAX_DEPTH: usize = 24;

/// A rendering with all that it reads may become this long.
const MAX_BYTES: usize = 400_000;

impl Question {
    /// The question about a node whose query is `text` for this request. Time grows with the text of all that it reads.
    pub fn new(db: &Database, file: File, node: usize, text: &str, request: &[(String, Given)]) -> Self {
        let mut expansion = Expansion { db, request, reads_refused: false, tables: Vec::new() };
        let sql = expansion.expand(file, node, text, MAX_DEPTH).and_then(|sql| match danger(&sql) {
            Some(function) => Err(format!("calls `{function}`, which is not asked about")),
            None => Ok(sql),
        });
        Self { sql, reads_refused: expansion.reads_refused, tables: expansion.tables }
    }
}

/// A node's query for a request, as the engine gets it; secrets exist, with a text for a value.
///
/// # Errors
/// Why the template does not render.
pub fn render(db: &Database, file: File, node: usize, request: &[(String, Given)]) -> Result<String, String> {
    let text = node_text(db, file, node).ok_or("no query")?;
    if !headwater_analysis::syntax::template::is_template(&text) {
        return Ok(text);
    }
    let mut parameters = Parameters::new();
    for (name, value) in request {
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

fn node_text(db: &Database, file: File, node: usize) -> Option<String> {
    let parsed = datafile(db, file);
    let view = parsed.datafile.nodes().into_iter().find(|n| n.index == node)?;
    Some(view.sql()?.1.text.to_string())
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

struct Expansion<'q> {
    db: &'q Database,
    request: &'q [(String, Given)],
    reads_refused: bool,
    tables: Vec<File>,
}

impl Expansion<'_> {
    /// The query with every node and pipe that it reads as a subquery, rendered for the same request.
    fn expand(&mut self, file: File, node: usize, text: &str, depth: usize) -> Result<String, String> {
        if depth == 0 {
            return Err("reads in circles".to_owned());
        }
        let db = self.db;
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
                    (f, flow::output_node(other))
                }
                Resolution::Resource(f) => (f, None),
                Resolution::System => continue,
                // A column or an alias behind IN, for all that is known.
                Resolution::Unknown if reference.usage == TableUse::In => continue,
                _ => return Err(format!("reads `{}`, which the project does not hold", reference.name)),
            };
            let replacement = match at {
                None => {
                    if !self.tables.contains(&next) {
                        self.tables.push(next);
                    }
                    // Inside of a text there are quotes already.
                    match reference.usage {
                        TableUse::Argument => resource_name(db, next).clone(),
                        _ => quoted(resource_name(db, next)),
                    }
                }
                Some(n) => {
                    let inner = render(db, next, n, self.request)?;
                    let faults = semantics::facts_at(db, next, n, &inner, self.request).faults;
                    self.reads_refused |= faults.iter().any(|f| f.kind.refuses_query());
                    let inner = self.expand(next, n, &inner, depth - 1)?;
                    // On a line of its own: a comment may end it.
                    format!("({}\n)", inner.trim().trim_end_matches(';'))
                }
            };
            let range = std::ops::Range::<usize>::from(reference.range);
            let is_from = matches!(reference.usage, TableUse::From | TableUse::Join);
            let alias = if is_from && !has_alias(text, range.clone()) {
                format!(" AS {}", quoted(&reference.name))
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
}

/// Whether the table at `range` has an alias of its own.
fn has_alias(text: &str, range: std::ops::Range<usize>) -> bool {
    use ast::AstNode as _;
    let Some(tree) = sql::parse(text) else { return false };
    let mut tables = ast::descendants::<ast::TableRef<'_>>(tree.root_node());
    tables.any(|t| {
        let own = t.source().map(|s| std::ops::Range::<usize>::from(s.range()));
        own == Some(range.clone()) && t.alias().is_some()
    })
}
