//! The incoming queue: everything that the session has to tell, in order.

use std::collections::VecDeque;

use super::{Bounds, Event, PatternId, Stanzas, watermark::Watermark};
use crate::tape::TapeWriter;

/// The queue. What the server can cause counts for its bounds, with the length of what it says; what else the session tells
/// is little, and bounded by what the user does.
#[derive(Debug)]
pub(super) struct Inbox {
    events: VecDeque<Event>,
    watermark: Watermark,
    paused: bool,
}

/// The room for events that an empty queue keeps.
const RETAINED: usize = 64;

impl Inbox {
    pub(super) fn new(bounds: Bounds) -> Self {
        Self {
            events: VecDeque::new(),
            watermark: Watermark::new(bounds),
            paused: false,
        }
    }

    pub(super) fn push(&mut self, event: Event) {
        if let Some(bytes) = event.footprint() {
            self.watermark.add(bytes);
        }
        self.events.push_back(event);
    }

    /// Adds a stanza; together with those before it where nothing else is between.
    pub(super) fn push_stanza(&mut self, matched: &[PatternId], tape: &TapeWriter) {
        let bytes = match self.events.back_mut() {
            Some(Event::Stanzas(stanzas)) if stanzas.has_room() => stanzas.push(matched, tape),
            _ => {
                let mut stanzas = Stanzas::default();
                let bytes = stanzas.push(matched, tape);
                self.events.push_back(Event::Stanzas(stanzas));
                bytes
            }
        };
        self.watermark.add(bytes);
    }

    /// The next event.
    pub(super) fn pop(&mut self) -> Option<Event> {
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

    /// Whether nothing more is to be read for now.
    pub(super) const fn is_stalled(&self) -> bool {
        self.paused || self.watermark.is_full()
    }

    /// Whether it holds as much as it ever may. Since nothing is read above the high-water mark, only what a connection had
    /// received before its end comes to that.
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
