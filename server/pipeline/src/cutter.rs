//! Cutting a data source's records into ranges, once and for all of its consumers: they see the same blocks, so a view behind a
//! view sees what the one before it made.

use std::sync::PoisonError;
use std::sync::atomic::Ordering;
use std::time::Duration;

use headwater_log::{Audience, Next, cut};

use crate::pipeline::Inner;
use crate::stream::Stream;

/// Ranges that the fastest consumer has before it: one is being worked on, one waits.
const AHEAD: usize = 2;

/// The thread of a data source.
pub(crate) fn run(inner: &Inner, stream: &Stream) {
    let names = stream.names();
    let mut reader = None;
    let mut pause = Duration::from_millis(10);
    while !inner.stopping.load(Ordering::Relaxed) {
        let moves = inner.ledger.moves();
        let waiting = {
            let cursors = inner.ledger.cursors();
            names.iter().map(|name| cursors.declared(name).count()).min().unwrap_or(0)
        };
        // While the fastest has enough to do, records gather, and the next range is larger.
        if waiting >= AHEAD {
            inner.ledger.wait(moves, Duration::from_secs(1));
            continue;
        }
        // Held until the range is declared: nobody may say meanwhile that there is nothing.
        let mut at = stream.cut.lock().unwrap_or_else(PoisonError::into_inner);
        let cutting = reader.get_or_insert_with(|| inner.maker.log.read(&stream.source, *at + 1));
        let limits = inner.cut_limits();
        let next = match cut(cutting, *at, limits, &|record| record.draft.audience == Audience::Live) {
            Ok(next) => next,
            Err(error) => {
                // The segment is damaged or gone: consumers of this data source stop, and say why.
                drop(at);
                inner.note_cut_error(stream, Some(error.to_string()));
                inner.pause(Duration::from_secs(1));
                reader = None;
                continue;
            }
        };
        let range = match next {
            Next::Rows(range, _) | Next::Effect(range, _) => range,
            Next::Nothing(_) => {
                drop(at);
                inner.ledger.wait(moves, Duration::from_secs(1));
                continue;
            }
        };
        inner.maker.probe.at("declare.before");
        if let Err(error) = inner.ledger.declare(&names, range) {
            // Nothing was declared, so nobody acts: the records are cut again.
            drop(at);
            inner.note_cut_error(stream, Some(format!("what comes next cannot be noted: {error}")));
            inner.pause(pause);
            pause = (pause * 2).min(Duration::from_secs(5));
            reader = None;
            continue;
        }
        *at = range.to;
        drop(at);
        inner.maker.probe.at("declare.after");
        inner.note_cut_error(stream, None);
        pause = Duration::from_millis(10);
    }
}
