//! What a call gives.

mod aggregate;
mod called;
mod counts;
mod lambda;
mod special;
mod switched_off;

pub use called::{may_be_refused_when_called, refused_when_called};
pub use lambda::lambda_parameters;

use crate::functions::{Function, Kind, find, suggestions};
use crate::table::class::{Class, Classes};
use crate::table::template::Template;
use crate::table::{Answer, Position, Rule, Rules, Wrapping, by_table, rules};
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
    /// The engine refuses it unless a setting is given.
    SwitchedOff {
        /// The setting.
        setting: &'static str,
    },
}

/// What a call gives. *Unknown* is the answer wherever no rule is certain; a [`Fault`] is one only when the engine refuses
/// every call with these types. While a type is not known, only names and counts can be at fault.
pub fn infer(call: &Call<'_>) -> Inference {
    let Some(function) = find(call.name) else {
        if PARSER_NAMES.iter().any(|name| name.eq_ignore_ascii_case(call.name)) {
            return Inference::Unknown;
        }
        return Inference::Fault(Fault::UnknownFunction { suggestions: suggestions(call.name) });
    };
    // A call with a NULL is NULL before anybody looks at the switch.
    let has_null = call.arguments.iter().any(|a| a.ty.as_ref().is_some_and(Type::is_null));
    if let Some(setting) = switched_off::by(function.base()).filter(|_| !has_null) {
        return Inference::Fault(Fault::SwitchedOff { setting });
    }
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

/// The setting without which the engine refuses a function.
pub fn switched_off(name: &str) -> Option<&'static str> {
    switched_off::by(find(name)?.base())
}

/// Names that the engine's parser (26.7) makes other calls of, in forms that our grammar does not have apart: `DATE_PART('year', d)`,
/// `DATEADD(wk, 1, d)`, `= ANY(SELECT …)`. Its list of functions does not have them.
const PARSER_NAMES: [&str; 13] = [
    "all",
    "any",
    "dateadd",
    "date_add",
    "date_part",
    "datepart",
    "datesub",
    "date_sub",
    "some",
    "timestampadd",
    "timestamp_add",
    "timestampsub",
    "timestamp_sub",
];

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
    let count = types.len();
    match answered(rules, by_table(rules, arguments, &types), arguments, types) {
        Inference::Fault(fault @ (Fault::ArgumentType { .. } | Fault::ArgumentTypes(_)))
            if !is_credible(function, rules, &fault, arguments, count) =>
        {
            Inference::Unknown
        }
        other => other,
    }
}

/// Whether a refusal was tried with enough. Where the engine took nothing with this number of arguments, other values may
/// have been to blame; what a function takes apart was tried with few parts.
fn is_credible(
    function: &Function,
    rules: &Rules,
    fault: &Fault,
    arguments: &[Argument],
    count: usize,
) -> bool {
    let categories = function.categories();
    // What gives `Dynamic` looks into its values, and says nothing about types.
    let is_evidence = |rule: &&Rule| {
        rule.positions.len() == count
            && !matches!(rule.template, Template::Fixed(Type::Dynamic(_) | Type::Variant(_)))
    };
    if categories.starts_with("Geo") || !rules.closed().any(|rule| is_evidence(&rule)) {
        return false;
    }
    let takes_parts = ["Tuple", "Map", "Distance", "Bitmap"].iter().any(|c| categories.starts_with(c))
        || rules.all().any(|rule| matches!(rule.template, Template::Tuple(_)));
    let is_blamed = match fault {
        Fault::ArgumentType { ty, .. } => has_parts(ty),
        _ => false,
    };
    !(takes_parts && (is_blamed || arguments.iter().any(|a| a.ty.as_ref().is_some_and(has_parts))))
}

fn has_parts(ty: &Type) -> bool {
    match ty.bare() {
        Type::Tuple(_) | Type::Map(_) | Type::Geo(_) | Type::AggregateFunction(_) => true,
        Type::Array(element) => has_parts(element) || element.element().is_some(),
        _ => false,
    }
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
        Answer::Unknown => match unacceptable(rules, &types)
            .or_else(|| no_zone(rules, arguments, &types))
            .or_else(|| refused_with_fewer(rules, &types))
        {
            Some(fault) => Inference::Fault(fault),
            None => otherwise(rules, arguments, &types),
        },
        Answer::Refused(Some(argument)) => Inference::Fault(Fault::ArgumentType {
            argument,
            ty: types.into_iter().nth(argument).unwrap_or(Type::Nothing),
            accepted: rules.accepted.iter().find(|(at, _)| *at == argument).map(|(_, text)| text.clone()),
        }),
        Answer::Refused(None) => Inference::Fault(Fault::ArgumentTypes(types)),
    }
}

/// An argument that the engine's own words about what it takes there rule out, and no rule has at its place.
fn unacceptable(rules: &Rules, types: &[Type]) -> Option<Fault> {
    let is_open = |ty: &Type| Class::of(ty).is_open();
    // The words may be about calls with more or fewer arguments, where others are at these places.
    let is_known = |rule: &&Rule| rule.positions.len() == types.len();
    if types.iter().any(is_open) || !rules.closed().any(|rule| is_known(&rule)) {
        return None;
    }
    rules.accepted.iter().find_map(|(at, words)| {
        let ty = types.get(*at)?;
        let class = Class::of(ty);
        let is_taken = rules.all().filter_map(|rule| rule.positions.get(*at)).any(|p| match p {
            Position::Classes(set) | Position::Constant(set) => set.contains(class),
            Position::Text(_) => ty.bare().is_string(),
        });
        (!is_taken && is_other(words, ty.bare())).then(|| Fault::ArgumentType {
            argument: *at,
            ty: ty.clone(),
            accepted: Some(words.clone()),
        })
    })
}

/// An argument that is refused beside fewer others, where no call with as many has one of its class at that place: with
/// three and more only what two took was tried.
fn refused_with_fewer(rules: &Rules, types: &[Type]) -> Option<Fault> {
    let classes: Vec<Class> = types.iter().map(Class::of).collect();
    if classes.len() < 3 || classes.iter().any(|class| class.is_open()) {
        return None;
    }
    let same = || rules.closed().filter(|rule| rule.positions.len() == types.len());
    same().next()?;
    let two = rules.arity(2)?;
    let refusal = two
        .refused
        .iter()
        .find(|refusal| refusal.classes.iter().zip(&classes).all(|(set, class)| set.contains(*class)))?;
    let argument = refusal.argument?;
    let is_taken = same().any(|rule| match &rule.positions[argument] {
        Position::Classes(set) | Position::Constant(set) => set.contains(classes[argument]),
        Position::Text(_) => types[argument].bare().is_string(),
    });
    (!is_taken).then(|| Fault::ArgumentType { argument, ty: types[argument].clone(), accepted: None })
}

/// An argument that names the time zone of the result, and is no constant text. The type of the result needs its value.
fn no_zone(rules: &Rules, arguments: &[Argument], types: &[Type]) -> Option<Fault> {
    let at = types.len().checked_sub(1).filter(|at| *at > 0)?;
    if types.iter().any(|ty| Class::of(ty).is_open()) || arguments[at].is_constant != Some(false) {
        return None;
    }
    let is_closed = |rule: &&Rule| {
        rule.positions.len() == types.len()
            && rule.positions.iter().all(|p| match p {
                Position::Classes(set) | Position::Constant(set) => set.iter().any(|c| !c.is_open()),
                Position::Text(_) => true,
            })
    };
    let zone = format!("k{at}");
    let mut closed = rules.all().filter(is_closed).peekable();
    closed.peek()?;
    let is_named = |rule: &Rule| {
        matches!(rule.template, Template::DateTime(_) | Template::DateTime64(..))
            && rule.template.to_string().ends_with(&zone)
    };
    closed.all(is_named).then(|| Fault::ArgumentType {
        argument: at,
        ty: types[at].clone(),
        accepted: Some("a time zone as a constant text".to_owned()),
    })
}

/// Whether a type is certainly none of those that the engine names with these words.
fn is_other(words: &str, ty: &Type) -> bool {
    let is_text = ty.is_string() || ty.is_enum();
    let is_date = matches!(ty, Type::Date | Type::Date32 | Type::DateTime(_) | Type::DateTime64(..));
    let is_number = ty.is_integer() || ty.is_float() || matches!(ty, Type::Bool | Type::Decimal(..));
    let is_whole = matches!(ty, Type::Array(_) | Type::Map(_) | Type::Tuple(_));
    match words.trim_start_matches("const ") {
        "String" | "String or FixedString" => is_number || is_date || is_whole || *ty == Type::Uuid,
        "Date[32] or DateTime[64]"
        | "Date, Date32, DateTime or DateTime64"
        | "Date or date with time"
        | "DateTime or DateTime64" => is_number || is_text || is_whole || *ty == Type::Uuid,
        "Number" | "Integer" | "(U)Int*" | "UInt*" | "UInt8" | "UInt64" | "native numeric" => {
            is_text || is_date || is_whole || *ty == Type::Uuid
        }
        "Array" => is_number || is_text || is_date || *ty == Type::Uuid,
        _ => false,
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
