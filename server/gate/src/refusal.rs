//! Why a text does not pass.

use std::fmt;

use headwater_syntax::TextRange;

/// The rule that a text breaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Rule {
    /// It does not parse, or not in one way.
    Syntax,
    /// It is not one query.
    Statement,
    /// It holds something that no query of a user needs, or that nobody looked at yet.
    Construct,
    /// It calls a function that is not allowed.
    Function,
    /// It has a table function that is not allowed, or one with arguments that make it so.
    TableFunction,
    /// It reads a table that is not its own.
    Table,
    /// It changes a setting that is not allowed, or beyond its range.
    Setting,
    /// It asks for a format that is not allowed, or where none may be.
    Format,
}

impl Rule {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Syntax,
        Self::Statement,
        Self::Construct,
        Self::Function,
        Self::TableFunction,
        Self::Table,
        Self::Setting,
        Self::Format,
    ];

    /// Its name in reports.
    pub fn code(self) -> &'static str {
        match self {
            Self::Syntax => "syntax",
            Self::Statement => "statement",
            Self::Construct => "construct",
            Self::Function => "function",
            Self::TableFunction => "table-function",
            Self::Table => "table",
            Self::Setting => "setting",
            Self::Format => "format",
        }
    }
}

/// A text that does not pass: where, why, and what to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The rule.
    pub rule: Rule,
    /// The place, in bytes of the text.
    pub range: TextRange,
    /// What is there, and why it may not be.
    pub reason: String,
    /// What to write instead; empty when there is nothing.
    pub advice: String,
}

impl Refusal {
    pub(crate) fn new(
        rule: Rule,
        range: TextRange,
        reason: impl Into<String>,
        advice: impl Into<String>,
    ) -> Self {
        Self { rule, range, reason: reason.into(), advice: advice.into() }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.reason)?;
        if !self.advice.is_empty() {
            write!(f, "; {}", self.advice)?;
        }
        Ok(())
    }
}

impl std::error::Error for Refusal {}
