//! The thread that waits for the engine, so that nobody else does.

use std::time::Duration;

use camino::Utf8PathBuf;
use crossbeam_channel::{Receiver, RecvTimeoutError, Sender};
use headwater_oracle::{Answers, Pass, Session};
use headwater_warehouse::PoolConfig;

use crate::owner::Event;

/// Whether there is an engine to ask. Whoever starts the server decides, from the user's environment; no project has a say.
#[derive(Debug, Clone)]
pub enum EngineChoice {
    /// No, for this reason.
    Off(String),
    /// With these workers.
    Use(Box<PoolConfig>),
}

impl Default for EngineChoice {
    fn default() -> Self {
        Self::Off("this server was started without one".to_owned())
    }
}

/// The questions of one project.
pub(crate) struct Question {
    pub(crate) root: Utf8PathBuf,
    pub(crate) pass: Pass,
}

/// What the engine said to them; an error when there is none.
pub(crate) struct Answered {
    pub(crate) root: Utf8PathBuf,
    pub(crate) pass: Pass,
    pub(crate) answers: Result<Answers, String>,
}

/// A worker that nobody asks anything for this long is ended: it holds some dozens of megabytes.
const IDLE: Duration = Duration::from_secs(300);

/// Starts the thread; its worker starts with the first question. It ends when the sender of `tasks` is dropped.
///
/// # Errors
/// When the system gives no more threads.
pub(crate) fn start(
    config: PoolConfig,
    tasks: Receiver<Vec<Question>>,
    owner: Sender<Event>,
) -> std::io::Result<()> {
    std::thread::Builder::new().name("headwater-oracle".into()).spawn(move || {
        let mut session = None;
        loop {
            let questions = match tasks.recv_timeout(IDLE) {
                Ok(questions) => questions,
                Err(RecvTimeoutError::Timeout) => {
                    session = None;
                    continue;
                }
                Err(RecvTimeoutError::Disconnected) => return,
            };
            let session = session.get_or_insert_with(|| Session::new(config.clone()));
            let answer = |Question { root, pass }| {
                let answers = pass.ask(session);
                Answered { root, pass, answers }
            };
            if owner.send(Event::Answered(questions.into_iter().map(answer).collect())).is_err() {
                return;
            }
        }
    })?;
    Ok(())
}
