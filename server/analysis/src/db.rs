//! The database itself.

use std::sync::Arc;

use crate::rendering::Memory;

/// What queries need of a database.
#[salsa::db]
pub trait Db: salsa::Database {
    /// What is remembered of texts beside the database: functions of one text, so that whether they are remembered shows
    /// in nothing but time.
    #[doc(hidden)]
    fn memory(&self) -> &Memory;
}

/// The concrete database. A clone is a snapshot: reading it never blocks, but a write to the original waits until
/// every clone is dropped, so a clone must not outlive one request.
#[salsa::db]
#[derive(Clone, Default)]
pub struct Database {
    storage: salsa::Storage<Self>,
    memory: Arc<Memory>,
}

/// Sees every event of a database, for tests that assert which queries ran.
pub type EventSink = Arc<dyn Fn(&salsa::Event) + Send + Sync>;

impl Database {
    /// A database that reports its events.
    pub fn with_events(sink: EventSink) -> Self {
        let storage = salsa::Storage::new(Some(Box::new(move |event| sink(&event))));
        Self { storage, memory: Arc::default() }
    }

    /// How many nodes were rendered and parsed, each time counted: for tests that assert what an edit costs.
    pub fn nodes_parsed(&self) -> usize {
        self.memory.made()
    }
}

#[salsa::db]
impl salsa::Database for Database {}

#[salsa::db]
impl Db for Database {
    fn memory(&self) -> &Memory {
        &self.memory
    }
}
