//! The incoming queue: all events for the user, in order.

use std::collections::{TryReserveError, VecDeque};

use super::{PatternId, QueueLimits, SessionEvent, Stanzas, watermark::Watermark};
use crate::tape::Tape;

/// The queue. Events that the server causes count for its limits. Other events are small, and the commands of the user
/// bound their number.
#[derive(Debug)]
pub(super) struct IncomingQueue {
    events: VecDeque<SessionEvent>,
    watermark: Watermark,
    paused: bool,
}

/// Number of events for which an empty queue keeps memory.
const RETAINED: usize = 64;

impl IncomingQueue {
    pub(super) fn new(bounds: QueueLimits) -> Self {
        Self {
            events: VecDeque::new(),
            watermark: Watermark::new(bounds),
            paused: false,
        }
    }

    pub(super) fn push(&mut self, event: SessionEvent) {
        if let Some(bytes) = event.footprint() {
            self.watermark.add(bytes);
        }
        self.events.push_back(event);
    }

    /// Adds a stanza. Consecutive stanzas share one event.
    ///
    /// # Errors
    /// If there is not enough memory.
    pub(super) fn push_stanza(&mut self, matched: &[PatternId], tape: Tape<'_>) -> Result<(), TryReserveError> {
        let bytes = match self.events.back_mut() {
            Some(SessionEvent::Stanzas(stanzas)) if stanzas.has_room() => stanzas.push(matched, tape)?,
            _ => {
                let mut stanzas = Stanzas::default();
                let bytes = stanzas.push(matched, tape)?;
                self.events.push_back(SessionEvent::Stanzas(stanzas));
                bytes
            }
        };
        self.watermark.add(bytes);
        Ok(())
    }

    /// The next event.
    pub(super) fn pop(&mut self) -> Option<SessionEvent> {
        let event = self.events.pop_front()?;
        if let Some(bytes) = event.footprint() {
            self.watermark.remove_all(event.weight(), bytes);
        }
        if self.events.is_empty() {
            self.events.shrink_to(RETAINED);
        }
        Some(event)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.events.is_empty()
    }

    /// Whether reading should stop.
    pub(super) const fn is_stalled(&self) -> bool {
        self.paused || self.watermark.is_full()
    }

    /// Whether the limit is exceeded. Reading stops at the high-water mark, so this only happens with data that was
    /// received before the connection ended.
    pub(super) fn is_overfull(&self) -> bool {
        self.is_stalled() && self.watermark.exceeds(0)
    }

    pub(super) const fn set_paused(&mut self, paused: bool) {
        self.paused = paused;
    }

    pub(super) const fn watermark(&self) -> &Watermark {
        &self.watermark
    }
}
