//! Queries: set operations, `WITH`, and the clauses of a `SELECT` in the order in which they depend on each other.

use std::sync::Arc;

use headwater_catalog::Type;
use headwater_syntax::TextRange;
use headwater_syntax::sql::ast::{
    self, AliasedExpression, AstNode, Clause, Definition, Event, Expression, Kind, Literal, Query,
    SelectItem, SelectQuery, SetKind, Unnamed, Walk,
};

use super::aggregation::Grouping;
use super::from::renamed;
use super::relation::{Column, Relation};
use super::scope::{Alias, AliasState, Analyzer, Cte, Scope, ScopeTable, Term, TermKind, Value};
use super::typing;
use super::{FaultKind, UseKind};

impl<'t> Analyzer<'t> {
    /// A query, and what it gives.
    pub(super) fn query(&mut self, query: Query<'t>) -> Relation {
        self.subquery(query, false)
    }

    /// A query inside another. `sees_columns`: whether it may name columns of the one around it.
    pub(super) fn subquery(&mut self, query: Query<'t>, sees_columns: bool) -> Relation {
        self.nesting += 1;
        let relation = self.deeper(|this| this.branches(query, sees_columns)).unwrap_or_default();
        self.nesting -= 1;
        relation
    }

    fn branches(&mut self, query: Query<'t>, sees_columns: bool) -> Relation {
        let branches = query.branches(self.text);
        let Some((first, others)) = branches.split_first() else { return Relation::unknown() };
        if others.is_empty() {
            return self.select(first.select, sees_columns);
        }
        // What the first SELECT defines, the others see too.
        let mut shared = Scope { sees_outer_columns: sees_columns, ..Scope::default() };
        define(&mut shared, first.select, self.text);
        self.scopes.push(shared);
        let mut result = self.select(first.select, sees_columns);
        let mut types: Vec<Vec<Option<Type>>> = result.columns.iter().map(|c| vec![c.ty.clone()]).collect();
        for branch in others {
            let other = self.select(branch.select, sees_columns);
            if branch.joined_by == Some(SetKind::Alternative) {
                result.complete = false;
                continue;
            }
            result.complete &= other.complete;
            if result.complete && result.columns.len() != other.columns.len() {
                let kind =
                    FaultKind::UnequalColumns { first: result.columns.len(), this: other.columns.len() };
                self.fault(items_range(branch.select), kind);
                result.complete = false;
            }
            if result.complete {
                self.union_types(&result, &types, &other);
            }
            for ((column, types), more) in result.columns.iter_mut().zip(&mut types).zip(&other.columns) {
                types.push(more.ty.clone());
                let mut all: Vec<_> = column.sources.iter().chain(&*more.sources).copied().collect();
                all.sort_unstable();
                all.dedup();
                column.sources = all.into();
            }
        }
        self.scopes.pop();
        result.is_one_row = false;
        for (column, types) in result.columns.iter_mut().zip(&types) {
            column.ty = typing::of_union(types);
            column.either = None;
        }
        result
    }

    /// Columns that have nothing in common with those of the queries before.
    fn union_types(&mut self, result: &Relation, before: &[Vec<Option<Type>>], other: &Relation) {
        for ((column, before), more) in result.columns.iter().zip(before).zip(&other.columns) {
            let (Some(first), Some(this), Some(range)) = (typing::of_union(before), &more.ty, more.range)
            else {
                continue;
            };
            if typing::have_nothing_in_common(&first, this) {
                let kind = FaultKind::UnionTypes { name: column.name.clone(), first, this: this.clone() };
                self.fault(range, kind);
            }
        }
    }

    /// The table that `WITH` defines under this name, in the innermost scope that has one.
    pub(super) fn cte(&mut self, name: &str) -> Option<Arc<Relation>> {
        let found = |scope: &Scope<'t>| scope.ctes.iter().rposition(|cte| cte.name == name);
        let (level, index) =
            self.scopes.iter().enumerate().rev().find_map(|(level, scope)| Some((level, found(scope)?)))?;
        let cte = &self.scopes[level].ctes[index];
        if let Some(relation) = &cte.relation {
            let relation = relation.clone();
            self.subqueries += cte.subqueries;
            return Some(relation);
        }
        let before = self.subqueries;
        self.subqueries += 1;
        let (query, columns, is_recursive) = (cte.query, cte.columns.clone(), cte.is_recursive);
        let inner = self.scopes.split_off(level + 1);
        // It sees those before it, and itself when the WITH is recursive.
        if is_recursive {
            self.scopes[level].ctes[index].relation = Some(Arc::new(Relation::unknown()));
        }
        let later = self.scopes[level].ctes.split_off(index + usize::from(is_recursive));
        let purpose = std::mem::replace(&mut self.purpose, UseKind::Value);
        let mut relation = match query {
            Some(query) if is_recursive => self.recursive(query, level, index, columns.as_deref()),
            Some(query) => self.subquery(query, false),
            None => Relation::unknown(),
        };
        self.purpose = purpose;
        if let Some(names) = columns {
            relation = renamed(&relation, &names);
        }
        let relation = Arc::new(relation);
        self.scopes[level].ctes.extend(later);
        self.scopes[level].ctes[index].relation = Some(relation.clone());
        self.scopes[level].ctes[index].subqueries = self.subqueries - before;
        self.scopes.extend(inner);
        Some(relation)
    }

    /// A query of `WITH RECURSIVE`: its types are those that stay when it is fed with its own rows. They begin with those of
    /// its first part, which does not read it.
    fn recursive(
        &mut self,
        query: Query<'t>,
        level: usize,
        index: usize,
        names: Option<&[String]>,
    ) -> Relation {
        /// From the narrowest integer to the widest, and one more.
        const MOST_ROUNDS: usize = 6;
        let faults = self.fault_count();
        let branches = query.branches(self.text);
        let first = branches.first().map(|branch| branch.select);
        let mut known = first.map_or_else(Relation::unknown, |select| self.select(select, false));
        for _ in 0..MOST_ROUNDS {
            self.forget_faults(faults, |_| true);
            // It calls its columns as the list behind its name does.
            let called = names.map_or_else(|| known.clone(), |names| renamed(&known, names));
            self.scopes[level].ctes[index].relation = Some(Arc::new(called));
            let next = self.subquery(query, false);
            let types = |relation: &Relation| -> Vec<Option<Type>> {
                relation.columns.iter().map(|c| c.ty.clone()).collect()
            };
            let is_stable = types(&next) == types(&known);
            known = next;
            if is_stable {
                return known;
            }
        }
        for column in &mut known.columns {
            column.ty = None;
            column.either = None;
        }
        known
    }

    fn select(&mut self, select: SelectQuery<'t>, sees_columns: bool) -> Relation {
        let mut scope = Scope { sees_outer_columns: sees_columns, ..Scope::default() };
        define(&mut scope, select, self.text);
        self.scopes.push(scope);
        let purpose = std::mem::replace(&mut self.purpose, UseKind::Value);
        self.from(select);
        self.collect_aliases(select);
        let windows = select.window_clauses().flat_map(|c| c.window_definitions());
        let windows = windows.filter_map(|w| Some(w.name()?.name(self.text).into_owned())).collect();
        self.scope().windows = windows;
        self.array_joins(select);
        self.join_conditions(select);
        let mut grouping = Grouping::default();
        let mut columns = Vec::new();
        let mut complete = true;
        let mut positions = Vec::new();
        let faults = self.fault_count();
        for item in select.items() {
            let before = columns.len();
            complete &= self.item(item, &mut columns, &mut grouping);
            positions.extend(std::iter::repeat_n(item, columns.len() - before));
        }
        if self.nesting > 1 {
            // What the query around does not use, the engine does not compute.
            self.soften_faults(faults, true);
        }
        if !complete {
            positions.clear();
        }
        // Where a template leaves several lists, one of them is meant.
        complete &= select.select_lists().count() == 1;
        self.clauses(select, &positions, &mut grouping);
        self.check_grouping(&grouping);
        if self.probe.is_some() {
            self.probe_select(select.range());
        }
        self.scopes.pop();
        self.purpose = purpose;
        let has = |term: Term, is_it: fn(&TermKind) -> bool| self.find(term, &is_it).is_some();
        let is_one_row =
            is_one_row(select, &grouping, |term| has(term, |kind| matches!(kind, TermKind::Aggregate(_))))
                && !grouping.selected.iter().any(|term| has(*term, |kind| *kind == TermKind::Unknown));
        Relation { columns, complete, is_one_row, ..Relation::default() }
    }

    /// One item of a SELECT list; false when it may stand for other columns than those added.
    fn item(&mut self, item: SelectItem<'t>, columns: &mut Vec<Column>, grouping: &mut Grouping) -> bool {
        let Some(expression) = item.value() else { return false };
        let range = item.range();
        if let Expression::Star(star) = expression.peeled() {
            let (found, complete) = self.star(star);
            for (name, value) in found {
                grouping.selected.push(value.term);
                columns.push(column(name, value, range));
            }
            return complete;
        }
        if expression.is_opaque() {
            return false;
        }
        if let Some(found) = self.untuple(item, expression) {
            let complete = found.is_some();
            for (name, value) in found.into_iter().flatten() {
                grouping.selected.push(value.term);
                columns.push(column(Some(name), value, range));
            }
            return complete;
        }
        let value = match item.plain_name(self.text) {
            Some(name) => self.named_expression(&name.value, expression),
            None => self.expression(expression),
        };
        grouping.selected.push(value.term);
        let name = match item.alias() {
            Some(_) => item.plain_name(self.text).map(|n| n.value),
            None => self.output_name(expression),
        };
        columns.push(column(name, value, range));
        true
    }

    /// The value of an expression with a name, looked at once.
    pub(super) fn named_expression(&mut self, name: &str, expression: Expression<'t>) -> Value {
        let level = self.scopes.len() - 1;
        let is_it = |alias: &Alias<'t>| alias.expression.node() == expression.node();
        if let Some(alias) = self.scopes[level].aliases.get(name).filter(|alias| is_it(alias)) {
            // What is named before is looked at again where it stands.
            if matches!(alias.state, AliasState::Known(_)) {
                self.subqueries += alias.subqueries;
            }
            if let Some(value) = self.alias(level, name) {
                return value;
            }
        }
        self.expression(expression)
    }

    /// Expressions over the columns of one table.
    pub(super) fn expressions(
        &mut self,
        list: Vec<Expression<'t>>,
        table: Arc<Relation>,
    ) -> Vec<super::OutputColumn> {
        let base = Some((None, String::new()));
        let table = ScopeTable { name: None, own_name: None, database: None, relation: table, base };
        self.scopes.push(Scope { tables: vec![table], ..Scope::default() });
        let mut columns = Vec::new();
        let mut grouping = Grouping::default();
        for expression in list {
            let value = self.expression(expression);
            grouping.before.push((value.term, "a key"));
            let name = self.output_name(expression);
            let (range, sources) = (expression.range(), value.sources.to_vec());
            columns.push(super::OutputColumn { name, ty: value.ty, either: value.either, range, sources });
        }
        self.check_grouping(&grouping);
        self.scopes.pop();
        columns
    }

    /// Everything behind FROM.
    fn clauses(&mut self, select: SelectQuery<'t>, positions: &[SelectItem<'t>], grouping: &mut Grouping) {
        for clause in select.clauses() {
            match clause {
                Clause::PrewhereClause(c) => self.filter(c.condition(), "PREWHERE", grouping),
                Clause::WhereClause(c) => self.filter(c.condition(), "WHERE", grouping),
                Clause::HavingClause(c) => self.filter(c.condition(), "HAVING", grouping),
                Clause::QualifyClause(c) => self.filter(c.condition(), "QUALIFY", grouping),
                Clause::GroupByClause(c) => {
                    grouping.is_all |= ast::words(c.node(), self.text).any(|word| word == "ALL");
                    grouping.is_grouped = true;
                    for expression in c.expressions() {
                        let terms = self.group_key(expression, positions);
                        grouping.keys.extend(terms);
                    }
                }
                Clause::OrderByClause(c) => {
                    for item in c.order_items() {
                        for fill in item.with_fills() {
                            for bound in ast::Children::<Expression<'t>>::of(fill.node()) {
                                self.for_purpose(UseKind::Order, |this| this.expression(bound));
                            }
                        }
                        let Some(expression) = item.value() else { continue };
                        if let Some((term, ty)) = self.ordered_by(expression, positions) {
                            self.key_type(expression.range(), ty, "ORDER BY");
                            grouping.others.push(term);
                        }
                    }
                }
                Clause::InterpolateClause(c) => {
                    // What fills a gap is computed from the result: its columns are the aliases of this SELECT.
                    for item in c.interpolate_items() {
                        if let Some(value) = item.value() {
                            let faults = self.fault_count();
                            self.for_purpose(UseKind::Order, |this| this.expression(value));
                            // Which names it sees besides, the engine decides late.
                            self.forget_faults(faults, |kind| !matches!(kind, FaultKind::Call { .. }));
                        }
                    }
                }
                Clause::LimitByClause(c) => {
                    for expression in c.expressions() {
                        if let Some((term, _)) = self.ordered_by(expression, positions) {
                            grouping.others.push(term);
                        }
                    }
                }
                Clause::WindowClause(c) => {
                    for definition in c.window_definitions() {
                        if let Some(specification) = definition.window_specification() {
                            let terms = self.window(specification);
                            grouping.others.extend(terms);
                        }
                    }
                }
                Clause::DistinctClause(c) => {
                    for expression in c.expressions() {
                        let value = self.for_purpose(UseKind::Order, |this| this.expression(expression));
                        grouping.others.push(value.term);
                    }
                }
                _ => {}
            }
        }
    }

    fn filter(&mut self, condition: Option<Expression<'t>>, clause: &'static str, grouping: &mut Grouping) {
        let Some(condition) = condition else { return };
        let faults = self.fault_count();
        let value = self.for_purpose(UseKind::Filter, |this| this.expression(condition));
        if clause == "PREWHERE" {
            // The engine reads it when it reads rows.
            self.soften_faults(faults, false);
        }
        match clause {
            "WHERE" | "PREWHERE" => grouping.before.push((value.term, clause)),
            _ => grouping.others.push(value.term),
        }
    }

    /// What a key of GROUP BY is; the parts of one in parentheses one by one.
    fn group_key(&mut self, expression: Expression<'t>, positions: &[SelectItem<'t>]) -> Vec<Term> {
        match expression.peeled() {
            Expression::Tuple(tuple) => {
                // `GROUPING SETS ((a, b), ())`
                tuple.expressions().flat_map(|e| self.group_key(e, positions)).collect()
            }
            _ => {
                let at_position = self.position(expression, positions);
                let value = self.for_purpose(UseKind::Group, |this| match at_position {
                    Some(Some(item)) => this.at_position(item),
                    Some(None) => Value::unknown(),
                    None => this.expression(expression),
                });
                self.key_type(expression.range(), value.ty, "GROUP BY");
                vec![value.term]
            }
        }
    }

    fn ordered_by(
        &mut self,
        expression: Expression<'t>,
        positions: &[SelectItem<'t>],
    ) -> Option<(Term, Option<Type>)> {
        match self.position(expression, positions) {
            // It is selected, and looked at there.
            Some(_) => None,
            None => {
                let value = self.for_purpose(UseKind::Order, |this| this.expression(expression));
                Some((value.term, value.ty))
            }
        }
    }

    /// Checks that a key is of a type that rows can be put together by, or in order. `LIMIT BY` and `DISTINCT` take any.
    pub(super) fn key_type(&mut self, range: TextRange, ty: Option<Type>, clause: &'static str) {
        // A setting of the query allows them.
        if self.text.contains("allow_suspicious_types_in_") {
            return;
        }
        if let Some(ty) = ty.filter(|ty| typing::is_no_key(ty, clause == "ORDER BY")) {
            self.fault(range, FaultKind::KeyType { ty, clause });
        }
    }

    fn at_position(&mut self, item: SelectItem<'t>) -> Value {
        let Some(expression) = item.value() else { return Value::unknown() };
        match item.plain_name(self.text) {
            Some(name) => self.named_expression(&name.value, expression),
            None if matches!(expression.peeled(), Expression::Star(_)) => Value::unknown(),
            None => self.expression(expression),
        }
    }

    /// The item that a number in GROUP BY or ORDER BY means; `Some(None)` when it is not known or there is none.
    fn position(
        &mut self,
        expression: Expression<'t>,
        positions: &[SelectItem<'t>],
    ) -> Option<Option<SelectItem<'t>>> {
        let Some(Literal::Integer(number)) = expression.literal(self.text) else { return None };
        let count = positions.len();
        let index = match number {
            1.. => usize::try_from(number - 1).ok(),
            _ => usize::try_from(-number).ok().and_then(|n| count.checked_sub(n)),
        };
        let item = index.and_then(|n| positions.get(n)).copied();
        if item.is_none() && count > 0 && number > 0 {
            let kind = FaultKind::UnknownPosition { position: number, columns: count };
            self.fault(expression.range(), kind);
        }
        Some(item)
    }

    /// Names that expressions of this SELECT have, wherever they stand in it: all of it sees them.
    fn collect_aliases(&mut self, select: SelectQuery<'t>) {
        let mut found: Vec<(String, Alias<'t>)> = Vec::new();
        let mut walk = Walk::new(select.node());
        while let Some(event) = walk.next() {
            let Event::Enter(node) = event else { continue };
            match Kind::of(node) {
                // These have names of their own.
                Kind::Subquery
                | Kind::Lambda
                | Kind::TableFunction
                | Kind::WithClause
                | Kind::ArrayJoin
                | Kind::ReplaceColumns => {
                    walk.skip_inside();
                }
                Kind::SelectItem => {
                    let item = SelectItem::cast(node);
                    found.extend(item.and_then(|i| Some((i.plain_name(self.text)?, i.value()?))).map(named));
                }
                Kind::AliasedExpression => {
                    let aliased = AliasedExpression::cast(node);
                    found.extend(
                        aliased.and_then(|a| Some((a.plain_name(self.text)?, a.value()?))).map(named),
                    );
                }
                _ => {}
            }
        }
        let scope = self.scope();
        for (name, alias) in found {
            scope.aliases.entry(name).or_insert(alias);
        }
    }

    /// How the engine calls a column without an alias.
    pub(super) fn output_name(&self, expression: Expression<'t>) -> Option<String> {
        expression.output_name_with(self.text, &|unnamed| {
            let at = match unnamed {
                Unnamed::Column(column) => column.range().start(),
                Unnamed::Query(query) => query.range().start(),
                Unnamed::Path(path) => {
                    let range = path.range();
                    return self.paths.get(&(range.start().into(), range.end().into())).cloned();
                }
            };
            self.column_names.get(&usize::from(at)).cloned()
        })
    }
}

fn named<'t>((name, expression): (headwater_syntax::Spanned<String>, Expression<'t>)) -> (String, Alias<'t>) {
    (name.value, Alias::new(expression))
}

/// What WITH defines.
fn define<'t>(scope: &mut Scope<'t>, select: SelectQuery<'t>, text: &str) {
    let is_recursive = select.with_clauses().any(|with| with.is_recursive(text));
    for definition in select.definitions() {
        let Some(name) = definition.plain_name(text) else { continue };
        match definition {
            Definition::Cte(cte) => {
                let columns = cte.columns();
                let columns = columns.map(|c| c.identifiers().map(|i| i.name(text).into_owned()).collect());
                scope.ctes.push(Cte {
                    name: name.value,
                    query: cte.inner(),
                    columns,
                    is_recursive,
                    relation: None,
                    subqueries: 0,
                });
            }
            Definition::ScalarCte(scalar) => {
                let Some(expression) = scalar.value() else { continue };
                let alias = Alias::new(expression);
                scope.aliases.entry(name.value).or_insert(alias);
            }
        }
    }
}

fn column(name: Option<String>, value: Value, range: TextRange) -> Column {
    Column { name, ty: value.ty, either: value.either, range: Some(range), sources: value.sources }
}

/// Whether a query gives one row, whatever rows there are: it aggregates all of them, and nothing takes that row away.
fn is_one_row(select: SelectQuery<'_>, grouping: &Grouping, is_aggregated: impl Fn(Term) -> bool) -> bool {
    let is_harmless = |clause| {
        matches!(
            clause,
            Clause::WhereClause(_)
                | Clause::PrewhereClause(_)
                | Clause::FromClause(_)
                | Clause::SelectList(_)
                | Clause::WithClause(_)
                | Clause::OrderByClause(_)
                | Clause::SettingsClause(_)
        )
    };
    !grouping.is_grouped
        && select.clauses().all(is_harmless)
        && grouping.selected.iter().any(|term| is_aggregated(*term))
}

fn items_range(select: SelectQuery<'_>) -> TextRange {
    select.select_list().map_or_else(|| select.range(), AstNode::range)
}
