//! What can be wrong with a query.

use headwater_catalog::Type;
use headwater_syntax::TextRange;

/// A reason for which the engine refuses the query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Where.
    pub range: TextRange,
    /// What.
    pub kind: FaultKind,
    /// Whether what the query reads gives other columns for other requests, so that only that of the text is at fault.
    pub needs_request: bool,
}

/// What is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FaultKind {
    /// No table in scope has a column of that name.
    UnknownColumn {
        /// The name as written.
        name: String,
        /// The table that it is asked of, when one is named or there is only one.
        table: Option<String>,
        /// A name that is close.
        suggestion: Option<String>,
        /// The tables of the project in which it was looked for: what stands before the dot, and the name.
        looked_in: Vec<(Option<String>, String)>,
    },
    /// A name before a dot, or before `.*`, is no table of the query.
    UnknownQualifier {
        /// The name as written.
        name: String,
    },
    /// Several tables of a join have a column of that name.
    AmbiguousColumn {
        /// The name.
        name: String,
        /// The tables, as the query calls them.
        tables: Vec<String>,
    },
    /// A window that the query does not define.
    UnknownWindow {
        /// The name.
        name: String,
    },
    /// What the catalog says about a call.
    Call {
        /// The function as written, or as the engine calls an operator.
        function: String,
        /// What is wrong with it.
        fault: headwater_catalog::Fault,
    },
    /// What the engine notices about a call when it computes it.
    Called {
        /// The function as written, or as the engine calls an operator.
        function: String,
        /// What is wrong with it.
        fault: headwater_catalog::Fault,
        /// Whether the engine refuses the query; else it fails when rows come, or never.
        is_certain: bool,
    },
    /// A column that is neither in `GROUP BY` nor inside an aggregate function.
    NotGrouped {
        /// The column.
        name: String,
    },
    /// An aggregate function inside another, or in `WHERE`, `PREWHERE`, `GROUP BY`.
    MisplacedAggregate {
        /// The function.
        function: String,
        /// The place: `WHERE` or the function around it.
        place: String,
    },
    /// The queries of a set operation have different numbers of columns.
    UnequalColumns {
        /// Of the first.
        first: usize,
        /// Of this one.
        this: usize,
    },
    /// The columns of a join's condition have no common type.
    JoinTypes {
        /// Of the left table.
        left: Type,
        /// Of the right table.
        right: Type,
        /// Whether they stand in `USING`, where the engine looks at once: a condition it takes, and fails when rows meet.
        is_using: bool,
    },
    /// A text is compared with something else.
    Comparison {
        /// Of the left side.
        left: Type,
        /// Of the right side.
        right: Type,
        /// Whether the engine refuses the query; else it fails when a row has a value there.
        is_certain: bool,
    },
    /// A text in the place of a value that it cannot be read as.
    UnreadableText {
        /// The text.
        text: String,
        /// What it is to be.
        ty: Type,
        /// Whether the engine refuses the query; else it fails when a row has a value there.
        is_certain: bool,
        /// Whether it stands in the list of an `IN`.
        is_set: bool,
    },
    /// A column of a set operation has types without a common one.
    UnionTypes {
        /// The column.
        name: Option<String>,
        /// Its type in the queries before.
        first: Type,
        /// Its type in this one.
        this: Type,
    },
    /// `SETTINGS` names something that is none.
    UnknownSetting {
        /// The name.
        name: String,
        /// A name that is close.
        suggestion: Option<String>,
    },
    /// A setting is given what it does not take.
    SettingValue {
        /// The setting.
        name: String,
        /// The value as written.
        value: String,
        /// What the engine calls its type.
        ty: &'static str,
    },
    /// A key whose type has no order: what it holds, each row decides, or it is a state.
    KeyType {
        /// The type.
        ty: Type,
        /// `GROUP BY`, `ORDER BY` or `PARTITION BY`.
        clause: &'static str,
    },
    /// A position in `GROUP BY` or `ORDER BY` that is not there.
    UnknownPosition {
        /// The number.
        position: i128,
        /// How many columns there are.
        columns: usize,
    },
    /// `FINAL` or `SAMPLE` behind a table that does not take it.
    TableModifier {
        /// The table.
        table: String,
        /// `FINAL` or `SAMPLE`.
        modifier: &'static str,
    },
    /// A subquery or table function in a join has no alias.
    AliasRequired,
    /// `*` stands for no column.
    NoColumns,
}

impl FaultKind {
    /// Whether the engine refuses the query before it reads a row. Other faults show when rows come, or only make results
    /// that nobody means.
    pub fn refuses_query(&self) -> bool {
        match self {
            Self::JoinTypes { is_using, .. } => *is_using,
            Self::Comparison { is_certain, .. }
            | Self::UnreadableText { is_certain, .. }
            | Self::Called { is_certain, .. } => *is_certain,
            // Inside of another query the engine passes over the name of a setting.
            Self::UnionTypes { .. } | Self::UnknownSetting { .. } => false,
            _ => true,
        }
    }

    /// Whether another name or value in its place could be right.
    pub fn is_about_a_name(&self) -> bool {
        match self {
            Self::UnknownColumn { .. }
            | Self::UnknownQualifier { .. }
            | Self::AmbiguousColumn { .. }
            | Self::UnknownWindow { .. }
            | Self::NotGrouped { .. }
            | Self::UnknownPosition { .. }
            | Self::UnreadableText { .. }
            | Self::UnknownSetting { .. }
            | Self::SettingValue { .. }
            | Self::NoColumns => true,
            Self::Call { fault, .. } => matches!(fault, headwater_catalog::Fault::UnknownFunction { .. }),
            Self::MisplacedAggregate { .. }
            | Self::UnequalColumns { .. }
            | Self::Called { .. }
            | Self::JoinTypes { .. }
            | Self::Comparison { .. }
            | Self::UnionTypes { .. }
            | Self::KeyType { .. }
            | Self::TableModifier { .. }
            | Self::AliasRequired => false,
        }
    }
}
