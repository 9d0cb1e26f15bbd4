//! ClickHouse as data: types and their order, functions with what they give, settings, engines, formats, keywords, and
//! the engine's own documentation.
//!
//! **Knows**: what the pinned engine said of itself and what it answered to probes (`cargo xtask codegen --catalog`
//! writes `data/`), and the rules that probes cannot hold: wrappers, combinators, lambdas, tuples, literals, common
//! types, casts.
//!
//! **Must not know**: statements, names of tables and columns, projects, the engine's library, files. It reads nothing
//! but its own bytes, and decodes them when they are first asked for.
//!
//! - [`Type`]: [`Type::parse`], `Display`, and what may stand inside of what. [`Constant::ty`] for literals.
//! - [`supertype`], [`narrow_supertype`]: what several types have in common. [`conversion`]: what becomes of a value in a
//!   column of another type. [`comparable`]: whether `=` takes two types.
//! - [`find`]: a function by its name. [`infer`]: what a call gives, or why the engine refuses it.
//!   [`lambda_parameters`]: the types inside a lambda.
//! - [`settings`], [`table_engines`], [`formats`] and so on: the lists; [`documentation`] for each.
//!
//! [`Inference::Unknown`] silences: whoever asks says nothing then. A [`Fault`] is certain: it is only given where the
//! engine refused everything of the kind.

mod constant;
mod conversion;
mod data;
mod docs;
mod functions;
mod infer;
mod lattice;
mod lex;
mod lists;
#[doc(hidden)]
pub mod table;
mod types;

pub use constant::{Constant, Float};
#[doc(hidden)]
pub use conversion::CASTS;
pub use conversion::{Conversion, comparable, conversion};
pub use docs::{Topic, documentation, documented, syntax};
pub use functions::{Combinator, Function, Kind, find, function_names, suggestions};
#[doc(hidden)]
pub use infer::has_own_rule;
pub use infer::{
    Argument, Call, Fault, Inference, infer, lambda_parameters, may_be_refused_when_called,
    refused_when_called, switched_off,
};
pub use lattice::{Supertype, narrow_supertype, supertype};
pub use lists::{
    Codec, Format, Setting, TableEngine, TableFunction, Tier, TypeFamily, codecs, engine_version, formats,
    keywords, merge_tree_setting, merge_tree_settings, setting, settings, skipping_indices, table_engines,
    table_functions, time_zones, type_families,
};
pub use types::{Aggregate, Element, Geo, Json, MAX_DEPTH, Type, TypeError, Unit, family, is_family};
