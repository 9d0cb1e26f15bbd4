//! A data source at work: its consumers, and the thread that cuts its records into ranges.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use headwater_log::Consumer;

use crate::block::BlockSets;
use crate::chain::{Chain, Planned};

/// A data source's shared state.
pub(crate) struct Stream {
    pub(crate) source: String,
    pub(crate) chain: Chain,
    pub(crate) sets: BlockSets,
    pub(crate) consumers: Vec<Arc<ConsumerState>>,
    /// Its threads run.
    pub(crate) started: AtomicBool,
    /// Everything up to here was cut.
    pub(crate) cut: Mutex<u64>,
}

/// A consumer's state, as its thread writes it and others read it.
pub(crate) struct ConsumerState {
    pub(crate) planned: Planned,
    pub(crate) failing: Mutex<Option<Failing>>,
    pub(crate) is_busy: AtomicBool,
    /// Somebody works on its next range: its thread, or who skips it.
    pub(crate) hand: Mutex<()>,
}

/// What is wrong with a consumer.
#[derive(Debug, Clone)]
pub(crate) struct Failing {
    pub(crate) error: String,
    pub(crate) attempts: u32,
    /// When it tries again, by the clock's [`elapsed`](crate::Clock::elapsed).
    pub(crate) again_at: Duration,
}

impl Stream {
    pub(crate) fn new(source: &str, chain: Chain, cut: u64) -> Self {
        let consumers = chain.consumers.iter().map(|planned| {
            Arc::new(ConsumerState {
                planned: planned.clone(),
                failing: Mutex::new(None),
                is_busy: AtomicBool::new(false),
                hand: Mutex::new(()),
            })
        });
        Self {
            source: source.to_owned(),
            consumers: consumers.collect(),
            chain,
            sets: BlockSets::default(),
            started: AtomicBool::new(false),
            cut: Mutex::new(cut),
        }
    }

    pub(crate) fn names(&self) -> Vec<Consumer> {
        self.consumers.iter().map(|consumer| consumer.planned.name.clone()).collect()
    }
}

impl ConsumerState {
    pub(crate) fn failing(&self) -> Option<Failing> {
        self.failing.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn set_failing(&self, failing: Option<Failing>) {
        *self.failing.lock().unwrap_or_else(PoisonError::into_inner) = failing;
    }

    pub(crate) fn is_busy(&self) -> bool {
        self.is_busy.load(Ordering::Relaxed)
    }
}
