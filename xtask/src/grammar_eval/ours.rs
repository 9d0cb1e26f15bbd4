//! Our tree, told in the engine's terms.

use headwater_syntax::sql::{self, unquote};
use tree_sitter::Node;

use super::desugar::{
    DATE_ARITHMETIC, EXTRACT_FIELDS, EXTRACTS, OPERATORS, RENAMED, VARIADIC, look_up, unit, units_between,
};
use super::items::{Items, Kind};

/// What we saw in a statement; `None` when it takes too much work to parse.
pub(super) fn items(text: &str) -> Option<Items> {
    let tree = sql::parse_raw(&sql::as_read(text)?)?;
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
            "column_ref" if node.child(0).is_some_and(|n| n.kind() == "system_variable") => {
                self.function("globalVariable");
            }
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
                if node.child_by_field_name("zone").is_none() {
                    self.function("timeZone");
                }
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
            "subscript" | "tuple_access" => match self.json_path(node) {
                Some(name) => self.identifier(&name),
                None => {
                    let element = node.kind() == "subscript";
                    self.function(if element { "arrayElement" } else { "tupleElement" });
                    if node
                        .child_by_field_name("index")
                        .is_some_and(|n| self.text(n).contains('-') && !element)
                    {
                        self.function("negate");
                    }
                    self.field(node, "value");
                    self.field(node, "index");
                }
            },
            // A table of what EXPLAIN prints.
            "subquery" if node.child_by_field_name("query").is_some_and(|n| n.kind() == "explain") => {
                self.function("viewExplain");
                self.children(node);
            }
            "function_call" => self.call(node),
            "table_function" => {
                let part = |field| node.child_by_field_name(field).map(|n| unquote(self.text(n)));
                let database = part("database").map(|d| d + ".").unwrap_or_default();
                self.function(&(database + &part("name").unwrap_or_default()));
                self.children_but(node, &["database", "name"]);
            }
            "values_list" => {
                self.function("sqlStandardValues");
                self.children(node);
            }
            "star" => self.star(node),
            "columns_matcher" => {
                let parts: Vec<_> = node.named_children(&mut node.walk()).collect();
                // A matcher has names or a pattern; anything else makes it a function.
                let values = parts
                    .iter()
                    .find(|n| n.kind() == "argument_list")
                    .map(|list| list.named_children(&mut list.walk()).map(|n| n.kind()).collect::<Vec<_>>());
                if values.is_some_and(|kinds| kinds.iter().any(|k| *k != "column_ref" && *k != "string")) {
                    self.function("COLUMNS");
                }
                parts.into_iter().for_each(|part| self.node(part));
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
            "column_aliases" => self.names(node),
            "cte" => {
                self.field(node, "columns");
                self.field(node, "query");
            }
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
        node.children(&mut cursor)
            .filter(|n| !n.is_named())
            .any(|n| words.iter().any(|w| w.eq_ignore_ascii_case(self.text(n))))
    }

    /// `a.b.c` without quotes.
    fn path(&self, node: Node<'_>) -> String {
        let mut out = String::new();
        let mut pending = vec![node];
        while let Some(node) = pending.pop() {
            if node.child_count() == 0 {
                // The engine quotes what is behind the sign of `a.^b`.
                if node.kind() == "identifier" && out.ends_with(['^', '@']) {
                    out += &format!("`{}`", unquote(self.text(node)));
                    continue;
                }
                out += &match node.kind() {
                    "identifier" => unquote(self.text(node)),
                    "string" => self.text(node).trim_matches('\'').to_owned(),
                    _ => self.text(node).trim().to_owned(),
                };
            } else {
                let mut cursor = node.walk();
                let children: Vec<_> = node.children(&mut cursor).filter(|n| !n.is_extra()).collect();
                pending.extend(children.into_iter().rev());
            }
        }
        out
    }

    /// A path into a JSON column, which the engine has as one identifier: ``a.b.:`Int64`.c``, ``a.^`b` ``,
    /// `` a.:`Array(JSON)`.b `` for `a[].b`.
    fn json_path(&self, node: Node<'_>) -> Option<String> {
        let (mut node, mut tail) = (node, String::new());
        let mut is_json = false;
        loop {
            let part = match node.kind() {
                "column_ref" if is_json => return Some(self.path(node) + &tail),
                "subscript" if node.child_by_field_name("index").is_none() => {
                    is_json = true;
                    // `a[][]` is one array in another.
                    match node.child_by_field_name("value") {
                        Some(inner) if inner.kind() == "subscript" => {
                            tail = format!(".:`Array(Array(JSON))`{tail}");
                            node = inner.child_by_field_name("value")?;
                            continue;
                        }
                        _ => ".:`Array(JSON)`".to_owned(),
                    }
                }
                "tuple_access" => {
                    let name = node.child_by_field_name("name").map(|n| self.path(n));
                    match (name, node.child_by_field_name("type")) {
                        (Some(name), _) => format!(".{name}"),
                        (None, Some(of)) => {
                            is_json = true;
                            let text = self.text(of);
                            let text =
                                text.strip_prefix('`').and_then(|t| t.strip_suffix('`')).unwrap_or(text);
                            format!(".:`{text}`")
                        }
                        (None, None) => return None,
                    }
                }
                _ => return None,
            };
            tail = part + &tail;
            node = node.child_by_field_name("value")?;
        }
    }

    /// Names in a list that are columns: of `USING` and `EXCEPT`, and those that a table's columns get.
    fn names(&mut self, node: Node<'_>) {
        let mut cursor = node.walk();
        let aliases: Vec<_> = node.children_by_field_name("alias", &mut node.walk()).collect();
        for child in node.named_children(&mut cursor).filter(|n| !aliases.contains(n)) {
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
        // Of anything but a table or column the engine prints nothing.
        let qualifier = node.child_by_field_name("qualifier");
        if qualifier.is_none_or(|q| q.kind() == "column_ref") {
            self.children(node);
        } else {
            self.children_but(node, &["qualifier"]);
        }
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
        if let Some(call) = self.quantified_array(node) {
            return self.compare_with_array(node, call, name);
        }
        if let Some((name, aggregate)) = self.quantified(node, name) {
            self.function(name);
            aggregate.into_iter().for_each(|name| self.function(name));
            self.field(node, "left");
            let call = node.child_by_field_name("right");
            return call.into_iter().for_each(|call| self.field(call, "arguments"));
        }
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

    /// What `x = ANY (SELECT …)` and its kin become: an operator, and an aggregate over the query. The call itself is
    /// then none.
    fn quantified(
        &self,
        node: Node<'_>,
        operator: &'static str,
    ) -> Option<(&'static str, Option<&'static str>)> {
        let call = node.child_by_field_name("right").filter(|n| n.kind() == "function_call")?;
        let arguments = call.child_by_field_name("arguments")?;
        let query = arguments.named_child(0)?;
        if arguments.named_child_count() > 1
            || !matches!(query.kind(), "subquery" | "select_query" | "set_operation")
        {
            return None;
        }
        let name = self.text(call.child_by_field_name("name")?);
        let all = name.eq_ignore_ascii_case("all");
        if !all && !name.eq_ignore_ascii_case("any") && !name.eq_ignore_ascii_case("some") {
            return None;
        }
        Some(match (operator, all) {
            ("equals", false) => ("in", None),
            ("equals", true) => ("in", Some("singleValueOrNull")),
            ("notEquals", true) => ("notIn", None),
            ("notEquals", false) => ("notIn", Some("singleValueOrNull")),
            ("less" | "lessOrEquals", false) | ("greater" | "greaterOrEquals", true) => {
                (operator, Some("max"))
            }
            ("less" | "lessOrEquals", true) | ("greater" | "greaterOrEquals", false) => {
                (operator, Some("min"))
            }
            _ => return None,
        })
    }

    /// The call of `x > ALL (array)` and `x = SOME (array)`. `ANY` of an array stays the aggregate of that name.
    fn quantified_array<'n>(&self, node: Node<'n>) -> Option<Node<'n>> {
        let call = node.child_by_field_name("right").filter(|n| n.kind() == "function_call")?;
        let name = self.text(call.child_by_field_name("name")?);
        let arguments = call.child_by_field_name("arguments")?;
        let is_array = arguments.named_child_count() == 1
            && !matches!(arguments.named_child(0)?.kind(), "subquery" | "select_query" | "set_operation");
        let word = name.eq_ignore_ascii_case("all") || name.eq_ignore_ascii_case("some");
        (word && is_array).then_some(call)
    }

    fn compare_with_array(&mut self, node: Node<'_>, call: Node<'_>, operator: &str) {
        let all = call.child_by_field_name("name").is_some_and(|n| self.text(n).eq_ignore_ascii_case("all"));
        if !all && operator == "equals" {
            self.function("has");
        } else {
            for name in [if all { "arrayAll" } else { "arrayExists" }, "lambda", operator] {
                self.function(name);
            }
            self.identifier("_a");
            self.identifier("_a");
        }
        self.field(node, "left");
        self.field(call, "arguments");
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
            (Some("true" | "false"), false) => self.function("isNotDistinctFrom"),
            (Some("true" | "false"), true) => self.function("isDistinctFrom"),
            (_, false) => self.function("isNull"),
            (_, true) => self.function("isNotNull"),
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
        if let [first, last] = units.as_slice() {
            let between = units_between(unit(first).unwrap_or_default(), unit(last).unwrap_or_default());
            return between.iter().for_each(|u| self.function(&format!("toInterval{u}")));
        }
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
            None => {
                let name = node.child_by_field_name("column").map(|n| unquote(self.text(n)));
                name.into_iter().for_each(|name| self.identifier(&name));
            }
        }
    }

    fn call(&mut self, node: Node<'_>) {
        let Some(name_node) = node.child_by_field_name("name") else { return };
        let name = if name_node.kind() == "column_ref" {
            self.path(name_node)
        } else {
            unquote(self.text(name_node))
        };
        let arguments = node.child_by_field_name("arguments");
        let list: Vec<_> = arguments.map_or_else(Vec::new, |a| a.named_children(&mut a.walk()).collect());
        let words = |word: &str| arguments.is_some_and(|a| self.words(a, &[word]));
        // `position(needle IN haystack)`, and nothing to trim.
        let only = |kind: &str| list.first().filter(|n| n.kind() == kind && list.len() == 1);
        if name.eq_ignore_ascii_case("position")
            && let Some(operands) = only("in_expression")
        {
            self.function("position");
            return self.children(*operands);
        }
        if name.eq_ignore_ascii_case("trim")
            && words("from")
            && let [characters, value] = list.as_slice()
            && self.text(*characters) == "''"
        {
            return self.node(*value);
        }
        if let Some(operation) = look_up(DATE_ARITHMETIC, &name)
            && let [first, value, date] = list.as_slice()
            && let Some(unit) = unit(self.text(*first))
        {
            self.function(operation);
            self.function(&format!("toInterval{unit}"));
            self.node(*value);
            return self.node(*date);
        }
        // Without a unit it is the operator, however many operands there are.
        if let Some(operation) = look_up(DATE_ARITHMETIC, &name) {
            self.function(operation);
            let unit = list.first().filter(|n| n.kind() == "string" && list.len() == 3);
            return list.iter().skip(usize::from(unit.is_some())).for_each(|n| self.node(*n));
        }
        let extracts = (name.eq_ignore_ascii_case("extract") && words("from"))
            || ["date_part", "datepart"].iter().any(|n| name.eq_ignore_ascii_case(n));
        if extracts && let [first, value] = list.as_slice() {
            let field = self.text(*first).trim_matches('\'');
            let known =
                unit(field).and_then(|u| look_up(EXTRACTS, u)).or_else(|| look_up(EXTRACT_FIELDS, field));
            if let Some(functions) = known {
                functions.split(' ').for_each(|f| self.function(f));
                return self.node(*value);
            }
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
        let is_unit = renamed == "dateDiff" && list.first().is_some_and(|n| unit(self.text(*n)).is_some());
        if is_unit {
            for argument in list.iter().skip(1) {
                self.node(*argument);
            }
        } else {
            self.children_but(node, &["name"]);
        }
    }
}
