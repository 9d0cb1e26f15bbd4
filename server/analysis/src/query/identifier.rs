//! What a name means: a lambda's parameter, an alias, a column, part of one, or something of a scope around.

use std::sync::Arc;

use headwater_catalog::Type;
use headwater_syntax::TextRange;
use headwater_syntax::sql::ast::{AstNode, ColumnRef};

use super::relation::{Column, Relation};
use super::scope::{AliasState, Analyzer, Scope, ScopeTable, TermKind, Value, hash};
use super::typing::{self, Part};
use super::{FaultKind, Source};

/// What a look-up in one scope found.
enum Found {
    Value(Value),
    /// There is one, of which nothing is known; or there may be one.
    Unknown,
    /// It was reported.
    Fault,
    Nothing,
}

/// How a name led to a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Reached {
    /// Whether it says no table.
    is_bare: bool,
    /// Whether it can mean no other column.
    is_certain: bool,
}

impl Reached {
    /// By a name that says the table.
    const BY_TABLE: Self = Self { is_bare: false, is_certain: true };
}

/// Functions without arguments that may stand without parentheses, where nothing else has the name. In any case, but for
/// two. `user` in small letters is one too, and is left out: who writes it means a column, and wants to know when it is gone.
const NILADIC: &[(&str, &str)] = &[
    ("curdate", "Date"),
    ("current_database", "String"),
    ("current_date", "Date"),
    ("current_timestamp", "DateTime"),
    ("current_user", "String"),
    ("database", "String"),
    ("localtime", "Time"),
    ("localtimestamp", "DateTime"),
    ("now", "DateTime"),
    ("schema", "String"),
    ("session_user", "String"),
    ("today", "Date"),
    ("user", "String"),
];

/// The type of what a name without parentheses calls.
fn niladic(name: &str) -> Option<Type> {
    let exact = ["currentDatabase", "currentUser"].contains(&name);
    let is_it = |own: &str| own.eq_ignore_ascii_case(name) && name != "user";
    let ty = NILADIC.iter().find(|(own, _)| is_it(own)).map(|(_, ty)| *ty);
    typing::parse(if exact { "String" } else { ty? })
}

/// A column of a table of the scope.
struct Match<'a> {
    table: usize,
    column: &'a Column,
    /// How many parts of the path name the column; the rest is inside of it.
    used: usize,
}

impl<'t> Analyzer<'t> {
    /// The value of a name.
    pub(super) fn column_ref(&mut self, column: ColumnRef<'t>) -> Value {
        let Some(path) = column.path(self.text) else { return Value::unknown() };
        let names: Vec<&str> = path.iter().map(|name| &**name).collect();
        self.name(&names, column.range())
    }

    /// The value of a path of names, standing at `range`.
    pub(super) fn name(&mut self, parts: &[&str], range: TextRange) -> Value {
        let Some(innermost) = self.scopes.len().checked_sub(1) else { return Value::unknown() };
        let mut may_be_more = false;
        let mut level = innermost;
        let mut sees_columns = true;
        loop {
            match self.in_scope(level, parts, range, sees_columns) {
                Found::Value(mut value) => {
                    if level != innermost {
                        // To the query inside, a value from outside is the same in every row.
                        let key = self.key(value.term);
                        value.term = self.term(TermKind::Constant, key, Vec::new(), range);
                    }
                    return value;
                }
                Found::Unknown => may_be_more = true,
                Found::Fault => return Value::unknown(),
                Found::Nothing => {}
            }
            sees_columns &= self.scopes[level].sees_outer_columns;
            let Some(outer) = level.checked_sub(1) else { break };
            level = outer;
        }
        if let [name] = parts
            && let Some(ty) = niladic(name)
        {
            return if may_be_more { Value::unknown() } else { self.constant(Some(ty), None, range) };
        }
        if !may_be_more {
            let kind = self.unknown_name(innermost, parts);
            self.fault(range, kind);
        }
        Value::unknown()
    }

    fn in_scope(&mut self, level: usize, parts: &[&str], range: TextRange, sees_columns: bool) -> Found {
        let [first, rest @ ..] = parts else { return Found::Unknown };
        let parameter = self.scopes[level].parameters.iter().rev().find(|(name, _)| name == first);
        if let Some(value) = parameter.map(|(_, value)| value.clone()) {
            if !rest.is_empty() {
                self.column_names.insert(range.start().into(), parts.join("."));
            }
            return self.inside(value, rest, range);
        }
        if let Some(alias) = self.scopes[level].aliases.get_mut(*first)
            && !std::mem::replace(&mut alias.is_used, true)
            && matches!(alias.state, AliasState::Known(_))
        {
            self.subqueries += alias.subqueries;
        }
        if self.scopes[level].aliases.contains_key(*first)
            && let Some(value) = self.alias(level, first)
        {
            if rest.is_empty() {
                self.mention(range, &value.sources, false);
                return Found::Value(value);
            }
            // A table may have the name of an alias.
            match self.inside(value, rest, range) {
                Found::Value(value) => {
                    self.mention(range, &value.sources.clone(), false);
                    if level + 1 == self.scopes.len() {
                        self.column_names.insert(range.start().into(), parts.join("."));
                    }
                    return Found::Value(value);
                }
                Found::Unknown if !self.scopes[level].tables.iter().any(|t| t.is_called(first)) => {
                    return Found::Unknown;
                }
                _ => {}
            }
        }
        if !sees_columns {
            return Found::Nothing;
        }
        let most = if self.scopes[level].unfolded.is_empty() { 0 } else { parts.len() };
        for used in (1..=most).rev() {
            let Some(value) = self.scopes[level].unfolded.get(&parts[..used].join(".")).cloned() else {
                continue;
            };
            self.mention(range, &value.sources, false);
            self.column_names.insert(range.start().into(), parts.join("."));
            match self.inside(value, &parts[used..], range) {
                Found::Nothing => {}
                found => return found,
            }
        }
        self.in_tables(level, parts, range)
    }

    /// A part of a value: an element of a tuple, the length of an array.
    fn inside(&mut self, value: Value, rest: &[&str], range: TextRange) -> Found {
        if rest.is_empty() {
            return Found::Value(value);
        }
        let Some(ty) = &value.ty else { return Found::Value(Value { ty: None, ..value }) };
        match typing::part(ty, rest) {
            Part::Type(ty) => Found::Value(self.part_of(&value, Some(ty), rest, range)),
            Part::Unknown => Found::Value(self.part_of(&value, None, rest, range)),
            Part::Nothing => Found::Nothing,
        }
    }

    fn part_of(&mut self, value: &Value, ty: Option<Type>, rest: &[&str], range: TextRange) -> Value {
        let key = hash(&("part", self.key(value.term), rest));
        let term = self.term(TermKind::Call, key, vec![value.term], range);
        let sources = value.sources.iter().map(|s| Source { is_copy: false, ..*s }).collect();
        Value { ty, constant: None, either: None, is_constant: value.is_constant, sources, term }
    }

    /// The value of an alias; `None` while it is being looked at.
    pub(super) fn alias(&mut self, level: usize, name: &str) -> Option<Value> {
        let alias = self.scopes[level].aliases.get_mut(name)?;
        match &alias.state {
            AliasState::Known(value) => return Some((**value).clone()),
            AliasState::Open => return None,
            AliasState::New => {}
        }
        let expression = alias.expression;
        alias.state = AliasState::Open;
        let before = self.subqueries;
        // It means what it means where it stands, not where it is named: inner scopes and lambdas are not there.
        let inner = self.scopes.split_off(level + 1);
        let parameters = std::mem::take(&mut self.scopes[level].parameters);
        let value = self.deeper(|this| this.expression(expression)).unwrap_or_default();
        self.scopes[level].parameters = parameters;
        self.scopes.extend(inner);
        if let Some(alias) = self.scopes[level].aliases.get_mut(name) {
            alias.state = AliasState::Known(Box::new(value.clone()));
            alias.subqueries = self.subqueries - before;
        }
        Some(value)
    }

    fn in_tables(&mut self, level: usize, parts: &[&str], range: TextRange) -> Found {
        if let [single] = parts
            && let Some(value) = self.scopes[level].using.get(*single).cloned()
        {
            self.mention(range, &value.sources, true);
            return Found::Value(value);
        }
        let scope = &self.scopes[level];
        let mut matches: Vec<Match<'_>> = Vec::new();
        let mut may_be_more = false;
        for (table, data) in scope.tables.iter().enumerate() {
            match in_relation(&data.relation, parts) {
                Some((column, used)) => matches.push(Match { table, column, used }),
                None => may_be_more |= data.relation.may_have_more(),
            }
        }
        // A column wins over a table of the same name, as in the engine.
        if let Some((first, others)) = matches.split_first() {
            // The same column of one table under two names is no ambiguity to the engine.
            let base = |m: &Match<'_>| scope.tables[m.table].base.clone();
            let differs = others.iter().any(|m| base(m) != base(first) || base(m).is_none());
            // A column that only some requests have may not be there when another is.
            let is_sure = matches.iter().all(|m| !scope.tables[m.table].relation.star_may_show_more);
            if differs && scope.is_strict && !may_be_more && is_sure {
                let tables = matches.iter().filter_map(|m| scope.tables[m.table].name.clone()).collect();
                self.fault(range, FaultKind::AmbiguousColumn { name: parts.join("."), tables });
                return Found::Fault;
            }
            // In front of it may be a table that has the name too.
            let is_certain = !scope.tables[..first.table].iter().any(|t| t.relation.may_have_more());
            let (table, column, used) = (first.table, first.column.clone(), first.used);
            let how = Reached { is_bare: true, is_certain };
            return self.table_column(level, table, &column, &parts[used..], range, how);
        }
        if let Some((table, rest)) = qualified(scope, parts) {
            let data = &scope.tables[table];
            let relation = data.relation.clone();
            return match in_relation(&relation, rest) {
                Some((column, used)) => {
                    if let [single] = rest
                        && let Some(value) = self.scopes[level].using.get(*single).cloned()
                    {
                        return self.using_column(level, table, column, value, range);
                    }
                    self.table_column(level, table, column, &rest[used..], range, Reached::BY_TABLE)
                }
                None if relation.may_have_more() => Found::Unknown,
                None => {
                    let table = data.name.clone();
                    let suggestion =
                        typing::closest(rest.first().copied().unwrap_or_default(), names(&relation));
                    let name = rest.join(".");
                    let looked_in = data.base.iter().cloned().collect();
                    self.fault(range, FaultKind::UnknownColumn { name, table, suggestion, looked_in });
                    Found::Fault
                }
            };
        }
        // The columns of a nested structure together are an array of tuples.
        let is_nested = |table: &ScopeTable| {
            let prefix = format!("{}.", parts.join("."));
            names(&table.relation).any(|name| name.starts_with(&prefix))
        };
        if may_be_more || scope.tables.iter().any(is_nested) { Found::Unknown } else { Found::Nothing }
    }

    /// A column of `USING` that is asked of one table has the type of the join, and its own source.
    fn using_column(
        &mut self,
        level: usize,
        table: usize,
        column: &Column,
        value: Value,
        range: TextRange,
    ) -> Found {
        match self.table_column(level, table, column, &[], range, Reached::BY_TABLE) {
            Found::Value(own) => Found::Value(Value { ty: value.ty, ..own }),
            other => other,
        }
    }

    fn table_column(
        &mut self,
        level: usize,
        table: usize,
        column: &Column,
        rest: &[&str],
        range: TextRange,
        how: Reached,
    ) -> Found {
        let mut value = self.column_of(level, table, column, range);
        if how == (Reached { is_bare: true, is_certain: false }) {
            value.ty = None;
            value.either = None;
            value.term = super::scope::Term::default();
        }
        self.mention(range, &value.sources.clone(), true);
        let name = self.called(level, table, column, rest, how.is_bare);
        if level + 1 == self.scopes.len() {
            self.column_names.insert(range.start().into(), name);
        }
        self.inside(value, rest, range)
    }

    /// The value of a column of a table of a scope.
    pub(super) fn column_of(
        &mut self,
        level: usize,
        table: usize,
        column: &Column,
        range: TextRange,
    ) -> Value {
        let data = &self.scopes[level].tables[table];
        let sources = match &data.base {
            Some((database, name)) => {
                let own = column.name.as_deref().unwrap_or_default();
                let base = self.bases.number(&mut self.facts.bases, database.as_deref(), name, own);
                Arc::new([Source { base, is_copy: true }])
            }
            None => column.sources.clone(),
        };
        let key = match &column.name {
            Some(name) => hash(&("column", level, table, name)),
            None => self.unique(),
        };
        let name = column.name.clone().unwrap_or_default();
        let term = self.term(TermKind::Column(name), key, Vec::new(), range);
        let (ty, either) = (column.ty.clone(), column.either.clone());
        Value { ty, constant: None, either, is_constant: Some(false), sources, term }
    }

    /// How the engine calls a column: with as much in front of it as tells it from others.
    pub(super) fn called(
        &self,
        level: usize,
        table: usize,
        column: &Column,
        rest: &[&str],
        is_bare: bool,
    ) -> String {
        let scope = &self.scopes[level];
        let own = column.name.as_deref().unwrap_or_default();
        let mut out = String::new();
        // An alias takes the name first. Among two tables the first has it; among more, none.
        // The same column of the same table under another name does not hide it, where no table is said.
        let base = &scope.tables[table].base;
        let taken = |n: usize| {
            scope.tables[n].relation.column(own).is_some()
                && !(is_bare && scope.is_strict && base.is_some() && scope.tables[n].base == *base)
        };
        let is_hidden = !scope.using.contains_key(own)
            && if scope.is_strict {
                (0..scope.tables.len()).any(|n| n != table && taken(n))
            } else {
                (0..table).any(taken)
            };
        let is_aliased = scope.aliases.contains_key(own);
        let is_other_side = scope.using.contains_key(own) && table > 0;
        if (is_hidden || is_aliased || is_other_side)
            && let Some(name) = scope.tables[table].name.as_deref()
        {
            // Another table may have this name too, behind its alias.
            if (0..scope.tables.len()).any(|n| n != table && scope.tables[n].is_called(name)) {
                out.push_str(scope.tables[table].database.as_deref().unwrap_or("default"));
                out.push('.');
            }
            out.push_str(name);
            out.push('.');
        }
        out.push_str(own);
        for part in rest {
            out.push('.');
            out.push_str(part);
        }
        out
    }

    /// Why a name means nothing.
    fn unknown_name(&self, level: usize, parts: &[&str]) -> FaultKind {
        let scope = &self.scopes[level];
        let first = parts.first().copied().unwrap_or_default();
        let has_column = scope.tables.iter().any(|t| t.relation.column(first).is_some());
        if parts.len() > 1 && !has_column && !scope.aliases.contains_key(first) && !scope.tables.is_empty() {
            return FaultKind::UnknownQualifier { name: first.to_owned() };
        }
        let table = match scope.tables.as_slice() {
            [only] => only.name.clone(),
            _ => None,
        };
        let columns = scope.tables.iter().flat_map(|t| names(&t.relation));
        let all = columns.chain(scope.aliases.keys().map(String::as_str));
        let name = parts.join(".");
        let suggestion = typing::closest(&name, all.filter(|n| *n != name));
        let looked_in = scope.tables.iter().filter_map(|t| t.base.clone()).collect();
        FaultKind::UnknownColumn { name, table, suggestion, looked_in }
    }
}

/// The table that the first parts name, and the parts behind.
pub(super) fn qualified<'p, 's>(scope: &Scope<'_>, parts: &'p [&'s str]) -> Option<(usize, &'p [&'s str])> {
    let [first, rest @ ..] = parts else { return None };
    if rest.is_empty() {
        return None;
    }
    let by_name = scope.tables.iter().position(|t| t.name.as_deref() == Some(*first));
    let by_own = || scope.tables.iter().position(|t| t.is_called(first));
    if let Some(table) = by_name.or_else(by_own) {
        return Some((table, rest));
    }
    // `database.table.column`
    let [second, rest @ ..] = rest else { return None };
    let is_it = |t: &ScopeTable| {
        let database = t.database.as_deref().unwrap_or("default");
        let own = t.own_name.as_deref().or(t.name.as_deref());
        database == *first && own == Some(*second)
    };
    (!rest.is_empty()).then_some((scope.tables.iter().position(is_it)?, rest))
}

/// The column that the parts name, and how many of them do: a column's name may have dots of its own.
fn in_relation<'r>(relation: &'r Relation, parts: &[&str]) -> Option<(&'r Column, usize)> {
    for used in (1..=parts.len()).rev() {
        let found = match &parts[..used] {
            [single] => relation.column(single),
            several => {
                let length = several.iter().map(|part| part.len() + 1).sum::<usize>() - 1;
                relation.column_by(|name| name.len() == length && is_path(name, several))
            }
        };
        if let Some(column) = found {
            let rest = &parts[used..];
            let fits = rest.is_empty()
                || column.ty.as_ref().is_none_or(|ty| !matches!(typing::part(ty, rest), Part::Nothing));
            if fits {
                return Some((column, used));
            }
        }
    }
    None
}

/// Whether a name is these parts with dots between them.
fn is_path(name: &str, parts: &[&str]) -> bool {
    let mut rest = Some(name);
    for (n, part) in parts.iter().enumerate() {
        let behind = if n == 0 { rest } else { rest.and_then(|rest| rest.strip_prefix('.')) };
        rest = behind.and_then(|behind| behind.strip_prefix(*part));
    }
    rest == Some("")
}

fn names(relation: &Relation) -> impl Iterator<Item = &str> {
    relation.columns.iter().filter_map(|c| c.name.as_deref())
}

#[cfg(test)]
mod tests {
    use super::is_path;

    #[test]
    fn a_name_with_dots_is_its_parts() {
        for (name, parts, is_it) in [
            ("a.b", &["a", "b"][..], true),
            ("a.b.c", &["a", "b", "c"], true),
            ("a.b.c", &["a", "b.c"], true),
            ("a.b", &["a"], false),
            ("a.bc", &["a", "b"], false),
            ("ab", &["a", "b"], false),
            ("a.", &["a", ""], true),
        ] {
            assert_eq!(is_path(name, parts), is_it, "{name} {parts:?}");
        }
    }
}
