//! Kinds of nodes that a query of a user may hold. A kind that the grammar gets later is refused until somebody looked at it
//! and put it into one of the lists.

use headwater_syntax::sql::ast::Kind;

/// Whether a kind of node may be there, or why not. `None` for kinds that nobody looked at.
pub fn decision(kind: Kind) -> Option<Result<(), (&'static str, &'static str)>> {
    Some(match kind {
        // What it says is checked node by node.
        Kind::AliasedExpression
        | Kind::ApplyColumns
        | Kind::ArgumentList
        | Kind::ArrayLiteral
        | Kind::ArrayJoin
        | Kind::BetweenExpression
        | Kind::BinaryExpression
        | Kind::BooleanLiteral
        | Kind::Case
        | Kind::Cast
        | Kind::ColumnAliases
        | Kind::ColumnRef
        | Kind::ColumnsMatcher
        | Kind::Comment
        | Kind::Cte
        | Kind::DataType
        | Kind::Describe
        | Kind::Direction
        | Kind::DistinctClause
        | Kind::EnumValue
        | Kind::ExceptColumns
        | Kind::Exists
        | Kind::Explain
        | Kind::ExplainKind
        | Kind::FilterClause
        | Kind::FinalModifier
        | Kind::FormatClause
        | Kind::FrameBound
        | Kind::FromClause
        | Kind::FunctionCall
        | Kind::GroupByClause
        | Kind::GroupModifier
        | Kind::HavingClause
        | Kind::Identifier
        | Kind::InExpression
        | Kind::InterpolateClause
        | Kind::InterpolateItem
        | Kind::Interval
        | Kind::IntervalUnit
        | Kind::IsExpression
        | Kind::Join
        | Kind::JoinKind
        | Kind::JoinedTables
        | Kind::Lambda
        | Kind::LambdaParameters
        | Kind::LikeColumns
        | Kind::LimitByClause
        | Kind::LimitClause
        | Kind::MapLiteral
        | Kind::MapEntry
        | Kind::NegativeNumber
        | Kind::NullLiteral
        | Kind::NumberLiteral
        | Kind::OffsetClause
        | Kind::OrderByClause
        | Kind::OrderItem
        | Kind::Over
        | Kind::ParenthesizedExpression
        | Kind::PrewhereClause
        | Kind::QualifyClause
        | Kind::QueryParameter
        | Kind::Ratio
        | Kind::ReplaceColumns
        | Kind::SampleClause
        | Kind::ScalarCte
        | Kind::SelectItem
        | Kind::SelectList
        | Kind::SelectQuery
        | Kind::SetOperation
        | Kind::Setting
        | Kind::SettingsClause
        | Kind::SourceFile
        | Kind::Star
        | Kind::Statement
        | Kind::StringLiteral
        | Kind::Subquery
        | Kind::Subscript
        | Kind::TableFunction
        | Kind::TableName
        | Kind::TableRef
        | Kind::TernaryExpression
        | Kind::TimeZoneExpression
        | Kind::TopClause
        | Kind::Tuple
        | Kind::TupleAccess
        | Kind::TupleIndex
        | Kind::TypeArguments
        | Kind::TypeField
        | Kind::TypeSetting
        | Kind::TypeSkip
        | Kind::TypeWord
        | Kind::TypedLiteral
        | Kind::UnaryExpression
        | Kind::UsingList
        | Kind::ValuesList
        | Kind::When
        | Kind::WhereClause
        | Kind::WindowClause
        | Kind::WindowDefinition
        | Kind::WindowFrame
        | Kind::WindowFunction
        | Kind::WindowSpecification
        | Kind::WithClause
        | Kind::WithFill
        | Kind::Token => Ok(()),
        Kind::TemplateAlternative
        | Kind::TemplateComment
        | Kind::TemplateHole
        | Kind::TemplateJuxtaposition
        | Kind::TemplateMarker
        | Kind::TemplateOutput
        | Kind::TemplateStatement
        | Kind::TemplatedName
        | Kind::UnclosedStatement
        | Kind::UnclosedTemplate => Err(("a template tag stands here", "render the template first")),
        Kind::MissingName
        | Kind::MissingOperand
        | Kind::MissingParenthesis
        | Kind::UnclosedComment
        | Kind::UnclosedString
        | Kind::Error => Err(("the query is not complete here", "complete it")),
        Kind::Insert | Kind::InsertTarget | Kind::OtherStatement => {
            Err(("this changes data", "write a SELECT; only queries that read are run"))
        }
        Kind::ColumnDefinition
        | Kind::ColumnDefinitions
        | Kind::Expressions
        | Kind::IndexDefinition
        | Kind::IndexDefinitions
        | Kind::JsonPath
        | Kind::TtlAssignment
        | Kind::TtlMove
        | Kind::TtlRecompress => Err(("this is no query", "write a SELECT")),
        Kind::IntoOutfileClause => Err(("INTO OUTFILE writes a file", "leave it out, and take the answer")),
        Kind::SystemVariable => Err(("`@@` reads variables of the server", "leave it out")),
        Kind::QueryAlternatives => Err(("a second query begins here", "put UNION ALL before it")),
        #[allow(unreachable_patterns)]
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_the_grammar_is_decided() {
        for (kind, name) in Kind::ALL {
            assert!(
                decision(*kind).is_some(),
                "nobody decided about {name}: put it into a list of policy/nodes.rs"
            );
        }
    }
}
