//! The outgoing queue: encoded stanzas in the order in which they will be sealed.

use std::collections::VecDeque;

use super::{QueueLimits, SendError, watermark::Watermark};

/// Identifies a stanza that was accepted for sending. The numbers increase.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SendId(pub u64);

/// Whether the caller should continue to send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SendReadiness {
    /// Continue to send.
    Ready,
    /// The queue has reached its high-water mark. Wait for [`SessionEvent::Drain`](super::SessionEvent::Drain).
    Wait,
}

/// The origin of a stanza.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Origin {
    /// The user sent it with `send`.
    User(SendId),
    /// It is a query of the user.
    Query,
    /// The session sent it.
    Session,
}

/// The queue.
#[derive(Debug)]
pub(super) struct OutgoingQueue {
    stanzas: VecDeque<(Origin, Vec<u8>)>,
    watermark: Watermark,
    sent: u64,
}

impl OutgoingQueue {
    pub(super) fn new(bounds: QueueLimits) -> Self {
        Self {
            stanzas: VecDeque::new(),
            watermark: Watermark::new(bounds),
            sent: 0,
        }
    }

    /// The identifier for the user's next stanza.
    pub(super) fn next_send(&mut self) -> SendId {
        self.sent += 1;
        SendId(self.sent)
    }

    /// Returns [`SendError::Full`] if a stanza of this size would exceed the limit.
    pub(super) fn check(&self, bytes: usize) -> Result<(), SendError> {
        if self.watermark.exceeds(bytes) {
            Err(SendError::Full)
        } else {
            Ok(())
        }
    }

    pub(super) fn push(&mut self, origin: Origin, stanza: Vec<u8>) -> SendReadiness {
        self.watermark.add(stanza.len());
        self.stanzas.push_back((origin, stanza));
        if self.watermark.is_full() {
            SendReadiness::Wait
        } else {
            SendReadiness::Ready
        }
    }

    /// Takes the next stanza. The second value is true if the queue was full and has room again.
    pub(super) fn pop(&mut self) -> Option<(Vec<u8>, bool)> {
        let (_, stanza) = self.stanzas.pop_front()?;
        let has_room_again = self.watermark.remove(stanza.len());
        Some((stanza, has_room_again))
    }

    /// Removes the user's stanzas from the queue and returns them in order, and whether the queue has room again. The
    /// session's own stanzas and queries stay.
    pub(super) fn take_unsent(&mut self) -> (Vec<(SendId, Vec<u8>)>, bool) {
        let mut unsent = Vec::new();
        let mut has_room_again = false;
        for (origin, stanza) in std::mem::take(&mut self.stanzas) {
            if let Origin::User(send) = origin {
                has_room_again |= self.watermark.remove(stanza.len());
                unsent.push((send, stanza));
            } else {
                self.stanzas.push_back((origin, stanza));
            }
        }
        (unsent, has_room_again)
    }

    /// Empties the queue. Returns the user's stanzas that were in it, and whether the queue was full.
    pub(super) fn clear(&mut self) -> (Vec<SendId>, bool) {
        let unsent = self.stanzas.drain(..).filter_map(|(origin, _)| match origin {
            Origin::User(send) => Some(send),
            Origin::Query | Origin::Session => None,
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
