//! The other way round: which requests take which arms of a template.
//!
//! A template has no query of its own. What is known about it without a request is known about *variants*, each of
//! which is a request that takes certain arms, and enough of them that every arm that can be taken is.

mod asked;
mod facts;
mod variant;
mod witness;
mod world;

pub use variant::{Variant, all_arms, unreachable_arms, variants, witness_at};
pub use witness::{Given, ParameterChoice, Witness};
