//! Whole sessions with the language server, in process.

mod answers;
pub mod growth;
mod model;
mod play;
pub mod session;

pub use play::{attempt, shrink};
pub use session::Session;

/// Plays a session, given as JSON, and checks everything this target promises of it.
///
/// # Panics
/// When a promise is broken.
pub fn check(session: &str) {
    let session = Session::from_json(session);
    if let Err(failure) = attempt(&session) {
        panic!("{}: {}", failure.place, failure.message);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quiet_session_holds() {
        check(
            r#"{ "encoding": "utf-16", "disk": [["pipes/a.pipe", "NODE a\nSQL >\n  SELECT 1\n"]], "steps": [] }"#,
        );
    }
}
