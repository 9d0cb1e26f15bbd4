//! The walk over a tree that looks for a reason to refuse it.

mod function;
mod setting;
mod table;

use headwater_syntax::range;
use headwater_syntax::sql::ast::{
    AstNode, Cte, DataType, Event, Explain, FormatClause, Kind, Node, QueryParameter, ScalarCte,
    SetOperation, Walk, WithClause, place, text as text_of, words,
};
use headwater_syntax::sql::{MAX_BYTES, Reading, Tree, parse, read};
use rustc_hash::FxHashSet;

use crate::policy::{formats, nodes};
use crate::scope::{Given, Scopes};
use crate::{Action, Approved, Gate, Refusal, Rule};

pub(crate) fn check(gate: &Gate<'_>, sql: &str) -> Result<Approved, Refusal> {
    let tree = tree_of(sql)?;
    let action = statement(gate, sql, &tree)?;
    let approved = Approved {
        action,
        tables: Vec::new(),
        functions: FxHashSet::default(),
        format: None,
        defined: FxHashSet::default(),
        applies: 0,
    };
    let mut check = Check { gate, text: sql, scopes: Scopes::default(), out: approved };
    for event in Walk::new(tree.root_node()) {
        match event {
            Event::Enter(node) => check.enter(node)?,
            Event::Leave(node) => check.leave(node),
        }
    }
    Ok(check.out)
}

/// The tree of a text that can be read in one way only.
fn tree_of(sql: &str) -> Result<Tree, Refusal> {
    let refuse = |at: std::ops::Range<usize>, reason: String, advice: &str| {
        Err(Refusal::new(Rule::Syntax, range(at.start, at.end), reason, advice))
    };
    // Nothing but blanks: the engine's idea of other invisible characters is its own.
    let odd = sql.char_indices().find(|(_, c)| c.is_control() && !matches!(c, '\n' | '\r' | '\t'));
    if let Some((at, c)) = odd {
        let reason = format!("a control character (U+{:04X}) stands here", c as u32);
        return refuse(at..at + c.len_utf8(), reason, "remove it, or write it as an escape in a text");
    }
    let too_large = || {
        let reason = "this query takes more work to read than its length justifies".to_owned();
        Refusal::new(Rule::Syntax, range(0, sql.len()), reason, "simplify it")
    };
    if sql.len() > MAX_BYTES {
        return Err(too_large());
    }
    let tree = parse(sql).ok_or_else(too_large)?;
    let Reading { tree: read, errors } = read(sql).ok_or_else(too_large)?;
    if let Some(error) = errors.first() {
        let at = usize::from(error.range.start())..usize::from(error.range.end());
        return refuse(at, error.message.clone(), "correct it");
    }
    if read != tree || tree.has_error() {
        // It parses only when some keyword is a name.
        let broken = tree.root_node().descendants().find(|n| n.is_error() || n.is_missing());
        let at = broken.map_or(0..sql.len(), Node::byte_range);
        return refuse(
            at,
            "a keyword would have to be a name here".to_owned(),
            "put names like that into backticks",
        );
    }
    Ok(tree)
}

/// What the only statement of a text does.
fn statement(gate: &Gate<'_>, sql: &str, tree: &Tree) -> Result<Action, Refusal> {
    let root = tree.root_node();
    let mut statements = root.children().filter(|n| Kind::of(*n) == Kind::Statement);
    let several = "run statements one by one";
    let Some(first) = statements.next() else {
        let other = root.named_children().find(|n| Kind::of(*n) != Kind::Comment);
        let at = other.map_or(range(0, sql.len()), place);
        return Err(Refusal::new(Rule::Statement, at, "this is no query", "write a SELECT"));
    };
    if let Some(second) = statements.next().filter(|_| !gate.is_off_second()) {
        return Err(Refusal::new(Rule::Statement, place(second), "a second statement begins here", several));
    }
    let inner = first.named_children().find(|n| Kind::of(*n) != Kind::Comment);
    match inner.map(Kind::of) {
        Some(Kind::SelectQuery | Kind::SetOperation | Kind::Subquery) => Ok(Action::Select),
        Some(Kind::Explain) => Ok(Action::Explain),
        Some(Kind::Describe) => Ok(Action::Describe),
        _ if gate.is_off_nodes() => Ok(Action::Select),
        _ => {
            let reason = "this is no SELECT, EXPLAIN or DESCRIBE";
            Err(Refusal::new(
                Rule::Statement,
                place(first),
                reason,
                "write a SELECT; only queries that read are run",
            ))
        }
    }
}

/// Faults by what they switch off; without the feature all of them are `false`, and the compiler drops them.
macro_rules! faults {
    ($($method:ident: $fault:ident)+) => {
        impl Gate<'_> {
            $(
                #[inline]
                fn $method(&self) -> bool {
                    #[cfg(feature = "faults")]
                    return self.fault == Some(crate::Fault::$fault);
                    #[cfg(not(feature = "faults"))]
                    return false;
                }
            )+
        }
    };
}

faults! {
    is_off_second: SecondStatement
    is_off_nodes: UnknownNodes
    is_off_functions: DeniedFunctions
    is_off_apply: FunctionsOfApply
    is_off_values: FunctionsAsValues
    is_off_strings: NamesInStrings
    is_off_quoted: QuotedFunctions
    is_off_table_functions: TableFunctions
    is_off_defaults: ColumnDefaults
    is_off_in: TablesBehindIn
    is_off_databases: Databases
    is_off_scope: ScopeOfWith
    is_off_settings: Settings
    is_off_outfile: Outfile
    is_off_identifiers: IdentifierParameters
    is_off_aggregates: AggregatesInStrings
}

/// Where the walk is, and what it has found.
struct Check<'a> {
    gate: &'a Gate<'a>,
    text: &'a str,
    scopes: Scopes,
    out: Approved,
}

impl Check<'_> {
    fn enter(&mut self, node: Node<'_>) -> Result<(), Refusal> {
        let kind = Kind::of(node);
        self.is_known(kind, node)?;
        match kind {
            Kind::Statement | Kind::SelectQuery | Kind::SetOperation | Kind::Subquery => {
                self.scopes.enter();
                if let Some(set) = SetOperation::cast(node) {
                    self.set_operation(set)?;
                }
            }
            Kind::WithClause if WithClause::cast(node).is_some_and(|with| with.is_recursive(self.text)) => {
                self.scopes.recursive();
            }
            Kind::Cte => {
                if self.scopes.is_recursive() {
                    self.define(Cte::cast(node).and_then(|cte| cte.plain_name(self.text)), Given::Table);
                }
                self.scopes.enter();
            }
            Kind::Explain => self.explain(node)?,
            Kind::FormatClause => self.format(node)?,
            Kind::QueryParameter => self.parameter(node)?,
            Kind::Setting => self.setting(node)?,
            Kind::TableName => self.table_name(node)?,
            Kind::TableFunction => self.table_function(node)?,
            Kind::InExpression => self.in_expression(node)?,
            Kind::FunctionCall => self.function_call(node)?,
            Kind::ApplyColumns => self.apply(node)?,
            _ => {}
        }
        Ok(())
    }

    fn leave(&mut self, node: Node<'_>) {
        let keep_all = self.gate.is_off_scope();
        match Kind::of(node) {
            Kind::SelectQuery | Kind::SetOperation => {
                // The first of a set operation, without parentheses around it.
                let around = node.parent().and_then(SetOperation::cast);
                let is_first = around.and_then(|set| set.left()).is_some_and(|left| left.node() == node);
                self.scopes.leave(is_first || keep_all);
            }
            Kind::Statement | Kind::Subquery => self.scopes.leave(keep_all),
            Kind::Cte => {
                self.scopes.leave(keep_all);
                self.define(Cte::cast(node).and_then(|cte| cte.plain_name(self.text)), Given::Table);
            }
            Kind::ScalarCte => {
                self.define(ScalarCte::cast(node).and_then(|cte| cte.plain_name(self.text)), Given::Value);
            }
            _ => {}
        }
    }

    fn define(&mut self, name: Option<headwater_syntax::Spanned<String>>, given: Given) {
        if let Some(name) = name {
            self.out.defined.insert(name.value.clone());
            self.scopes.define(name.value, given);
        }
    }

    fn is_known(&self, kind: Kind, node: Node<'_>) -> Result<(), Refusal> {
        let off = self.gate.is_off_nodes()
            || self.gate.is_off_outfile() && kind == Kind::IntoOutfileClause
            || self.gate.is_off_second() && kind == Kind::OtherStatement;
        match nodes::decision(kind) {
            _ if off => Ok(()),
            Some(Ok(())) => Ok(()),
            Some(Err((reason, advice))) => Err(Refusal::new(Rule::Construct, place(node), reason, advice)),
            None => {
                let reason = format!("`{}` is not known to be harmless", kind.name());
                Err(Refusal::new(Rule::Construct, place(node), reason, "write it without"))
            }
        }
    }

    fn set_operation(&self, set: SetOperation<'_>) -> Result<(), Refusal> {
        let known = ["UNION", "EXCEPT", "INTERSECT", "ALL", "DISTINCT"];
        let words: Vec<_> = words(set.node(), self.text).collect();
        match words.iter().find(|word| !known.contains(&word.as_str())) {
            Some(word) if !self.gate.is_off_nodes() => {
                let reason = format!("`{word}` runs several statements");
                Err(Refusal::new(
                    Rule::Statement,
                    set.range(),
                    reason,
                    "write UNION ALL, or run them one by one",
                ))
            }
            _ => Ok(()),
        }
    }

    fn explain(&self, node: Node<'_>) -> Result<(), Refusal> {
        let explain = Explain::cast(node);
        if explain.and_then(Explain::query).is_none() {
            let reason = "this explains the server's state, not a query";
            return Err(Refusal::new(Rule::Construct, place(node), reason, "explain a SELECT"));
        }
        Ok(())
    }

    fn format(&mut self, node: Node<'_>) -> Result<(), Refusal> {
        let name = FormatClause::cast(node).and_then(FormatClause::name);
        if let Some(name) = name {
            self.refuse_escapes(Rule::Format, name.node())?;
        }
        let plain = name.and_then(|name| name.plain(self.text)).map(std::borrow::Cow::into_owned);
        let Some(format) = plain.filter(|name| formats::is_output(name)) else {
            let written = name.map_or("", |name| name.text(self.text));
            let reason = format!("the format `{written}` is not one that answers are given in");
            return Err(Refusal::new(
                Rule::Format,
                place(node),
                reason,
                "use JSON, CSVWithNames or another usual one",
            ));
        };
        self.out.format = Some(format);
        Ok(())
    }

    /// `{name:Identifier}` puts a name into a query that nobody sees here.
    fn parameter(&self, node: Node<'_>) -> Result<(), Refusal> {
        let ty = QueryParameter::cast(node).and_then(QueryParameter::ty).and_then(DataType::name);
        let is_name = ty
            .is_none_or(|ty| ty.text(self.text).trim_matches(['`', '"']).eq_ignore_ascii_case("Identifier"));
        if is_name && !self.gate.is_off_identifiers() {
            let reason = "a parameter of the type Identifier names what is read only when the query runs";
            return Err(Refusal::new(Rule::Construct, place(node), reason, "write the name out"));
        }
        Ok(())
    }

    /// Names whose spelling needs to be undone first are refused where they name something that is looked up.
    fn has_escapes(&self, node: Node<'_>) -> bool {
        let text = text_of(node, self.text);
        let inner = text.get(1..text.len().saturating_sub(1)).unwrap_or_default();
        text.starts_with(['`', '"']) && inner.contains(['\\', '`', '"'])
    }

    fn refuse_escapes(&self, rule: Rule, node: Node<'_>) -> Result<(), Refusal> {
        if self.has_escapes(node) && !self.gate.is_off_quoted() {
            let reason = "this name is written with escapes";
            return Err(Refusal::new(rule, place(node), reason, "write it without"));
        }
        Ok(())
    }
}
