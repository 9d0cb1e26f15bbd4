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
    },
    /// A key whose type has no order: what it holds, each row decides.
    KeyType {
        /// The type.
        ty: Type,
        /// `GROUP BY` or `ORDER BY`.
        clause: &'static str,
    },
    /// A position in `GROUP BY` or `ORDER BY` that is not there.
    UnknownPosition {
        /// The number.
        position: i128,
        /// How many columns there are.
        columns: usize,
    },
    /// A subquery or table function in a join has no alias.
    AliasRequired,
    /// `*` stands for no column.
    NoColumns,
}

impl FaultKind {
    /// Whether another name in its place could be right.
    pub fn is_about_a_name(&self) -> bool {
        match self {
            Self::UnknownColumn { .. }
            | Self::UnknownQualifier { .. }
            | Self::AmbiguousColumn { .. }
            | Self::UnknownWindow { .. }
            | Self::NotGrouped { .. }
            | Self::UnknownPosition { .. }
            | Self::NoColumns => true,
            Self::Call { fault, .. } => matches!(fault, headwater_catalog::Fault::UnknownFunction { .. }),
            Self::MisplacedAggregate { .. }
            | Self::UnequalColumns { .. }
            | Self::JoinTypes { .. }
            | Self::KeyType { .. }
            | Self::AliasRequired => false,
        }
    }
}
