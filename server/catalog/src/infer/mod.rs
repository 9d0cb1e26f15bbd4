//! What a call gives.

use crate::functions::{Function, find, suggestions};
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
    /// Whether it has one value for all rows; `None` when that is not known. A literal has.
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
/// every call with these types.
pub fn infer(call: &Call<'_>) -> Inference {
    let Some(function) = find(call.name) else {
        return Inference::Fault(Fault::UnknownFunction { suggestions: suggestions(call.name) });
    };
    let _: &Function = &function;
    Inference::Unknown
}

/// The types of a lambda's parameters, from those of the other arguments, in order. `None` when the function takes no
/// lambda there; a parameter whose type is not known is `None` inside.
pub fn lambda_parameters(
    function: &str,
    arguments: &[Option<Type>],
    parameter_count: usize,
) -> Option<Vec<Option<Type>>> {
    let function = find(function)?;
    if !function.is_higher_order() {
        return None;
    }
    let name = function.base();
    let parameters: Vec<Option<Type>> = if name.starts_with("map") {
        let Some(Some(Type::Map(kv))) = arguments.first() else { return Some(vec![None; parameter_count]) };
        vec![Some(kv.0.clone()), Some(kv.1.clone())]
    } else if name == "arrayFold" {
        let (accumulator, arrays) = arguments.split_last()?;
        let mut parameters = vec![accumulator.clone()];
        parameters.extend(arrays.iter().map(|a| a.as_ref().and_then(Type::element)));
        parameters
    } else {
        arguments.iter().map(|a| a.as_ref().and_then(Type::element)).collect()
    };
    Some((0..parameter_count).map(|n| parameters.get(n).cloned().flatten()).collect())
}
