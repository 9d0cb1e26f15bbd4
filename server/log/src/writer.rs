//! The thread that writes: it alone gives positions.

use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};
use std::{iter::Peekable, vec};

use crossbeam_channel::{Receiver, Sender};

use crate::error::AppendError;
use crate::frame::{GROUP_HEADER, frame_length, write_frame};
use crate::idempotency::{Keys, Used};
use crate::index::Place;
use crate::log::{Ack, Shared, Submission};
use crate::record::{Draft, Header};
use crate::segment::{SEGMENT_HEADER, Segment, Summary};
use crate::tail::{Tail, refused};

/// Writes what is handed over, in groups, until nobody can hand over any more.
pub(crate) fn run(shared: &Shared, submissions: &Receiver<Submission>, tail: Tail, keys: Keys) {
    let mut writer = Writer { shared, tail, keys };
    while let Ok(first) = submissions.recv() {
        let mut size = first.size;
        let mut group = vec![first];
        while size < shared.options.group_bytes as u64
            && let Ok(next) = submissions.try_recv()
        {
            size += next.size;
            group.push(next);
        }
        let mut rest = group.into_iter().peekable();
        while rest.peek().is_some() {
            writer.write(&mut rest);
        }
    }
    shared.active().closed = true;
    shared.moved.notify_all();
}

struct Writer<'a> {
    shared: &'a Shared,
    tail: Tail,
    keys: Keys,
}

/// A record with its position, not yet durable. Its offset counts from the beginning of its group.
struct Placed {
    draft: Draft,
    place: Place,
    used: Option<Used>,
}

/// Who waits for what.
struct Waiting {
    done: Sender<Result<Ack, AppendError>>,
    ack: Result<Ack, AppendError>,
}

impl Writer<'_> {
    /// Writes as many as the segment takes, makes them durable, and answers.
    fn write(&mut self, submissions: &mut Peekable<vec::IntoIter<Submission>>) {
        let head = self.shared.active().head;
        let room = u64::from(self.shared.options.segment_bytes);
        let mut bytes = vec![0; GROUP_HEADER];
        let mut placed: Vec<Placed> = Vec::new();
        let mut waiting: Vec<Waiting> = Vec::new();
        let mut size = 0;
        while let Some(next) = submissions
            .next_if(|next| waiting.is_empty() || self.tail.end + bytes.len() as u64 + next.size <= room)
        {
            size += next.size;
            let ack = self.place(next.draft, head, &mut bytes, &mut placed);
            waiting.push(Waiting { done: next.done, ack });
        }
        let outcome = if placed.is_empty() { Ok(()) } else { self.make_durable(head, &mut bytes, placed) };
        // Freed before anybody is answered: who waited for an answer finds room.
        self.shared.waiting.fetch_sub(size, Ordering::Relaxed);
        for Waiting { done, ack } in waiting {
            let answer = match (&outcome, &ack) {
                // What was durable before this group is so whatever becomes of it.
                (Err(error), Ok(ack)) if ack.position > head => Err(error.clone()),
                _ => ack,
            };
            // Whoever has gone away in the meantime has no use for the answer.
            let _ = done.send(answer);
        }
    }

    /// Puts a record into the group; or says where it is already, or why it cannot be kept.
    fn place(
        &self,
        draft: Draft,
        head: u64,
        bytes: &mut Vec<u8>,
        placed: &mut Vec<Placed>,
    ) -> Result<Ack, AppendError> {
        if let Some(error) = self.tail.broken() {
            return Err(error);
        }
        let position = head + 1 + placed.len() as u64;
        let used = Used::of(&Header::of(&draft), &draft.payload, position);
        if let Some(used) = &used {
            let here = placed.iter().filter_map(|record| record.used).find(|other| other.name == used.name);
            let known = here.map(|other| (other.position, other.content == used.content));
            match known.or_else(|| self.keys.find(used)) {
                Some((position, true)) => return Ok(Ack { position, repeated: true }),
                Some((position, false)) => return Err(AppendError::KeyReused { position }),
                None => {}
            }
        }
        let limit = u64::from(self.shared.options.segment_bytes);
        let offset = bytes.len();
        write_frame(&draft, bytes).map_err(|size| AppendError::TooLarge { size, limit })?;
        let length = frame_length(&bytes[offset..]).unwrap_or_default();
        // Both fit: a segment, and so a group, is smaller than 4 GiB.
        let place = Place { position, offset: offset as u32, length: length as u32 };
        placed.push(Placed { draft, place, used });
        Ok(Ack { position, repeated: false })
    }

    fn make_durable(&mut self, head: u64, bytes: &mut [u8], placed: Vec<Placed>) -> Result<(), AppendError> {
        let room = u64::from(self.shared.options.segment_bytes);
        if self.tail.end > SEGMENT_HEADER && self.tail.end + bytes.len() as u64 > room {
            self.roll(head + 1)?;
        }
        let start = self.tail.end;
        self.tail.append(head + 1, placed.len() as u32, bytes)?;
        self.shared.total.fetch_add(bytes.len() as u64, Ordering::Relaxed);
        let mut active = self.shared.active();
        active.head += placed.len() as u64;
        for Placed { draft, mut place, used } in placed {
            place.offset += start as u32;
            active.summary.index.add(&draft.stream, place);
            if let Some(used) = used {
                active.summary.keys.push(used);
                self.keys.add(used);
            }
        }
        drop(active);
        self.shared.moved.notify_all();
        Ok(())
    }

    /// Seals the segment and begins the next one.
    fn roll(&mut self, first: u64) -> Result<(), AppendError> {
        let sealed = &self.tail.segment;
        let storage = &*self.shared.storage;
        let next = match Segment::create(storage, first, sealed.first, self.shared.options.salt) {
            Ok(next) => Arc::new(next),
            Err(error) => {
                // What is half made would be in the way of the next attempt.
                let _ = storage.remove(&Segment::file_name(first));
                return Err(refused(&error));
            }
        };
        // Only a help for readers: without it they walk through the segment.
        let _ = sealed.store_summary(storage, &self.shared.active().summary);
        let mut active = self.shared.active();
        active.summary = Summary::default();
        self.shared.segments.write().unwrap_or_else(PoisonError::into_inner).push(Arc::clone(&next));
        drop(active);
        self.tail = Tail::new(next, SEGMENT_HEADER);
        self.shared.total.fetch_add(SEGMENT_HEADER, Ordering::Relaxed);
        Ok(())
    }
}
