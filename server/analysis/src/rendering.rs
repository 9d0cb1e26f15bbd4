//! Trees of nodes: of their templates, and of the texts that requests make of them.
//!
//! They are a function of a node's text and of nothing else, and take several times its size. So they are no part of
//! the database: what was used last is remembered up to a number of bytes, and the rest is made again when somebody asks.

use std::ops::Deref;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use hashlink::LinkedHashMap;
use headwater_syntax::sql::{self, SyntaxError, ast};
use headwater_syntax::template::{self, Arm, Piece, Template};
use headwater_syntax::{TextRange, TextSize};
use headwater_template::{Given, Made, Parameters, Prepared, Request, Secrets, SourceMap, Witness};
use rustc_hash::FxBuildHasher;

use crate::query::Facts;

/// One text of a node's query, as a request makes it.
pub struct Rendering {
    /// The request.
    pub witness: Witness,
    /// The query.
    pub text: Arc<str>,
    pub(crate) tree: sql::Tree,
    origin: Origin,
    /// The node's query is no template.
    is_plain: bool,
    errors: OnceLock<Box<[SyntaxError]>>,
}

/// Where a rendering's text comes from.
enum Origin {
    /// Its offsets are those of the node's text.
    Same,
    /// A template made it.
    Template {
        map: SourceMap,
        /// Places in the template whose value the witness made up.
        made_up: Vec<TextRange>,
    },
}

/// A place of a rendering in the node's text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// In offsets of the node's text.
    pub range: TextRange,
    /// Whether a value that the witness made up stands there: another value may be as good and another name.
    pub is_made_up: bool,
}

impl Rendering {
    /// Every `SELECT` of the text, outer before inner.
    pub(crate) fn selects(&self) -> impl Iterator<Item = ast::SelectQuery<'_>> {
        ast::descendants(self.tree.root_node())
    }

    /// Whether the names of the columns stand in the node's text, so that every request gives the same.
    pub(crate) fn names_columns(&self, facts: &Facts) -> bool {
        let Origin::Template { map, .. } = &self.origin else { return true };
        let is_literal = |range: TextRange| {
            let segments = map.segments();
            let first = segments.partition_point(|s| s.output.end() <= range.start());
            let mut touched = segments[first..].iter().take_while(|s| s.output.start() < range.end());
            touched.all(|s| s.made == Made::Literal)
        };
        facts.columns.iter().all(|column| {
            let item = self.text[column.range].trim_end_matches(['`', '"']);
            let alias = column.name.as_deref().filter(|name| item.ends_with(name)).map(|name| {
                let end = column.range.start() + TextSize::of(item);
                TextRange::new(end - TextSize::of(name), end)
            });
            is_literal(column.range) || alias.is_some_and(is_literal)
        })
    }

    /// Whether the text is what the engine would get for the witness, to the letter. A template that does not render
    /// without secrets or undecided conditions is analysed as it stands.
    pub fn is_query(&self) -> bool {
        matches!(self.origin, Origin::Template { .. }) || self.is_plain
    }

    /// Whether its text is what one request gets.
    pub(crate) fn is_request(&self) -> bool {
        self.is_query() && self.witness.undecided.is_empty()
    }

    /// The text that a request makes of a template; `None` when it makes none, or one that is too large to be looked at.
    pub(crate) fn at(text: &str, template: &Template, passed: &[(String, Given)]) -> Option<Self> {
        let prepared = Prepared::of(text, template).ok()?;
        let (sql, origin) = rendered(&prepared, passed.iter().map(|(name, value)| (name.as_str(), value)))?;
        let tree = sql::parse(&sql)?;
        let (witness, errors) = (Witness::default(), OnceLock::new());
        Some(Self { witness, text: sql.into(), tree, origin, is_plain: false, errors })
    }

    /// Whether values that the witness made up stand in it.
    pub fn has_made_up(&self) -> bool {
        matches!(&self.origin, Origin::Template { made_up, .. } if !made_up.is_empty())
    }

    /// Whether something in it does not parse.
    pub fn is_broken(&self) -> bool {
        self.tree.has_error()
    }

    /// Where the engine's parser refuses this text. Nothing is said of one whose outputs are not known.
    pub(crate) fn syntax_errors(&self) -> &[SyntaxError] {
        if !self.is_query() {
            return &[];
        }
        self.errors.get_or_init(|| sql::errors(&self.text, &self.tree).into())
    }

    /// A place of this text in the node's own.
    pub fn to_node(&self, range: TextRange) -> Place {
        match &self.origin {
            Origin::Same => Place { range, is_made_up: false },
            Origin::Template { map, made_up } => {
                let source = map.to_source(range);
                let is_value = |at: TextSize| map.segment_at(at).is_some_and(|s| s.made != Made::Literal);
                let touches = made_up.iter().any(|m| source.contains_range(*m) || m.contains_range(source));
                let is_made_up = touches
                    && (is_value(range.start())
                        || is_value(range.end().max(TextSize::from(1)) - TextSize::from(1)));
                Place { range: source, is_made_up }
            }
        }
    }

    /// The place in the node's text of what stands there in the same words; `None` when a tag made some of it.
    pub(crate) fn literal(&self, range: TextRange) -> Option<TextRange> {
        match &self.origin {
            Origin::Same => Some(range),
            Origin::Template { map, .. } => {
                let segment = map.segment_at(range.start())?;
                let is_literal = segment.made == Made::Literal && segment.output.contains_range(range);
                is_literal.then(|| range - segment.output.start() + segment.source.start())
            }
        }
    }

    /// Whether something of `body`, a part of the node's text, is in this text.
    fn takes(&self, body: TextRange) -> bool {
        match &self.origin {
            // All that is not taken is blank.
            Origin::Same => self.text.get(std::ops::Range::from(body)).is_some_and(|t| !t.trim().is_empty()),
            Origin::Template { map, .. } => map.segments().iter().any(|s| body.contains_range(s.source)),
        }
    }

    fn size(&self) -> usize {
        let origin = match &self.origin {
            Origin::Same => 0,
            Origin::Template { map, made_up } => size_of_val(map.segments()) + size_of_val(&**made_up),
        };
        size_of::<Self>() + self.text.len() + self.tree.size() + origin
    }
}

/// The texts of a node; none when it is too large to be looked at.
#[derive(Default)]
pub struct Renderings {
    all: Vec<Rendering>,
    /// Whether everything that the node's text says is in one of them.
    pub(crate) is_whole: bool,
}

impl Deref for Renderings {
    type Target = [Rendering];

    fn deref(&self) -> &[Rendering] {
        &self.all
    }
}

impl Renderings {
    /// A template is rendered for the witness of each of its arms, so that what is analysed is what the engine gets. Where
    /// the request cannot be had (a condition depends on more than parameters, or the render fails) the variant's own
    /// text serves, with output tags that may be anything.
    fn of(text: &Arc<str>, tree: Option<&Template>) -> Self {
        let mut out: Vec<Rendering> = Vec::new();
        let is_plain = tree.is_none();
        let mut push = |witness: Witness, text: Arc<str>, origin: Origin| {
            if out.iter().any(|r| r.text == text) {
                return;
            }
            if let Some(tree) = sql::parse(&text) {
                let errors = OnceLock::new();
                out.push(Rendering { witness, text, tree, origin, is_plain, errors });
            }
        };
        let Some(tree) = tree else {
            push(Witness::default(), text.clone(), Origin::Same);
            let is_whole = !out.is_empty();
            return Self { all: out, is_whole };
        };
        let prepared = Prepared::of(text, tree).ok();
        for variant in headwater_template::variants(text, tree).unwrap_or_default() {
            let rendered = prepared
                .as_ref()
                .filter(|_| variant.witness.undecided.is_empty())
                .and_then(|prepared| rendered(prepared, variant.witness.request()));
            match rendered {
                Some((sql, origin)) => push(variant.witness, sql.into(), origin),
                None => push(variant.witness, variant.text.into(), Origin::Same),
            }
        }
        let is_whole = !out.is_empty() && covers(&out, text, tree);
        Self { all: out, is_whole }
    }

    fn size(&self) -> usize {
        size_of::<Self>() + self.all.iter().map(Rendering::size).sum::<usize>()
    }
}

/// Whether each arm of a template is in one of its texts: not when no request takes an arm, when two arms make equal texts,
/// or when an arm prints nothing. A loop may run no round.
fn covers(all: &[Rendering], text: &str, template: &Template) -> bool {
    let mut whole = true;
    template.walk(&mut |piece| match piece {
        Piece::If { arms, .. } | Piece::Try { parts: arms, .. } => {
            let is_taken = |arm: &Arm| {
                text[arm.body_range].trim().is_empty() || all.iter().any(|r| r.takes(arm.body_range))
            };
            whole = whole && arms.iter().all(is_taken);
        }
        Piece::Loop { .. } => whole = false,
        _ => {}
    });
    whole
}

/// The query for a request.
fn rendered<'r>(
    prepared: &Prepared<'_>,
    request: impl Iterator<Item = (&'r str, &'r Given)>,
) -> Option<(String, Origin)> {
    let mut parameters = Parameters::new();
    for (name, value) in request {
        parameters.insert(name, value.to_value());
    }
    let secrets = Secrets::new();
    let rendered = prepared.render(&Request::new(&parameters, &secrets)).ok()?;
    let passed = rendered.parameters.iter().filter(|p| p.origin == headwater_template::Origin::Passed);
    let made_up = passed.map(|p| p.range).collect();
    Some((rendered.sql, Origin::Template { map: rendered.map, made_up }))
}

/// Bytes that are remembered: the nodes of some hundred files, so that a column can be renamed in what they all read
/// without parsing any of them again.
const KEPT_BYTES: usize = 16 << 20;

/// Trees by the text of the node, least recently used first. Shared by all clones of a database.
#[derive(Default)]
pub struct Memory {
    kept: Mutex<Kept>,
    made: AtomicUsize,
}

#[derive(Default)]
struct Kept {
    by_text: LinkedHashMap<Arc<str>, Entry, FxBuildHasher>,
    bytes: usize,
}

struct Entry {
    trees: Arc<Trees>,
    bytes: usize,
}

/// What is known of one text. Whoever asks first makes it, and others who ask meanwhile wait for that one.
#[derive(Default)]
struct Trees {
    template: OnceLock<Arc<Template>>,
    renderings: OnceLock<Arc<Renderings>>,
}

/// What an entry takes besides its text.
const ENTRY_BYTES: usize = 256;

/// What the tree of a template takes for each byte of its text, by estimate.
const TEMPLATE_BYTES: usize = 4;

impl Memory {
    /// The tree of a node's template.
    pub(crate) fn template(&self, text: &str) -> Arc<Template> {
        let trees = self.trees(text);
        if let Some(known) = trees.template.get() {
            return known.clone();
        }
        let made = trees.template.get_or_init(|| Arc::new(template::parse(text))).clone();
        self.charge(text, TEMPLATE_BYTES * text.len());
        made
    }

    /// The texts of a node with this text.
    pub(crate) fn renderings(&self, text: &Arc<str>) -> Arc<Renderings> {
        let trees = self.trees(text);
        if let Some(known) = trees.renderings.get() {
            return known.clone();
        }
        let mut bytes = 0;
        let made = trees.renderings.get_or_init(|| {
            let template = template::is_template(text).then(|| self.template(text));
            let made = Renderings::of(text, template.as_deref());
            self.made.fetch_add(1, Ordering::Relaxed);
            bytes = made.size();
            Arc::new(made)
        });
        self.charge(text, bytes);
        made.clone()
    }

    /// How often renderings were made.
    pub(crate) fn made(&self) -> usize {
        self.made.load(Ordering::Relaxed)
    }

    fn trees(&self, text: &str) -> Arc<Trees> {
        let mut kept = self.lock();
        if let Some(known) = kept.by_text.to_back(text) {
            return known.trees.clone();
        }
        let trees = Arc::<Trees>::default();
        let bytes = ENTRY_BYTES + text.len();
        kept.bytes += bytes;
        kept.by_text.insert(text.into(), Entry { trees: trees.clone(), bytes });
        trees
    }

    /// Notes that the entry of a text takes more, and forgets what was not used for longest.
    fn charge(&self, text: &str, bytes: usize) {
        let mut kept = self.lock();
        let kept = &mut *kept;
        // It may be forgotten already, by another thread's charge.
        if let Some(entry) = kept.by_text.get_mut(text) {
            entry.bytes += bytes;
            kept.bytes += bytes;
        }
        while kept.bytes > KEPT_BYTES
            && let Some((_, old)) = kept.by_text.pop_front()
        {
            kept.bytes -= old.bytes;
        }
    }

    fn lock(&self) -> MutexGuard<'_, Kept> {
        // What a panic leaves behind is a count that is a little off.
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_is_bounded_and_the_newest() {
        let memory = Memory::default();
        let text = |n: usize| -> Arc<str> { format!("SELECT {n}{} FROM t", ", a + b".repeat(2_000)).into() };
        for n in 0..120 {
            memory.renderings(&text(n));
            assert!(memory.lock().bytes <= KEPT_BYTES);
        }
        assert_eq!(memory.made(), 120);
        memory.renderings(&text(119));
        assert_eq!(memory.made(), 120, "the newest is there");
        memory.renderings(&text(0));
        assert_eq!(memory.made(), 121, "the oldest is not");
        let kept = memory.lock();
        assert_eq!(kept.bytes, kept.by_text.values().map(|entry| entry.bytes).sum::<usize>());
    }

    #[test]
    fn texts_beyond_all_bounds_are_made_and_not_kept() {
        let memory = Memory::default();
        let text: Arc<str> = format!("SELECT 1{}", ", a+b".repeat(190_000)).into();
        assert_eq!(memory.renderings(&text).len(), 1);
        assert_eq!(memory.lock().bytes, 0);
    }
}
