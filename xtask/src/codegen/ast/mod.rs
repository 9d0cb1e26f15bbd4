//! Writes the typed SQL AST (`server/syntax/src/sql/ast/generated.rs`) from what the grammar says about its nodes.
//!
//! New and renamed nodes need no edit here: they get a type and accessors of their own, and enter the groups below
//! through the places of the grammar that the groups are taken from. What is written by hand and names something that
//! the grammar has not (any more) fails the generation.

mod emit;
mod model;
mod names;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result, bail};

use model::Model;

/// A set of kinds with a name, which becomes one enum wherever the grammar allows that set or a part of it.
pub(super) struct Group {
    /// The enum's name.
    pub(super) name: &'static str,
    /// What it is, for its documentation.
    pub(super) doc: &'static str,
    /// Where the grammar allows it: `node.field`, or `node.*` for the children outside of fields. Their kinds together
    /// are the group.
    from: &'static [&'static str],
    /// Whether a node whose children are of this group has an accessor for each kind as well.
    pub(super) each: bool,
}

/// Smaller groups first where one could be part of another: a set of kinds is typed by the first group that holds it.
const GROUPS: &[Group] = &[
    Group {
        name: "Name",
        doc: "A name or a part of one: plain, quoted, or made by a template.",
        from: &["column_ref.*", "table_name.database", "table_name.table", "select_item.alias"],
        each: false,
    },
    Group {
        name: "Query",
        doc: "What gives rows: a `SELECT`, a set operation, either in parentheses, or the branches of a template.",
        from: &["set_operation.left", "explain.query", "subquery.query"],
        each: false,
    },
    Group {
        name: "TableSource",
        doc: "What a `FROM` or `JOIN` reads.",
        from: &["table_ref.source"],
        each: false,
    },
    Group { name: "Clause", doc: "A part of a `SELECT`.", from: &["select_query.*"], each: true },
    Group {
        name: "Expression",
        doc: "What gives a value.",
        from: &["binary_expression.left", "parenthesized_expression.*"],
        each: false,
    },
];

/// The file that is written, relative to the repository.
pub(super) const OUTPUT: &str = "server/syntax/src/sql/ast/generated.rs";

/// A group with the kinds that the grammar gives it.
pub(super) struct Resolved {
    pub(super) group: &'static Group,
    pub(super) kinds: BTreeSet<String>,
}

/// The text of the typed AST for the SQL parser in `src`, documented by the grammars' `readme`.
///
/// # Errors
///
/// If the generated parser cannot be read, or a group names what the grammar has not.
pub(super) fn generate(src: &Path, readme: &Path) -> Result<String> {
    let read = |path: &Path| fs::read_to_string(path).with_context(|| format!("reading {}", path.display()));
    let model =
        Model::new(&read(&src.join("node-types.json"))?, &read(&src.join("parser.c"))?, &read(readme)?)?;
    let groups = GROUPS.iter().map(|group| resolve(&model, group)).collect::<Result<Vec<_>>>()?;
    Ok(emit::file(&model, &groups))
}

fn resolve(model: &Model, group: &'static Group) -> Result<Resolved> {
    let mut kinds = BTreeSet::new();
    for place in group.from {
        let found = model.place(place);
        let Some(found) = found.filter(|set| !set.is_empty()) else {
            bail!(
                "the group `{}` of the SQL AST is taken from `{place}`, which the grammar has not; \
                 mend GROUPS in xtask/src/codegen/ast/mod.rs",
                group.name
            );
        };
        kinds.extend(found.iter().filter(|kind| !model::is_noise(kind)).cloned());
    }
    Ok(Resolved { group, kinds })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_that_name_unknown_places_fail() {
        let model = Model::new("[]", "", "").expect("nothing is a grammar");
        let error = resolve(&model, &GROUPS[0]).err().expect("an error").to_string();
        assert!(error.contains("`column_ref.*`"), "{error}");
    }
}
