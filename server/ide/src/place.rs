//! What stands at a place inside a query, a schema or a key: columns, names of the query, functions, types, settings,
//! parameters. [`crate::locate`] asks here when no resource stands there.

use headwater_analysis::flow::output;
use headwater_analysis::lineage::ColumnVertex;
use headwater_analysis::query::BaseColumn;
use headwater_analysis::scope::{Resolution, names, resolve};
use headwater_analysis::syntax::sql::{TableUse, ast, ast::AstNode};
use headwater_analysis::syntax::{Spanned, schema, template};
use headwater_analysis::{
    Db, Directive, File, FileKind, ReadFact, TextRange, TextSize, Vertex, datafile, interface, semantics,
};

use crate::locate::{Located, What};
use crate::tokens::{Token, TokenKind, tokens};

/// A mention of a column in a node's query, placed in the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Mention {
    /// The whole of it, with what stands before the dot.
    pub(crate) range: TextRange,
    /// The column's own name; `None` where the text does not say it as it is.
    pub(crate) name: Option<TextRange>,
    pub(crate) column: ColumnVertex,
}

/// What a base column of a node's query is a column of.
pub(crate) fn vertex_of(db: &dyn Db, file: File, node: usize, base: &BaseColumn) -> Option<Vertex> {
    let face = interface(db, file).as_ref()?;
    let read = ReadFact { database: base.database.clone(), name: base.table.clone(), usage: TableUse::From };
    match resolve(names(db, file.project(db)), Some((face, node)), &read) {
        Resolution::Node(n) => Some(Vertex { file, node: Some(n) }),
        Resolution::Resource(f) | Resolution::Quarantine(f) => Some(output(db, f)),
        _ => None,
    }
}

/// Every mention of a column by its name in the nodes of a pipe, in order of position, each once.
pub(crate) fn mentions(db: &dyn Db, file: File) -> Vec<Mention> {
    let mut out: Vec<Mention> = Vec::new();
    let parsed = datafile(db, file);
    for node in parsed.datafile.nodes() {
        let Some((entry, sql)) = node.sql() else { continue };
        if entry.source != 0 {
            continue;
        }
        let renderings = semantics::node_renderings(db, file, node.index);
        for (facts, rendering) in
            semantics::node_meaning(db, file, node.index).facts.iter().zip(renderings.iter())
        {
            let vertices: Vec<_> = facts.bases.iter().map(|b| vertex_of(db, file, node.index, b)).collect();
            for usage in facts.uses.iter().filter(|u| u.is_name) {
                let place = rendering.to_node(usage.range);
                let (Some(vertex), false) = (vertices[usage.base], place.is_made_up) else { continue };
                let column = facts.bases[usage.base].column.clone();
                let name = name_in(&sql.text, place.range, &column).map(|r| sql.to_source(r));
                let range = sql.to_source(place.range);
                out.push(Mention { range, name, column: ColumnVertex { vertex, column } });
            }
        }
    }
    out.sort_by_key(|m| (m.range.start(), m.range.end()));
    out.dedup();
    out
}

/// Where a column's name stands in a mention of it: behind the last dot, inside of backticks.
pub(crate) fn name_in(text: &str, range: TextRange, column: &str) -> Option<TextRange> {
    let mention = text.get(std::ops::Range::from(range))?;
    let end = range.end();
    let size = TextSize::of(column);
    if mention == column
        || mention.ends_with(column) && mention[..mention.len() - column.len()].ends_with('.')
    {
        return Some(TextRange::new(end - size, end));
    }
    for quote in ['`', '"'] {
        // Nothing but a table may stand before the quotes: `f(x) AS "name"` mentions no column of that name.
        let head = mention.strip_suffix(quote).and_then(|m| m.strip_suffix(column)?.strip_suffix(quote));
        if head.is_some_and(|head| head.is_empty() || head.ends_with('.')) {
            let end = end - TextSize::from(1);
            return Some(TextRange::new(end - size, end));
        }
    }
    None
}

/// Columns of a schema with the place of each name and type, in the file.
pub(crate) fn schema_columns(
    db: &dyn Db,
    file: File,
) -> Vec<(Spanned<String>, Option<Spanned<String>>, TextRange)> {
    let parsed = datafile(db, file);
    let Some(entry) = parsed.datafile.last(Directive::Schema).filter(|e| e.source == 0) else {
        return Vec::new();
    };
    let body = entry.entry.body(parsed.datafile.text());
    let place = |s: Spanned<String>| Spanned::new(s.value, body.to_source(s.range));
    let columns = schema::parse(&body.text).columns.into_iter();
    columns.map(|c| (place(c.name), c.ty.map(place), body.to_source(c.range))).collect()
}

/// Mentions of a data source's own columns in its keys.
pub(crate) fn key_mentions(db: &dyn Db, file: File) -> Vec<(Spanned<String>, TextRange)> {
    const KEYS: &[Directive] = &[
        Directive::EngineSortingKey,
        Directive::EnginePrimaryKey,
        Directive::EnginePartitionKey,
        Directive::EngineSamplingKey,
        Directive::EngineTtl,
        Directive::EngineVer,
        Directive::EngineIsDeleted,
        Directive::EngineColumns,
        Directive::EngineSign,
        Directive::EngineVersion,
        Directive::ForwardQuery,
        Directive::Indexes,
    ];
    if file.kind(db) != Some(FileKind::Datasource) {
        return Vec::new();
    }
    let parsed = datafile(db, file);
    let known: Vec<String> = schema_columns(db, file).into_iter().map(|(name, ..)| name.value).collect();
    let mut out = Vec::new();
    for entry in parsed.datafile.entries.iter().filter(|e| e.source == 0) {
        if !entry.entry.directive.is_some_and(|d| KEYS.contains(&d)) {
            continue;
        }
        let body = entry.entry.body(parsed.datafile.text());
        let all = tokens(&body.text);
        for (n, token) in all.iter().enumerate() {
            let is_call = all.get(n + 1).is_some_and(|t| t.is_sign(&body.text, "("));
            let is_alias = n > 0 && all[n - 1].is(&body.text, "AS");
            let text = token.text(&body.text);
            let (name, range) = match token.kind {
                TokenKind::Word => (text, token.range),
                TokenKind::Quoted if text.len() > 2 => (&text[1..text.len() - 1], inner(token.range)),
                _ => continue,
            };
            if !is_call && !is_alias && known.iter().any(|k| k == name) {
                let range = body.to_source(range);
                out.push((Spanned::new(name.to_owned(), range), range));
            }
        }
    }
    out
}

fn inner(range: TextRange) -> TextRange {
    let one = TextSize::from(1);
    TextRange::new(range.start() + one, range.end() - one)
}

/// What a node selects, with the place of the name that others see: an alias, or a plain mention.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Selected {
    pub(crate) name: String,
    /// The whole item.
    pub(crate) item: TextRange,
    /// Where the name stands in it; `None` for stars and unnamed expressions.
    pub(crate) focus: Option<TextRange>,
    /// Whether the name is an alias.
    pub(crate) is_alias: bool,
}

/// The columns that a node selects, placed in the file.
pub(crate) fn selected(db: &dyn Db, file: File, node: usize) -> Vec<Selected> {
    let parsed = datafile(db, file);
    let nodes = parsed.datafile.nodes();
    let Some((entry, sql)) = nodes.get(node).and_then(|n| n.sql()) else { return Vec::new() };
    if entry.source != 0 {
        return Vec::new();
    }
    let columns = semantics::selected_all(db, file, node).into_iter();
    columns
        .filter_map(|(name, range)| {
            let text = sql.text.get(std::ops::Range::from(range))?;
            let item = sql.to_source(range);
            let focus = name_in(&sql.text, range, &name).or_else(|| {
                // `expr AS name`, `expr name`
                let trimmed = text.trim_end();
                let end = range.start() + TextSize::of(trimmed);
                let from = end.checked_sub(TextSize::of(name.as_str()))?;
                let quoted = trimmed.ends_with(['`', '"']);
                let candidate = if quoted {
                    TextRange::new(from.checked_sub(TextSize::from(1))?, end - TextSize::from(1))
                } else {
                    TextRange::new(from, end)
                };
                (sql.text.get(std::ops::Range::from(candidate))? == name && candidate.start() > range.start())
                    .then_some(candidate)
            });
            let plain = name_in(&sql.text, range, &name).is_some();
            Some(Selected {
                name,
                item,
                focus: focus.map(|f| sql.to_source(f)),
                is_alias: focus.is_some() && !plain,
            })
        })
        .collect()
}

/// The query around a place: its node, its text, and the place in it.
pub(crate) fn query_at(
    db: &dyn Db,
    file: File,
    offset: TextSize,
) -> Option<(usize, headwater_analysis::syntax::MappedText, TextSize)> {
    let parsed = datafile(db, file);
    let nodes = parsed.datafile.nodes();
    let node = nodes.iter().rfind(|n| n.header().source == 0 && n.header().entry.line.start() <= offset)?;
    let (entry, body) = node.sql()?;
    let is_inside = entry.source == 0 && entry.entry.full_range().contains_inclusive(offset);
    let at = body.offset_from_source(offset).filter(|_| is_inside)?;
    Some((node.index, body, at))
}

/// What stands at `offset`, looked for inside of queries, schemas and values.
pub(crate) fn inside(db: &dyn Db, file: File, offset: TextSize) -> Option<Located> {
    let hit = |range: TextRange| range.contains_inclusive(offset);
    for (name, ty, _) in schema_columns(db, file) {
        if hit(name.range) {
            let column = ColumnVertex { vertex: Vertex { file, node: None }, column: name.value };
            return Some(Located { range: name.range, what: What::Column(column) });
        }
        if let Some(ty) = ty.filter(|ty| hit(ty.range)) {
            let at = usize::from(offset - ty.range.start());
            let (word, start) = word_around(&ty.value, at)?;
            let range =
                TextRange::at(ty.range.start() + TextSize::of(&ty.value[..start]), TextSize::of(word));
            return Some(Located { range, what: What::Type(word.to_owned()) });
        }
    }
    if let Some((name, range)) = key_mentions(db, file).into_iter().find(|(_, r)| hit(*r)) {
        let column = ColumnVertex { vertex: Vertex { file, node: None }, column: name.value };
        return Some(Located { range, what: What::Column(column) });
    }
    let parsed = datafile(db, file);
    let entry = parsed.datafile.entries.iter().find(|e| e.source == 0 && hit(e.entry.full_range()))?;
    let directive = entry.entry.directive?;
    if hit(entry.entry.keyword) {
        return None;
    }
    let body = entry.entry.body(parsed.datafile.text());
    let at = body.offset_from_source(offset)?;
    let located = |range: TextRange, what| Some(Located { range: body.to_source(range), what });
    match directive {
        Directive::Sql => {
            let node =
                parsed.datafile.nodes().iter().rposition(|n| n.header().entry.line.start() <= offset)?;
            in_query(db, file, node, &body, at)
        }
        Directive::CopySchedule | Directive::ExportSchedule | Directive::ImportSchedule => {
            let whole = TextRange::up_to(TextSize::of(&*body.text));
            located(whole, What::Schedule(body.text.trim().to_owned()))
        }
        Directive::Engine => {
            let (word, start) = word_around(&body.text, usize::from(at))?;
            let range = TextRange::at(TextSize::of(&body.text[..start]), TextSize::of(word));
            located(range, What::Engine(word.to_owned()))
        }
        _ => {
            let all = tokens(&body.text);
            let token = *all.iter().find(|t| t.range.contains_inclusive(at) && t.kind == TokenKind::Word)?;
            let word = token.text(&body.text);
            let is_call =
                all.iter().any(|t| t.range.start() == token.range.end() && t.is_sign(&body.text, "("));
            if directive == Directive::EngineSettings && headwater_catalog::merge_tree_setting(word).is_some()
            {
                return located(token.range, What::Setting { name: word.to_owned(), is_merge_tree: true });
            }
            (is_call && headwater_catalog::find(word).is_some())
                .then(|| located(token.range, What::Function(word.to_owned())))?
        }
    }
}

fn word_around(text: &str, at: usize) -> Option<(&str, usize)> {
    let at = at.min(text.len());
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    let start = text
        .get(..at)?
        .rfind(|c| !is_word(c))
        .map_or(0, |n| n + text[n..].chars().next().map_or(1, char::len_utf8));
    let end = text[at..].find(|c| !is_word(c)).map_or(text.len(), |n| at + n);
    (start < end).then(|| (&text[start..end], start))
}

fn in_query(
    db: &dyn Db,
    file: File,
    node: usize,
    body: &headwater_analysis::syntax::MappedText,
    at: TextSize,
) -> Option<Located> {
    let text: &str = &body.text;
    let located = |range: TextRange, what| Some(Located { range: body.to_source(range), what });
    let all = tokens(text);
    let token = *all.iter().filter(|t| t.range.contains_inclusive(at)).max_by_key(|t| {
        (
            matches!(t.kind, TokenKind::Word | TokenKind::Quoted | TokenKind::Output | TokenKind::Control),
            t.range.start(),
        )
    })?;
    match token.kind {
        TokenKind::Output | TokenKind::Control => return in_tag(text, at, body),
        TokenKind::Word | TokenKind::Quoted => {}
        _ => return None,
    }
    let offset = body.to_source(token.range).start();
    let mention = mentions(db, file).into_iter().find(|m| {
        m.name.map_or(m.range.contains(offset), |n| {
            n.contains_inclusive(offset) || n.start() == offset + TextSize::from(1)
        })
    });
    if let Some(mention) = mention {
        return Some(Located {
            range: mention.name.unwrap_or(mention.range),
            what: What::Column(mention.column),
        });
    }
    let word = token.text(text);
    let next = all.iter().find(|t| t.range.start() >= token.range.end());
    let is_call = next.is_some_and(|t| t.is_sign(text, "(")) && token.kind == TokenKind::Word;
    if is_call && headwater_catalog::find(word).is_some() {
        return located(token.range, What::Function(word.to_owned()));
    }
    let own = selected(db, file, node).into_iter().find(|s| {
        s.is_alias
            && s.focus
                .is_some_and(|f| f.contains_inclusive(offset) || f.start() == offset + TextSize::from(1))
    });
    if let Some(own) = own {
        let column = ColumnVertex { vertex: Vertex { file, node: Some(node) }, column: own.name };
        return Some(Located { range: own.focus?, what: What::Column(column) });
    }
    let variant = semantics::variant_at(text, token.range.start())?;
    let tree = headwater_analysis::syntax::sql::parse(&variant)?;
    in_tree(&variant, &tree, token, text).and_then(|(range, what)| located(range, what)).map(|mut located| {
        // Names of the query lead to places of the query.
        if let What::Local { definition, .. } = &mut located.what {
            *definition = body.to_source(*definition);
        }
        located
    })
}

fn in_tree(variant: &str, tree: &semantics::Tree, token: Token, text: &str) -> Option<(TextRange, What)> {
    let root = tree.root_node();
    let (start, end) = (usize::from(token.range.start()), usize::from(token.range.end()));
    let node = innermost(root, start, end)?;
    let name = token.text(text).trim_matches(['`', '"']).to_owned();
    // `AS` beside an alias of that name is no mention of it, and neither is the unit of an interval.
    let may_be_name = token.kind != TokenKind::Word || ast::Kind::of(node) == ast::Kind::Identifier;
    if !may_be_name && crate::sql_context::is_structural(&name) {
        return None;
    }
    let mut around = Some(node);
    while let Some(at) = around {
        match ast::Kind::of(at) {
            ast::Kind::Setting => {
                let is_setting = headwater_catalog::setting(&name).is_some();
                return is_setting.then_some((token.range, What::Setting { name, is_merge_tree: false }));
            }
            ast::Kind::FormatClause => return Some((token.range, What::Format(name))),
            ast::Kind::DataType => return Some((token.range, What::Type(name))),
            ast::Kind::TableName => {
                let found = definition_of(root, token.range.start(), variant, &name)?;
                return Some((token.range, What::Local { name, definition: found, is_query: true }));
            }
            ast::Kind::Cte | ast::Kind::ScalarCte
                if definition_name(at, variant).is_some_and(|(n, r)| n == name && r == token.range) =>
            {
                let is_query = ast::Kind::of(at) == ast::Kind::Cte;
                return Some((token.range, What::Local { name, definition: token.range, is_query }));
            }
            ast::Kind::SelectQuery => break,
            _ => {}
        }
        around = at.parent();
    }
    if !may_be_name {
        return None;
    }
    // An alias of the same SELECT, or a scalar of WITH.
    let alias = alias_of(node, variant, &name)
        .or_else(|| definition_of(root, token.range.start(), variant, &name))?;
    Some((token.range, What::Local { name, definition: alias, is_query: false }))
}

/// The innermost node that holds these bytes.
pub(crate) fn innermost(root: ast::Node<'_>, start: usize, end: usize) -> Option<ast::Node<'_>> {
    root.descendants().filter(|n| n.start_byte() <= start && end <= n.end_byte()).last()
}

fn definition_name(node: ast::Node<'_>, text: &str) -> Option<(String, TextRange)> {
    let name = ast::Cte::cast(node).and_then(|c| c.plain_name(text));
    let name = name.or_else(|| ast::ScalarCte::cast(node).and_then(|c| c.plain_name(text)))?;
    Some((name.value, name.range))
}

fn definition_of(root: ast::Node<'_>, at: TextSize, text: &str, name: &str) -> Option<TextRange> {
    ast::definitions_at(root, at, text).into_iter().find_map(|d| {
        let plain = d.plain_name(text)?;
        (plain.value == name).then_some(plain.range)
    })
}

/// The place of an alias that the SELECT around a node defines.
fn alias_of(node: ast::Node<'_>, text: &str, name: &str) -> Option<TextRange> {
    let mut around = Some(node);
    while let Some(at) = around {
        if let Some(select) = ast::SelectQuery::cast(at) {
            let items =
                ast::descendants::<ast::SelectItem<'_>>(select.node()).filter_map(|i| i.plain_name(text));
            let others = ast::descendants::<ast::AliasedExpression<'_>>(select.node())
                .filter_map(|a| a.plain_name(text));
            let tables =
                ast::descendants::<ast::TableRef<'_>>(select.node()).filter_map(|t| t.plain_name(text));
            if let Some(found) = items.chain(others).chain(tables).find(|n| n.value == name) {
                return Some(found.range);
            }
        }
        around = at.parent();
    }
    None
}

/// In a tag of a template: a parameter, a function.
fn in_tag(text: &str, at: TextSize, body: &headwater_analysis::syntax::MappedText) -> Option<Located> {
    let tree = template::parse(text);
    let found = template::parameters(text, &tree).into_iter().find(|p| p.range.contains_inclusive(at));
    if let Some(parameter) = found {
        let quoted = text[parameter.range].starts_with(['\'', '"']);
        let range = if quoted { inner(parameter.range) } else { parameter.range };
        return Some(Located { range: body.to_source(range), what: What::Parameter(parameter.name) });
    }
    let (word, start) = word_around(text, usize::from(at))?;
    let range = body.to_source(TextRange::at(TextSize::of(&text[..start]), TextSize::of(word)));
    if crate::template_docs::find(word).is_some() && text[start + word.len()..].trim_start().starts_with('(')
    {
        return Some(Located { range, what: What::TemplateFunction(word.to_owned()) });
    }
    let secret = crate::secrets::in_text(text).into_iter().find(|(name, at)| *name == word && *at == start);
    if secret.is_some() {
        return Some(Located { range, what: What::Secret(word.to_owned()) });
    }
    None
}
