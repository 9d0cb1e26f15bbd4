//! What templates become: SQL for a request, and the requests that show what a template can become.
//!
//! **Knows**: the template language (specification §8): its functions, its two subsets of Python, how values are
//! written in SQL, and what a render may cost.
//!
//! **Must not know**: files, projects, other nodes, salsa, the engine, HTTP, time, the network. A render is a pure function
//! of template, parameters and secrets; a clock is the caller's. What SQL means is not known here, only how values
//! are quoted in it.
//!
//! ```
//! use headwater_template::{Parameters, Prepared, Request, Secrets};
//!
//! let template = Prepared::new("% SELECT {{ Int32(n, 3) }} AS n")?;
//! let parameters = Parameters::from_pairs([("n", "5")]);
//! let rendered = template.render(&Request::new(&parameters, &Secrets::new()))?;
//! assert_eq!(rendered.sql, " SELECT toInt32('5') AS n");
//! # Ok::<(), headwater_template::RenderError>(())
//! ```

mod calls;
mod datafile;
mod error;
mod escape;
mod eval;
mod explain;
mod functions;
mod limits;
mod prepared;
mod render;
mod rendered;
mod request;
mod rules;
mod scope;
mod search;
mod source_map;
mod value;

pub use calls::failing_calls;
pub use datafile::{Filled, fill_secrets};
pub use error::{ErrorKind, LimitKind, RenderError};
pub use escape::literal;
pub use explain::{close_statement, explained};
pub use functions::FORBIDDEN_PARAMETERS;
pub use limits::Limits;
pub use prepared::{Prepared, render};
pub use rendered::{Origin, QueryParameter, Rendered, Settings, UsedParameter};
pub use request::{Mode, PLACEHOLDER, Parameters, Request, Secret, Secrets};
pub use rules::{Rule, Violation, violations};
pub use search::{
    Given, ParameterChoice, Variant, Witness, all_arms, unreachable_arms, variants, witness_at,
};
pub use source_map::{Made, Segment, SourceMap};
pub use value::{Dict, Float, Int, Items, Value};
