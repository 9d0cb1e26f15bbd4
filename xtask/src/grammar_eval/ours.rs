//! Our tree, told in the engine's terms.

use headwater_syntax::sql::{self, unquote};
use tree_sitter::Node;

use super::desugar::{DATE_ARITHMETIC, EXTRACTS, OPERATORS, RENAMED, VARIADIC, look_up, unit};
use super::items::{Items, Kind};

/// What we saw in a statement; `None` when it takes too much work to parse.
pub(super) fn items(text: &str) -> Option<Items> {
    let tree = sql::parse(text)?;
    let mut walk = Walk { text, items: Items::default() };
    walk.node(tree.root_node());
    Some(walk.items)
}

struct Walk<'t> {
    text: &'t str,
    items: Items,
}

impl<'t> Walk<'t> {
    fn text(&self, node: Node<'_>) -> &'t str {
        &self.text[node.byte_range()]
    }

    fn function(&mut self, name: &str) {
        self.items.add(Kind::Function, name);
    }

    fn identifier(&mut self, name: &str) {
        self.items.add(Kind::Identifier, name);
    }

    fn children(&mut self, node: Node<'_>) {
        let mut cursor = node.walk();
        for child in node.named_children(&mut cursor) {
            self.node(child);
        }
    }

    /// Everything but the children in the given fields.
    fn children_but(&mut self, node: Node<'_>, fields: &[&str]) {
        let mut cursor = node.walk();
        if !cursor.goto_first_child() {
            return;
        }
        loop {
            if !cursor.field_name().is_some_and(|f| fields.contains(&f)) {
                self.node(cursor.node());
            }
            if !cursor.goto_next_sibling() {
                return;
            }
        }
    }

    fn field(&mut self, node: Node<'_>, field: &str) {
        if let Some(child) = node.child_by_field_name(field) {
            self.node(child);
        }
    }

    fn node(&mut self, node: Node<'_>) {
        match node.kind() {
            "column_ref" => {
                let name = self.path(node);
                self.identifier(&name);
            }
            "table_name" => {
                let name = self.path(node);
                self.items.add(Kind::Table, &name);
            }
            "binary_expression" | "in_expression" => self.operator(node),
            "unary_expression" => self.unary(node),
            "between_expression" => self.between(node),
            "is_expression" => self.is(node),
            "time_zone_expression" => {
                self.function("toTimeZone");
                self.children(node);
            }
            "ternary_expression" => {
                self.function("if");
                self.children(node);
            }
            "lambda" => self.lambda(node),
            "cast" => {
                self.function("CAST");
                self.field(node, "value");
                self.field(node, "type_name");
            }
            "case" => {
                let with_value = node.child_by_field_name("value").is_some();
                self.function(if with_value { "caseWithExpression" } else { "multiIf" });
                self.children(node);
            }
            "interval" => self.interval(node),
            "exists" => {
                self.function("exists");
                self.children(node);
            }
            "typed_literal" => {
                let is_date = node.child(0).is_some_and(|n| self.text(n).eq_ignore_ascii_case("date"));
                self.function(if is_date { "toDate" } else { "toDateTime" });
            }
            "system_variable" => self.function("globalVariable"),
            "subscript" => {
                if node.child_by_field_name("index").is_some() {
                    self.function("arrayElement");
                }
                self.children(node);
            }
            "tuple_access" => {
                self.function("tupleElement");
                self.field(node, "value");
            }
            "function_call" => self.call(node),
            "table_function" => {
                let name =
                    node.child_by_field_name("name").map(|n| unquote(self.text(n))).unwrap_or_default();
                self.function(&name);
                self.children_but(node, &["name"]);
            }
            "star" => self.star(node),
            "columns_matcher" => {
                self.field(node, "qualifier");
                let arguments = node.named_children(&mut node.walk()).find(|n| n.kind() == "argument_list");
                if let Some(list) = arguments {
                    self.node(list);
                }
            }
            "except_columns" | "using_list" => self.names(node),
            "replace_columns" => {
                let mut cursor = node.walk();
                for entry in node.named_children(&mut cursor) {
                    self.field(entry, "value");
                }
            }
            // What is applied is no child of the engine's tree.
            "apply_columns" | "like_columns" => {}
            // The engine keeps these outside the tree that it prints, or as plain values.
            "settings_clause" | "format_clause" | "into_outfile_clause" | "setting" | "data_type" => {}
            "sample_clause" | "query_parameter" | "comment" => {}
            "aliased_expression" | "select_item" => self.children_but(node, &["alias"]),
            "table_ref" => self.children_but(node, &["alias"]),
            "column_aliases" => {}
            "cte" => self.field(node, "query"),
            "scalar_cte" => self.field(node, "value"),
            "order_by_clause" if self.words(node, &["all"]) => self.identifier("all"),
            "interpolate_item" => self.interpolate(node),
            "window_definition" => self.children_but(node, &["name"]),
            "window_specification" => self.children_but(node, &["base"]),
            "over" => self.children_but(node, &["name"]),
            _ => self.children(node),
        }
    }

    /// Whether the last word of a clause is one of these, and it has no expression.
    fn words(&self, node: Node<'_>, words: &[&str]) -> bool {
        let mut cursor = node.walk();
        node.children(&mut cursor).any(|n| words.iter().any(|w| w.eq_ignore_ascii_case(self.text(n))))
    }

    /// `a.b.c` without quotes.
    fn path(&self, node: Node<'_>) -> String {
        let mut out = String::new();
        let mut pending = vec![node];
        while let Some(node) = pending.pop() {
            if node.child_count() == 0 {
                out += &match node.kind() {
                    "identifier" => unquote(self.text(node)),
                    "string" => self.text(node).trim_matches('\'').to_owned(),
                    _ => self.text(node).trim().to_owned(),
                };
            } else {
                let mut cursor = node.walk();
                let children: Vec<_> = node.children(&mut cursor).collect();
                pending.extend(children.into_iter().rev());
            }
        }
        out
    }

    /// Names in a list that are columns: of `USING` and `EXCEPT`.
    fn names(&mut self, node: Node<'_>) {
        let mut cursor = node.walk();
        for child in node.named_children(&mut cursor) {
            match child.kind() {
                "identifier" => self.identifier(&unquote(self.text(child))),
                "column_ref" => {
                    let name = self.path(child);
                    self.identifier(&name);
                }
                _ => self.node(child),
            }
        }
    }

    fn star(&mut self, node: Node<'_>) {
        if let Some(qualifier) = node.child_by_field_name("qualifier") {
            let name = self.path(qualifier);
            self.identifier(&name);
        }
        self.children_but(node, &["qualifier"]);
    }

    fn operator_text(&self, node: Node<'_>) -> String {
        let mut cursor = node.walk();
        let words: Vec<_> = node
            .children_by_field_name("operator", &mut cursor)
            .map(|n| self.text(n).to_ascii_lowercase())
            .collect();
        words.join(" ").split_whitespace().collect::<Vec<_>>().join(" ")
    }

    fn operator(&mut self, node: Node<'_>) {
        let text = self.operator_text(node);
        if text == "escape" {
            return self.field(node, "left");
        }
        let name = look_up(OPERATORS, &text).unwrap_or("?");
        // `a AND b AND c`: the left side of the same operator is part of this call.
        let continues = VARIADIC.contains(&name)
            && node.parent().is_some_and(|p| {
                p.kind() == node.kind()
                    && p.child_by_field_name("left") == Some(node)
                    && self.operator_text(p) == text
            });
        if !continues {
            for part in name.split(' ') {
                self.function(part);
            }
        }
        self.field(node, "left");
        self.field(node, "right");
    }

    fn unary(&mut self, node: Node<'_>) {
        let Some(operand) = node.child_by_field_name("operand") else { return };
        match self.operator_text(node).as_str() {
            "not" => self.function("not"),
            "-" if operand.kind() != "number" => self.function("negate"),
            _ => {}
        }
        self.node(operand);
    }

    /// Two comparisons; the value stands in both.
    fn between(&mut self, node: Node<'_>) {
        let names = if self.words(node, &["not"]) {
            ["or", "less", "greater"]
        } else {
            ["and", "greaterOrEquals", "lessOrEquals"]
        };
        for name in names {
            self.function(name);
        }
        self.field(node, "value");
        self.children(node);
    }

    fn is(&mut self, node: Node<'_>) {
        let not = self.words(node, &["not"]);
        let last =
            node.child(node.child_count().saturating_sub(1)).map(|n| self.text(n).to_ascii_lowercase());
        match (last.as_deref(), not) {
            (Some("true"), false) => self.function("isTrue"),
            (Some("null" | "unknown") | None, false) => self.function("isNull"),
            (Some("null" | "unknown") | None, true) => self.function("isNotNull"),
            (Some(other), not) => self.function(&format!("is{}{other}", if not { "Not" } else { "" })),
        }
        self.field(node, "value");
    }

    /// The parameters are identifiers in the engine's tree.
    fn lambda(&mut self, node: Node<'_>) {
        self.function("lambda");
        if let Some(parameters) = node.child_by_field_name("parameters") {
            if parameters.kind() == "identifier" {
                self.identifier(&unquote(self.text(parameters)));
            } else {
                self.names(parameters);
            }
        }
        self.field(node, "body");
    }

    fn interval(&mut self, node: Node<'_>) {
        let mut cursor = node.walk();
        let units: Vec<_> = node.children_by_field_name("unit", &mut cursor).map(|n| self.text(n)).collect();
        if let Some(name) = units.last().and_then(|u| unit(u)) {
            self.function(&format!("toInterval{name}"));
            return self.field(node, "value");
        }
        let value = node.child_by_field_name("value").map_or("", |n| self.text(n)).trim_matches('\'');
        let words: Vec<_> = value.split_whitespace().filter_map(unit).collect();
        for word in words {
            self.function(&format!("toInterval{word}"));
        }
    }

    fn interpolate(&mut self, node: Node<'_>) {
        match node.child_by_field_name("value") {
            Some(value) => self.node(value),
            None => self.field(node, "column"),
        }
    }

    fn call(&mut self, node: Node<'_>) {
        let Some(name_node) = node.child_by_field_name("name") else { return };
        let name = unquote(self.text(name_node));
        let arguments = node.child_by_field_name("arguments");
        let list: Vec<_> = arguments.map_or_else(Vec::new, |a| a.named_children(&mut a.walk()).collect());
        let words = |word: &str| arguments.is_some_and(|a| self.words(a, &[word]));
        if let Some(operation) = look_up(DATE_ARITHMETIC, &name)
            && let [first, value, date] = list.as_slice()
            && let Some(unit) = unit(self.text(*first))
        {
            self.function(operation);
            self.function(&format!("toInterval{unit}"));
            self.node(*value);
            return self.node(*date);
        }
        if name.eq_ignore_ascii_case("extract")
            && words("from")
            && let [first, value] = list.as_slice()
            && let Some(function) = unit(self.text(*first)).and_then(|u| look_up(EXTRACTS, u))
        {
            self.function(function);
            return self.node(*value);
        }
        let renamed = match look_up(RENAMED, &name) {
            Some("trimBoth") if words("leading") => "trimLeft",
            Some("trimBoth") if words("trailing") => "trimRight",
            Some(other) => other,
            None => name.as_str(),
        };
        let has_filter = node.named_children(&mut node.walk()).any(|n| n.kind() == "filter_clause");
        // An aggregate over distinct values, or over some rows, is an aggregate with a combinator.
        let distinct = if words("distinct") { "Distinct" } else { "" };
        self.function(&format!("{renamed}{distinct}{}", if has_filter { "If" } else { "" }));
        // The unit of `dateDiff(day, a, b)` becomes a string.
        let is_unit = renamed == "dateDiff" && list.first().is_some_and(|n| n.kind() == "column_ref");
        if is_unit {
            for argument in list.iter().skip(1) {
                self.node(*argument);
            }
        } else {
            self.children_but(node, &["name"]);
        }
    }
}
