//! Tests that projects carry: what their files say, how answers are compared, and how new expectations are written down.
//!
//! Three kinds (specification §16): requests to endpoints (`tests/<pipe>.yaml`), data-quality queries that must find
//! nothing (Classic), and command lines with the output they must print (Classic, `tests/<name>.test`).

mod commands;
pub mod compare;
mod file;
mod reach;
mod update;

pub use commands::{Command, CommandError, OutputFormat, parse_commands};
pub use file::{Case, CaseFixture, Check, FileError, is_command_file, is_yaml_file, read};
pub use reach::{Subjects, asked};
pub use update::{Expectation, updated};
