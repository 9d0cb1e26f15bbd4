//! What a call gives.

mod aggregate;
mod lambda;
mod special;

pub use lambda::lambda_parameters;

use crate::functions::{Function, Kind, find, suggestions};
use crate::table::class::{Class, Classes};
use crate::table::template::Template;
use crate::table::{Answer, Rule, Rules, Wrapping, by_table, rules};
use crate::{Constant, Type};

/// A call of a function by name.
#[derive(Debug, Clone, Copy)]
pub struct Call<'a> {
    /// As it is written.
    pub name: &'a str,
    /// `(0.5, 0.9)` of `quantiles(0.5, 0.9)(x)`.
    pub parameters: &'a [Constant],
    /// What stands in the parentheses.
    pub arguments: &'a [Argument],
}

/// An argument of a call.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Argument {
    /// Its type, of a lambda the type of its body; `None` when it is not known.
    pub ty: Option<Type>,
    /// Its value, when it is a literal.
    pub constant: Option<Constant>,
    /// Whether it has one value for all rows; `None` when that is not known. A literal has, and so has a call of a
    /// deterministic function over such arguments.
    pub is_constant: Option<bool>,
    /// Whether it is a lambda.
    pub is_lambda: bool,
}

impl Argument {
    /// A column or an expression over columns.
    pub fn column(ty: Type) -> Self {
        Self { ty: Some(ty), is_constant: Some(false), ..Self::default() }
    }

    /// A literal.
    pub fn literal(constant: Constant) -> Self {
        Self { ty: constant.ty(), constant: Some(constant), is_constant: Some(true), is_lambda: false }
    }

    /// A lambda with a body of this type.
    pub fn lambda(body: Option<Type>) -> Self {
        Self { ty: body, is_lambda: true, is_constant: Some(false), constant: None }
    }

    /// Nothing is known of it.
    pub fn unknown() -> Self {
        Self::default()
    }
}

/// What is known of a call's result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Inference {
    /// Its type.
    Type(Type),
    /// Nothing.
    Unknown,
    /// The engine refuses the call, certainly.
    Fault(Fault),
}

impl Inference {
    fn map(self, f: impl FnOnce(Type) -> Type) -> Self {
        match self {
            Self::Type(ty) => Self::Type(f(ty)),
            other => other,
        }
    }
}

impl From<Option<Type>> for Inference {
    fn from(ty: Option<Type>) -> Self {
        ty.map_or(Self::Unknown, Self::Type)
    }
}

/// Why the engine refuses a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// There is no such function.
    UnknownFunction {
        /// Names that may have been meant, the nearest first.
        suggestions: Vec<&'static str>,
    },
    /// It takes fewer or more arguments.
    ArgumentCount {
        /// At least.
        min: usize,
        /// At most; `None` when there is no bound.
        max: Option<usize>,
    },
    /// An argument is of a type that it does not take.
    ArgumentType {
        /// Which one, from 0.
        argument: usize,
        /// Its type.
        ty: Type,
        /// What it takes there, in words, when that is known.
        accepted: Option<String>,
    },
    /// No argument is wrong by itself, and together they are.
    ArgumentTypes(Vec<Type>),
    /// A state of one aggregate function is merged by another.
    OtherState {
        /// Which argument, from 0.
        argument: usize,
        /// The function that made the state.
        state_of: String,
        /// The function that is to merge it.
        merged_by: String,
    },
    /// An aggregate function takes fewer or more parameters.
    ParameterCount {
        /// At least.
        min: usize,
        /// At most; `None` when there is no bound.
        max: Option<usize>,
    },
    /// An ordinary function takes no parameters.
    NotParametric,
}

/// What a call gives. *Unknown* is the answer wherever no rule is certain; a [`Fault`] is one only when the engine refuses
/// every call with these types. While a type is not known, only names and counts can be at fault.
pub fn infer(call: &Call<'_>) -> Inference {
    let Some(function) = find(call.name) else {
        return Inference::Fault(Fault::UnknownFunction { suggestions: suggestions(call.name) });
    };
    let inferred = match function.kind() {
        Kind::Scalar => scalar(&function, call),
        Kind::Aggregate => aggregate::infer(&function, call),
        Kind::Window => window(&function, call),
    };
    // A call with a NULL is NULL, however many arguments it has.
    let may_be_null = call.arguments.iter().any(|argument| argument.ty.is_none() && !argument.is_lambda);
    match inferred {
        Inference::Fault(Fault::ArgumentCount { .. }) if may_be_null => Inference::Unknown,
        other => other,
    }
}

/// Whether a function has a rule of its own, so that the generator need not probe it.
#[doc(hidden)]
pub fn has_own_rule(name: &str) -> bool {
    special::OWN_RULES.contains(&name)
}

fn scalar(function: &Function, call: &Call<'_>) -> Inference {
    let name = function.base();
    if !call.parameters.is_empty() {
        return Inference::Fault(Fault::NotParametric);
    }
    let arguments = call.arguments;
    if let Some(inference) = special::infer(name, arguments) {
        return inference;
    }
    if arguments.iter().any(|a| a.is_lambda) {
        return lambda::infer(name, rules(name), arguments);
    }
    let Some(rules) = rules(name) else { return Inference::Unknown };
    // What a function takes beside a lambda was not counted.
    if let Some(fault) = wrong_count(rules, arguments).filter(|_| !function.is_higher_order()) {
        return Inference::Fault(fault);
    }
    let Some(types) = types(arguments) else { return whatever_the_types(rules, arguments.len()) };
    answered(rules, by_table(rules, arguments, &types), arguments, types)
}

/// The types of all arguments, if they are known.
fn types(arguments: &[Argument]) -> Option<Vec<Type>> {
    arguments.iter().map(|a| a.ty.clone()).collect()
}

/// NULL makes the result NULL before anybody counts.
fn wrong_count(rules: &Rules, arguments: &[Argument]) -> Option<Fault> {
    let (min, max) = rules.count?;
    let count = arguments.len();
    let is_null = |a: &Argument| a.ty.as_ref().is_some_and(|t| t.is_null() || *t == Type::Nothing);
    if arguments.iter().any(is_null) {
        return None;
    }
    (count < min || max.is_some_and(|max| count > max)).then_some(Fault::ArgumentCount { min, max })
}

fn answered(rules: &Rules, answer: Answer, arguments: &[Argument], types: Vec<Type>) -> Inference {
    match answer {
        Answer::Type(ty) => Inference::Type(ty),
        Answer::Unknown => otherwise(rules, arguments, &types),
        Answer::Refused(Some(argument)) => Inference::Fault(Fault::ArgumentType {
            argument,
            ty: types.into_iter().nth(argument).unwrap_or(Type::Nothing),
            accepted: rules.accepted.iter().find(|(at, _)| *at == argument).map(|(_, text)| text.clone()),
        }),
        Answer::Refused(None) => Inference::Fault(Fault::ArgumentTypes(types)),
    }
}

/// The one type that all of these rules give.
fn only_type<'a>(rules: impl Iterator<Item = &'a Rule>) -> Option<&'a Type> {
    let mut templates = rules.map(|r| &r.template);
    let Some(first @ Template::Fixed(ty)) = templates.next() else { return None };
    templates.all(|t| t == first).then_some(ty)
}

/// Arguments that the table has no rule for, or more than it has: a function that gives one type always gives it then too.
fn otherwise(rules: &Rules, arguments: &[Argument], types: &[Type]) -> Inference {
    let most = rules.arities.iter().map(|(n, _)| *n).max().unwrap_or(0);
    let open_end = rules.count.is_none_or(|(_, max)| max.is_none_or(|max| max > most));
    if types.len() > most && (most < 2 || !open_end) {
        return Inference::Unknown;
    }
    if types.iter().any(|ty| Class::of(ty).is_open()) {
        return Inference::Unknown;
    }
    let Some(ty) = only_type(rules.closed()) else { return Inference::Unknown };
    // A rule for fewer arguments deals with the wrappers: those that have one, as many as the rule takes.
    let mut order: Vec<usize> = (0..types.len()).collect();
    order.sort_by_key(|n| {
        let wrapped = types[*n].is_nullable() || matches!(types[*n], Type::LowCardinality(_));
        (!wrapped, arguments[*n].is_constant == Some(true), *n)
    });
    order.truncate(most);
    order.sort_unstable();
    let few: Vec<Argument> = order.iter().map(|n| arguments[*n].clone()).collect();
    let mut any = rules.clone();
    any.arities = vec![(
        few.len(),
        crate::table::Arity {
            rules: vec![Rule {
                positions: vec![crate::table::Position::Classes(Classes::ALL); few.len()],
                template: Template::Fixed(ty.clone()),
            }],
            refused: Vec::new(),
        },
    )];
    let few_types: Vec<Type> = order.iter().map(|n| types[*n].clone()).collect();
    match by_table(&any, &few, &few_types) {
        Answer::Type(ty) => Inference::Type(ty),
        Answer::Unknown | Answer::Refused(_) => Inference::Unknown,
    }
}

/// What is known although a type is not: a function that gives one type, and hides wrappers.
fn whatever_the_types(rules: &Rules, count: usize) -> Inference {
    let hides = |w: Wrapping| w == Wrapping::Ignored;
    match only_type(rules.all()) {
        Some(ty) if hides(rules.nulls) && hides(rules.low_cardinality) && count > 0 => {
            Inference::Type(ty.clone())
        }
        _ => Inference::Unknown,
    }
}

/// Functions that work over windows only. Their rules are few, and a probe would need a window for each.
fn window(function: &Function, call: &Call<'_>) -> Inference {
    let count = call.arguments.len();
    let (result, min, max) = match function.base() {
        "row_number" | "rank" | "denseRank" => (Some(Type::UInt64), 0, Some(0)),
        "ntile" => (Some(Type::UInt64), 1, Some(1)),
        "percentRank" | "cume_dist" => (Some(Type::Float64), 0, Some(0)),
        "lagInFrame" | "leadInFrame" | "lag" | "lead" => (None, 1, Some(3)),
        "nth_value" => (None, 2, Some(2)),
        "nonNegativeDerivative" => (Some(Type::Float64), 2, Some(3)),
        name if name.starts_with("exponentialTimeDecayed") => (Some(Type::Float64), 1, Some(2)),
        _ => return Inference::Unknown,
    };
    if count < min || max.is_some_and(|max| count > max) {
        return Inference::Fault(Fault::ArgumentCount { min, max });
    }
    match result {
        Some(ty) => Inference::Type(ty),
        None => {
            call.arguments.first().and_then(|a| a.ty.as_ref()).map(Type::without_any_low_cardinality).into()
        }
    }
}
