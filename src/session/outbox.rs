//! The outgoing queue: encoded stanzas in the order in which they will be sealed.

use std::collections::VecDeque;

use super::{Bounds, SendError, watermark::Watermark};

/// Names a stanza that was accepted for sending; they count up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SendId(pub u64);

/// What a sender should do next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Admission {
    /// Send on.
    Ready,
    /// Wait for [`Event::Drain`](super::Event::Drain): the queue is above its high-water mark.
    Wait,
}

/// Whose a stanza is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Owner {
    /// The user's, sent for itself.
    User(SendId),
    /// A query, of which the table of queries knows.
    Query,
    /// The session's.
    Session,
}

/// The queue.
#[derive(Debug)]
pub(super) struct Outbox {
    stanzas: VecDeque<(Owner, Vec<u8>)>,
    watermark: Watermark,
    sent: u64,
}

impl Outbox {
    pub(super) fn new(bounds: Bounds) -> Self {
        Self {
            stanzas: VecDeque::new(),
            watermark: Watermark::new(bounds),
            sent: 0,
        }
    }

    /// The next name for a stanza of the user's.
    pub(super) fn next_send(&mut self) -> SendId {
        self.sent += 1;
        SendId(self.sent)
    }

    /// Refuses so many bytes of the user's where they exceed the limit.
    pub(super) fn check(&self, bytes: usize) -> Result<(), SendError> {
        if self.watermark.exceeds(bytes) {
            Err(SendError::Full)
        } else {
            Ok(())
        }
    }

    pub(super) fn push(&mut self, owner: Owner, stanza: Vec<u8>) -> Admission {
        self.watermark.add(stanza.len());
        self.stanzas.push_back((owner, stanza));
        if self.watermark.is_full() {
            Admission::Wait
        } else {
            Admission::Ready
        }
    }

    /// The next stanza, and whether the queue has room again.
    pub(super) fn pop(&mut self) -> Option<(Vec<u8>, bool)> {
        let (_, stanza) = self.stanzas.pop_front()?;
        let relieved = self.watermark.remove(stanza.len());
        Some((stanza, relieved))
    }

    /// Empties the queue; says which stanzas of the user's were in it, and whether it was full.
    pub(super) fn clear(&mut self) -> (Vec<SendId>, bool) {
        let unsent = self.stanzas.drain(..).filter_map(|(owner, _)| match owner {
            Owner::User(send) => Some(send),
            Owner::Query | Owner::Session => None,
        });
        (unsent.collect(), self.watermark.clear())
    }

    pub(super) fn is_empty(&self) -> bool {
        self.stanzas.is_empty()
    }

    pub(super) const fn watermark(&self) -> &Watermark {
        &self.watermark
    }
}
