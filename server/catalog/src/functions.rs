//! Functions by name: aliases, case, combinators.

use std::sync::OnceLock;

use rustc_hash::FxHashMap;

use crate::Type;
use crate::data::{cells, section};
use crate::docs::{Topic, documentation};

/// What a function works on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// One row.
    Scalar,
    /// Many rows, and windows.
    Aggregate,
    /// Windows only.
    Window,
}

/// A line of the engine's list.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
    any_case: bool,
    alias_of: Option<&'static str>,
    deterministic: Option<bool>,
    higher_order: bool,
    introduced_in: &'static str,
    categories: &'static str,
}

/// A suffix of an aggregate function's name that changes what it does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[allow(missing_docs, reason = "named as the engine names them; `documentation` explains each")]
pub enum Combinator {
    Array,
    ArgMax,
    ArgMin,
    Distinct,
    ForEach,
    If,
    Map,
    Merge,
    MergeState,
    OrDefault,
    OrNull,
    Resample,
    SimpleState,
    State,
    Tuple,
}

impl Combinator {
    /// All of them, longer names first: the engine tries them in that order.
    pub const ALL: [Self; 15] = [
        Self::SimpleState,
        Self::MergeState,
        Self::OrDefault,
        Self::Distinct,
        Self::Resample,
        Self::ForEach,
        Self::ArgMax,
        Self::ArgMin,
        Self::OrNull,
        Self::Array,
        Self::Merge,
        Self::State,
        Self::Tuple,
        Self::Map,
        Self::If,
    ];

    /// The suffix.
    pub fn name(self) -> &'static str {
        match self {
            Self::Array => "Array",
            Self::ArgMax => "ArgMax",
            Self::ArgMin => "ArgMin",
            Self::Distinct => "Distinct",
            Self::ForEach => "ForEach",
            Self::If => "If",
            Self::Map => "Map",
            Self::Merge => "Merge",
            Self::MergeState => "MergeState",
            Self::OrDefault => "OrDefault",
            Self::OrNull => "OrNull",
            Self::Resample => "Resample",
            Self::SimpleState => "SimpleState",
            Self::State => "State",
            Self::Tuple => "Tuple",
        }
    }
}

/// A function, found by a name.
#[derive(Debug, Clone)]
pub struct Function {
    pub(crate) entry: &'static Entry,
    /// Outermost first: of `sumIfState` it is `State`, then `If`.
    pub(crate) combinators: Vec<Combinator>,
}

impl PartialEq for Function {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::eq(self.entry, other.entry) && self.combinators == other.combinators
    }
}

impl Eq for Function {}

impl Function {
    /// Its canonical name, with combinators.
    pub fn name(&self) -> String {
        let mut name = self.entry.name.to_owned();
        for combinator in self.combinators.iter().rev() {
            name.push_str(combinator.name());
        }
        name
    }

    /// The canonical name without combinators.
    pub fn base(&self) -> &'static str {
        self.entry.name
    }

    /// What it works on.
    pub fn kind(&self) -> Kind {
        self.entry.kind
    }

    /// Its combinators, outermost first.
    pub fn combinators(&self) -> &[Combinator] {
        &self.combinators
    }

    /// The fewest and the most arguments that it takes, where they are known; `None` inside is no bound. Not known of
    /// functions with combinators and of those that take lambdas.
    pub fn argument_count(&self) -> Option<(usize, Option<usize>)> {
        if !self.combinators.is_empty() || self.entry.higher_order {
            return None;
        }
        crate::table::rules(self.entry.name)?.count
    }

    /// Whether equal arguments always give equal results; `None` where the engine does not say.
    pub fn is_deterministic(&self) -> Option<bool> {
        self.entry.deterministic
    }

    /// Whether it takes lambdas.
    pub fn is_higher_order(&self) -> bool {
        self.entry.higher_order
    }

    /// The engine's version that first had it.
    pub fn introduced_in(&self) -> &'static str {
        self.entry.introduced_in
    }

    /// The engine's grouping, such as `Dates and Times`.
    pub fn categories(&self) -> &'static str {
        self.entry.categories
    }

    /// Markdown: what it does, syntax, arguments, returned value, examples; of combinators too.
    pub fn documentation(&self) -> Option<String> {
        let mut text = documentation(Topic::Function, self.base());
        for combinator in self.combinators.iter().rev() {
            if let Some(more) = documentation(Topic::Combinator, combinator.name()) {
                let text = text.get_or_insert_default();
                text.push_str(&format!("\n\n**-{}**\n\n{more}", combinator.name()));
            }
        }
        text
    }
}

struct Names {
    entries: Vec<Entry>,
    /// By exact name.
    exact: FxHashMap<&'static str, usize>,
    /// By lower-case name, of those that are read in any case.
    any_case: FxHashMap<String, usize>,
}

fn names() -> &'static Names {
    static NAMES: OnceLock<Names> = OnceLock::new();
    NAMES.get_or_init(|| {
        let entries: Vec<Entry> = section("functions").map(entry).collect();
        let exact = entries.iter().enumerate().map(|(n, e)| (e.name, n)).collect();
        let lower = entries.iter().enumerate().filter(|(_, e)| e.any_case);
        let any_case = lower.map(|(n, e)| (e.name.to_ascii_lowercase(), n)).collect();
        Names { entries, exact, any_case }
    })
}

fn entry(line: &'static str) -> Entry {
    let [name, flags, alias, introduced_in, categories] = cells(line);
    let has = |flag| flags.contains(flag);
    let kind = match (has('w'), has('a')) {
        (true, _) => Kind::Window,
        (_, true) => Kind::Aggregate,
        _ => Kind::Scalar,
    };
    let deterministic = if has('d') {
        Some(true)
    } else if has('n') {
        Some(false)
    } else {
        None
    };
    Entry {
        name,
        kind,
        any_case: has('i'),
        alias_of: (!alias.is_empty()).then_some(alias),
        deterministic,
        higher_order: has('h'),
        introduced_in,
        categories,
    }
}

/// An entry by a name without combinators.
fn entry_named(name: &str) -> Option<&'static Entry> {
    let names = names();
    let at = names.exact.get(name).or_else(|| names.any_case.get(&name.to_ascii_lowercase()))?;
    names.entries.get(*at)
}

/// More combinators than this on one name are not taken apart.
const MOST_COMBINATORS: usize = 8;

/// The function that a name means: aliases are followed, case is as the engine has it, combinators are taken apart.
/// Constant time.
pub fn find(name: &str) -> Option<Function> {
    with_combinators(name, 0)
}

/// `depth` counts the combinators and aliases on the way, so that the search ends.
fn with_combinators(name: &str, depth: usize) -> Option<Function> {
    if let Some(entry) = entry_named(name) {
        // An alias may name a function with a combinator.
        return match entry.alias_of {
            Some(alias) if depth < MOST_COMBINATORS => with_combinators(alias, depth + 1),
            Some(_) => None,
            None => Some(Function { entry, combinators: Vec::new() }),
        };
    }
    if depth == MOST_COMBINATORS {
        return None;
    }
    let combinator = Combinator::ALL.into_iter().find(|c| name.ends_with(c.name()))?;
    let base = &name[..name.len() - combinator.name().len()];
    let mut function = with_combinators(base, depth + 1).filter(|f| f.kind() != Kind::Scalar)?;
    function.combinators.insert(0, combinator);
    Some(function)
}

/// The canonical name of an aggregate function, combinators included.
pub(crate) fn canonical_aggregate(name: &str) -> Option<String> {
    find(name).filter(|f| f.kind() != Kind::Scalar).map(|f| f.name())
}

/// The version that the engine writes in front of a state's function.
pub(crate) fn state_version(function: &str, arguments: &[Type]) -> Option<u64> {
    let function = find(function)?;
    // `sumMap` of a Map is `sum` with a combinator; of arrays it is a function of its own, whose states have versions.
    let of_arrays = matches!(arguments.first(), Some(Type::Array(_) | Type::Tuple(_)));
    let map = function.combinators.last() == Some(&Combinator::Map);
    (map && of_arrays && ["sum", "min", "max"].contains(&function.base())).then_some(1)
}

/// Names of all functions, aliases included, in order.
pub fn function_names() -> impl Iterator<Item = &'static str> {
    names().entries.iter().map(|e| e.name)
}

/// Names that an unknown one may have been meant for, the nearest first, at most three. Linear in the number of functions.
pub fn suggestions(name: &str) -> Vec<&'static str> {
    let lower = name.to_ascii_lowercase();
    let most = (name.len() / 4).clamp(1, 3);
    let near = names().entries.iter().filter(|e| !e.name.starts_with('_')).filter_map(|entry| {
        let distance = distance(&lower, &entry.name.to_ascii_lowercase(), most)?;
        Some((distance, entry.name))
    });
    let mut near: Vec<_> = near.collect();
    near.sort_unstable();
    near.into_iter().take(3).map(|(_, name)| name).collect()
}

/// How many single edits lie between two words, when they are at most `most`. Two letters in the wrong order are one.
fn distance(a: &str, b: &str, most: usize) -> Option<usize> {
    if a.len().abs_diff(b.len()) > most {
        return None;
    }
    let (a, b) = (a.as_bytes(), b.as_bytes());
    let mut before: Vec<usize> = Vec::new();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for i in 0..a.len() {
        let mut next = vec![i + 1; b.len() + 1];
        for j in 0..b.len() {
            let replaced = row[j] + usize::from(a[i] != b[j]);
            let mut best = replaced.min(next[j] + 1).min(row[j + 1] + 1);
            if i > 0 && j > 0 && a[i] == b[j - 1] && a[i - 1] == b[j] {
                best = best.min(before[j - 1] + 1);
            }
            next[j + 1] = best;
        }
        before = std::mem::replace(&mut row, next);
    }
    row.last().copied().filter(|d| *d <= most)
}
