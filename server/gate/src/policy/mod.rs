//! What is allowed, as tables with reasons (`data/`), and what they say of a name.

pub mod formats;
pub mod functions;
pub mod nodes;
pub mod settings;
pub mod table_functions;

/// A family of a data file: `[verdict] title: reason`, and the names below it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Family {
    pub(crate) verdict: &'static str,
    pub(crate) reason: &'static str,
}

/// Every name of a data file with its family, in order.
pub(crate) fn families(text: &'static str) -> impl Iterator<Item = (&'static str, Family)> {
    let mut family = Family { verdict: "deny", reason: "" };
    text.lines().flat_map(move |line| {
        let head = line.strip_prefix('[').and_then(|rest| rest.split_once(']'));
        let names = match head {
            Some((verdict, rest)) => {
                let reason = rest.split_once(": ").map_or("", |(_, reason)| reason);
                family = Family { verdict, reason };
                ""
            }
            None if line.starts_with('#') => "",
            None => line,
        };
        let family = family;
        names.split_whitespace().map(move |name| (name, family))
    })
}
