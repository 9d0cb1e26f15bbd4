//! Deterministic mutation fuzzing of Headwater, on stable Rust.
//!
//! **Knows**: how to make hostile texts and sessions from the repository's own examples, what must hold for every one
//! of them, and how to shrink one for which it does not.
//!
//! **Must not know**: how the parsers or the server work. It uses their public interfaces only.
//!
//! A property is an assertion: a broken one panics, exactly like a bug in the code under test, and both are caught,
//! shrunk and reported in the same way. `docs/internals/fuzzing.md` says what each target promises.

pub mod corpus;
pub mod dictionary;
pub mod finding;
pub mod growth;
pub mod minimize;
pub mod mutate;
pub mod run;
pub mod server;
pub mod targets;
pub mod trial;

pub use finding::Finding;
pub use run::{Limit, Report, Settings, Target, replay, run};
pub use trial::{Trace, trial};
