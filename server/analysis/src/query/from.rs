//! `FROM`: tables, joins and `ARRAY JOIN`.

use std::sync::Arc;

use headwater_catalog::Type;
use headwater_syntax::schema;
use headwater_syntax::sql::ast::{
    AstNode, Expression, Identifier, Join, Place, SelectItem, SelectQuery, Source as FromSource,
    TableFunction, TableRef, TableSource, descendants,
};

use super::relation::{Column, Relation};
use super::scope::{Analyzer, ScopeTable, Term, Value, computed_from};
use super::typing;
use super::{FaultKind, Source, UseKind};

impl<'t> Analyzer<'t> {
    /// Puts the tables of a `FROM` into the scope. Conditions come later: they may name aliases.
    pub(super) fn from(&mut self, select: SelectQuery<'t>) {
        let sources = select.sources();
        let is_flat = select
            .from_clauses()
            .all(|from| from.table_refs().all(|t| !matches!(t.source(), Some(TableSource::JoinedTables(_)))));
        let is_joined = sources.len() > 1;
        for FromSource { table, place } in &sources {
            let scope_table = self.table_ref(*table);
            let needs_alias =
                matches!(table.source(), Some(TableSource::Subquery(_) | TableSource::TableFunction(_)));
            if is_joined && is_flat && needs_alias && table.alias().is_none() {
                let range = table.source().map_or_else(|| table.range(), AstNode::range);
                self.fault(range, FaultKind::AliasRequired);
            }
            self.scope().tables.push(scope_table);
            if let Place::Join(join) = place {
                self.using(*join);
            }
        }
        let scope = self.scope();
        scope.is_strict = is_flat && scope.tables.len() > 2;
    }

    /// The conditions of its joins.
    pub(super) fn join_conditions(&mut self, select: SelectQuery<'t>) {
        for source in select.sources() {
            let Place::Join(join) = source.place else { continue };
            if let Some(condition) = join.condition() {
                let faults = self.fault_count();
                self.for_purpose(UseKind::Join, |this| this.join_condition(condition));
                // The engine reads it when rows meet.
                self.soften_faults(faults, false);
            }
        }
    }

    /// Keys of other types than the engine can compare fail when rows meet, not before.
    fn join_condition(&mut self, condition: Expression<'t>) {
        let mut todo = vec![condition];
        while let Some(condition) = todo.pop() {
            let peeled = condition.peeled();
            let call = peeled.call(self.text);
            let arguments = |name: &str| {
                let call = call.as_ref().filter(|c| c.function == name)?;
                let expressions = call.arguments.iter().map(|a| match a {
                    super::expression::CallArgument::Expression(e) => Some(*e),
                    _ => None,
                });
                expressions.collect::<Option<Vec<_>>>()
            };
            if let Some(parts) = arguments("and") {
                todo.extend(parts);
            } else if let Some([left, right]) = arguments("equals").as_deref() {
                let faults = self.fault_count();
                // Keys are compared by the rules of joins, not by those of rows.
                let subqueries = self.subqueries;
                let (left_key, right_key) = (self.expression(*left), self.expression(*right));
                self.subqueries = subqueries;
                self.expression(condition);
                self.forget_faults(faults, |kind| matches!(kind, FaultKind::Comparison { .. }));
                if let (Some(left), Some(right)) = (left_key.ty, right_key.ty)
                    && self.fault_count() == faults
                    && typing::can_join(&left, &right) == Some(false)
                {
                    self.fault(condition.range(), FaultKind::JoinTypes { left, right, is_using: false });
                }
            } else {
                self.expression(condition);
            }
        }
    }

    fn table_ref(&mut self, table: TableRef<'t>) -> ScopeTable {
        let alias = table.plain_name(self.text).map(|name| name.value);
        let mut out = match table.source() {
            Some(TableSource::TableName(name)) => match name.plain(self.text) {
                Some(plain) => {
                    let (relation, is_base) = self.named_table(plain.database.as_deref(), &plain.name);
                    self.modifiers(table, &plain.name, &relation);
                    let own_name = alias.is_some().then(|| plain.name.clone());
                    ScopeTable {
                        name: alias.or_else(|| Some(plain.name.clone())),
                        own_name,
                        database: plain.database.clone(),
                        relation,
                        base: is_base.then_some((plain.database, plain.name)),
                    }
                }
                None => unnamed(alias, Relation::unknown()),
            },
            Some(TableSource::Subquery(subquery)) => {
                self.subqueries += 1;
                let relation = subquery.inner().map(|query| self.subquery(query, false));
                unnamed(alias, relation.unwrap_or_default())
            }
            Some(TableSource::TableFunction(function)) => {
                let relation = self.table_function(function);
                unnamed(alias, relation)
            }
            _ => unnamed(alias, Relation::unknown()),
        };
        if let Some(names) = table.column_aliases() {
            let names: Vec<_> = names.identifiers().map(|i| i.name(self.text).into_owned()).collect();
            let mut relation = renamed(&out.relation, &names);
            // Those of a table function keep their own names beside these.
            if matches!(table.source(), Some(TableSource::TableFunction(_))) {
                relation.virtuals = relation.virtuals.iter().chain(&out.relation.columns).cloned().collect();
            }
            out.relation = Arc::new(relation);
            out.base = None;
        }
        // What a template adds behind a table may be anything.
        if table.template_output().is_some() {
            out.relation = Arc::new(Relation::unknown());
        }
        out
    }

    /// What a table is read with that it does not take.
    fn modifiers(&mut self, table: TableRef<'t>, name: &str, relation: &Relation) {
        let is_final =
            table.final_modifier().map(AstNode::range).filter(|_| relation.takes_final == Some(false));
        let is_sampled =
            table.sample_clause().map(AstNode::range).filter(|_| relation.takes_sample == Some(false));
        for (range, modifier) in [(is_final, "FINAL"), (is_sampled, "SAMPLE")] {
            if let Some(range) = range {
                self.fault(range, FaultKind::TableModifier { table: name.to_owned(), modifier });
            }
        }
    }

    /// The shape of a table by name, and whether it is a table of the project rather than of `WITH`.
    pub(super) fn named_table(&mut self, database: Option<&str>, name: &str) -> (Arc<Relation>, bool) {
        if database.is_none()
            && let Some(relation) = self.cte(name)
        {
            return (relation, false);
        }
        (self.provider.relation(database, name).unwrap_or_default(), true)
    }

    fn table_function(&mut self, function: TableFunction<'t>) -> Relation {
        let Some(name) = function.plain_name(self.text) else { return Relation::unknown() };
        if let Some(query) = function.arguments().and_then(|list| list.query()) {
            let relation = self.subquery(query, false);
            return if name.value == "view" { relation } else { Relation::unknown() };
        }
        let one = |name, ty| Relation::of(vec![Column::new(name, typing::parse(ty))]);
        let own = name.value.as_str();
        match if own.eq_ignore_ascii_case("values") { "values" } else { own } {
            "numbers" | "numbers_mt" => one("number", "UInt64"),
            "zeros" | "zeros_mt" => one("zero", "UInt8"),
            "generate_series" | "generateSeries" => one("generate_series", "UInt64"),
            "values" | "null" | "generateRandom" => {
                let list = function.arguments();
                let first = list.and_then(|list| list.expressions().next());
                let Some(Expression::StringLiteral(text)) = first else {
                    return if own.eq_ignore_ascii_case("values") {
                        self.rows(function)
                    } else {
                        Relation::unknown()
                    };
                };
                text.string(self.text).map_or_else(Relation::unknown, |text| structure(&text))
            }
            // The structure stands among the arguments, which are as many as the place needs credentials.
            "format" | "file" | "url" | "s3" | "gcs" | "azureBlobStorage" => {
                let list = function.arguments().into_iter().flat_map(|list| list.expressions());
                let texts = list.skip(1).filter_map(|e| match e {
                    Expression::StringLiteral(text) => text.string(self.text),
                    _ => None,
                });
                let structures = texts.filter(|text| text.trim().contains(' ')).map(|text| structure(&text));
                let mut known = structures.filter(|relation| {
                    relation.complete && relation.columns.iter().all(|column| column.ty.is_some())
                });
                let only = known.next();
                only.filter(|_| known.next().is_none()).unwrap_or_default()
            }
            _ => Relation::unknown(),
        }
    }

    /// The rows of `values((1, 'a'), (2, 'b'))`: their columns are `c1`, `c2`.
    fn rows(&mut self, function: TableFunction<'t>) -> Relation {
        let Some(list) = function.arguments() else { return Relation::unknown() };
        let mut types: Vec<Vec<Option<Type>>> = Vec::new();
        for row in list.expressions() {
            let values: Vec<Expression<'t>> = match row.peeled() {
                Expression::Tuple(tuple) => tuple.expressions().collect(),
                other => vec![other],
            };
            let row: Vec<Option<Type>> = values.into_iter().map(|value| self.expression(value).ty).collect();
            if types.is_empty() {
                types = row.into_iter().map(|ty| vec![ty]).collect();
            } else if types.len() == row.len() {
                types.iter_mut().zip(row).for_each(|(all, ty)| all.push(ty));
            } else {
                return Relation::unknown();
            }
        }
        let column = |(n, types): (usize, &Vec<Option<Type>>)| {
            Column::new(format!("c{}", n + 1), typing::common(types))
        };
        Relation::of(types.iter().enumerate().map(column).collect())
    }

    /// `USING`: columns that both sides have become one.
    fn using(&mut self, join: Join<'t>) {
        let Some(list) = join.using() else { return };
        let level = self.scopes.len() - 1;
        let right = self.scopes[level].tables.len() - 1;
        if list.aliases().next().is_some() {
            return;
        }
        for column in descendants::<Identifier<'t>>(list.node()) {
            let (name, range) = (column.name(self.text).into_owned(), column.range());
            let left = self.left_of_using(level, right, &name, range);
            let relation = self.scopes[level].tables[right].relation.clone();
            let right_value = match relation.column(&name) {
                Some(found) => {
                    let found = found.clone();
                    Some(self.column_of(level, right, &found, range))
                }
                None if relation.may_have_more() => None,
                None => {
                    let table = self.scopes[level].tables[right].name.clone();
                    let names = relation.columns.iter().filter_map(|c| c.name.as_deref());
                    let suggestion = typing::closest(&name, names);
                    let looked_in = self.scopes[level].tables[right].base.iter().cloned().collect();
                    let kind = FaultKind::UnknownColumn { name: name.clone(), table, suggestion, looked_in };
                    self.fault(range, kind);
                    None
                }
            };
            let values: Vec<Value> = left.into_iter().chain(right_value).collect();
            let ty = match values.as_slice() {
                [left, right] => {
                    if let (Some(left), Some(right)) = (&left.ty, &right.ty)
                        && typing::can_join(left, right) == Some(false)
                    {
                        let (left, right) = (left.clone(), right.clone());
                        self.fault(range, FaultKind::JoinTypes { left, right, is_using: true });
                    }
                    typing::common(&[left.ty.clone(), right.ty.clone()])
                }
                _ => None,
            };
            let sources: Arc<[Source]> = match values.as_slice() {
                [only] => only.sources.clone(),
                _ => {
                    let mut all: Vec<_> = values.iter().flat_map(|v| v.sources.iter().copied()).collect();
                    all.sort_unstable();
                    all.dedup();
                    all.into()
                }
            };
            self.for_purpose(UseKind::Join, |this| this.mention(range, &sources, true));
            // Both sides are the same column to `GROUP BY`.
            let term = values.first().map_or_else(Term::default, |v| v.term);
            let value = Value { ty, constant: None, either: None, is_constant: Some(false), sources, term };
            let scope = self.scope();
            if scope.using.insert(name.clone(), value).is_none() {
                scope.using_order.push(name);
            }
        }
    }

    fn left_of_using(
        &mut self,
        level: usize,
        right: usize,
        name: &str,
        range: headwater_syntax::TextRange,
    ) -> Option<Value> {
        if let Some(value) = self.scopes[level].using.get(name) {
            return Some(value.clone());
        }
        for table in 0..right {
            let relation = self.scopes[level].tables[table].relation.clone();
            if let Some(column) = relation.column(name) {
                return Some(self.column_of(level, table, column, range));
            }
            if relation.may_have_more() {
                return None;
            }
        }
        // An alias of the SELECT may have the name.
        if !self.scopes[level].aliases.contains_key(name) {
            let names = self.scopes[level].tables[..right].iter();
            let names = names.flat_map(|t| t.relation.columns.iter().filter_map(|c| c.name.as_deref()));
            let suggestion = typing::closest(name, names);
            let tables = self.scopes[level].tables[..right].iter();
            let looked_in = tables.filter_map(|t| t.base.clone()).collect();
            let kind = FaultKind::UnknownColumn { name: name.to_owned(), table: None, suggestion, looked_in };
            self.fault(range, kind);
        }
        None
    }

    /// `ARRAY JOIN`: elements in the place of arrays.
    pub(super) fn array_joins(&mut self, select: SelectQuery<'t>) {
        let in_from = select.from_clauses().flat_map(|from| from.array_joins());
        let items: Vec<SelectItem<'t>> =
            in_from.chain(select.array_joins()).flat_map(|join| join.select_items()).collect();
        let mut unfolded = Vec::new();
        for item in items {
            let Some(expression) = item.value() else { continue };
            let alias = item.plain_name(self.text).map(|n| n.value);
            let path = match expression.peeled() {
                Expression::ColumnRef(column) => {
                    let parts = column.parts(self.text);
                    parts.map(|parts| parts.into_iter().map(|p| p.value).collect::<Vec<_>>().join("."))
                }
                _ => None,
            };
            // A nested structure is a set of columns with a common start.
            if let Some(path) = &path {
                let nested = self.nested(path, alias.as_deref().unwrap_or(path));
                if !nested.is_empty() {
                    let range = expression.range();
                    for (_, value) in &nested {
                        self.mention(range, &value.sources.clone(), true);
                    }
                    unfolded.extend(nested);
                    continue;
                }
            }
            let value = self.expression(expression);
            if let Some(ty) =
                value.ty.as_ref().filter(|ty| super::convert::is_scalar(ty) || ty.bare().is_string())
            {
                let accepted = Some("Array or Map".to_owned());
                let fault = headwater_catalog::Fault::ArgumentType { argument: 0, ty: ty.clone(), accepted };
                self.fault(expression.range(), FaultKind::Call { function: "ARRAY JOIN".to_owned(), fault });
            }
            let Some(name) = alias.or(path) else { continue };
            let element = self.element(&value);
            unfolded.push((name, element));
        }
        self.scope().unfolded.extend(unfolded);
    }

    fn nested(&mut self, path: &str, called: &str) -> Vec<(String, Value)> {
        let level = self.scopes.len() - 1;
        let mut found = Vec::new();
        for table in 0..self.scopes[level].tables.len() {
            let relation = self.scopes[level].tables[table].relation.clone();
            if relation.column(path).is_some() {
                return Vec::new();
            }
            for column in &relation.columns {
                let name = column.name.as_deref().unwrap_or_default();
                if let Some(part) = name.strip_prefix(path).and_then(|rest| rest.strip_prefix('.')) {
                    let value = self.column_of(level, table, column, headwater_syntax::TextRange::default());
                    let element = self.element(&value);
                    found.push((format!("{called}.{part}"), element));
                }
            }
        }
        found
    }

    /// An element of an array.
    pub(super) fn element(&mut self, value: &Value) -> Value {
        let key = self.unique();
        let term = self.term(
            super::scope::TermKind::Column("an element".to_owned()),
            key,
            Vec::new(),
            self.terms[value.term.0].range,
        );
        let ty = value.ty.as_ref().and_then(typing::element);
        Value {
            ty,
            constant: None,
            either: None,
            is_constant: Some(false),
            sources: computed_from(std::iter::once(value)),
            term,
        }
    }
}

fn unnamed(alias: Option<String>, relation: Relation) -> ScopeTable {
    ScopeTable { name: alias, own_name: None, database: None, relation: Arc::new(relation), base: None }
}

/// The same columns by other names.
pub(super) fn renamed(relation: &Relation, names: &[String]) -> Relation {
    let mut out = relation.clone();
    for (column, name) in out.columns.iter_mut().zip(names) {
        column.name = Some(name.clone());
    }
    out
}

/// Columns given as text: `'a UInt8, b String'`.
fn structure(text: &str) -> Relation {
    let schema = schema::parse(text);
    if !schema.errors.is_empty() || schema.columns.is_empty() {
        return Relation::unknown();
    }
    let columns = schema.columns.into_iter().map(|c| {
        let ty = c.ty.and_then(|ty| typing::parse(&ty.value));
        Column::new(c.name.value, ty)
    });
    Relation::of(columns.collect())
}
