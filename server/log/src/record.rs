//! A record: one thing that was accepted for one stream.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// What says under which rules a record was accepted: the content hash of a release.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default, Serialize, Deserialize)]
pub struct ReleaseId(pub [u8; 32]);

/// Who is meant to see a record.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Audience {
    /// Everybody, the releases that are staged included.
    Live,
    /// Only the staged deployment of this number; live, once it is promoted.
    Staging(u64),
    /// Only the branch of this name.
    Branch(Box<str>),
}

/// What a record holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Body {
    /// Rows, as they were sent.
    Rows {
        /// How many. Not verified here.
        rows: u64,
    },
    /// Something that happens to rows that came before: a delete, a truncate, the result of a copy.
    Effect,
}

/// A record that is to be accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Draft {
    /// The stream that it belongs to: the name of a data source.
    pub stream: Arc<str>,
    /// The release under which it is accepted.
    pub release: ReleaseId,
    /// Who is meant to see it.
    pub audience: Audience,
    /// When it was accepted, in milliseconds since 1970.
    pub accepted_at: u64,
    /// The sender's name for it: a second record of this stream and audience with the same key is not kept.
    pub key: Option<Box<[u8]>>,
    /// What it holds.
    pub body: Body,
    /// What else whoever reads it must know: the format, the time zone, values of volatile defaults.
    pub context: Box<[u8]>,
    /// The bytes, as they were sent.
    pub payload: Box<[u8]>,
}

/// A record of the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// Its place in the order of everything that was accepted, from 1 on, without holes.
    pub position: u64,
    /// What was accepted.
    pub draft: Draft,
}

/// The part of a record in front of its payload, as it is written.
#[derive(Serialize, Deserialize)]
pub(crate) struct Header<'a> {
    #[serde(borrow)]
    pub(crate) stream: &'a str,
    pub(crate) release: ReleaseId,
    pub(crate) audience: Audience,
    pub(crate) accepted_at: u64,
    #[serde(borrow)]
    pub(crate) key: Option<&'a [u8]>,
    pub(crate) body: Body,
    #[serde(borrow)]
    pub(crate) context: &'a [u8],
}

impl<'a> Header<'a> {
    pub(crate) fn of(draft: &'a Draft) -> Self {
        Self {
            stream: &draft.stream,
            release: draft.release,
            audience: draft.audience.clone(),
            accepted_at: draft.accepted_at,
            key: draft.key.as_deref(),
            body: draft.body,
            context: &draft.context,
        }
    }

    pub(crate) fn draft(self, payload: &[u8]) -> Draft {
        Draft {
            stream: self.stream.into(),
            release: self.release,
            audience: self.audience,
            accepted_at: self.accepted_at,
            key: self.key.map(Into::into),
            body: self.body,
            context: self.context.into(),
            payload: payload.into(),
        }
    }
}
