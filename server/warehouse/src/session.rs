//! One connection for one caller.

use crossbeam_channel::Sender;

use crate::driver::Job;
use crate::error::EngineError;
use crate::insert::{Insert, Work};
use crate::request::{Answer, Request};
use crate::warehouse::{Most, Rows, Ticket, stream, submit};

/// A connection that works for nobody else. In a pool, its database [`DATABASE`](crate::DATABASE) holds what the pool's
/// prelude made and what this session made; of stored data and of servers it is a connection with settings and temporary
/// tables of its own, and nothing else goes with it. Statements run one after another, in the order in which they were submitted.
///
/// When its process dies (a crash of the engine, a statement that ignored its time, a cancelled one that did not listen),
/// the statement in it ends with [`EngineError::Crashed`], `TimedOut` or `Cancelled`, and all later ones with
/// [`EngineError::SessionLost`], until [`reset`](Self::reset). Nothing runs silently without the tables it was meant for.
///
/// Dropping it gives the worker back, emptied. It may outlive its pool, and then answers nothing but
/// [`EngineError::Cancelled`].
pub struct Session {
    jobs: Sender<Job>,
    most: Most,
}

impl Session {
    pub(crate) fn new(jobs: Sender<Job>, most: Most) -> Self {
        Self { jobs, most }
    }

    /// Runs one statement and waits for its answer. For `CREATE` and the like the request says
    /// [`Allow::Changes`](crate::Allow::Changes).
    ///
    /// # Errors
    ///
    /// See [`EngineError`].
    pub fn query(&self, request: Request) -> Result<Answer, EngineError> {
        self.submit(request).wait()
    }

    /// Runs statements and waits for all answers, in order. A refused one does not keep the others from running.
    pub fn query_batch(&self, requests: Vec<Request>) -> Vec<Result<Answer, EngineError>> {
        let length = requests.len();
        let ticket = self.send(requests.into_iter().map(Work::from).collect());
        (0..length).map(|_| ticket.next()).collect()
    }

    /// Inserts rows and waits until they are written: all of them, or none. [`Stats::written_rows`](crate::Stats) of the
    /// answer counts them, together with those that materialized views wrote.
    ///
    /// # Errors
    ///
    /// See [`EngineError`]; for text formats, [`StatementError::row`](crate::StatementError::row) names the row that could
    /// not be read.
    pub fn insert(&self, insert: Insert) -> Result<Answer, EngineError> {
        self.submit_insert(insert).wait()
    }

    /// Queues one statement.
    pub fn submit(&self, request: Request) -> Ticket {
        self.send(vec![request.into()])
    }

    /// Queues rows. Cancelled before they are written, they are not written.
    pub fn submit_insert(&self, insert: Insert) -> Ticket {
        self.send(vec![insert.into()])
    }

    /// Runs one statement that reads, and gives its answer piece by piece. What is submitted meanwhile waits for its end.
    pub fn stream(&self, request: Request) -> Rows {
        stream(request, self.most, |job| drop(self.jobs.send(job)))
    }

    /// Drops all that was made, after what was submitted before: settings, temporary tables, and in a pool all tables. The
    /// prelude runs again. A lost session is a new one after it.
    ///
    /// # Errors
    ///
    /// [`EngineError::Cancelled`] when the pool is gone. An engine that cannot be had shows at the next request.
    pub fn reset(&self) -> Result<(), EngineError> {
        self.send(vec![Work::Reset]).wait().map(drop)
    }

    fn send(&self, work: Vec<Work>) -> Ticket {
        submit(work, self.most, |job| drop(self.jobs.send(job)))
    }
}
