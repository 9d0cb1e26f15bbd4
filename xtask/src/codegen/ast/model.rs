//! What a generated parser says about its nodes, and what the grammars' README says about them.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context as _, Result};
use serde_json::Value;

/// Kinds that may stand anywhere. Where the grammar asks for one by name it is no more than a separator, so they enter
/// no enum.
pub(super) fn is_noise(kind: &str) -> bool {
    matches!(
        kind,
        "template_statement" | "template_comment" | "comment" | "unclosed_statement" | "unclosed_comment"
    )
}

/// A field, or the children outside of fields.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Slot {
    /// Whether there can be more than one.
    pub(super) multiple: bool,
    /// Named kinds; empty when it holds nothing but words and signs.
    pub(super) kinds: BTreeSet<String>,
}

/// One kind of named node.
#[derive(Debug, Default)]
pub(super) struct Node {
    pub(super) fields: BTreeMap<String, Slot>,
    pub(super) children: Slot,
}

/// Everything known about the nodes of one language.
pub(super) struct Model {
    pub(super) nodes: BTreeMap<String, Node>,
    /// Number and kind of the visible named symbols.
    pub(super) symbols: Vec<(usize, String)>,
    /// One more than the highest symbol.
    pub(super) symbol_count: usize,
    /// Fields and their numbers.
    pub(super) fields: Vec<(String, usize)>,
    /// Documentation by kind.
    docs: BTreeMap<String, String>,
}

impl Model {
    pub(super) fn new(node_types: &str, parser: &str, readme: &str) -> Result<Self> {
        let types: Vec<Value> = serde_json::from_str(node_types).context("reading node-types.json")?;
        // Sets of kinds that the grammar itself names stand for their members.
        let supertypes: BTreeMap<&str, &Value> =
            types.iter().filter_map(|t| Some((t["type"].as_str()?, t.get("subtypes")?))).collect();
        let mut nodes = BTreeMap::new();
        for ty in &types {
            let (Some(name), Some(true)) = (ty["type"].as_str(), ty["named"].as_bool()) else { continue };
            if supertypes.contains_key(name) {
                continue;
            }
            let slot = |v: &Value| {
                let mut kinds = BTreeSet::new();
                expand(&v["types"], &supertypes, &mut kinds);
                Slot { multiple: v["multiple"].as_bool().unwrap_or_default(), kinds }
            };
            let fields = ty["fields"].as_object().into_iter().flatten();
            let fields = fields.map(|(k, v)| (k.clone(), slot(v))).collect();
            let children = ty.get("children").map(slot).unwrap_or_default();
            nodes.insert(name.to_owned(), Node { fields, children });
        }
        let identifiers = numbers(parser, "enum ts_symbol_identifiers {");
        let kinds = names(parser);
        let mut symbols: Vec<_> = identifiers
            .iter()
            .filter_map(|(ident, id)| Some((*id, kinds.get(ident)?)))
            .filter(|(_, kind)| nodes.contains_key(*kind))
            .map(|(id, kind)| (id, kind.clone()))
            .collect();
        symbols.sort();
        let symbol_count = identifiers.values().max().map_or(0, |n| n + 1);
        let mut fields: Vec<_> = numbers(parser, "enum ts_field_identifiers {")
            .into_iter()
            .filter_map(|(ident, id)| Some((ident.strip_prefix("field_")?.to_owned(), id)))
            .collect();
        fields.sort_by_key(|(_, id)| *id);
        let docs = docs(readme);
        Ok(Self { nodes, symbols, symbol_count, fields, docs })
    }

    /// The kinds that may stand in `node.field` or `node.*`.
    pub(super) fn place(&self, place: &str) -> Option<&BTreeSet<String>> {
        let (node, field) = place.split_once('.')?;
        let node = self.nodes.get(node)?;
        if field == "*" { Some(&node.children.kinds) } else { node.fields.get(field).map(|f| &f.kinds) }
    }

    /// What the README says about a kind.
    pub(super) fn doc(&self, kind: &str) -> Option<&str> {
        self.docs.get(kind).map(String::as_str)
    }
}

fn expand(types: &Value, supertypes: &BTreeMap<&str, &Value>, out: &mut BTreeSet<String>) {
    for ty in types.as_array().into_iter().flatten() {
        let (Some(name), Some(true)) = (ty["type"].as_str(), ty["named"].as_bool()) else { continue };
        match supertypes.get(name) {
            Some(members) => {
                let members = Value::Object([("types".to_owned(), (*members).clone())].into_iter().collect());
                expand(&members["types"], supertypes, out);
            }
            None => {
                out.insert(name.to_owned());
            }
        }
    }
}

/// The lines of the C block that starts with `head`.
fn block<'a>(parser: &'a str, head: &str) -> impl Iterator<Item = &'a str> {
    let at = parser.find(head).map_or(parser.len(), |n| n + head.len());
    parser[at..].lines().skip(1).take_while(|l| !l.starts_with('}'))
}

/// `name = 3,` of a C enum.
fn numbers(parser: &str, head: &str) -> BTreeMap<String, usize> {
    block(parser, head)
        .filter_map(|line| line.trim().trim_end_matches(',').split_once(" = "))
        .filter_map(|(name, number)| Some((name.to_owned(), number.parse().ok()?)))
        .collect()
}

/// `[sym_x] = "x",` of the table of names, of what is visible and named only: the same word may also be a token.
fn names(parser: &str) -> BTreeMap<String, String> {
    let is_named = |ident: &str| {
        let head = format!("  [{ident}] = {{\n    .visible = true,\n    .named = true,");
        parser.contains(&head)
    };
    block(parser, "ts_symbol_names[] = {")
        .filter_map(|line| line.trim().strip_prefix('[')?.split_once("] = \""))
        .filter_map(|(ident, name)| Some((ident, name.strip_suffix("\",")?)))
        .filter(|(ident, _)| ident.starts_with("sym_") || ident.starts_with("alias_sym_"))
        .filter(|(ident, _)| is_named(ident))
        .map(|(ident, name)| (ident.to_owned(), name.to_owned()))
        .collect()
}

/// The node table of the README's SQL section, by kind: fields and remark in one line.
fn docs(readme: &str) -> BTreeMap<String, String> {
    let mut docs = BTreeMap::new();
    let section = readme.split("\n## SQL\n").nth(1).unwrap_or_default();
    let section = section.split("\n## ").next().unwrap_or_default();
    for row in section.lines().filter(|l| l.starts_with("| `")) {
        let cells: Vec<_> = row.trim_matches('|').split(" | ").map(str::trim).collect();
        let kinds: Vec<_> =
            cells[0].split('`').filter(|w| w.chars().all(|c| c == '_' || c.is_ascii_lowercase())).collect();
        let kinds: Vec<_> = kinds.into_iter().filter(|w| !w.is_empty()).collect();
        let fields = cells.get(1).copied().unwrap_or_default();
        let remark = cells.get(2).copied().unwrap_or_default();
        let parts: Vec<_> = fields.split("; ").collect();
        for (n, kind) in kinds.iter().enumerate() {
            let own = if parts.len() == kinds.len() { parts[n] } else { fields };
            let doc = [own, remark].into_iter().filter(|d| !d.is_empty()).collect::<Vec<_>>().join("; ");
            docs.insert((*kind).to_owned(), doc);
        }
    }
    docs
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_parser_is_read() {
        let types = r#"[
            {"type": "_any", "named": true, "subtypes": [{"type": "x", "named": true}, {"type": "y", "named": true}]},
            {"type": "x", "named": true, "fields": {"left": {"multiple": false, "required": true, "types":
                [{"type": "_any", "named": true}, {"type": "+", "named": false}]}}},
            {"type": "y", "named": true}, {"type": "y", "named": false}]"#;
        let parser = "enum ts_symbol_identifiers {\n  sym_x = 1,\n  alias_sym_y = 2,\n  anon_sym_y = 3,\n};\n\
            static const char * const ts_symbol_names[] = {\n  [sym_x] = \"x\",\n  [alias_sym_y] = \"y\",\n  [anon_sym_y] = \"y\",\n};\n\
            \x20 [sym_x] = {\n    .visible = true,\n    .named = true,\n  },\n  [alias_sym_y] = {\n    .visible = true,\n    .named = true,\n  },\n\
            enum ts_field_identifiers {\n  field_left = 1,\n};\n";
        let readme = "\n## SQL\n\n| `x`, `y` | `left`; none | a remark |\n\n## Use\n";
        let model = Model::new(types, parser, readme).expect("readable");
        assert_eq!(model.symbols, [(1, "x".to_owned()), (2, "y".to_owned())]);
        assert_eq!(model.symbol_count, 4);
        assert_eq!(model.fields, [("left".to_owned(), 1)]);
        assert_eq!(model.place("x.left").expect("known").len(), 2);
        assert_eq!(model.place("x.right"), None);
        assert_eq!(model.doc("y"), Some("none; a remark"));
    }
}
