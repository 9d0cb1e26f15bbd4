//! Which idempotency keys were used, within a window.

use std::collections::VecDeque;

use rustc_hash::FxHashMap;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::record::{Audience, Header};

/// The keys that are remembered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Window {
    /// At most so many.
    pub(crate) keys: usize,
    /// Of records that were accepted at most so many milliseconds before the newest.
    pub(crate) milliseconds: u64,
}

/// A key that was used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Used {
    /// A hash of stream, audience and key. Keys come from strangers: it has to be one in which nobody finds two that are equal.
    pub(crate) name: u128,
    /// A hash of what was sent under it.
    pub(crate) content: u128,
    pub(crate) position: u64,
    pub(crate) accepted_at: u64,
}

impl Used {
    /// What a record says of its key; none when it has no key.
    pub(crate) fn of(header: &Header<'_>, payload: &[u8], position: u64) -> Option<Self> {
        let key = header.key?;
        Some(Self {
            name: name(header.stream, &header.audience, key),
            content: hash(&[payload]),
            position,
            accepted_at: header.accepted_at,
        })
    }
}

fn name(stream: &str, audience: &Audience, key: &[u8]) -> u128 {
    let audience = match audience {
        Audience::Live => "live".into(),
        Audience::Staging(deployment) => format!("staging {deployment}"),
        Audience::Branch(branch) => format!("branch {branch}"),
    };
    hash(&[stream.as_bytes(), audience.as_bytes(), key])
}

/// A hash of several texts, each with its length in front, so that no two splits of one text are equal.
fn hash(parts: &[&[u8]]) -> u128 {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part);
    }
    let mut first = [0; 16];
    first.copy_from_slice(&hash.finalize()[..16]);
    u128::from_le_bytes(first)
}

/// The keys of the newest records, oldest first.
#[derive(Debug)]
pub(crate) struct Keys {
    window: Window,
    order: VecDeque<Used>,
    by_name: FxHashMap<u128, (u64, u128)>,
}

impl Keys {
    pub(crate) fn new(window: Window) -> Self {
        Self { window, order: VecDeque::new(), by_name: FxHashMap::default() }
    }

    /// The record that used this key, and whether it holds the same.
    pub(crate) fn find(&self, used: &Used) -> Option<(u64, bool)> {
        self.by_name.get(&used.name).map(|(position, content)| (*position, *content == used.content))
    }

    /// Remembers a key, and forgets those that have left the window.
    pub(crate) fn add(&mut self, used: Used) {
        self.by_name.insert(used.name, (used.position, used.content));
        self.order.push_back(used);
        let oldest = used.accepted_at.saturating_sub(self.window.milliseconds);
        while let Some(first) = self.order.front() {
            if self.order.len() <= self.window.keys && first.accepted_at >= oldest {
                break;
            }
            if self.by_name.get(&first.name).is_some_and(|(position, _)| *position == first.position) {
                self.by_name.remove(&first.name);
            }
            self.order.pop_front();
        }
    }
}
