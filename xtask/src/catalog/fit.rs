//! Rules that say what the probes found.

use std::collections::{BTreeMap, BTreeSet};

use headwater_catalog::table::class::{Class, Classes};
use headwater_catalog::table::template::{Filling, Number, Template, Zone};
use headwater_catalog::table::{Answer, Arity, Position, Refusal, Rule, Rules, Seen, Wrapping};
use headwater_catalog::{Argument, Constant, Type};

use super::instances::Instance;
use super::journal::Verdict;
use super::probe::{MOST, Prober, State, Subject};

/// What stands at one place, as rules distinguish it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
enum Key {
    Column(Class),
    Constant(Class),
    Text(String),
}

/// One accepted probe.
struct Sample<'a> {
    types: Vec<Type>,
    constants: Vec<Option<Constant>>,
    result: &'a Type,
}

/// All rules of a function except what it does with wrappers.
pub(crate) fn fit(prober: &Prober<'_>, subject: &Subject) -> Rules {
    let mut rules = Rules { count: subject.bounds, ..Rules::default() };
    for count in 0..=MOST {
        let arity = fit_arity(prober, subject, count);
        if arity != Arity::default() {
            rules.arities.push((count, arity));
        }
    }
    rules.accepted = accepted(prober, subject);
    rules
}

/// What the engine's own words say that an argument must be.
fn accepted(prober: &Prober<'_>, subject: &Subject) -> Vec<(usize, String)> {
    let mut found: BTreeMap<usize, BTreeSet<String>> = BTreeMap::new();
    for cell in &subject.cells {
        let Verdict::Refused(_, words) = prober.verdict(subject, cell) else { continue };
        let Some((_, rest)) = words.split_once("A value of illegal type was provided as ") else { continue };
        let number: String = rest.chars().take_while(char::is_ascii_digit).collect();
        let expected = rest.split_once("Expected: ").and_then(|(_, e)| e.split_once(", got: "));
        if let (Ok(number), Some((expected, _))) = (number.parse::<usize>(), expected)
            && number > 0
        {
            found.entry(number - 1).or_default().insert(expected.trim().to_owned());
        }
    }
    let one = |(at, texts): (usize, BTreeSet<String>)| {
        let mut texts = texts.into_iter();
        texts.next().filter(|_| texts.next().is_none()).map(|text| (at, text))
    };
    found.into_iter().filter_map(one).collect()
}

fn fit_arity(prober: &Prober<'_>, subject: &Subject, count: usize) -> Arity {
    let instances = prober.instances;
    let cells: Vec<&Vec<usize>> = subject.cells.iter().filter(|c| c.len() == count).collect();
    let mut results: Vec<(&Vec<usize>, Type)> = Vec::new();
    for cell in &cells {
        // A type that we cannot read is one that we cannot give.
        if let Verdict::Type(text) = prober.verdict(subject, cell)
            && let Ok(ty) = Type::parse(text)
        {
            results.push((cell, ty));
        }
    }
    let samples: Vec<(&Vec<usize>, Sample<'_>)> = results
        .iter()
        .map(|(cell, result)| {
            let of = |n: &usize| &instances[*n];
            let sample = Sample {
                types: cell.iter().map(|n| of(n).ty.clone()).collect(),
                constants: cell.iter().map(|n| of(n).constant.clone()).collect(),
                result,
            };
            (*cell, sample)
        })
        .collect();
    let mut arity = Arity::default();
    // Columns first: what they give, constants of the same class mostly give too.
    let column_only = |cell: &[usize]| cell.iter().all(|n| !instances[*n].is_constant);
    let (columns, constants): (Vec<_>, Vec<_>) = samples.iter().partition(|(cell, _)| column_only(cell));
    let mut general = rules_for(instances, &columns, false);
    let wrong: Vec<_> = constants
        .into_iter()
        .filter(|(cell, sample)| predict(&general, instances, cell, sample).as_ref() != Some(sample.result))
        .collect();
    let mut special = rules_for(instances, &wrong, false);
    // What depends on the very value.
    let left: Vec<_> = wrong
        .iter()
        .filter(|(cell, sample)| predict(&special, instances, cell, sample).as_ref() != Some(sample.result))
        .copied()
        .collect();
    let mut exact = rules_for(instances, &left, true);
    arity.rules.append(&mut exact);
    arity.rules.append(&mut special);
    arity.rules.append(&mut general);
    // Where a rule is contradicted, there is none.
    while let Some((at, cell)) = samples.iter().find_map(|(cell, sample)| {
        let seen = seen(instances, cell);
        let at = arity.rules.iter().position(|r| r.fits(&seen))?;
        let filled =
            arity.rules[at].template.fill(Filling { types: &sample.types, constants: &sample.constants });
        (filled.is_some() && filled.as_ref() != Some(sample.result)).then_some((at, *cell))
    }) {
        let class = |n: &usize| {
            let mut set = Classes::default();
            set.insert(instances[*n].class);
            if instances[*n].is_constant { Position::Constant(set) } else { Position::Classes(set) }
        };
        let positions: Vec<Position> = cell.iter().map(class).collect();
        // Before it, so that it is not asked there; in its place when it says nothing else.
        if arity.rules[at].positions == positions {
            arity.rules[at].template = Template::Open;
        } else {
            arity.rules.insert(at, Rule { positions, template: Template::Open });
        }
    }
    arity.refused = refused(prober, subject, &cells, count);
    arity
}

fn seen<'a>(instances: &'a [Instance], cell: &[usize]) -> Vec<Seen<'a>> {
    cell.iter()
        .map(|n| {
            let instance = &instances[*n];
            Seen {
                class: instance.class,
                is_constant: Some(instance.is_constant),
                text: instance.constant.as_ref().and_then(Constant::as_str),
            }
        })
        .collect()
}

fn predict(rules: &[Rule], instances: &[Instance], cell: &[usize], sample: &Sample<'_>) -> Option<Type> {
    let seen = seen(instances, cell);
    let rule = rules.iter().find(|r| r.fits(&seen))?;
    rule.template.fill(Filling { types: &sample.types, constants: &sample.constants })
}

fn key(instance: &Instance, exact: bool) -> Key {
    match &instance.constant {
        Some(Constant::String(text)) if exact => Key::Text(text.to_string()),
        _ if instance.is_constant => Key::Constant(instance.class),
        _ => Key::Column(instance.class),
    }
}

/// As few rules as say all of these samples. With `exact`, constant texts are told apart.
fn rules_for(instances: &[Instance], samples: &[&(&Vec<usize>, Sample<'_>)], exact: bool) -> Vec<Rule> {
    let mut cells: BTreeMap<Vec<Key>, Vec<&Sample<'_>>> = BTreeMap::new();
    for (cell, sample) in samples {
        let key: Vec<Key> = cell.iter().map(|n| key(&instances[*n], exact)).collect();
        cells.entry(key).or_default().push(sample);
    }
    // Which templates explain which cells.
    let mut explained: BTreeMap<Template, BTreeSet<Vec<Key>>> = BTreeMap::new();
    for (key, samples) in &cells {
        let mut candidates: BTreeSet<Template> = candidates(samples[0]).into_iter().collect();
        candidates.retain(|template| {
            samples.iter().all(|s| {
                template.fill(Filling { types: &s.types, constants: &s.constants }).as_ref() == Some(s.result)
            })
        });
        for template in candidates {
            explained.entry(template).or_default().insert(key.clone());
        }
    }
    let mut rules = Vec::new();
    let mut open: BTreeSet<Vec<Key>> = cells.keys().cloned().collect();
    while !open.is_empty() {
        // The template that explains most of what is left; of equals the simplest, which sorts first.
        let best = explained
            .iter()
            .map(|(template, keys)| (keys.intersection(&open).count(), template))
            .filter(|(count, _)| *count > 0)
            .max_by(|(a, x), (b, y)| a.cmp(b).then(cost(y).cmp(&cost(x))).then(y.cmp(x)));
        let Some((_, template)) = best else { break };
        let template = template.clone();
        let keys: BTreeSet<Vec<Key>> = explained[&template].intersection(&open).cloned().collect();
        for key in &keys {
            open.remove(key);
        }
        let all: BTreeSet<&Vec<Key>> = cells.keys().collect();
        let foreign: Vec<&Vec<Key>> =
            all.into_iter().filter(|k| !explained[&template].contains(*k)).collect();
        let keys: Vec<Vec<Key>> = keys.into_iter().collect();
        for block in blocks(&keys, &foreign) {
            rules.push(Rule { positions: block, template: template.clone() });
        }
    }
    rules
}

fn cost(template: &Template) -> usize {
    match template {
        Template::Fixed(_) => 0,
        Template::Argument(n) | Template::Bare(n) => 1 + n,
        _ => template.to_string().len() + 2,
    }
}

/// Products of sets that hold all of `keys` and none of `foreign`. Cells that nobody probed may be inside: where the
/// engine refuses them, a type does no harm.
fn blocks(keys: &[Vec<Key>], foreign: &[&Vec<Key>]) -> Vec<Vec<Position>> {
    let mut out = Vec::new();
    let mut work: Vec<Vec<&Vec<Key>>> = vec![keys.iter().collect()];
    while let Some(keys) = work.pop() {
        let Some(first) = keys.first() else { continue };
        let count = first.len();
        let places: Vec<BTreeSet<&Key>> = (0..count).map(|n| keys.iter().map(|k| &k[n]).collect()).collect();
        let inside: Vec<&&Vec<Key>> = foreign
            .iter()
            .filter(|f| f.iter().zip(&places).all(|(key, place)| place.contains(key)))
            .collect();
        let split = mixed(&places).or_else(|| worst(&keys, &places, &inside));
        match split {
            Some((at, is_apart)) => {
                let (apart, rest): (Vec<_>, Vec<_>) = keys.into_iter().partition(|k| is_apart(&k[at]));
                work.extend([apart, rest]);
            }
            None => out.push(
                places
                    .iter()
                    .map(|place| match place.first() {
                        Some(Key::Text(text)) => Position::Text(text.clone()),
                        Some(Key::Constant(_)) => Position::Constant(classes(place)),
                        _ => Position::Classes(classes(place)),
                    })
                    .collect(),
            ),
        }
    }
    out.sort();
    out
}

/// A place, and what is to be told apart there.
type Split<'a> = (usize, Box<dyn Fn(&Key) -> bool + 'a>);

/// A place where columns, constants and texts stand together: one set cannot say that.
fn mixed<'a>(places: &[BTreeSet<&'a Key>]) -> Option<Split<'a>> {
    places.iter().enumerate().find_map(|(at, place)| {
        let first = *place.first()?;
        let is_like = move |key: &Key| match (first, key) {
            (Key::Column(_), Key::Column(_)) | (Key::Constant(_), Key::Constant(_)) => true,
            (first, key) => first == key,
        };
        let is_mixed = !place.iter().all(|key| is_like(key));
        is_mixed.then(|| (at, Box::new(is_like) as Box<dyn Fn(&Key) -> bool + 'a>))
    })
}

/// What stands in most of the foreign cells, for one of its own: without it, the rest is the cleanest.
fn worst<'a>(
    keys: &[&'a Vec<Key>],
    places: &[BTreeSet<&'a Key>],
    inside: &[&&Vec<Key>],
) -> Option<Split<'a>> {
    if inside.is_empty() {
        return None;
    }
    let candidates = places.iter().enumerate().filter(|(_, place)| place.len() > 1);
    let all = candidates.flat_map(|(at, place)| place.iter().map(move |key| (at, *key)));
    let share = |(at, key): &(usize, &Key)| {
        let foreign = inside.iter().filter(|f| f[*at] == **key).count();
        let own = keys.iter().filter(|k| k[*at] == **key).count();
        // In thousandths; the rarer one of equals.
        (1000 * foreign / own.max(1), std::cmp::Reverse(own))
    };
    let (at, key) = all.max_by_key(share)?;
    Some((at, Box::new(move |other: &Key| other == key)))
}

fn classes(place: &BTreeSet<&Key>) -> Classes {
    let mut set = Classes::default();
    for key in place {
        match key {
            Key::Column(class) | Key::Constant(class) => set.insert(*class),
            Key::Text(_) => {}
        }
    }
    set
}

/// Templates that give the result of one sample.
fn candidates(sample: &Sample<'_>) -> Vec<Template> {
    let with = Filling { types: &sample.types, constants: &sample.constants };
    let mut out = shapes(sample.result, with, 0);
    out.retain(|t| t.fill(with).as_ref() == Some(sample.result));
    out
}

fn shapes(result: &Type, with: Filling<'_>, depth: usize) -> Vec<Template> {
    let count = with.types.len().min(MOST);
    let mut out = vec![Template::Fixed(result.clone())];
    let places = || 0..count;
    out.extend(places().flat_map(|n| {
        [Template::Argument(n), Template::Bare(n), Template::Element(n), Template::Key(n), Template::Value(n)]
    }));
    if count > 1 {
        out.extend([Template::Common, Template::Narrow, Template::CommonElement]);
    }
    let zones: Vec<Zone> =
        [Zone::None].into_iter().chain(places().flat_map(|n| [Zone::Of(n), Zone::Constant(n)])).collect();
    let numbers = |fixed: u64| -> Vec<Number> {
        let mut numbers = vec![Number::Fixed(fixed), Number::MostScale, Number::SumScale, Number::MostWidth];
        for n in places() {
            numbers.extend([
                Number::Constant(n),
                Number::Scale(n),
                Number::ScaleAtLeast(n, 3),
                Number::ScaleAtLeast(n, 6),
                Number::ScaleAtLeast(n, 9),
                Number::Width(n),
                Number::Precision(n),
                Number::Length(n),
            ]);
        }
        numbers
    };
    match result {
        Type::DateTime(_) => out.extend(zones.iter().map(|z| Template::DateTime(*z))),
        Type::DateTime64(scale, _) => {
            for number in numbers(u64::from(*scale)) {
                out.extend(zones.iter().map(|z| Template::DateTime64(number, *z)));
            }
        }
        Type::Time64(scale) => out.extend(numbers(u64::from(*scale)).into_iter().map(Template::Time64)),
        Type::Decimal(precision, scale) => {
            for p in numbers(u64::from(*precision)) {
                out.extend(numbers(u64::from(*scale)).into_iter().map(|s| Template::Decimal(p, s)));
            }
        }
        Type::FixedString(length) => out.extend(numbers(*length).into_iter().map(Template::FixedString)),
        _ if depth == 3 => {}
        Type::Array(inner) => {
            let inner = shapes(inner, with, depth + 1);
            out.extend(inner.into_iter().map(|t| Template::Array(Box::new(t))));
        }
        Type::Nullable(inner) => {
            let inner = shapes(inner, with, depth + 1);
            out.extend(inner.into_iter().map(|t| Template::Nullable(Box::new(t))));
        }
        Type::Map(kv) => {
            let (keys, values) = (right(&kv.0, with, depth + 1), right(&kv.1, with, depth + 1));
            for key in keys {
                out.extend(values.iter().map(|v| Template::Map(Box::new(key.clone()), Box::new(v.clone()))));
            }
        }
        Type::Tuple(elements) if elements.len() <= 4 && elements.iter().all(|e| e.name.is_none()) => {
            let mut tuples: Vec<Vec<Template>> = vec![Vec::new()];
            for element in elements.iter() {
                let mut parts = right(&element.ty, with, depth + 1);
                parts.truncate(4);
                tuples = tuples
                    .iter()
                    .flat_map(|t| parts.iter().map(move |p| t.iter().cloned().chain([p.clone()]).collect()))
                    .collect();
            }
            out.extend(tuples.into_iter().map(Template::Tuple));
        }
        _ => {}
    }
    out
}

/// Templates that are right for a part of the result.
fn right(part: &Type, with: Filling<'_>, depth: usize) -> Vec<Template> {
    let mut out = shapes(part, with, depth);
    out.retain(|t| t.fill(with).as_ref() == Some(part));
    out
}

/// What is refused for certain.
fn refused(prober: &Prober<'_>, subject: &Subject, cells: &[&Vec<usize>], count: usize) -> Vec<Refusal> {
    let instances = prober.instances;
    // A class, as column and as constant, counts as refused only if no probe with it said anything else.
    let mut states: BTreeMap<Vec<Class>, bool> = BTreeMap::new();
    let mut alone: Vec<BTreeMap<Class, (bool, BTreeSet<Vec<Class>>)>> = vec![BTreeMap::new(); count];
    for cell in cells {
        let refused = prober.state(subject, cell) == State::Refused;
        let key: Vec<Class> = cell.iter().map(|n| instances[*n].class).collect();
        for (place, map) in alone.iter_mut().enumerate() {
            let entry = map.entry(key[place]).or_insert_with(|| (true, BTreeSet::new()));
            entry.0 &= refused;
            let mut others = key.clone();
            others.remove(place);
            entry.1.insert(others);
        }
        *states.entry(key).or_insert(true) &= refused;
    }
    // Beside which other arguments something is accepted: a refusal there is this argument's own.
    let mut out = Vec::new();
    match count {
        0 => {}
        1 => {
            let mut set = Classes::default();
            for (key, refused) in &states {
                if *refused {
                    set.insert(key[0]);
                }
            }
            if !set.is_empty() {
                out.push(Refusal { classes: vec![set], argument: Some(0) });
            }
        }
        2 => {
            let accepted_others: Vec<BTreeSet<Class>> = (0..2)
                .map(|place| {
                    let accepted = cells.iter().filter(|c| prober.state(subject, c) == State::Accepted);
                    accepted.map(|c| instances[c[1 - place]].class).collect()
                })
                .collect();
            let mut hopeless = [Classes::default(); 2];
            for place in 0..2 {
                let wanted = &accepted_others[place];
                let beside = |class: &Class| {
                    let (all_refused, others) = alone[place].get(class)?;
                    let tried: BTreeSet<Class> = others.iter().map(|o| o[0]).collect();
                    all_refused.then(|| wanted.iter().filter(|w| tried.contains(w)).count())
                };
                // Beside everything that is ever accepted there, of which there must be something.
                let alone_hopeless = |class: &Class| {
                    beside(class).is_some_and(|n| !wanted.is_empty() && (n == wanted.len() || n >= 4))
                };
                for class in alone[place].keys() {
                    // Its group's representatives speak for one that was tried beside something.
                    let spoken_for = || {
                        let groups: BTreeSet<&str> =
                            instances.iter().filter(|i| i.class == *class).map(|i| i.group).collect();
                        let mut speakers =
                            instances.iter().filter(|i| i.represents && groups.contains(i.group)).peekable();
                        beside(class).is_some_and(|n| n > 0)
                            && speakers.peek().is_some()
                            && speakers.all(|i| alone_hopeless(&i.class))
                    };
                    if alone_hopeless(class) || spoken_for() {
                        hopeless[place].insert(*class);
                    }
                }
                if !hopeless[place].is_empty() {
                    let mut row = vec![Classes::ALL; 2];
                    row[place] = hopeless[place];
                    out.push(Refusal { classes: row, argument: Some(place) });
                }
            }
            // What only the pair makes wrong.
            let mut rows: BTreeMap<Class, Classes> = BTreeMap::new();
            for (key, refused) in &states {
                if *refused && !hopeless[0].contains(key[0]) && !hopeless[1].contains(key[1]) {
                    rows.entry(key[0]).or_default().insert(key[1]);
                }
            }
            let mut equal: BTreeMap<Classes, Classes> = BTreeMap::new();
            for (first, second) in rows {
                equal.entry(second).or_default().insert(first);
            }
            out.extend(
                equal
                    .into_iter()
                    .map(|(second, first)| Refusal { classes: vec![first, second], argument: None }),
            );
        }
        _ => {
            let mut taken: Vec<Classes> = vec![Classes::default(); count];
            for cell in cells.iter().filter(|c| prober.state(subject, c) == State::Accepted) {
                for (place, n) in cell.iter().enumerate() {
                    taken[place].insert(instances[*n].class);
                }
            }
            for place in 0..count {
                let mut set = Classes::default();
                // What else stood beside something that was accepted at this place.
                let mut surroundings: BTreeSet<Vec<Class>> = BTreeSet::new();
                // What is accepted there among other numbers of arguments, it is the others' fault.
                let mut elsewhere = Classes::default();
                for cell in subject.cells.iter().filter(|c| c.len() > place) {
                    if prober.state(subject, cell) == State::Accepted {
                        elsewhere.insert(instances[cell[place]].class);
                        if cell.len() == count {
                            let mut others: Vec<Class> = cell.iter().map(|n| instances[*n].class).collect();
                            others.remove(place);
                            surroundings.insert(others);
                        }
                    }
                }
                for (class, (all_refused, others)) in &alone[place] {
                    // In three different surroundings in which another class is accepted.
                    let within = others.iter().filter(|o| surroundings.contains(*o)).count();
                    if *all_refused && within >= 3 && !elsewhere.contains(*class) {
                        set.insert(*class);
                    }
                }
                if !set.is_empty() {
                    // Only where the others are as they should be.
                    let mut row = taken.clone();
                    row[place] = set;
                    out.push(Refusal { classes: row, argument: Some(place) });
                }
            }
        }
    }
    out
}

/// What a function does with `Nullable` and `LowCardinality`: the one way that explains all samples. With `is_verbose`, an
/// example against each of the others is printed.
pub(crate) fn wrapping(
    rules: &Rules,
    samples: &[(Vec<Argument>, Type)],
    apply: fn(&Rules, &[Argument], &[Type]) -> Answer,
    set: impl Fn(&mut Rules, Wrapping),
    is_verbose: bool,
) -> Wrapping {
    if samples.is_empty() {
        return Wrapping::Unknown;
    }
    for mode in [Wrapping::Default, Wrapping::Ignored, Wrapping::Kept, Wrapping::IgnoredWhole] {
        let mut rules = rules.clone();
        set(&mut rules, mode);
        let mut against = samples.iter().filter_map(|(arguments, result)| {
            let types: Vec<Type> = arguments.iter().filter_map(|a| a.ty.clone()).collect();
            match apply(&rules, arguments, &types) {
                Answer::Type(ty) if ty == *result => None,
                // What the table does not know is not against it.
                Answer::Unknown => None,
                other => Some(format!("{types:?} is {result}, not {other:?}")),
            }
        });
        match against.next() {
            None => return mode,
            Some(example) if is_verbose => println!("  no wrapper is {mode:?}: {example}"),
            Some(_) => {}
        }
    }
    Wrapping::Unknown
}
