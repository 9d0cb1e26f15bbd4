//! Which arguments functions take: probes in waves, each planned from the answers to the one before.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Result;

use super::instances::Instance;
use super::journal::{Journal, Verdict};

/// The most arguments that are looked at one by one.
pub(crate) const MOST: usize = 5;
/// Numbers of arguments that are tried to find out how many a function takes.
const COUNTS: usize = 9;
/// Errors that say that the number of arguments is wrong.
const COUNT_CODES: [i32; 3] = [34, 35, 42];
/// Errors that say that a type is wrong, whatever the value.
pub(crate) const TYPE_CODES: [i32; 3] = [43, 53, 386];

/// A function under examination.
pub(crate) struct Subject {
    /// Its canonical name.
    pub(crate) name: String,
    /// What stands between name and arguments: parameters of an aggregate function, in parentheses, or nothing.
    pub(crate) parameters: String,
    /// Whether it is looked at with representatives only.
    pub(crate) coarse: bool,
    /// Whether all pairs of types within groups are tried: of those whose result hangs on both.
    pub(crate) thorough: bool,
    /// Numbers of arguments that it may take, up to [`COUNTS`].
    pub(crate) counts: BTreeSet<usize>,
    /// The fewest and the most, when they are certain.
    pub(crate) bounds: Option<(usize, Option<usize>)>,
    /// What was asked, by instances.
    pub(crate) cells: BTreeSet<Vec<usize>>,
}

/// How a cell came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum State {
    Accepted,
    /// Refused for the types.
    Refused,
    /// Refused for another reason, or lost.
    Open,
}

pub(crate) struct Prober<'a> {
    pub(crate) instances: &'a [Instance],
    pub(crate) journal: &'a mut Journal,
}

impl Subject {
    pub(crate) fn new(name: &str, parameters: &str, coarse: bool, thorough: bool) -> Self {
        Self {
            name: name.to_owned(),
            parameters: parameters.to_owned(),
            coarse,
            thorough,
            counts: BTreeSet::new(),
            bounds: None,
            cells: BTreeSet::new(),
        }
    }
}

impl Prober<'_> {
    pub(crate) fn expression(&self, subject: &Subject, cell: &[usize]) -> String {
        let arguments: Vec<&str> = cell.iter().map(|n| self.instances[*n].sql.as_str()).collect();
        format!("{}{}({})", subject.name, subject.parameters, arguments.join(", "))
    }

    pub(crate) fn verdict(&self, subject: &Subject, cell: &[usize]) -> &Verdict {
        self.journal.get(&self.expression(subject, cell))
    }

    pub(crate) fn state(&self, subject: &Subject, cell: &[usize]) -> State {
        match self.verdict(subject, cell) {
            Verdict::Type(_) => State::Accepted,
            Verdict::Refused(code, _) if TYPE_CODES.contains(code) => State::Refused,
            Verdict::Refused(..) | Verdict::Lost => State::Open,
        }
    }

    /// Whether it is accepted for what its types are: `Dynamic` has its own way with every function.
    fn is_taken(&self, subject: &Subject, cell: &[usize]) -> bool {
        self.state(subject, cell) == State::Accepted
            && !self.groups(cell).iter().any(|g| matches!(*g, "dynamic" | "variant"))
    }

    /// Asks what `plan` wants of every subject, all at once.
    fn wave(
        &mut self,
        subjects: &mut [Subject],
        what: &str,
        plan: impl Fn(&Self, &Subject) -> Vec<Vec<usize>>,
    ) -> Result<()> {
        let mut expressions = Vec::new();
        for subject in subjects.iter_mut() {
            for cell in plan(self, subject) {
                if subject.cells.insert(cell.clone()) {
                    expressions.push(self.expression(subject, &cell));
                }
            }
        }
        println!(
            "  {what}: {} probes, {} of them new",
            expressions.len(),
            self.journal.unknown(&expressions)
        );
        self.journal.ask(expressions)?;
        Ok(())
    }

    fn representatives(&self) -> Vec<usize> {
        (0..self.instances.len()).filter(|n| self.instances[*n].represents).collect()
    }

    fn by_sql(&self, texts: &[&str]) -> Vec<usize> {
        texts
            .iter()
            .filter_map(|text| {
                self.instances.iter().position(|i| match i.is_constant {
                    true => i.sql == *text,
                    false => i.ty.to_string() == *text,
                })
            })
            .collect()
    }

    fn group(&self, group: &str) -> Vec<usize> {
        (0..self.instances.len()).filter(|n| self.instances[*n].group == group).collect()
    }

    fn groups(&self, cell: &[usize]) -> Vec<&'static str> {
        cell.iter().map(|n| self.instances[*n].group).collect()
    }

    /// Everything about these functions.
    pub(crate) fn run(&mut self, subjects: &mut [Subject]) -> Result<()> {
        self.count(subjects)?;
        let all = self.representatives();
        self.wave(subjects, "one argument", |_, s| {
            let takes_one = s.counts.contains(&1);
            all.iter().filter(|_| takes_one).map(|n| vec![*n]).collect()
        })?;
        self.wave(subjects, "one argument, the rest", |p, s| {
            let any = s.cells.iter().any(|c| c.len() == 1 && p.state(s, c) == State::Accepted);
            (0..p.instances.len()).filter(|_| any).map(|n| vec![n]).collect()
        })?;
        self.pairs(subjects)?;
        for count in 3..=MOST {
            self.many(subjects, count)?;
        }
        Ok(())
    }

    /// How many arguments they take.
    fn count(&mut self, subjects: &mut [Subject]) -> Result<()> {
        let kinds = self.by_sql(&[
            "UInt8",
            "String",
            "Float64",
            "Date",
            "DateTime",
            "Array(UInt8)",
            "Map(String, UInt64)",
            "Tuple(UInt8, Float64)",
            "2",
            "'a'",
        ]);
        let combinations = |count: usize| -> Vec<Vec<usize>> {
            if count == 0 {
                return vec![Vec::new()];
            }
            let mut out: Vec<Vec<usize>> = kinds.iter().map(|k| vec![*k; count]).collect();
            // First of one kind, the rest of another.
            for (a, b) in [(1, 8), (1, 9), (5, 0), (4, 9), (3, 8), (0, 1), (9, 1), (6, 1)] {
                let mut cell = vec![kinds[b]; count];
                cell[0] = kinds[a];
                out.push(cell);
            }
            out
        };
        let simple = |count: usize| vec![kinds[0]; count];
        self.wave(subjects, "how many arguments", |_, _| (0..=COUNTS).map(simple).collect())?;
        // Most functions say how many they take, before they look at anything else.
        let exact = |p: &Self, s: &Subject| -> Option<usize> {
            (0..=COUNTS).find_map(|count| match p.verdict(s, &simple(count)) {
                Verdict::Refused(_, words) => {
                    words.split("passed ").nth(1)?.split("should be ").nth(1)?.trim().parse().ok()
                }
                Verdict::Type(_) | Verdict::Lost => None,
            })
        };
        self.wave(subjects, "how many arguments, the rest", |p, s| match exact(p, s) {
            Some(count) => combinations(count),
            None => (0..=COUNTS).flat_map(combinations).collect(),
        })?;
        for subject in subjects.iter_mut() {
            let exact = exact(self, subject);
            for count in 0..=COUNTS {
                if exact.is_some_and(|exact| exact != count) {
                    continue;
                }
                let wrong = |c: &Vec<usize>| matches!(self.verdict(subject, c), Verdict::Refused(code, _) if COUNT_CODES.contains(code));
                if !combinations(count).iter().all(wrong) {
                    subject.counts.insert(count);
                }
            }
            subject.bounds = match (exact, subject.counts.first(), subject.counts.last()) {
                (Some(exact), Some(min), Some(max)) if *min == exact && *max == exact => {
                    Some((exact, Some(exact)))
                }
                (_, Some(min), Some(max)) if subject.counts.len() == max - min + 1 => {
                    Some((*min, (*max < COUNTS).then_some(*max)))
                }
                _ => None,
            };
        }
        Ok(())
    }

    fn pairs(&mut self, subjects: &mut [Subject]) -> Result<()> {
        let all = self.representatives();
        let partners = self.by_sql(&["UInt8", "String", "Array(UInt8)", "DateTime", "'a'", "2"]);
        let takes_two = |s: &Subject| s.counts.contains(&2);
        let screen = |position: usize| {
            let (all, partners) = (all.clone(), partners.clone());
            move |_: &Self, s: &Subject| -> Vec<Vec<usize>> {
                if !takes_two(s) {
                    return Vec::new();
                }
                let beside = |a: usize| partners.clone().into_iter().chain([a]);
                all.iter()
                    .flat_map(|a| {
                        beside(*a).map(move |b| if position == 0 { vec![*a, b] } else { vec![b, *a] })
                    })
                    .collect()
            }
        };
        self.wave(subjects, "two arguments, the first", screen(0))?;
        self.wave(subjects, "two arguments, the second", screen(1))?;
        // What some want beside them is none of these partners: a unit of time, an interval.
        self.wave(subjects, "two arguments, beside what was taken", |p, s| {
            let mut out = Vec::new();
            for seed in p.seeds(s, 2, if s.coarse { 1 } else { 3 }) {
                out.extend(all.iter().map(|n| vec![*n, seed[1]]));
                out.extend(all.iter().map(|n| vec![seed[0], *n]));
            }
            out
        })?;
        // What is taken beside one is tried beside all that is.
        self.wave(subjects, "two arguments, all kinds", |p, s| {
            let mut places = [BTreeSet::new(), BTreeSet::new()];
            // Where everything gives one type, pairs have nothing to say but who is refused.
            if !s.thorough && p.is_uniform(s, 2) {
                return Vec::new();
            }
            for cell in s.cells.iter().filter(|c| c.len() == 2 && p.is_taken(s, c)) {
                places[0].insert(cell[0]);
                places[1].insert(cell[1]);
            }
            let [first, second] = &places;
            first.iter().flat_map(|a| second.iter().map(move |b| vec![*a, *b])).collect()
        })?;
        self.wave(subjects, "two arguments, whole groups", |p, s| {
            let accepted: Vec<&Vec<usize>> =
                s.cells.iter().filter(|c| c.len() == 2 && p.is_taken(s, c)).collect();
            let mut out = Vec::new();
            if s.coarse || p.is_uniform(s, 2) {
                // The result hangs on nothing: each group once at each place.
                return p.each_group(&accepted);
            }
            let most = if s.thorough { 700 } else { 36 };
            let pairs: BTreeMap<Vec<&str>, &Vec<usize>> =
                accepted.iter().map(|c| (p.groups(c), *c)).collect();
            for (pair, anchor) in pairs {
                let (a, b) = (p.group(pair[0]), p.group(pair[1]));
                if a.len() * b.len() <= most {
                    out.extend(a.iter().flat_map(|x| b.iter().map(move |y| vec![*x, *y])));
                } else {
                    out.extend(a.iter().map(|x| vec![*x, anchor[1]]));
                    out.extend(b.iter().map(|y| vec![anchor[0], *y]));
                    let same = if pair[0] == pair[1] { a.len() } else { 0 };
                    out.extend(a.iter().zip(b.iter()).take(same).map(|(x, y)| vec![*x, *y]));
                }
            }
            out
        })?;
        self.wave(subjects, "two arguments, texts", |p, s| p.telling_texts(s))?;
        // Groups that no representative stands for, and what refused groups are made of, beside what is accepted.
        self.wave(subjects, "two arguments, the rest", |p, s| {
            let mut out = Vec::new();
            for seed in p.seeds(s, 2, 8) {
                out.extend(p.relatives(&seed));
            }
            if s.coarse {
                return out;
            }
            let seeds = p.seeds(s, 2, 1);
            let columns = (0..p.instances.len())
                .filter(|n| !p.instances[*n].is_constant && !p.instances[*n].group.starts_with("array"));
            for n in columns {
                for seed in &seeds {
                    out.push(vec![n, seed[1]]);
                    out.push(vec![seed[0], n]);
                }
            }
            out
        })
    }

    /// Whole groups at each place, one cell for each group that is taken there: beside columns rather than constants, and
    /// rather beside one of its own kind.
    fn each_group(&self, taken: &[&Vec<usize>]) -> Vec<Vec<usize>> {
        let mut out = Vec::new();
        let count = taken.first().map_or(0, |c| c.len());
        for place in 0..count {
            let mut best: BTreeMap<&str, (usize, &Vec<usize>)> = BTreeMap::new();
            for cell in taken {
                let group = self.instances[cell[place]].group;
                let others = || cell.iter().enumerate().filter(|(n, _)| *n != place).map(|(_, n)| *n);
                let cost = others()
                    .map(|n| match &self.instances[n] {
                        other if other.group == group => 0,
                        other if other.is_constant => 10,
                        _ => 1,
                    })
                    .sum();
                let entry = best.entry(group).or_insert((cost, cell));
                if cost < entry.0 {
                    *entry = (cost, cell);
                }
            }
            for (group, (_, seed)) in best {
                out.extend(self.group(group).into_iter().map(|n| {
                    let mut cell = seed.clone();
                    cell[place] = n;
                    cell
                }));
            }
        }
        out
    }

    /// Where a constant text decides about the result, as a unit does: each that is taken, beside everything that is.
    fn telling_texts(&self, subject: &Subject) -> Vec<Vec<usize>> {
        let taken: Vec<&Vec<usize>> =
            subject.cells.iter().filter(|c| c.len() == 2 && self.is_taken(subject, c)).collect();
        let mut out = Vec::new();
        for place in 0..2 {
            let is_text = |cell: &[usize]| self.instances[cell[place]].group == "constant string";
            let mut results: BTreeMap<usize, BTreeSet<&str>> = BTreeMap::new();
            for cell in taken.iter().filter(|c| is_text(c)) {
                if let Verdict::Type(text) = self.verdict(subject, cell) {
                    results.entry(cell[1 - place]).or_default().insert(text);
                }
            }
            if results.values().all(|types| types.len() < 2) {
                continue;
            }
            let texts: BTreeSet<usize> = taken.iter().filter(|c| is_text(c)).map(|c| c[place]).collect();
            let others: BTreeSet<usize> = taken.iter().map(|c| c[1 - place]).collect();
            for other in others.into_iter().filter(|n| !self.instances[*n].is_constant) {
                out.extend(texts.iter().map(|text| {
                    let mut cell = vec![other; 2];
                    cell[place] = *text;
                    cell
                }));
            }
        }
        out
    }

    /// The cell with arrays of other kinds in the place of each of its arrays.
    fn relatives(&self, cell: &[usize]) -> Vec<Vec<usize>> {
        let mut out = Vec::new();
        for place in 0..cell.len() {
            if self.instances[cell[place]].group.starts_with("array of") {
                for n in self.group("array of nullables").into_iter().chain(self.group("array of maps")) {
                    let mut other = cell.to_vec();
                    other[place] = n;
                    out.push(other);
                }
            }
        }
        out
    }

    /// Accepted cells whose arguments are worth being tried in wrappers: of different kinds, and for each place one of each
    /// kind that mostly wears them.
    pub(crate) fn wrapped_seeds(&self, subject: &Subject, count: usize) -> BTreeSet<Vec<usize>> {
        let most = if count == 1 { 16 } else { 8 };
        let mut out: BTreeSet<Vec<usize>> = self.seeds(subject, count, most).into_iter().collect();
        for place in 0..count {
            for group in ["string", "unsigned", "float", "datetime", "array of strings", "map"] {
                let wears = |c: &&Vec<usize>| c.len() == count && self.instances[c[place]].group == group;
                let mut cells = subject.cells.iter().filter(wears);
                out.extend(cells.find(|c| self.is_taken(subject, c)).cloned());
            }
        }
        out
    }

    /// Accepted cells of different kinds.
    pub(crate) fn seeds(&self, subject: &Subject, count: usize, most: usize) -> Vec<Vec<usize>> {
        let mut seen: BTreeMap<Vec<&str>, Vec<usize>> = BTreeMap::new();
        for cell in &subject.cells {
            if cell.len() == count && self.is_taken(subject, cell) {
                seen.entry(self.groups(cell)).or_insert_with(|| cell.clone());
            }
        }
        // Evenly over the kinds, not the first ones only.
        let all: Vec<_> = seen.into_values().collect();
        let step = all.len().div_ceil(most).max(1);
        all.into_iter().step_by(step).collect()
    }

    /// Whether every call with so many arguments gave one and the same type.
    fn is_uniform(&self, subject: &Subject, count: usize) -> bool {
        let results: BTreeSet<&str> = subject
            .cells
            .iter()
            .filter(|c| c.len() == count && self.is_taken(subject, c))
            .filter_map(|c| match self.verdict(subject, c) {
                Verdict::Type(text) => Some(text.as_str()),
                Verdict::Refused(..) | Verdict::Lost => None,
            })
            .collect();
        results.len() == 1
    }

    fn many(&mut self, subjects: &mut [Subject], count: usize) -> Result<()> {
        let all = self.representatives();
        let few = self.by_sql(if count == 3 {
            &[
                "UInt8",
                "Float64",
                "String",
                "'a'",
                "'day'",
                "DateTime",
                "Array(UInt8)",
                "Map(String, UInt64)",
                "2",
            ]
        } else {
            &["UInt8", "Float64", "String", "'a'", "DateTime"]
        });
        // A function that gives one type for fewer arguments is looked at less closely.
        self.wave(subjects, &format!("{count} arguments, kinds"), |p, s| {
            let uniform = p.is_uniform(s, count - 1);
            if !s.counts.contains(&count) || (uniform && count > 3) {
                return Vec::new();
            }
            let most = if uniform || count > 3 { 3 } else { 6 };
            let mut out: Vec<Vec<usize>> = Vec::new();
            for seed in p.seeds(s, count - 1, most) {
                for n in &all {
                    let mut cell = seed.clone();
                    cell.push(*n);
                    out.push(cell);
                }
            }
            if !s.counts.contains(&(count - 1)) && count <= 4 {
                let mut tuples: Vec<Vec<usize>> = vec![Vec::new()];
                for _ in 0..count {
                    tuples = tuples
                        .iter()
                        .flat_map(|t| few.iter().map(move |n| t.iter().copied().chain([*n]).collect()))
                        .collect();
                }
                out.extend(tuples);
            }
            out
        })?;
        self.wave(subjects, &format!("{count} arguments, one by one"), |p, s| {
            let uniform = p.is_uniform(s, count - 1);
            let most = if s.coarse || uniform || count > 3 { 1 } else { 3 };
            let mut out = Vec::new();
            for seed in p.seeds(s, count, most) {
                for position in 0..count {
                    for n in &all {
                        let mut cell = seed.clone();
                        cell[position] = *n;
                        out.push(cell);
                    }
                }
            }
            out
        })?;
        self.wave(subjects, &format!("{count} arguments, whole groups"), |p, s| {
            let mut out = Vec::new();
            if s.coarse || p.is_uniform(s, count - 1) {
                return out;
            }
            for seed in p.seeds(s, count, if count == 3 { 6 } else { 2 }) {
                out.extend(p.relatives(&seed));
            }
            let taken: Vec<&Vec<usize>> =
                s.cells.iter().filter(|c| c.len() == count && p.is_taken(s, c)).collect();
            out.extend(p.each_group(&taken));
            // Any mix of what was taken at each place.
            let mut places: Vec<BTreeSet<usize>> = vec![BTreeSet::new(); count];
            for cell in s.cells.iter().filter(|c| c.len() == count && p.is_taken(s, c)) {
                for (place, n) in places.iter_mut().zip(cell) {
                    place.insert(*n);
                }
            }
            let places: Vec<Vec<usize>> = places.into_iter().map(|p| p.into_iter().collect()).collect();
            if places.iter().all(|p| !p.is_empty()) {
                let mut random = super::Random::new(s.name.len() as u64 + count as u64);
                for _ in 0..40 {
                    out.push(places.iter().map(|p| p[random.below(p.len())]).collect());
                }
            }
            out
        })
    }
}
