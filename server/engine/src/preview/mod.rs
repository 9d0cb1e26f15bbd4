//! What a node, a part of it, or a query of one's own gives: rows with their types, and what they cost.
//!
//! [`Question`] is made of a project alone and can wait or travel; it has passed the [gate](headwater_gate). [`Asker`] puts it to a
//! session whose tables are there, after the engine has confirmed that it reads the same query.

pub mod layout;
pub mod part;
mod profile;
mod rows;
mod run;

use std::fmt;
use std::ops::Range;

use headwater_analysis::{File, interface, resource_name};
use headwater_gate::{Action, Approved, Gate, Refusal, Tables};
use headwater_syntax::sql::ast::{self, AstNode, GroupModifier, Query, SetOperation};
use headwater_syntax::sql::parse;
use headwater_syntax::{TextRange, range};
use headwater_template::Parameters;
use rustc_hash::FxHashSet;

pub use profile::{Profile, Step, profile_steps};
pub use rows::{Column, Rows};
pub use run::{Asker, Cost, Outcome, Shape};

pub use crate::Cancel;

use crate::compile::{Around, CompileError, Compiler, Rendering, Statement};

/// What is to be shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum What {
    /// What a pipe gives.
    Pipe(File),
    /// A node.
    Node(File, usize),
    /// A table that a node's `WITH` defines.
    Cte(File, usize, String),
    /// An expression or a subquery of a node: its place in the node's text.
    Selection(File, usize, TextRange),
    /// A query beside the project, which may name the nodes of a pipe.
    Sql(String, Option<File>),
}

/// A query over tables only that passed the gate.
#[derive(Debug, Clone)]
pub struct Question {
    /// The query, its tables and the values of its placeholders.
    pub statement: Statement,
    /// What is shown, for titles: `top_pages:ranked`.
    pub title: String,
    pub(crate) approved: Approved,
    pub(crate) allowed: Physical,
    /// The query has `WITH TOTALS`.
    pub(crate) has_totals: bool,
    /// It is several queries, which no setting limits as a whole.
    pub(crate) is_set: bool,
}

/// Why there is no question.
#[derive(Debug, Clone, PartialEq)]
pub enum QuestionError {
    /// The request, or the project.
    Compile(CompileError),
    /// The gate. The place is in the text that was asked for, when that is a query beside the project.
    Refused(Refusal, Option<Range<usize>>),
    /// What was asked for is not there, or is no query.
    Part(String),
}

impl fmt::Display for QuestionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Compile(error) => error.fmt(f),
            Self::Refused(refusal, _) => write!(f, "not run: {refusal}"),
            Self::Part(why) => f.write_str(why),
        }
    }
}

impl std::error::Error for QuestionError {}

impl From<CompileError> for QuestionError {
    fn from(error: CompileError) -> Self {
        Self::Compile(error)
    }
}

/// The tables of one statement by their names on the engine.
#[derive(Debug, Clone, Default)]
pub(crate) struct Physical(FxHashSet<String>);

impl Tables for Physical {
    fn may_read(&self, database: Option<&str>, name: &str) -> bool {
        database.is_some_and(|database| self.0.contains(&format!("{database}.{name}")))
    }
}

/// The names that a query beside the project may say.
struct Names<'c, 'db>(&'c Compiler<'db>, Option<File>);

impl Tables for Names<'_, '_> {
    fn may_read(&self, database: Option<&str>, name: &str) -> bool {
        self.0.knows(self.1, database, name)
    }
}

impl Question {
    /// The question for `what` with a request's parameters.
    ///
    /// # Errors
    /// Why it cannot be asked: for people, with what to do.
    pub fn new(compiler: &Compiler<'_>, what: &What, parameters: &Parameters) -> Result<Self, QuestionError> {
        let statement = statement(compiler, what, parameters)?;
        let allowed = Physical(statement.tables.iter().map(|id| compiler.plain_name(id)).collect());
        let approved = Gate::new(&allowed).check(&statement.sql).map_err(|refusal| {
            // The place is one of the whole query, which nobody wrote.
            QuestionError::Refused(refusal, None)
        })?;
        if approved.format.is_some() {
            let why = "the query says FORMAT; leave that out, the layout is chosen beside it".to_owned();
            return Err(QuestionError::Part(why));
        }
        let tree = parse(&statement.sql);
        let root = tree.as_ref().map(headwater_syntax::sql::Tree::root_node);
        let has_totals = root.is_some_and(|root| {
            ast::descendants::<GroupModifier<'_>>(root)
                .any(|m| m.text(&statement.sql).to_ascii_uppercase().ends_with("TOTALS"))
        });
        let is_set = root.and_then(|root| ast::descendants::<Query<'_>>(root).next()).is_some_and(|query| {
            matches!(query.peeled(), Query::SetOperation(_)) || SetOperation::cast(query.node()).is_some()
        });
        Ok(Self { title: title(compiler, what), statement, approved, allowed, has_totals, is_set })
    }

    /// Whether it gives rows of data, and not an explanation.
    pub fn is_select(&self) -> bool {
        self.approved.action == Action::Select
    }
}

fn statement(
    compiler: &Compiler<'_>,
    what: &What,
    parameters: &Parameters,
) -> Result<Statement, QuestionError> {
    Ok(match what {
        What::Pipe(pipe) => compiler.pipe_query(*pipe, parameters)?,
        What::Node(pipe, node) => compiler.node_query(*pipe, *node, parameters)?,
        What::Cte(pipe, node, name) => compiler.part_query(*pipe, *node, parameters, |rendered| {
            part::cte(&rendered.sql, name)
                .ok_or_else(|| format!("the node has no `WITH {name} AS (…)` for this request"))
        })?,
        What::Selection(pipe, node, at) => compiler.part_query(*pipe, *node, parameters, |rendered| {
            let at =
                output(rendered, *at).ok_or("the selection is not part of the query for this request")?;
            part::selected(&rendered.sql, at)
        })?,
        What::Sql(sql, pipe) => {
            let around = Around { pipe: *pipe, aliases: &[] };
            // First as it was written: a place in it is worth more than one in what it becomes.
            if !headwater_syntax::template::is_template(sql) {
                Gate::new(&Names(compiler, *pipe)).check(sql).map_err(|refusal| {
                    let at = usize::from(refusal.range.start())..usize::from(refusal.range.end());
                    QuestionError::Refused(refusal, Some(at))
                })?;
            }
            compiler.query(sql, around, parameters)?
        }
    })
}

/// Where a place of a template stands in what it renders.
fn output(rendered: &Rendering, at: TextRange) -> Option<Range<usize>> {
    let Some(map) = &rendered.map else { return Some(at.start().into()..at.end().into()) };
    let pieces = map.to_output(at);
    let (first, last) = (pieces.first()?, pieces.last()?);
    let whole = range(first.start().into(), last.end().into());
    Some(whole.start().into()..whole.end().into())
}

fn title(compiler: &Compiler<'_>, what: &What) -> String {
    let db = compiler.db();
    let node = |pipe: File, node: usize| {
        let name = interface(db, pipe).as_ref().and_then(|face| Some(face.nodes.get(node)?.name.clone()));
        format!("{}:{}", resource_name(db, pipe), name.unwrap_or_default())
    };
    match what {
        What::Pipe(pipe) => resource_name(db, *pipe).clone(),
        What::Node(pipe, n) => node(*pipe, *n),
        What::Cte(pipe, n, name) => format!("{} WITH {name}", node(*pipe, *n)),
        What::Selection(pipe, n, _) => format!("a part of {}", node(*pipe, *n)),
        What::Sql(..) => "query".to_owned(),
    }
}
