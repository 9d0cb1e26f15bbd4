//! The state of an analysis: scopes from outer to inner, and what was found so far.

use std::sync::Arc;

use headwater_catalog::Type;
use headwater_syntax::TextRange;
use headwater_syntax::sql::ast::{AstNode as _, Expression, Literal, Query};
use rustc_hash::{FxBuildHasher, FxHashMap, FxHashSet};

use super::{
    BaseColumn, Expansion, Facts, Fault, FaultKind, Relation, Source, StarColumn, Tables, Use, UseKind,
};

/// Nesting beyond this is not followed: what is deeper is unknown.
pub(super) const MAX_DEPTH: usize = 128;

/// Columns that the stars of one text may stand for. Ten tables of a thousand columns joined are ten thousand.
pub(super) const MAX_EXPANSION: usize = 50_000;

/// Expressions and mentions of columns that a query of usual size has, so that nothing has to grow for one.
const USUAL: usize = 28;

/// A value: what an expression gives.
#[derive(Debug, Clone, Default)]
pub(super) struct Value {
    /// Its type, if it is known.
    pub(super) ty: Option<Type>,
    /// The types that it has in one request or another, when it is not the same in all.
    pub(super) either: Option<Arc<[Type]>>,
    /// What it is, if it is a literal.
    pub(super) constant: Option<Literal>,
    /// Whether it is the same for every row; `None` when that is not known. What comes out of a subquery in FROM never is,
    /// to the engine.
    pub(super) is_constant: Option<bool>,
    /// The base columns that it is computed from, sorted.
    pub(super) sources: Arc<[Source]>,
    /// What it is to `GROUP BY`.
    pub(super) term: Term,
}

impl Value {
    /// A value of which nothing is known.
    pub(super) fn unknown() -> Self {
        Self::default()
    }
}

/// Index into [`Analyzer::terms`]. The first is the unknown one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub(super) struct Term(pub(super) usize);

/// An expression as `GROUP BY` sees it: equal ones have equal keys, whatever aliases they were written with.
#[derive(Debug, Clone)]
pub(super) struct TermData {
    pub(super) key: u64,
    pub(super) kind: TermKind,
    pub(super) children: Vec<Term>,
    pub(super) range: TextRange,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum TermKind {
    /// Nothing is known about it.
    Unknown,
    /// The same for every row.
    Constant,
    /// A column of a table of the scope, by its name.
    Column(String),
    /// A call of a function that is no aggregate.
    Call,
    /// A call of an aggregate function, by name.
    Aggregate(String),
    /// A function over a window; its aggregate sees rows that are grouped already.
    Window,
}

/// A table of a `FROM`.
#[derive(Debug, Clone)]
pub(super) struct ScopeTable {
    /// What it is called: its alias, or its name.
    pub(super) name: Option<String>,
    /// The name of a table that has an alias as well: both can be said.
    pub(super) own_name: Option<String>,
    /// What stands before the dot of its name.
    pub(super) database: Option<String>,
    /// Its columns.
    pub(super) relation: Arc<Relation>,
    /// Whether its columns are base columns: it is a table of the project, by the name that the query says.
    pub(super) base: Option<(Option<String>, String)>,
}

impl ScopeTable {
    /// Whether `name` means this table.
    pub(super) fn is_called(&self, name: &str) -> bool {
        self.name.as_deref() == Some(name) || self.own_name.as_deref() == Some(name)
    }
}

/// An expression with a name.
#[derive(Debug, Clone)]
pub(super) struct Alias<'t> {
    pub(super) expression: Expression<'t>,
    pub(super) state: AliasState,
    /// How many queries the engine counts in it.
    pub(super) subqueries: usize,
    /// Whether its name was met: the engine looks at what it means once more then.
    pub(super) is_used: bool,
}

impl<'t> Alias<'t> {
    /// One that was not looked at.
    pub(super) fn new(expression: Expression<'t>) -> Self {
        Self { expression, state: AliasState::New, subqueries: 0, is_used: false }
    }
}

#[derive(Debug, Clone)]
pub(super) enum AliasState {
    New,
    /// Its expression is being looked at: its own name in it means a column.
    Open,
    Known(Box<Value>),
}

/// A query with a name.
#[derive(Debug, Clone)]
pub(super) struct Cte<'t> {
    pub(super) name: String,
    pub(super) query: Option<Query<'t>>,
    pub(super) columns: Option<Vec<String>>,
    pub(super) is_recursive: bool,
    pub(super) relation: Option<Arc<Relation>>,
    /// How many queries the engine counts each time that it is read: itself, and those in it.
    pub(super) subqueries: usize,
}

/// What the names in one `SELECT` may mean.
#[derive(Debug, Default)]
pub(super) struct Scope<'t> {
    pub(super) tables: Vec<ScopeTable>,
    /// Columns of `USING`: their value, and the tables that have them.
    pub(super) using: FxHashMap<String, Value>,
    /// Their names, in order: a star shows them first.
    pub(super) using_order: Vec<String>,
    /// Columns that `ARRAY JOIN` puts in the place of arrays, by the path that they are called with.
    pub(super) unfolded: FxHashMap<String, Value>,
    pub(super) aliases: FxHashMap<String, Alias<'t>>,
    pub(super) ctes: Vec<Cte<'t>>,
    /// Parameters of the lambdas around what is looked at.
    pub(super) parameters: Vec<(String, Value)>,
    pub(super) windows: Vec<String>,
    /// Whether every table is joined by `JOIN`, and there are more than two: then no table is preferred.
    pub(super) is_strict: bool,
    /// Whether names may mean columns of the scopes around.
    pub(super) sees_outer_columns: bool,
}

pub(super) struct Analyzer<'t> {
    pub(super) text: &'t str,
    pub(super) provider: &'t dyn Tables,
    pub(super) scopes: Vec<Scope<'t>>,
    pub(super) terms: Vec<TermData>,
    /// What the mentions are for.
    pub(super) purpose: UseKind,
    /// How the engine calls columns, where that is not what the text says, and queries in the place of values: by the
    /// node's start.
    pub(super) column_names: FxHashMap<usize, String>,
    /// How the engine calls paths into JSON, by start and end.
    pub(super) paths: FxHashMap<(usize, usize), String>,
    /// How many queries the engine has counted so far. It calls one without a name by its number.
    pub(super) subqueries: usize,
    /// Names in front of the lambda that is looked at next, which are parameters of it.
    pub(super) parameters_before: Vec<String>,
    pub(super) depth: usize,
    /// How many queries are around what is looked at.
    pub(super) nesting: usize,
    pub(super) expanded: usize,
    /// Above zero faults are not kept: the engine does not look at this part either.
    pub(super) silent: usize,
    /// What an editor asks about one place.
    pub(super) probe: Option<Box<super::probe::Probe>>,
    pub(super) bases: Bases,
    pub(super) facts: Facts,
    uses: FxHashSet<Use>,
}

impl<'t> Analyzer<'t> {
    pub(super) fn new(text: &'t str, provider: &'t dyn Tables) -> Self {
        let unknown =
            TermData { key: 0, kind: TermKind::Unknown, children: Vec::new(), range: TextRange::default() };
        let mut terms = Vec::with_capacity(USUAL);
        terms.push(unknown);
        Self {
            text,
            provider,
            scopes: Vec::new(),
            terms,
            purpose: UseKind::Value,
            column_names: FxHashMap::with_capacity_and_hasher(USUAL, FxBuildHasher),
            paths: FxHashMap::default(),
            subqueries: 0,
            parameters_before: Vec::new(),
            depth: 0,
            nesting: 0,
            expanded: 0,
            silent: 0,
            probe: None,
            bases: Bases::default(),
            facts: Facts::default(),
            uses: FxHashSet::with_capacity_and_hasher(USUAL, FxBuildHasher),
        }
    }

    /// What was found, with lists in order of position.
    pub(super) fn finish(mut self) -> Facts {
        let mut uses: Vec<_> = self.uses.into_iter().collect();
        uses.sort_unstable_by_key(|u| (u.range.start(), u.range.end(), u.base, u.kind, u.is_name));
        self.facts.uses = uses;
        self.facts.faults.sort_by_key(|f| (f.range.start(), f.range.end()));
        self.facts.faults.dedup();
        self.facts.stars.sort_by_key(|star| star.range.start());
        self.facts
    }

    /// Notes what a star stands for. One that stands for different columns when it is looked at again is left out.
    pub(super) fn star_expansion(&mut self, range: TextRange, columns: Vec<StarColumn>) {
        match self.facts.stars.iter_mut().find(|star| star.range == range) {
            Some(known) if known.columns != columns => known.columns.clear(),
            Some(_) => {}
            None => self.facts.stars.push(Expansion { range, columns }),
        }
    }

    pub(super) fn fault(&mut self, range: TextRange, kind: FaultKind) {
        if self.silent == 0 {
            self.facts.faults.push(Fault { range, kind, needs_request: false });
        }
    }

    /// How many faults were found so far.
    pub(super) fn fault_count(&self) -> usize {
        self.facts.faults.len()
    }

    /// Faults that were found behind the first `since`.
    pub(super) fn faults_since(&self, since: usize) -> impl Iterator<Item = &Fault> {
        self.facts.faults.iter().skip(since)
    }

    /// The same, to be changed.
    pub(super) fn faults_since_mut(&mut self, since: usize) -> impl Iterator<Item = &mut Fault> {
        self.facts.faults.iter_mut().skip(since)
    }

    /// Faults of comparisons behind the first `since` show when rows come, or never. Lists of `IN` are read before, unless
    /// `with_sets`.
    pub(super) fn soften_faults(&mut self, since: usize, with_sets: bool) {
        for fault in self.facts.faults.iter_mut().skip(since) {
            match &mut fault.kind {
                FaultKind::Comparison { is_certain, .. } | FaultKind::Called { is_certain, .. } => {
                    *is_certain = false;
                }
                FaultKind::UnreadableText { is_certain, is_set, .. } if with_sets || !*is_set => {
                    *is_certain = false;
                }
                _ => {}
            }
        }
    }

    /// Takes back faults that were found behind the first `since`.
    pub(super) fn forget_faults(&mut self, since: usize, is_meant: impl Fn(&FaultKind) -> bool) {
        let last = self.facts.faults.split_off(since.min(self.facts.faults.len()));
        self.facts.faults.extend(last.into_iter().filter(|fault| !is_meant(&fault.kind)));
    }

    /// The number of a base column.
    pub(super) fn base(&mut self, base: BaseColumn) -> usize {
        let BaseColumn { database, table, column } = base;
        self.bases.number(&mut self.facts.bases, database.as_deref(), &table, &column)
    }

    /// Notes that the text mentions what is made of these.
    pub(super) fn mention(&mut self, range: TextRange, sources: &[Source], is_name: bool) {
        let kind = self.purpose;
        self.uses.extend(sources.iter().map(|s| Use { range, base: s.base, kind, is_name }));
    }

    /// Looks at something for another purpose.
    pub(super) fn for_purpose<R>(&mut self, purpose: UseKind, look: impl FnOnce(&mut Self) -> R) -> R {
        let before = std::mem::replace(&mut self.purpose, purpose);
        let result = look(self);
        self.purpose = before;
        result
    }

    /// Goes one level down, if there is one left.
    pub(super) fn deeper<R>(&mut self, look: impl FnOnce(&mut Self) -> R) -> Option<R> {
        if self.depth >= MAX_DEPTH {
            return None;
        }
        self.depth += 1;
        let result = look(self);
        self.depth -= 1;
        Some(result)
    }

    pub(super) fn scope(&mut self) -> &mut Scope<'t> {
        if self.scopes.is_empty() {
            self.scopes.push(Scope::default());
        }
        let last = self.scopes.len() - 1;
        &mut self.scopes[last]
    }

    pub(super) fn term(&mut self, kind: TermKind, key: u64, children: Vec<Term>, range: TextRange) -> Term {
        self.terms.push(TermData { key, kind, children, range });
        Term(self.terms.len() - 1)
    }

    pub(super) fn key(&self, term: Term) -> u64 {
        self.terms[term.0].key
    }

    /// A value that is the same in every row.
    pub(super) fn constant(
        &mut self,
        ty: Option<Type>,
        constant: Option<Literal>,
        range: TextRange,
    ) -> Value {
        // Of a value that is not known, no other is known to be equal.
        let key = constant.as_ref().map_or_else(|| self.unique(), literal_key);
        let term = self.term(TermKind::Constant, key, Vec::new(), range);
        Value { ty, constant, either: None, is_constant: Some(true), sources: Arc::new([]), term }
    }

    /// Counts a query in the place of a value, and names it.
    pub(super) fn count_query(&mut self, query: Query<'t>) {
        self.subqueries += 1;
        let name = format!("_subquery_{}", self.subqueries);
        self.column_names.entry(query.range().start().into()).or_insert(name);
    }

    /// A key that nothing else has.
    pub(super) fn unique(&self) -> u64 {
        hash(&("unique", self.terms.len()))
    }
}

/// Base columns by their number. They are met again and again, and copied when they are met first.
#[derive(Default)]
pub(super) struct Bases(FxHashMap<u64, Vec<usize>>);

impl Bases {
    /// The number of a column, which is its place among those that are known.
    pub(super) fn number(
        &mut self,
        known: &mut Vec<BaseColumn>,
        database: Option<&str>,
        table: &str,
        column: &str,
    ) -> usize {
        let same = self.0.entry(hash(&(database, table, column))).or_default();
        let is_it = |n: &&usize| {
            let base = &known[**n];
            base.column == column && base.table == table && base.database.as_deref() == database
        };
        if let Some(number) = same.iter().find(is_it) {
            return *number;
        }
        same.push(known.len());
        let database = database.map(str::to_owned);
        known.push(BaseColumn { database, table: table.to_owned(), column: column.to_owned() });
        known.len() - 1
    }
}

/// The key of a literal: equal ones are equal to `GROUP BY`.
fn literal_key(literal: &Literal) -> u64 {
    match literal {
        Literal::Null => hash(&("constant", 0)),
        Literal::Boolean(value) => hash(&("constant", 1, value)),
        Literal::Integer(value) => hash(&("constant", 2, value)),
        Literal::Float(value) => hash(&("constant", 3, value.to_bits())),
        Literal::String(value) => hash(&("constant", 4, value)),
        Literal::Bytes(value) => hash(&("constant", 5, value)),
    }
}

/// A number for something, the same each time.
pub(super) fn hash(value: &impl std::hash::Hash) -> u64 {
    use std::hash::Hasher as _;
    let mut hasher = rustc_hash::FxHasher::default();
    value.hash(&mut hasher);
    hasher.finish()
}

/// The sources of a value that is computed from several.
pub(super) fn computed_from<'a>(values: impl Iterator<Item = &'a Value>) -> Arc<[Source]> {
    let mut all: Vec<Source> = Vec::new();
    for value in values {
        all.extend(value.sources.iter().map(|s| Source { base: s.base, is_copy: false }));
    }
    all.sort_unstable();
    all.dedup();
    all.into()
}
