//! The events that writers send: made of a seed, so that sender and model have the same.

use std::collections::BTreeMap;
use std::fmt::Write as _;

/// A row that fits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Row {
    pub(super) id: u64,
    pub(super) writer: u64,
    pub(super) kind: String,
    pub(super) value: i64,
}

/// What is sent at once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Batch {
    pub(super) text: String,
    pub(super) rows: Vec<Row>,
    /// Lines that are no rows of the table.
    pub(super) misfits: usize,
    /// A row that is deleted after it.
    pub(super) deletes: Option<u64>,
}

/// A batch of a writer. With `poison` some have a row that one of the views throws on.
pub(super) fn batch(seed: u64, writer: u64, nth: u64, poison: bool) -> Batch {
    let mut dice = fastrand::Rng::with_seed(seed ^ writer << 40 ^ nth << 8);
    let mut batch = Batch { text: String::new(), rows: Vec::new(), misfits: 0, deletes: None };
    let first = id(writer, nth);
    for row in 0..dice.u64(1..30) {
        let value = if poison && nth % 11 == 10 && row == 0 { 13 } else { dice.i64(-50..13) };
        let row = Row { id: first + row, writer, kind: format!("k{}", dice.u8(0..5)), value };
        let Row { id, kind, .. } = &row;
        let _ =
            writeln!(batch.text, "{{\"id\":{id},\"writer\":{writer},\"kind\":\"{kind}\",\"value\":{value}}}");
        batch.rows.push(row);
        match dice.u8(0..40) {
            0 => batch.text.push('\n'),
            1 => {
                batch.misfits += 1;
                let _ = writeln!(batch.text, "{{\"id\":\"no number\",\"writer\":{writer}}}");
            }
            2 => {
                batch.misfits += 1;
                let _ = writeln!(batch.text, "DROP TABLE events;");
            }
            _ => {}
        }
    }
    batch.deletes = (nth % 13 == 12).then(|| id(writer, nth - 1));
    batch
}

/// The first row of a batch: every batch has one.
fn id(writer: u64, nth: u64) -> u64 {
    writer * 100_000_000 + nth * 100
}

/// What a writer has been told was taken.
pub(super) struct Writer {
    /// The batch that comes next.
    pub(super) next: u64,
    /// Positions of those before it.
    pub(super) positions: BTreeMap<u64, u64>,
}

impl Writer {
    pub(super) fn new() -> Self {
        Self { next: 0, positions: BTreeMap::new() }
    }

    pub(super) fn took(&mut self, batch: u64, position: u64) {
        self.positions.insert(batch, position);
        self.next = self.next.max(batch + 1);
    }
}
