//! Counting agreement and disagreement.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use headwater_oracle::Verdict;

use super::texts::Texts;

/// Errors of the engine that are about syntax, limits or itself, and no judgement of meaning.
const NOT_SEMANTIC: &[i32] = &[
    62,  // SYNTAX_ERROR
    456, // UNKNOWN_QUERY_PARAMETER
    159, // TIMEOUT_EXCEEDED
    241, // MEMORY_LIMIT_EXCEEDED
    497, // ACCESS_DENIED
];

/// Errors about the values that a request was made up with: no rule about types finds them.
const OF_VALUES: &[i32] = &[
    6,  // CANNOT_PARSE_TEXT
    38, // CANNOT_PARSE_DATE
    41, // CANNOT_PARSE_DATETIME
    72, // CANNOT_PARSE_NUMBER
];

#[derive(Default)]
pub(super) struct Tally {
    judged: usize,
    unjudged: BTreeMap<String, usize>,
    accepted: usize,
    refused: usize,
    /// Refused, and so do we.
    found: usize,
    names: usize,
    names_equal: usize,
    types_equal: usize,
    false_alarms: Vec<String>,
    missed: Vec<String>,
    other_names: Vec<String>,
    other_types: BTreeMap<String, (usize, String)>,
    syntax: usize,
    values: usize,
    /// The engine takes it, and so does the gate for queries of users.
    through_gate: usize,
    stopped_by_gate: Vec<String>,
}

impl Tally {
    pub(super) fn unjudged(&mut self, _place: &str, reason: &str) {
        *self.unjudged.entry(reason.to_owned()).or_default() += 1;
    }

    pub(super) fn judge(&mut self, case: &Texts, verdict: &Verdict) {
        self.judged += 1;
        // A warning is no refusal.
        let ours = case.facts.faults.iter().find(|f| f.kind.refuses_query());
        match verdict {
            Verdict::Broken(_) => {}
            Verdict::Refused(e) if NOT_SEMANTIC.contains(&e.code) => self.syntax += 1,
            Verdict::Refused(e) if OF_VALUES.contains(&e.code) && ours.is_none() => self.values += 1,
            Verdict::Refused(e) => {
                if case.reads_refused {
                    return;
                }
                self.refused += 1;
                match ours {
                    Some(_) => self.found += 1,
                    None => self.missed.push(format!("{}: {} {}", case.place, e.code, short(&e.message))),
                }
            }
            Verdict::Columns(columns) => {
                self.accepted += 1;
                if let Some(fault) = ours {
                    let at = case.text.get(std::ops::Range::<usize>::from(fault.range)).unwrap_or("");
                    self.false_alarms.push(format!("{}: {:?} at {}", case.place, fault.kind, short(at)));
                }
                self.compare(case, columns);
            }
        }
    }

    fn compare(&mut self, case: &Texts, columns: &[(String, String)]) {
        let own: Vec<_> = case.facts.columns.iter().collect();
        self.names += columns.len();
        if own.len() != columns.len() {
            self.other_names.push(format!(
                "{}: {} columns, the engine has {} ({})",
                case.place,
                own.len(),
                columns.len(),
                if case.facts.complete { "complete" } else { "not complete" }
            ));
            return;
        }
        for (own, (name, ty)) in own.iter().zip(columns) {
            if own.name.as_deref() == Some(name) {
                self.names_equal += 1;
            } else {
                self.other_names.push(format!("{}: {:?}, the engine says {name}", case.place, own.name));
            }
            let squeeze = |text: &str| text.split_whitespace().collect::<String>();
            let said = own.ty.as_ref().map(ToString::to_string);
            if said.as_deref().map(squeeze) == Some(squeeze(ty)) {
                self.types_equal += 1;
            } else {
                let key = format!("{} for {ty}", said.as_deref().unwrap_or("unknown"));
                let example = case.text.get(std::ops::Range::<usize>::from(own.range)).unwrap_or("");
                let entry = self
                    .other_types
                    .entry(key)
                    .or_insert_with(|| (0, format!("{} in {}", short(example), case.place)));
                entry.0 += 1;
            }
        }
    }

    /// Whether the gate lets a query through that the engine takes: whoever runs a project runs it behind the gate.
    pub(super) fn gate(
        &mut self,
        case: &Texts,
        expanded: &str,
        tables: &headwater_gate::Listed,
        verdict: &Verdict,
    ) {
        if !matches!(verdict, Verdict::Columns(_)) {
            return;
        }
        match headwater_gate::Gate::new(tables).check(expanded) {
            Ok(_) => self.through_gate += 1,
            Err(refusal) => {
                let at = expanded.get(std::ops::Range::<usize>::from(refusal.range)).unwrap_or_default();
                self.stopped_by_gate.push(format!("{}: {refusal} at {}", case.place, short(at)));
            }
        }
    }

    pub(super) fn is_stopped_by_gate(&self) -> bool {
        !self.stopped_by_gate.is_empty()
    }

    pub(super) fn add(&mut self, project: &str, other: Self) {
        self.judged += other.judged;
        for (reason, count) in other.unjudged {
            *self.unjudged.entry(reason).or_default() += count;
        }
        self.accepted += other.accepted;
        self.refused += other.refused;
        self.found += other.found;
        self.names += other.names;
        self.names_equal += other.names_equal;
        self.types_equal += other.types_equal;
        self.syntax += other.syntax;
        self.values += other.values;
        self.through_gate += other.through_gate;
        let tag = |list: Vec<String>| list.into_iter().map(|l| format!("{project}/{l}")).collect::<Vec<_>>();
        self.false_alarms.extend(tag(other.false_alarms));
        self.missed.extend(tag(other.missed));
        self.stopped_by_gate.extend(tag(other.stopped_by_gate));
        self.other_names.extend(tag(other.other_names));
        for (key, (count, example)) in other.other_types {
            let entry = self.other_types.entry(key).or_insert((0, format!("{project}/{example}")));
            entry.0 += count;
        }
    }

    pub(super) fn has_false_alarms(&self) -> bool {
        !self.false_alarms.is_empty()
    }

    pub(super) fn line(&self) -> String {
        format!(
            "{} judged, {} taken, {} refused ({} found), {} false alarms",
            self.judged,
            self.accepted,
            self.refused,
            self.found,
            self.false_alarms.len()
        )
    }

    pub(super) fn report(&self, worst: usize) -> String {
        let mut out = String::new();
        let percent = |n: usize, of: usize| if of == 0 { 100.0 } else { 100.0 * n as f64 / of as f64 };
        let unjudged: usize = self.unjudged.values().sum();
        let _ = writeln!(out, "renderings judged         {}", self.judged);
        let _ = writeln!(out, "not judged                {unjudged}");
        let _ = writeln!(out, "syntax and settings       {}", self.syntax);
        let _ = writeln!(out, "fail on made-up values    {}", self.values);
        let _ = writeln!(out, "the engine takes          {}", self.accepted);
        let _ = writeln!(out, "  false alarms            {}", self.false_alarms.len());
        let _ = writeln!(out, "  pass the gate           {}", self.through_gate);
        let _ = writeln!(out, "  stopped by the gate     {}", self.stopped_by_gate.len());
        let _ = writeln!(out, "the engine refuses        {}", self.refused);
        let _ = writeln!(
            out,
            "  so do we                {}  {:.2} %",
            self.found,
            percent(self.found, self.refused)
        );
        let _ = writeln!(out, "columns                   {}", self.names);
        let _ = writeln!(
            out,
            "  names equal             {}  {:.2} %",
            self.names_equal,
            percent(self.names_equal, self.names)
        );
        let _ = writeln!(
            out,
            "  types equal             {}  {:.2} %",
            self.types_equal,
            percent(self.types_equal, self.names)
        );
        for (title, list) in [
            ("False alarms", &self.false_alarms),
            ("Missed", &self.missed),
            ("Other names", &self.other_names),
            ("Stopped by the gate", &self.stopped_by_gate),
        ] {
            if !list.is_empty() {
                let _ = writeln!(out, "\n{title} ({})", list.len());
                for line in list.iter().take(worst) {
                    let _ = writeln!(out, "  {line}");
                }
            }
        }
        let mut types: Vec<_> = self.other_types.iter().collect();
        types.sort_by_key(|(_, (count, _))| std::cmp::Reverse(*count));
        if !types.is_empty() {
            let _ = writeln!(out, "\nOther types");
            for (key, (count, example)) in types.into_iter().take(worst) {
                let _ = writeln!(out, "  {count:>5}  {key}    {example}");
            }
        }
        if !self.unjudged.is_empty() {
            let _ = writeln!(out, "\nNot judged");
            let mut reasons: Vec<_> = self.unjudged.iter().collect();
            reasons.sort_by_key(|(_, count)| std::cmp::Reverse(**count));
            for (reason, count) in reasons.into_iter().take(worst) {
                let _ = writeln!(out, "  {count:>5}  {}", short(reason));
            }
        }
        out
    }
}

fn short(text: &str) -> String {
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if text.chars().count() > 200 { text.chars().take(200).chain(['…']).collect() } else { text }
}
