//! Rename: of columns, nodes, parameters, tokens, names of a query, and resources with their files.
//!
//! A rename is exact or refused: what cannot be followed (a name that a template makes, a star over a `UNION`, a text
//! that does not parse) is a reason to say no, with the place.

mod column;
mod follow;
mod resource;
mod verify;
mod words;

use headwater_analysis::lineage::ColumnVertex;
use headwater_analysis::syntax::MappedText;
use headwater_analysis::{Db, Dialect, File, TextRange, TextSize, Vertex, datafile, flow, interface};

use crate::change::{Annotation, Change};
use crate::locate::{Located, What, label, locate};
use crate::tokens::{TokenKind, tokens};
use verify::Renames;

pub(crate) use follow::follow;
pub use resource::will_rename;

/// Why something cannot be renamed, and what to do instead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal(pub String);

type Renamed = Result<Change, Refusal>;

fn refuse<T>(why: impl Into<String>) -> Result<T, Refusal> {
    Err(Refusal(why.into()))
}

/// What has a name that can be changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[allow(missing_docs, reason = "named as people name them")]
pub enum NameKind {
    Column,
    /// A name that a query gives: an alias, a query of `WITH`.
    Local,
    Parameter,
    Token,
    Node,
    /// A data source, an endpoint, a connection: the file gets the name.
    Resource,
}

/// A name that would be changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Renamable {
    /// Where it stands, without quotes.
    pub range: TextRange,
    /// As it is now.
    pub name: String,
    /// What it names.
    pub kind: NameKind,
}

/// What would be renamed: its place, and its name now.
///
/// # Errors
/// When there is nothing at the place, or it cannot be renamed.
pub fn prepare_rename(db: &dyn Db, file: File, offset: TextSize) -> Result<Renamable, Refusal> {
    let located = subject(db, file, offset)?;
    let (name, kind) = match &located.what {
        What::Column(column) => (column.column.clone(), NameKind::Column),
        What::Local { name, .. } => (name.clone(), NameKind::Local),
        What::Parameter(name) => (name.clone(), NameKind::Parameter),
        What::Token(name) => (name.clone(), NameKind::Token),
        What::Vertex(vertex) => match node_name(db, *vertex).filter(|_| vertex.file == file) {
            Some(name) => (name, NameKind::Node),
            None => (vertex.file.stem(db).to_owned(), NameKind::Resource),
        },
        _ => return refuse("only columns, nodes, parameters, tokens and resources have names to change"),
    };
    let text = file.text(db);
    let range = name_in(&text, located.range, &name).unwrap_or(located.range);
    if text[range] != name {
        return refuse(format!(
            "`{}` stands here for `{name}`: rename it where its own name stands",
            &text[range]
        ));
    }
    Ok(Renamable { range, name, kind })
}

fn subject(db: &dyn Db, file: File, offset: TextSize) -> Result<Located, Refusal> {
    match locate(db, file, offset) {
        Some(located) => Ok(located),
        None => refuse("there is no name here"),
    }
}

/// The name of a node that is more than its pipe's result for others.
fn node_name(db: &dyn Db, vertex: Vertex) -> Option<String> {
    let face = interface(db, vertex.file).as_ref()?;
    face.nodes.get(vertex.node?).map(|n| n.name.clone()).filter(|n| !n.is_empty())
}

/// Gives the thing at `offset` another name everywhere.
///
/// # Errors
/// When that cannot be done exactly; the text says why.
pub fn rename(db: &dyn Db, file: File, offset: TextSize, to: &str) -> Renamed {
    let located = subject(db, file, offset)?;
    let is_reference_to_pipe = |vertex: Vertex| vertex.file != file;
    let change = match located.what {
        What::Column(column) => column::rename(db, &column, to)?,
        What::Local { definition, is_query, ref name } => match published(db, file, definition, name) {
            // An alias that others see is a column, wherever in the query it is said.
            Some(column) if !is_query => column::rename(db, &column, to)?,
            _ => local(db, file, offset, to)?,
        },
        What::Parameter(name) => parameter(db, file, &name, to)?,
        What::Token(name) => token(db, file, &name, to)?,
        What::Vertex(vertex) if vertex.node.is_some() && !is_reference_to_pipe(vertex) => {
            resource::node(db, vertex, to)?
        }
        What::Vertex(vertex) => resource::resource(db, vertex.file, to)?,
        _ => return refuse("only columns, nodes, parameters, tokens and resources have names to change"),
    };
    if change.overlaps() {
        return refuse("two of the changes would touch the same text; rename one of the names by hand first");
    }
    Ok(change)
}

/// The column of a node that an alias makes.
fn published(db: &dyn Db, file: File, definition: TextRange, name: &str) -> Option<ColumnVertex> {
    let (node, ..) = crate::place::query_at(db, file, definition.start())?;
    let own = crate::place::selected(db, file, node).into_iter().find(|s| {
        s.is_alias
            && s.name == name
            && s.focus.is_some_and(|f| f == definition || definition.contains_range(f))
    })?;
    Some(ColumnVertex { vertex: Vertex { file, node: Some(node) }, column: own.name })
}

/// A place of `name` in a mention of it, without quotes.
fn name_in(text: &str, range: TextRange, name: &str) -> Option<TextRange> {
    crate::place::name_in(text, range, name).or_else(|| {
        let mention = &text[range];
        let at = mention.find(name)?;
        let around = mention[..at]
            .chars()
            .chain(mention[at + name.len()..].chars())
            .all(|c| matches!(c, '"' | '\'' | '`'));
        around.then(|| TextRange::at(range.start() + TextSize::of(&mention[..at]), TextSize::of(name)))
    })
}

/// Whether a name may be written bare everywhere.
fn check_name(to: &str) -> Result<(), Refusal> {
    let starts_well = to.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    if !starts_well || !to.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
        return refuse(format!("`{to}` is no name: use letters, digits and underscores, and no digit first"));
    }
    Ok(())
}

/// A name that the query itself gives.
fn local(db: &dyn Db, file: File, offset: TextSize, to: &str) -> Renamed {
    check_name(to)?;
    let Some((node, body, _)) = crate::place::query_at(db, file, offset) else {
        return refuse("there is no query here");
    };
    let all = same_name(db, file, offset, &body)?;
    let around = headwater_analysis::semantics::around(
        db,
        file,
        node,
        &body.text,
        body.offset_from_source(offset).unwrap_or_default(),
    );
    let taken =
        around.aliases.iter().map(|(n, _)| n.as_str()).chain(around.queries.iter().map(|(n, _)| n.as_str()));
    let tables = around.tables.iter().filter_map(|t| t.name.as_deref());
    if taken.chain(tables).any(|n| n == to) {
        return refuse(format!("`{to}` means something else in this query"));
    }
    let text = file.text(db);
    let mut change = Change::default();
    for range in all {
        let mention = &text[range];
        let quote = mention.chars().next().filter(|c| matches!(c, '`' | '"'));
        let new = quote.map_or_else(|| to.to_owned(), |q| format!("{q}{to}{q}"));
        change.push(file, range, new, None);
    }
    let edits = change.edits.first().map_or(&[][..], |(_, edits)| edits.as_slice());
    let is_bare = |e: &crate::change::TextEdit| !e.text.starts_with(['`', '"']);
    if edits.iter().any(is_bare) && !words::is_name_there(db, file, edits, to) {
        words::check_column(to)?;
    }
    // Nothing that others see changes, and no column is taken for the name or the other way around.
    let renames = Renames {
        relation: &|now, database, name| now.relation(database, name),
        base: &Clone::clone,
        output: &|name| name.to_owned(),
        is_inside: true,
    };
    verify::node(db, file, node, &change, &renames, to)?;
    Ok(change)
}

/// Every place of a query's own name. A template may give it in one arm or another: these are one name, as long as no request
/// sees two of them.
fn same_name(
    db: &dyn Db,
    file: File,
    offset: TextSize,
    body: &MappedText,
) -> Result<Vec<TextRange>, Refusal> {
    let Some(Located { what: What::Local { name, definition, .. }, .. }) = locate(db, file, offset) else {
        return refuse("there is no name here");
    };
    let mut found: Vec<(TextRange, TextRange)> = Vec::new();
    let all = tokens(&body.text);
    let is_behind_dot = |n: usize| n > 0 && all[n - 1].is_sign(&body.text, ".");
    for (n, token) in all.iter().enumerate() {
        let is_name = matches!(token.kind, TokenKind::Word | TokenKind::Quoted);
        if !is_name || token.text(&body.text).trim_matches(['`', '"']) != name {
            continue;
        }
        let range = body.to_source(token.range);
        match locate(db, file, range.start()).map(|l| l.what) {
            Some(What::Local { definition, .. }) => found.push((range, definition)),
            // A table's name in front of a column, or of a star.
            _ if all.get(n + 1).is_some_and(|t| t.is_sign(&body.text, ".")) && !is_behind_dot(n) => {
                found.push((range, definition));
            }
            _ => {}
        }
    }
    found.push((definition, definition));
    let mut definitions: Vec<TextRange> = found.iter().map(|(_, d)| *d).collect();
    definitions.sort_by_key(|d| d.start());
    definitions.dedup();
    let one =
        if definitions.len() > 1 && are_exclusive(body, &definitions) { None } else { Some(definition) };
    let mut places: Vec<TextRange> =
        found.into_iter().filter(|(_, d)| one.is_none_or(|o| o == *d)).map(|(range, _)| range).collect();
    places.sort_by_key(|r| r.start());
    places.dedup();
    Ok(places)
}

/// Whether no request sees two of these places of a template.
fn are_exclusive(body: &MappedText, places: &[TextRange]) -> bool {
    use headwater_analysis::syntax::template;
    if !template::is_template(&body.text) {
        return false;
    }
    let Some(variants) = headwater_template::variants(&body.text, &template::parse(&body.text)) else {
        return false;
    };
    let inside: Vec<TextRange> = places
        .iter()
        .filter_map(|p| Some(TextRange::at(body.offset_from_source(p.start())?, p.len())))
        .collect();
    variants.iter().all(|variant| {
        let is_kept = |r: &&TextRange| {
            variant.text.get(std::ops::Range::from(**r)) == body.text.get(std::ops::Range::from(**r))
        };
        inside.iter().filter(is_kept).count() <= 1
    })
}

/// A parameter, in the pipe and in those that pass it on.
fn parameter(db: &dyn Db, file: File, name: &str, to: &str) -> Renamed {
    check_name(to)?;
    if matches!(to, "format" | "q") || crate::template_docs::find(to).is_some() {
        return refuse(format!("`{to}` means something else in templates and requests"));
    }
    words::check_parameter(to)?;
    if crate::template_docs::find(name).is_some() {
        return refuse(format!("`{name}` is a function of templates as well; rename it by hand"));
    }
    let graph = headwater_analysis::graph(db, file.project(db));
    let count = interface(db, file).as_ref().map_or(0, |f| f.nodes.len());
    let mut files = vec![file];
    for node in 0..count {
        let vertex = Vertex { file, node: Some(node) };
        for other in graph.all_upstream(vertex).into_iter().chain(graph.all_downstream(vertex)) {
            if !files.contains(&other.file) {
                files.push(other.file);
            }
        }
    }
    let has = |f: File, name: &str| crate::parameters::all(db, f).iter().any(|p| p.name == name);
    files.retain(|f| *f == file || has(*f, name));
    let mut change = Change::default();
    change.annotations.push(Annotation {
        label: "Tests".to_owned(),
        description: Some("requests of test files".to_owned()),
        needs_confirmation: false,
    });
    for other in files {
        let bound = datafile(db, other)
            .datafile
            .nodes()
            .iter()
            .any(|n| n.sql().is_some_and(|(_, sql)| binds(&sql.text, to)));
        if has(other, to) || bound {
            return refuse(format!("`{}` has a `{to}` already", label(db, flow::output(db, other))));
        }
        if datafile(db, other).includes.iter().any(|i| i.target.is_some()) {
            return refuse(format!(
                "`{}` includes other files, which may name the parameter",
                other.path(db)
            ));
        }
        for used in crate::parameters::uses(db, other, name) {
            let annotation = (used.file != other).then_some(0);
            change.push(used.file, used.focus, to, annotation);
        }
    }
    Ok(change)
}

/// Whether a template binds a variable of that name.
fn binds(text: &str, name: &str) -> bool {
    use headwater_analysis::syntax::template::{Piece, parse};
    let mut found = false;
    parse(text).walk(&mut |piece| {
        if let Piece::Set { names, .. } | Piece::Loop { names, .. } = piece {
            found |= names.iter().any(|n| n.value == name);
        }
    });
    found
}

/// A static token, wherever something is granted to it.
fn token(db: &dyn Db, file: File, name: &str, to: &str) -> Renamed {
    if to.is_empty() || to.contains(['"', '\'', '#', '\n']) {
        return refuse("a token's name holds no quotes, no `#` and no line breaks");
    }
    if headwater_analysis::access::grants(db, file.project(db)).contains_key(to) {
        return refuse(format!("there is a token `{to}` already"));
    }
    let mut change = Change::default();
    for other in file.project(db).files(db).iter() {
        for located in crate::locate::all(db, *other) {
            if matches!(&located.what, What::Token(token) if token == name) {
                let text = other.text(db);
                let quoted = text[located.range].starts_with(['"', '\'']) || to.contains(char::is_whitespace);
                let new = if quoted { format!("\"{to}\"") } else { to.to_owned() };
                change.push(*other, located.range, new, None);
            }
        }
    }
    Ok(change)
}

/// Whether the project is of the current generation.
fn is_forward(db: &dyn Db, file: File) -> bool {
    headwater_analysis::dialect(db, file.project(db)).dialect == Dialect::Forward
}

#[cfg(test)]
mod tests;
