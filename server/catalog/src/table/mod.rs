//! The table of return types: what the engine answered to probes, fitted to rules.

mod apply;
pub mod class;
pub mod template;

pub(crate) use apply::low_cardinality_result;
pub use apply::{by_table, by_table_aggregate};

use std::sync::OnceLock;

use rustc_hash::FxHashMap;

use crate::Type;
use crate::data::inflate;
use class::{Class, Classes};
use template::{Filling, Template};

static RETURNS: &[u8] = include_bytes!("../../data/returns.bin");

/// What a function does with a wrapper around its arguments' types.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Wrapping {
    /// The engine takes it off, and puts it around the result.
    Default,
    /// The rules are filled with the types as they are.
    Kept,
    /// It is taken off, and the result does not have it.
    Ignored,
    /// Of `LowCardinality` only: it is taken off together with a `Nullable` inside, and the result has neither.
    IgnoredWhole,
    /// None of these.
    #[default]
    Unknown,
}

impl Wrapping {
    /// As the data has it.
    pub fn letter(self) -> char {
        match self {
            Self::Default => 'd',
            Self::Kept => 'k',
            Self::Ignored => 'i',
            Self::IgnoredWhole => 'w',
            Self::Unknown => 'u',
        }
    }

    fn from_letter(letter: Option<char>) -> Self {
        match letter {
            Some('d') => Self::Default,
            Some('k') => Self::Kept,
            Some('i') => Self::Ignored,
            Some('w') => Self::IgnoredWhole,
            _ => Self::Unknown,
        }
    }
}

/// What one argument must be for a rule.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Position {
    /// Of one of these classes.
    Classes(Classes),
    /// Of one of these classes, with one value for all rows.
    Constant(Classes),
    /// This text.
    Text(String),
}

/// Arguments and what they give.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// One for each argument.
    pub positions: Vec<Position>,
    /// The result.
    pub template: Template,
}

/// What is known of calls with one number of arguments.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Arity {
    /// The first that fits holds.
    pub rules: Vec<Rule>,
    /// Calls that the engine refuses.
    pub refused: Vec<Refusal>,
}

/// Calls that the engine refuses, whatever the values are.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Refusal {
    /// One set for each argument.
    pub classes: Vec<Classes>,
    /// The argument that is to blame, when it is one.
    pub argument: Option<usize>,
}

/// What is known of a function.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rules {
    /// What it does with `Nullable`.
    pub nulls: Wrapping,
    /// What it does with `LowCardinality`.
    pub low_cardinality: Wrapping,
    /// The fewest and the most arguments, when they are known for certain.
    pub count: Option<(usize, Option<usize>)>,
    /// The fewest and the most parameters of an aggregate function, when they are known for certain.
    pub parameters: Option<(usize, Option<usize>)>,
    /// By number of arguments.
    pub arities: Vec<(usize, Arity)>,
    /// What each argument takes, in the engine's words.
    pub accepted: Vec<(usize, String)>,
}

/// One argument as a rule sees it.
#[derive(Debug, Clone, Copy)]
pub struct Seen<'a> {
    /// Its class.
    pub class: Class,
    /// Whether it has one value for all rows.
    pub is_constant: Option<bool>,
    /// Its value, when it is a text.
    pub text: Option<&'a str>,
}

impl Rule {
    /// Whether these arguments are meant. What is not known to vary may be a constant.
    pub fn fits(&self, arguments: &[Seen<'_>]) -> bool {
        self.positions.len() == arguments.len()
            && self.positions.iter().zip(arguments).all(|(position, seen)| match position {
                Position::Classes(classes) => classes.contains(seen.class),
                Position::Constant(classes) => {
                    seen.is_constant != Some(false) && classes.contains(seen.class)
                }
                Position::Text(text) => seen.text == Some(text),
            })
    }
}

/// What the table says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// The result's type.
    Type(Type),
    /// Nothing.
    Unknown,
    /// The engine refuses these arguments; the one that is to blame, when it is one.
    Refused(Option<usize>),
}

impl Rules {
    /// What is known of this number of arguments.
    pub fn arity(&self, count: usize) -> Option<&Arity> {
        self.arities.iter().find(|(n, _)| *n == count).map(|(_, arity)| arity)
    }

    /// Its rules for any number of arguments.
    pub(crate) fn all(&self) -> impl Iterator<Item = &Rule> {
        self.arities.iter().flat_map(|(_, arity)| &arity.rules)
    }

    /// The rules about values whose types are not inside of them.
    pub(crate) fn closed(&self) -> impl Iterator<Item = &Rule> {
        let is_closed = |rule: &&Rule| {
            rule.positions.iter().all(|p| match p {
                Position::Classes(set) | Position::Constant(set) => set.iter().any(|c| !c.is_open()),
                Position::Text(_) => true,
            })
        };
        self.all().filter(is_closed)
    }

    /// Whether the function gives its argument's type whatever it is.
    fn hands_on(&self) -> bool {
        let mut closed = self.closed().peekable();
        closed.peek().is_some() && closed.all(|r| matches!(r.template, Template::Argument(_)))
    }

    /// The result of a call whose wrappers are dealt with.
    pub fn answer(&self, seen: &[Seen<'_>], with: Filling<'_>) -> Answer {
        let Some(arity) = self.arity(seen.len()) else { return Answer::Unknown };
        // What is refused was asked; a rule may cover more than was.
        let refused = |refusal: &&Refusal| {
            refusal.classes.iter().zip(seen).all(|(classes, seen)| classes.contains(seen.class))
        };
        if let Some(refusal) = arity.refused.iter().find(refused) {
            return Answer::Refused(refusal.argument);
        }
        let rule = arity.rules.iter().find(|r| r.fits(seen));
        rule.and_then(|rule| rule.template.fill(with)).map_or(Answer::Unknown, Answer::Type)
    }
}

/// The rules of a function by its canonical name.
pub(crate) fn rules(name: &str) -> Option<&'static Rules> {
    let table = table();
    let entry = table.functions.get(name)?;
    Some(entry.rules.get_or_init(|| read(entry.lines, &table.sets)))
}

struct Entry {
    lines: &'static str,
    rules: OnceLock<Rules>,
}

struct Table {
    sets: Vec<Classes>,
    functions: FxHashMap<&'static str, Entry>,
}

/// Only the index is made at first; a function's rules are read when it is asked for.
fn table() -> &'static Table {
    static TABLE: OnceLock<Table> = OnceLock::new();
    TABLE.get_or_init(|| {
        let text: &'static str = Box::leak(inflate(RETURNS).into_boxed_str());
        let (sets, functions) = text.split_once("\n\n").unwrap_or_default();
        let entry = |block: &'static str| {
            let (name, lines) = block.split_once('\n').unwrap_or((block, ""));
            (name, Entry { lines, rules: OnceLock::new() })
        };
        Table {
            sets: sets.lines().map(Classes::from_text).collect(),
            functions: functions.split("\n\n").map(entry).collect(),
        }
    })
}

/// Reads what [`write`] wrote of one function.
fn read(lines: &str, sets: &[Classes]) -> Rules {
    let mut rules = Rules::default();
    let set = |id: &str| id.parse::<usize>().ok().and_then(|n| sets.get(n)).copied().unwrap_or_default();
    let bounds = |text: &str| {
        let (min, max) = text.split_once('-')?;
        Some((min.parse().ok()?, max.parse().ok()))
    };
    for line in lines.lines() {
        let (kind, rest) = line.split_at_checked(1).unwrap_or((line, ""));
        match kind {
            "w" => {
                let mut letters = rest.chars();
                rules.nulls = Wrapping::from_letter(letters.next());
                rules.low_cardinality = Wrapping::from_letter(letters.next());
            }
            "#" => rules.count = bounds(rest),
            "p" => rules.parameters = bounds(rest),
            "?" => {
                if let Some((at, text)) = rest.split_once(' ') {
                    rules.accepted.push((at.parse().unwrap_or(0), text.to_owned()));
                }
            }
            "+" => {
                let (positions, template) = rest.split_once(' ').unwrap_or((rest, ""));
                let positions: Vec<Position> = split_positions(positions)
                    .map(|p| match p.split_at_checked(1) {
                        Some(("c", id)) => Position::Constant(set(id)),
                        Some(("'", text)) => Position::Text(text.to_owned()),
                        _ => Position::Classes(set(p)),
                    })
                    .collect();
                if let Some(template) = Template::parse(template) {
                    arity_mut(&mut rules, positions.len()).rules.push(Rule { positions, template });
                }
            }
            "-" => {
                let argument = split_positions(rest).position(|p| p.starts_with('!'));
                let classes: Vec<Classes> =
                    split_positions(rest).map(|p| set(p.trim_start_matches('!'))).collect();
                arity_mut(&mut rules, classes.len()).refused.push(Refusal { classes, argument });
            }
            _ => {}
        }
    }
    rules
}

fn split_positions(text: &str) -> impl Iterator<Item = &str> {
    text.split(',').filter(|p| !p.is_empty())
}

fn arity_mut(rules: &mut Rules, count: usize) -> &mut Arity {
    if let Some(at) = rules.arities.iter().position(|(n, _)| *n == count) {
        return &mut rules.arities[at].1;
    }
    rules.arities.push((count, Arity::default()));
    let last = rules.arities.len() - 1;
    &mut rules.arities[last].1
}

/// All functions' rules as the text that the data holds compressed. Equal input, equal bytes.
pub fn write(functions: &std::collections::BTreeMap<String, Rules>) -> String {
    use std::fmt::Write as _;
    let mut sets: Vec<Classes> = Vec::new();
    let mut ids: FxHashMap<Classes, usize> = FxHashMap::default();
    let mut id = |set: Classes| {
        *ids.entry(set).or_insert_with(|| {
            sets.push(set);
            sets.len() - 1
        })
    };
    let mut body = String::new();
    for (name, rules) in functions {
        let _ = write!(body, "\n{name}\nw{}{}\n", rules.nulls.letter(), rules.low_cardinality.letter());
        let bounds = |count: Option<(usize, Option<usize>)>| {
            count.map(|(min, max)| format!("{min}-{}", max.map_or_else(String::new, |m| m.to_string())))
        };
        if let Some(text) = bounds(rules.count) {
            let _ = writeln!(body, "#{text}");
        }
        if let Some(text) = bounds(rules.parameters) {
            let _ = writeln!(body, "p{text}");
        }
        for (at, text) in &rules.accepted {
            let _ = writeln!(body, "?{at} {text}");
        }
        for (_, arity) in &rules.arities {
            for rule in &arity.rules {
                let positions: Vec<String> = rule
                    .positions
                    .iter()
                    .map(|p| match p {
                        Position::Classes(set) => id(*set).to_string(),
                        Position::Constant(set) => format!("c{}", id(*set)),
                        Position::Text(text) => format!("'{text}"),
                    })
                    .collect();
                // A call without arguments has no positions, and the comma keeps its place.
                let _ = writeln!(body, "+{}, {}", positions.join(","), rule.template);
            }
            for refusal in &arity.refused {
                let sets = refusal.classes.iter().enumerate().map(|(n, set)| {
                    let mark = if refusal.argument == Some(n) { "!" } else { "" };
                    format!("{mark}{}", id(*set))
                });
                let _ = writeln!(body, "-{}", sets.collect::<Vec<_>>().join(","));
            }
        }
    }
    let sets: Vec<String> = sets.into_iter().map(Classes::to_text).collect();
    format!("{}\n{body}", sets.join("\n"))
}

/// Reads a whole text that [`write`] made. For tests and for the generator's own check.
pub fn parse(text: &str) -> std::collections::BTreeMap<String, Rules> {
    let (sets, functions) = text.split_once("\n\n").unwrap_or_default();
    let sets: Vec<Classes> = sets.lines().map(Classes::from_text).collect();
    let function = |block: &str| {
        let (name, lines) = block.split_once('\n').unwrap_or((block, ""));
        (name.to_owned(), read(lines, &sets))
    };
    functions.trim_end().split("\n\n").map(function).collect()
}
