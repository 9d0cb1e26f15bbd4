//! Rows that were read when they were accepted, for the consumers that come next: what is read once need not be read twice.
//! It is a memory and no more: what it does not have is read from the log, with the same result.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use headwater_engine::ingest::Batch;

pub(crate) struct Hot {
    most: usize,
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    bytes: usize,
    /// By the records' random numbers, oldest first.
    batches: VecDeque<(u64, Arc<Batch>)>,
}

impl Hot {
    /// At most so many bytes.
    pub(crate) fn new(most: usize) -> Self {
        Self { most, inner: Mutex::default() }
    }

    pub(crate) fn put(&self, seed: u64, batch: Arc<Batch>) {
        let size = weight(&batch);
        if size > self.most {
            return;
        }
        let mut inner = self.lock();
        inner.bytes += size;
        inner.batches.push_back((seed, batch));
        while inner.bytes > self.most
            && let Some((_, old)) = inner.batches.pop_front()
        {
            inner.bytes -= weight(&old);
        }
    }

    /// The rows of a record, which are forgotten.
    pub(crate) fn take(&self, seed: u64) -> Option<Arc<Batch>> {
        let mut inner = self.lock();
        let at = inner.batches.iter().position(|(other, _)| *other == seed)?;
        let (_, batch) = inner.batches.remove(at)?;
        inner.bytes -= weight(&batch);
        Some(batch)
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn weight(batch: &Batch) -> usize {
    batch.rows.len() + 16 * batch.starts.len() + 512 * batch.quarantined.len() + 64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_go_first() {
        let hot = Hot::new(300);
        for seed in 0..3 {
            hot.put(seed, Arc::new(Batch { rows: vec![0; 60], ..Batch::default() }));
        }
        assert!(hot.take(0).is_none());
        assert!(hot.take(2).is_some() && hot.take(2).is_none() && hot.take(1).is_some());
        hot.put(4, Arc::new(Batch { rows: vec![0; 1000], ..Batch::default() }));
        assert!(hot.take(4).is_none() && hot.lock().bytes == 0);
    }
}
