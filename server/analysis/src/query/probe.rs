//! What can be said at one place of a query: the tables, names and types around it. For editors, which ask about texts
//! that are being typed.

use std::sync::Arc;

use headwater_catalog::Type;
use headwater_syntax::sql::ast::{self, AstNode};
use headwater_syntax::{TextRange, TextSize};

use super::scope::{AliasState, Analyzer, Scope};
use super::{Relation, Tables};

/// What stands around a place.
#[derive(Debug, Clone, Default)]
pub struct Around {
    /// Tables of the innermost `SELECT` around it, in order, then those of the queries around that, when it may name
    /// their columns.
    pub tables: Vec<VisibleTable>,
    /// Names that the `SELECT` gives to its expressions.
    pub aliases: Vec<(String, Option<Type>)>,
    /// Queries that `WITH` defines, the innermost last, with their columns where these are known.
    pub queries: Vec<(String, Option<Arc<Relation>>)>,
    /// Parameters of the lambdas around it.
    pub parameters: Vec<(String, Option<Type>)>,
    /// Windows that the `SELECT` defines.
    pub windows: Vec<String>,
    /// The expressions that hold it, the innermost first, with their types.
    pub values: Vec<(TextRange, Option<Type>)>,
    /// The innermost `SELECT`.
    pub select: Option<TextRange>,
}

/// A table that the query reads.
#[derive(Debug, Clone)]
pub struct VisibleTable {
    /// What it is called: its alias, or its name.
    pub name: Option<String>,
    /// The name behind an alias, or the name; `None` for subqueries and queries of `WITH`.
    pub base: Option<(Option<String>, String)>,
    /// Its columns.
    pub relation: Arc<Relation>,
}

/// A question about a place, and what was learnt.
pub(super) struct Probe {
    pub(super) at: TextSize,
    found: Around,
}

/// What stands around `at` in the first query of a text. Costs as much as analysing the text.
pub fn around(text: &str, tree: &headwater_syntax::sql::Tree, tables: &dyn Tables, at: TextSize) -> Around {
    let query = ast::descendants::<ast::Statement<'_>>(tree.root_node()).find_map(|s| s.query());
    let Some(query) = query else { return Around::default() };
    let mut analyzer = Analyzer::new(text, tables);
    analyzer.probe = Some(Box::new(Probe { at, found: Around::default() }));
    analyzer.query(query);
    analyzer.probe.take().map(|probe| probe.finish()).unwrap_or_default()
}

/// [`around`] in a list of expressions over one table.
pub fn around_in_expressions(text: &str, table: Arc<Relation>, at: TextSize) -> Around {
    let (whole, shift) = super::as_expressions(text);
    let Some(tree) = headwater_syntax::sql::parse(&whole) else { return Around::default() };
    let mut analyzer = Analyzer::new(&whole, &super::Nowhere);
    analyzer.probe = Some(Box::new(Probe { at: at + shift, found: Around::default() }));
    analyzer.expressions(super::expressions(tree.root_node()), table.clone());
    let mut found = analyzer.probe.take().map(|probe| probe.finish()).unwrap_or_default();
    found.tables = vec![VisibleTable { name: None, base: None, relation: table }];
    for (range, _) in &mut found.values {
        let back = |at: TextSize| at.checked_sub(shift).unwrap_or_default();
        *range = TextRange::new(back(range.start()), back(range.end()));
    }
    found
}

impl Probe {
    fn finish(self) -> Around {
        let mut found = self.found;
        found.values.sort_by_key(|(range, _)| range.len());
        found.values.dedup_by_key(|(range, _)| *range);
        found
    }
}

impl<'t> Analyzer<'t> {
    /// Notes the value of an expression, if it holds the place.
    pub(super) fn probe_value(&mut self, range: TextRange, ty: Option<&Type>) {
        let Some(probe) = self.probe.as_mut().filter(|probe| range.contains_inclusive(probe.at)) else {
            return;
        };
        let lambda: Vec<_> = self
            .scopes
            .iter()
            .flat_map(|scope| &scope.parameters)
            .map(|(name, value)| (name.clone(), value.ty.clone()))
            .collect();
        if lambda.len() > probe.found.parameters.len() {
            probe.found.parameters = lambda;
        }
        probe.found.values.push((range, ty.cloned()));
    }

    /// Notes the scope of a `SELECT`, if it is the innermost one around the place.
    pub(super) fn probe_select(&mut self, range: TextRange) {
        let Some(probe) = self.probe.as_ref().filter(|probe| range.contains_inclusive(probe.at)) else {
            return;
        };
        if probe.found.select.is_some_and(|known| known.len() < range.len()) {
            return;
        }
        // Queries that nothing names yet are looked at all the same: the place may be in one of them.
        let names: Vec<String> =
            self.scopes.iter().flat_map(|scope| &scope.ctes).map(|cte| cte.name.clone()).collect();
        let queries: Vec<_> = names
            .into_iter()
            .map(|name| {
                let relation = self.cte(&name);
                (name, relation)
            })
            .collect();
        let mut tables = Vec::new();
        let mut aliases = Vec::new();
        let mut windows = Vec::new();
        for (depth, scope) in self.scopes.iter().rev().enumerate() {
            tables.extend(scope.tables.iter().map(|table| VisibleTable {
                name: table.name.clone(),
                base: table.base.clone(),
                relation: table.relation.clone(),
            }));
            if depth == 0 {
                aliases = known_aliases(scope);
                windows.clone_from(&scope.windows);
            }
            if !scope.sees_outer_columns {
                break;
            }
        }
        let Some(probe) = self.probe.as_mut() else { return };
        // A query inside may have been looked at just now.
        if probe.found.select.is_some_and(|known| known.len() < range.len()) {
            return;
        }
        probe.found.select = Some(range);
        probe.found.tables = tables;
        probe.found.aliases = aliases;
        probe.found.windows = windows;
        probe.found.queries = queries;
    }
}

fn known_aliases(scope: &Scope<'_>) -> Vec<(String, Option<Type>)> {
    let mut aliases: Vec<_> = scope
        .aliases
        .iter()
        .map(|(name, alias)| {
            let ty = match &alias.state {
                AliasState::Known(value) => value.ty.clone(),
                AliasState::New | AliasState::Open => None,
            };
            (alias.expression.range().start(), name.clone(), ty)
        })
        .collect();
    aliases.sort_by(|a, b| (a.0, &a.1).cmp(&(b.0, &b.1)));
    aliases.into_iter().map(|(_, name, ty)| (name, ty)).collect()
}
