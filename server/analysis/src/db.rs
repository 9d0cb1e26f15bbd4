//! The database itself.

use std::sync::Arc;

/// What queries need of a database.
#[salsa::db]
pub trait Db: salsa::Database {}

/// The concrete database. A clone is a snapshot: reading it never blocks, but a write to the original waits until
/// every clone is dropped, so a clone must not outlive one request.
#[salsa::db]
#[derive(Clone, Default)]
pub struct Database {
    storage: salsa::Storage<Self>,
}

/// Sees every event of a database, for tests that assert which queries ran.
pub type EventSink = Arc<dyn Fn(&salsa::Event) + Send + Sync>;

impl Database {
    /// A database that reports its events.
    pub fn with_events(sink: EventSink) -> Self {
        Self { storage: salsa::Storage::new(Some(Box::new(move |event| sink(&event)))) }
    }
}

#[salsa::db]
impl salsa::Database for Database {}

#[salsa::db]
impl Db for Database {}
