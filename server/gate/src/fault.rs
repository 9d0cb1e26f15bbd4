//! Named faults: each leaves one rule out, and a test that does not notice is no test.

/// A rule that is left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[allow(missing_docs, reason = "each is named after the check that it removes")]
pub enum Fault {
    SecondStatement,
    UnknownNodes,
    DeniedFunctions,
    FunctionsOfApply,
    FunctionsAsValues,
    NamesInStrings,
    QuotedFunctions,
    TableFunctions,
    ColumnDefaults,
    TablesBehindIn,
    Databases,
    ScopeOfWith,
    Settings,
    Outfile,
    IdentifierParameters,
    AggregatesInStrings,
}

impl Fault {
    /// All of them.
    pub const ALL: [Self; 16] = [
        Self::SecondStatement,
        Self::UnknownNodes,
        Self::DeniedFunctions,
        Self::FunctionsOfApply,
        Self::FunctionsAsValues,
        Self::NamesInStrings,
        Self::QuotedFunctions,
        Self::TableFunctions,
        Self::ColumnDefaults,
        Self::TablesBehindIn,
        Self::Databases,
        Self::ScopeOfWith,
        Self::Settings,
        Self::Outfile,
        Self::IdentifierParameters,
        Self::AggregatesInStrings,
    ];
}
