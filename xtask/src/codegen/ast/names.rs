//! From the grammar's names to Rust's.

/// Kinds whose name would hide something of Rust's, or says too little outside of the grammar.
const TYPES: &[(&str, &str)] = &[
    ("array", "ArrayLiteral"),
    ("boolean", "BooleanLiteral"),
    ("final", "FinalModifier"),
    ("map", "MapLiteral"),
    ("null", "NullLiteral"),
    ("number", "NumberLiteral"),
    ("string", "StringLiteral"),
];

/// Names that every file of Rust knows already.
const PRELUDE: &[&str] =
    &["Box", "Err", "Iterator", "None", "Ok", "Option", "Result", "Some", "Vec", "Kind", "Token"];

/// Fields whose name is a word of Rust, or a method of every node.
const METHODS: &[(&str, &str)] = &[("type", "ty"), ("else", "otherwise")];

const TAKEN: &[&str] = &[
    "as", "async", "await", "break", "const", "continue", "dyn", "enum", "extern", "false", "final", "fn",
    "for", "if", "impl", "in", "let", "loop", "macro", "match", "mod", "move", "mut", "priv", "pub", "ref",
    "return", "self", "static", "struct", "super", "trait", "true", "try", "typeof", "unsafe", "use",
    "virtual", "where", "while", "yield", "box", "do", "abstract", "become", "override", "unsized", "gen",
    "cast", "can_cast", "node", "range", "text",
];

/// The type of a kind: `select_query` is `SelectQuery`.
pub(super) fn type_name(kind: &str) -> String {
    if let Some((_, name)) = TYPES.iter().find(|(k, _)| *k == kind) {
        return (*name).to_owned();
    }
    let name = camel(kind);
    if PRELUDE.contains(&name.as_str()) { name + "Node" } else { name }
}

/// `select_query` is `SelectQuery`.
pub(super) fn camel(snake: &str) -> String {
    let capital = |word: &str| {
        let mut chars = word.chars();
        chars.next().map_or_else(String::new, |c| c.to_ascii_uppercase().to_string() + chars.as_str())
    };
    snake.split('_').map(capital).collect()
}

/// `SelectQuery` is `select_query`.
pub(super) fn snake(camel: &str) -> String {
    let mut out = String::new();
    for c in camel.chars() {
        if c.is_ascii_uppercase() && !out.is_empty() {
            out.push('_');
        }
        out.push(c.to_ascii_lowercase());
    }
    out
}

/// The method for a field or a child.
pub(super) fn method(name: &str) -> String {
    match METHODS.iter().find(|(n, _)| *n == name) {
        Some((_, method)) => (*method).to_owned(),
        None if TAKEN.contains(&name) => format!("{name}_"),
        None => name.to_owned(),
    }
}

/// The method for all of them.
pub(super) fn plural(method: &str) -> String {
    let ends = |suffixes: &[&str]| suffixes.iter().any(|s| method.ends_with(s));
    if ends(&["ay", "ey", "oy", "uy"]) {
        format!("{method}s")
    } else if let Some(stem) = method.strip_suffix('y') {
        format!("{stem}ies")
    } else if ends(&["alias", "ss", "x", "ch", "sh"]) {
        format!("{method}es")
    } else if ends(&["s"]) {
        format!("{method}_all")
    } else {
        format!("{method}s")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_rust_s() {
        assert_eq!(type_name("select_query"), "SelectQuery");
        assert_eq!(type_name("string"), "StringLiteral");
        assert_eq!(type_name("option"), "OptionNode");
        assert_eq!(snake("SelectQuery"), "select_query");
        assert_eq!(method("type"), "ty");
        assert_eq!(method("final"), "final_");
        assert_eq!(plural("query"), "queries");
        assert_eq!(plural("alias"), "aliases");
        assert_eq!(plural("column_aliases"), "column_aliases_all");
        assert_eq!(plural("array"), "arrays");
    }
}
