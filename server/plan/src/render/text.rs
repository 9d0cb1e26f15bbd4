//! Text for a terminal.

use std::fmt::Write as _;

use crate::change::{Change, Class, Plan};

use super::{cost, summary};

/// Whether escape codes are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Colours {
    /// A terminal reads it.
    On,
    /// A file, a pipe, or somebody who asked for none.
    Off,
}

/// How text is laid out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Style {
    /// Whether escape codes are written.
    pub colours: Colours,
    /// Columns of the terminal. Without one, lines are as long as what they say: whoever reads them cuts or searches them.
    pub width: Option<usize>,
}

impl Style {
    /// For files and pipes.
    pub const PLAIN: Self = Self { colours: Colours::Off, width: None };
}

/// The plan, one block for each resource. `against` says what it is compared with.
pub fn text(plan: &Plan, against: &str, style: Style) -> String {
    let paint = Paint { colours: style.colours };
    let mut out = String::new();
    if plan.changes.is_empty() {
        let _ = writeln!(out, "No changes against {against}.");
        return out;
    }
    let mut groups: Vec<(&str, &str, Vec<&Change>)> = Vec::new();
    for change in &plan.changes {
        match groups
            .iter_mut()
            .find(|(resource, kind, _)| *resource == change.resource && *kind == change.kind.noun())
        {
            Some((_, _, group)) => group.push(change),
            None => groups.push((&change.resource, change.kind.noun(), vec![change])),
        }
    }
    let layout = Layout::of(plan, style.width);
    for (resource, kind, changes) in groups {
        let class = changes.iter().map(|c| c.class).max().unwrap_or(Class::None);
        let _ = writeln!(
            out,
            "{} {} {}",
            paint.class(class, sign(class)),
            paint.bold(resource),
            paint.dim(&format!("{kind} · {}", changes[0].path))
        );
        for change in changes {
            block(&mut out, change, layout, paint);
        }
        out.push('\n');
    }
    let _ = writeln!(out, "{} against {against}: {}.", paint.bold("Plan"), summary(plan));
    closing(&mut out, plan, paint);
    out
}

fn subject(change: &Change) -> String {
    change.subject.clone().unwrap_or_default()
}

/// Where things stand in a line.
#[derive(Clone, Copy)]
struct Layout {
    /// Columns that the longest subject takes, up to a bound.
    subject: usize,
    /// Where reasons begin.
    indent: usize,
    /// Whether they begin in a line of their own: beside the subject they would be a narrow strip.
    is_stacked: bool,
    /// Columns of the terminal.
    width: Option<usize>,
}

impl Layout {
    const CLASS: usize = 9;
    /// Columns that a reason wants beside its subject.
    const STRIP: usize = 48;

    fn of(plan: &Plan, width: Option<usize>) -> Self {
        let subject = plan.changes.iter().map(|c| subject(c).chars().count()).max().unwrap_or(0).min(28);
        let indent = 4 + Self::CLASS + 2 + subject + 2;
        let is_stacked = width.is_some_and(|width| width < indent + Self::STRIP);
        Self { subject, indent: if is_stacked { 8 } else { indent }, is_stacked, width }
    }

    /// The words of a text in lines that fit behind the indent, which the first line does not have.
    fn wrapped(self, text: &str) -> String {
        let Some(room) = self.width.map(|width| width.saturating_sub(self.indent).max(20)) else {
            return text.to_owned();
        };
        let mut out = String::new();
        let mut used = 0;
        for word in text.split(' ') {
            let length = word.chars().count();
            if used > 0 && used + 1 + length > room {
                let _ = write!(out, "\n{}", " ".repeat(self.indent));
                used = 0;
            } else if used > 0 {
                out.push(' ');
                used += 1;
            }
            out.push_str(word);
            used += length;
        }
        out
    }
}

fn block(out: &mut String, change: &Change, layout: Layout, paint: Paint) {
    let subject = subject(change);
    let class = paint.class(change.class, &format!("{:<width$}", change.class.name(), width = Layout::CLASS));
    let indent = " ".repeat(layout.indent);
    let reason = layout.wrapped(&change.reason);
    if layout.is_stacked {
        let line = format!("    {class}  {subject}");
        let _ = writeln!(out, "{}\n{indent}{reason}", line.trim_end());
    } else {
        let pad = " ".repeat(layout.subject.saturating_sub(subject.chars().count()));
        let _ = writeln!(out, "    {class}  {subject}{pad}  {reason}");
    }
    let mut notes = vec![paint.dim(&format!("rule {}", change.rule.name))];
    if let Some(by) = change.part_of {
        notes.push(paint.dim(&format!("done by {by}")));
    }
    if !change.is_reversible {
        notes.push(paint.class(Class::Hide, "not reversible after the rollback window"));
    }
    if change.is_breaking {
        notes.push(paint.class(Class::Refuse, "breaking"));
    }
    if let Some(cost) = cost(&change.estimate) {
        notes.push(cost);
    }
    let _ = writeln!(out, "{indent}{}", notes.join(" · "));
    if !change.dependents.is_empty() {
        let shown: Vec<_> = change
            .dependents
            .iter()
            .take(6)
            .map(|d| match &d.node {
                Some(node) => format!("{}:{node}", d.resource),
                None => d.resource.clone(),
            })
            .collect();
        let more = change.dependents.len().saturating_sub(6);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        let _ = writeln!(out, "{indent}{}", layout.wrapped(&format!("→ {}{more}", shown.join(", "))));
    }
    // Statements and texts to paste stay as they are: a line break in them is one more in what is pasted.
    for statement in &change.sql {
        for line in statement.lines() {
            let _ = writeln!(out, "{indent}{}", paint.dim(line));
        }
    }
    if let Some(fix) = &change.fix {
        let place = if fix.path.is_empty() { String::new() } else { format!(" ({})", fix.path) };
        let _ = writeln!(out, "{indent}{} {}{place}", paint.class(Class::Create, "fix:"), fix.title);
        for line in fix.text.lines() {
            let _ = writeln!(out, "{indent}  {line}");
        }
    }
}

fn closing(out: &mut String, plan: &Plan, paint: Paint) {
    if plan.is_refused() {
        let _ = writeln!(
            out,
            "{}",
            paint.class(Class::Refuse, "It cannot be deployed before what is refused is mended.")
        );
    }
    let mut names: Vec<_> =
        plan.changes.iter().filter(|c| c.class.is_destructive()).map(|c| c.resource.as_str()).collect();
    names.sort_unstable();
    names.dedup();
    if !names.is_empty() {
        let flags: Vec<_> = names.iter().map(|n| format!("--allow-destructive {n}")).collect();
        let _ = writeln!(out, "Destructive; deploying needs {}", flags.join(" "));
    }
    let _ = writeln!(out, "{}", paint.dim(&format!("plan {}", plan.hash)));
}

fn sign(class: Class) -> &'static str {
    match class {
        Class::None | Class::Metadata => "·",
        Class::Create => "+",
        Class::Alter | Class::Mutate | Class::Carry => "~",
        Class::Recompute | Class::Rewrite => "±",
        Class::Hide | Class::Delete => "-",
        Class::Refuse => "✗",
    }
}

#[derive(Clone, Copy)]
struct Paint {
    colours: Colours,
}

impl Paint {
    fn wrap(self, code: &str, text: &str) -> String {
        match self.colours {
            Colours::On => format!("\x1b[{code}m{text}\x1b[0m"),
            Colours::Off => text.to_owned(),
        }
    }

    fn bold(self, text: &str) -> String {
        self.wrap("1", text)
    }

    fn dim(self, text: &str) -> String {
        self.wrap("2", text)
    }

    fn class(self, class: Class, text: &str) -> String {
        let code = match class {
            Class::None | Class::Metadata => "2",
            Class::Create => "32",
            Class::Alter | Class::Mutate | Class::Carry => "36",
            Class::Recompute | Class::Rewrite => "33",
            Class::Hide | Class::Delete => "31",
            Class::Refuse => "1;31",
        };
        self.wrap(code, text)
    }
}
