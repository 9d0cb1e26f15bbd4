//! Names that templates only ask for: `defined(x)` of a parameter that is one slip away from one that is used.

use headwater_syntax::spelling::is_slip;
use headwater_syntax::template::{self, ExprKind};
use rustc_hash::FxHashSet;

use super::super::{Context, Sink};
use crate::codes;

/// Parameters of one pipe that are compared.
const MAX_NAMES: usize = 500;

/// A parameter that nothing but `defined` names may be there for its own sake: a switch. One that is spelled almost like a
/// parameter with a type is that one, misspelled.
pub(super) fn check(cx: &Context<'_>, sink: &mut Sink<'_>) {
    let mut typed: FxHashSet<String> = FxHashSet::default();
    let mut read: FxHashSet<String> = FxHashSet::default();
    let mut asked = Vec::new();
    let nodes = cx.file.nodes();
    for node in &nodes {
        let Some((entry, sql)) = node.sql().filter(|(_, sql)| template::is_template(&sql.text)) else {
            continue;
        };
        let tree = cx.memory.template(&sql.text);
        let mut places = FxHashSet::default();
        tree.walk_expressions(&mut |expr| {
            if let Some(("defined", [first], _)) = expr.as_call()
                && matches!(first.kind, ExprKind::Name(_))
            {
                places.insert(first.range);
            }
        });
        for parameter in template::parameters(&sql.text, &tree) {
            if parameter.ty.is_some() {
                typed.insert(parameter.name);
            } else if places.contains(&parameter.range) {
                asked.push((entry, node.index, parameter));
            } else {
                read.insert(parameter.name);
            }
        }
    }
    // Each name is compared with each: a pipe with so many has no names that people wrote.
    if typed.len() > MAX_NAMES || asked.len() > MAX_NAMES {
        return;
    }
    for (entry, index, parameter) in asked {
        let name = parameter.name.as_str();
        if typed.contains(name) || read.contains(name) {
            continue;
        }
        let mut near: Vec<&String> = typed.iter().filter(|other| is_misspelled(name, other)).collect();
        near.sort();
        let Some(meant) = near.first() else { continue };
        let Some((_, sql)) = nodes.iter().find(|n| n.index == index).and_then(|n| n.sql()) else { continue };
        let message = format!(
            "no tag of this pipe reads a parameter `{name}`, so passing it changes nothing but this; did you mean `{meant}`?"
        );
        sink.in_body(entry, &sql, &codes::UNKNOWN_PARAMETER, parameter.range, message)
            .meant(Some(meant.as_str()));
    }
}

/// Whether one name is the other with a slip. Numbered names, and one and many, are different names.
fn is_misspelled(name: &str, other: &str) -> bool {
    let plain =
        |name: &str| name.trim_end_matches(|c: char| c.is_ascii_digit()).trim_end_matches('s').to_owned();
    name.len() >= 4 && is_slip(name, other) && plain(name) != plain(other)
}
