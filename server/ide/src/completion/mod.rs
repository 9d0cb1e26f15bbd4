//! Completion: what may stand at the cursor, the likeliest first.
//!
//! The file is read once more with a name in the cursor's place ([`Cursor`]), so that broken text has a shape. Every
//! kind of place has its file here; this one ranks what they offer.

mod directives;
mod functions;
mod schema;
mod sql;
mod tables;
mod template;
mod tests_yaml;
mod values;

use headwater_analysis::{Db, Directive, File, Project, TextRange, TextSize, access};
use headwater_catalog::Topic;

use crate::cursor::{Cursor, Place};

pub(crate) use sql::written;
pub use values::DECLARED_SETS;

/// Something that may stand at the cursor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CompletionItem {
    /// What is shown.
    pub label: String,
    /// What it is.
    pub kind: CompletionKind,
    /// A type, a signature.
    pub detail: Option<String>,
    /// Where it is from.
    pub origin: Option<String>,
    /// What is written; of a snippet with places `${1:x}`.
    pub insert: String,
    /// Whether `insert` is a snippet.
    pub is_snippet: bool,
    /// What is replaced.
    pub replace: TextRange,
    /// What typed letters are held against, where that is not the label.
    pub filter: Option<String>,
    /// Where more can be read about it: what [`documentation`] takes.
    pub doc: Option<String>,
    /// How likely it is to be meant, before the typed letters count. Higher is likelier.
    pub relevance: u16,
    /// Whether one would want to choose again right behind it.
    pub continues: bool,
    /// Struck through.
    pub is_deprecated: bool,
}

/// What an item is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[allow(missing_docs, reason = "named as people name them")]
pub enum CompletionKind {
    Directive,
    Value,
    Column,
    Alias,
    Table,
    Node,
    Function,
    Keyword,
    Type,
    Setting,
    Parameter,
    Variable,
    Secret,
    Connection,
    Token,
    Path,
    Key,
    Snippet,
}

/// What can be completed at a place.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Completions {
    /// Best first.
    pub items: Vec<CompletionItem>,
    /// Whether there is more, so that further letters should be asked about again.
    pub is_incomplete: bool,
}

/// More items than this help nobody; what is left out comes back with the next letter.
const MAX_ITEMS: usize = 150;

/// What may stand at `offset`. Costs a parse of the file's lines and, in SQL, an analysis of one node.
pub fn completion(db: &dyn Db, file: File, offset: TextSize) -> Completions {
    if access::is_test(db, file) {
        return ranked(tests_yaml::complete(db, file, offset), &file.text(db));
    }
    let Some(cursor) = Cursor::read(db, file, offset) else { return Completions::default() };
    let mut out = Items { list: Vec::new(), replace: cursor.word };
    match &cursor.place {
        Place::Name { inside } => {
            directives::complete(&cursor, *inside, &mut out);
            // Content of a block may begin at column 0.
            if let Some(Directive::Sql) = inside {
                sql_in_block(db, file, &cursor, &mut out);
            }
        }
        Place::Value { directive, argument, body, at } => {
            values::complete(db, file, &cursor, *directive, *argument, (&body.text, *at), &mut out);
        }
        Place::Block { directive, body, at } => match directive {
            Directive::Sql => sql::complete(db, file, &cursor, (&body.text, *at), &mut out),
            Directive::Schema => schema::complete(db, file, &cursor, (&body.text, *at), &mut out),
            _ => values::complete(db, file, &cursor, *directive, 0, (&body.text, *at), &mut out),
        },
        Place::Nowhere => {}
    }
    ranked(out.list, &file.text(db))
}

/// SQL at column 0 of its block.
fn sql_in_block(db: &dyn Db, file: File, cursor: &Cursor, out: &mut Items) {
    let nodes = cursor.marked.nodes();
    let Some((entry, body)) = cursor.node.and_then(|n| nodes.get(n)).and_then(|n| n.sql()) else { return };
    if entry.source == 0
        && let Some(at) = body.offset_from_source(cursor.offset)
    {
        sql::complete(db, file, cursor, (&body.text, at), out);
    }
}

/// Where the files of this directory collect what they offer.
pub(crate) struct Items {
    list: Vec<CompletionItem>,
    replace: TextRange,
}

impl Items {
    /// Adds an item and gives it back, for its details.
    fn add(&mut self, label: impl Into<String>, kind: CompletionKind, relevance: u16) -> &mut CompletionItem {
        let label = label.into();
        self.list.push(CompletionItem {
            insert: label.clone(),
            label,
            kind,
            detail: None,
            origin: None,
            is_snippet: false,
            replace: self.replace,
            filter: None,
            doc: None,
            relevance,
            continues: false,
            is_deprecated: false,
        });
        let last = self.list.len() - 1;
        &mut self.list[last]
    }
}

impl CompletionItem {
    fn detail(&mut self, text: impl Into<String>) -> &mut Self {
        self.detail = Some(text.into());
        self
    }

    fn origin(&mut self, text: impl Into<String>) -> &mut Self {
        self.origin = Some(text.into());
        self
    }

    fn insert(&mut self, text: impl Into<String>) -> &mut Self {
        self.insert = text.into();
        self
    }

    fn snippet(&mut self, text: impl Into<String>) -> &mut Self {
        self.is_snippet = true;
        self.insert(text)
    }

    fn filter(&mut self, text: impl Into<String>) -> &mut Self {
        self.filter = Some(text.into());
        self
    }

    fn doc(&mut self, key: impl Into<String>) -> &mut Self {
        self.doc = Some(key.into());
        self
    }
}

/// Sorts by what was typed, then by relevance; drops what does not fit, and what is there twice.
fn ranked(items: Vec<CompletionItem>, text: &str) -> Completions {
    let mut scored: Vec<(u8, std::cmp::Reverse<u16>, usize, CompletionItem)> = items
        .into_iter()
        .enumerate()
        .filter_map(|(n, item)| {
            let typed = text.get(std::ops::Range::from(item.replace)).unwrap_or_default();
            let held = item.filter.as_deref().unwrap_or(&item.label);
            Some((fit(held, typed)?, std::cmp::Reverse(item.relevance), n, item))
        })
        .collect();
    scored.sort_by(|a, b| {
        (a.0, a.1)
            .cmp(&(b.0, b.1))
            .then_with(|| a.3.label.len().cmp(&b.3.label.len()).then_with(|| (a.2).cmp(&b.2)))
    });
    let mut out = Completions::default();
    let mut seen = rustc_hash::FxHashSet::default();
    for (_, _, _, mut item) in scored {
        if !seen.insert((item.label.clone(), item.kind)) {
            continue;
        }
        if out.items.len() == MAX_ITEMS {
            out.is_incomplete = true;
            break;
        }
        if item.kind == CompletionKind::Function && item.detail.is_none() {
            functions::describe(&mut item);
        }
        out.items.push(item);
    }
    out
}

/// How well what was typed fits a name; lower is better. Prefixes first, then beginnings of its words, then letters
/// in the middle, then letters in order.
pub(crate) fn fit(name: &str, typed: &str) -> Option<u8> {
    if typed.is_empty() {
        return Some(0);
    }
    let wanted = typed.to_lowercase();
    if begins(name, &wanted) || begins(name.trim_start_matches(['`', '"', '\'', '@', '$', '_']), &wanted) {
        return Some(0);
    }
    if words_begin_with(name, &wanted) {
        return Some(1);
    }
    if name.char_indices().any(|(at, _)| begins(&name[at..], &wanted)) {
        return Some(2);
    }
    let mut rest = name.chars().flat_map(char::to_lowercase);
    wanted.chars().all(|w| rest.any(|c| c == w)).then_some(3).filter(|_| wanted.len() > 1)
}

/// Whether a text begins with `wanted`, which is in lower case. Thousands of names are asked for each letter.
fn begins(text: &str, wanted: &str) -> bool {
    let mut letters = text.chars().flat_map(char::to_lowercase);
    wanted.chars().all(|w| letters.next() == Some(w))
}

/// `tsh` begins the words of `toStartOfHour`, `pc` those of `page_count`; `count` one of them.
fn words_begin_with(name: &str, wanted: &str) -> bool {
    let mut initials = String::new();
    let mut previous = '_';
    for (at, c) in name.char_indices() {
        let is_start = c.is_alphanumeric()
            && (!previous.is_alphanumeric() || c.is_uppercase() && previous.is_lowercase());
        if is_start {
            if begins(&name[at..], wanted) {
                return true;
            }
            initials.extend(c.to_lowercase());
        }
        previous = c;
    }
    wanted.len() > 1 && {
        let mut rest = initials.chars();
        wanted.chars().all(|w| rest.any(|c| c == w))
    }
}

/// Reads what the first completion needs of the catalog, some 10 ms of work: for a thread that has nothing else to do.
pub fn prefetch() {
    headwater_catalog::syntax("count");
}

/// Markdown for an item's `doc`. Reads the catalog, which may take a millisecond.
pub fn documentation(db: &dyn Db, project: Project, key: &str) -> Option<String> {
    let (kind, name) = key.split_once(':')?;
    let topic = match kind {
        "directive" => return Directive::named(name).map(crate::directives_help::markdown),
        "template" => return crate::template_docs::find(name).map(|f| f.markdown()),
        "table" => {
            let file = headwater_analysis::names(db, project).table(name)?;
            let vertex = headwater_analysis::flow::output(db, file);
            return Some(crate::hover::resource(db, vertex));
        }
        "connection" => {
            let file = headwater_analysis::resolve_connection(headwater_analysis::names(db, project), name)?;
            return Some(crate::hover::resource(db, headwater_analysis::flow::output(db, file)));
        }
        "function" => return headwater_catalog::find(name)?.documentation(),
        "type" => Topic::Type,
        "engine" => Topic::TableEngine,
        "tablefunction" => Topic::TableFunction,
        "setting" => Topic::Setting,
        "mergetree" => Topic::MergeTreeSetting,
        "format" => Topic::Format,
        "codec" => Topic::Codec,
        "index" => Topic::SkippingIndex,
        _ => return None,
    };
    headwater_catalog::documentation(topic, name)
}

#[cfg(test)]
mod tests;
