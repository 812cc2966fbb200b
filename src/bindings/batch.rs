//! Records of events in the form in which they cross into JavaScript, many at a time.

use std::collections::VecDeque;

use super::raw::{Output, Shared};
use crate::read_ahead::{ReadAhead, Scratch};
use crate::session::{Stanza, StanzaText, Stanzas};
use crate::tape::Tapes;

/// Words of a record: kind, connection, value, payload length, frames, counter of the first frame; lengths of its tapes'
/// words, which follow, of their text and of their content bytes.
pub(super) const RECORD_WORDS: usize = 9;
/// Words at the start of the shared words: room missing in the slab, in words, in text; 1 where more may come; room taken
/// in the slab; for how many milliseconds the loop has stalled.
pub(super) const HEAD_WORDS: usize = 6;

/// What a record costs beside its parts, so that floods of empty messages are bounded as well.
const RECORD_COST: usize = 64;

/// What one record takes of each part, and whose it is.
#[derive(Debug, Clone, Copy)]
struct Place {
    connection: u32,
    words: u32,
    text: u32,
    bytes: u32,
}

impl Place {
    /// What was appended between these lengths; `None` where it is more than can be told to JavaScript.
    fn between(connection: u32, before: [usize; 3], after: [usize; 3]) -> Option<Self> {
        let length = |part: usize| {
            Some(
                i32::try_from(after.get(part)? - before.get(part)?)
                    .ok()?
                    .cast_unsigned(),
            )
        };
        Some(Self {
            connection,
            words: length(0)?,
            text: length(1)?,
            bytes: length(2)?,
        })
    }

    fn cost(self) -> usize {
        self.words as usize * size_of::<i32>() + self.text as usize + self.bytes as usize + RECORD_COST
    }
}

/// Records in order. Each has its words (and those of its tapes), its tapes' text, and its payload followed by its tapes'
/// content bytes; each of these parts is one run of memory for all records, so that many are handed over in one copy.
#[derive(Debug, Default)]
pub(super) struct Batch {
    places: VecDeque<Place>,
    parts: Tapes,
    /// How much of each part has been handed over.
    taken: [usize; 3],
}

impl Batch {
    pub(super) fn is_empty(&self) -> bool {
        self.places.is_empty()
    }

    /// Forgets everything, and gives memory beyond `keep` elements of each part back.
    pub(super) fn clear(&mut self, keep: usize) {
        self.places.clear();
        self.places.shrink_to(keep);
        self.parts.clear();
        self.parts.shrink_to(keep);
        self.taken = [0; 3];
    }

    /// Adds a record; returns its cost in bytes.
    pub(super) fn push(&mut self, kind: u32, connection: u32, value: u32, payload: &[u8]) -> usize {
        let cost = self.record(kind, connection, value, payload, |_| [0; 5]);
        // No payload is that long.
        cost.unwrap_or_default()
    }

    /// Adds a binary message, opened where that can be; returns the number of frames that were, and its cost in bytes.
    pub(super) fn message(
        &mut self,
        kind: u32,
        connection: u32,
        payload: &[u8],
        read_ahead: &mut ReadAhead,
        scratch: &mut Scratch,
    ) -> (u32, usize) {
        let mut frames = 0;
        let cost = self.record(kind, connection, 0, payload, |parts| {
            let before = parts.len();
            let Some(opened) = read_ahead.message(payload, scratch, parts) else {
                return [0; 5];
            };
            frames = opened.frames;
            // A counter has 32 bits; JavaScript takes it as unsigned.
            tapes_head(opened.frames, opened.counter as i32, before, parts.len())
        });
        match cost {
            Some(cost) => (frames, cost),
            // The handler makes the tapes that were too long. No single frame's are.
            None => (0, self.push(kind, connection, 0, payload)),
        }
    }

    /// Adds a stanza of a session.
    pub(super) fn stanza(&mut self, kind: u32, session: u32, value: u32, stanza: &Stanza) {
        self.record(kind, session, value, &[], |parts| {
            let before = parts.len();
            let (latin1, wide): (&[u8], _) = match stanza.text() {
                StanzaText::Latin1(text) => (text, None),
                StanzaText::Wide(text) => (&[], Some(&**text)),
            };
            parts.push_parts(stanza.ops(), latin1, wide, stanza.bytes());
            tapes_head(1, 0, before, parts.len())
        });
    }

    /// Adds stanzas of a session in one record.
    pub(super) fn stanzas(&mut self, kind: u32, session: u32, stanzas: &Stanzas) {
        self.record(kind, session, 0, &[], |parts| {
            let before = parts.len();
            parts.extend_from(stanzas.tapes());
            tapes_head(stanzas.len() as u32, 0, before, parts.len())
        });
    }

    /// Adds a record with what `tapes` appends, and gives its cost; `None`, and nothing is added, where it is too long.
    fn record(
        &mut self,
        kind: u32,
        connection: u32,
        value: u32,
        payload: &[u8],
        tapes: impl FnOnce(&mut Tapes) -> [i32; 5],
    ) -> Option<usize> {
        let head = [
            kind.cast_signed(),
            connection.cast_signed(),
            value.cast_signed(),
            payload.len() as i32,
        ];
        // A part without a place, which a panic would leave, would shift every record behind it.
        let place = self.parts.attempt(|parts| {
            let before = parts.len();
            parts.words.extend_from_slice(&head);
            parts.words.extend_from_slice(&[0; 5]);
            parts.bytes.extend_from_slice(payload);
            let rest = tapes(parts);
            let [words, ..] = before;
            let after_head = words + head.len();
            if let Some(slots) = parts.words.get_mut(after_head..after_head + rest.len()) {
                slots.copy_from_slice(&rest);
            }
            Place::between(connection, before, parts.len())
        })?;
        self.places.push_back(place);
        Some(place.cost())
    }

    /// Moves all records of `other`, of which none has been handed over, behind these.
    pub(super) fn append(&mut self, other: &mut Self) {
        self.places.append(&mut other.places);
        self.parts.append(&mut other.parts);
    }

    /// Hands over as many records as fit, and tells `taken` the connections of those and their costs. Returns their number
    /// and, where none is left, 0, otherwise the room that the next one needs in slab, words and text.
    pub(super) fn hand_over(
        &mut self,
        memory: &mut BatchMemory,
        slab: &mut Output<'_>,
        slab_at: usize,
        mut taken: impl FnMut(u32, usize),
    ) -> (i32, [usize; 3], usize) {
        let (mut count, mut needed) = (0, [0; 3]);
        let [mut words, mut text, mut bytes] = [0; 3];
        let mut last = (0, 0);
        while let Some(&place) = self.places.front() {
            let next = [
                words + place.words as usize,
                text + place.text as usize,
                bytes + place.bytes as usize,
            ];
            let fits = memory.words.fits_ops(HEAD_WORDS + next[0])
                && next[1] <= memory.text.len()
                && slab_at + next[2] <= slab.len();
            if !fits {
                needed = [
                    place.bytes as usize,
                    HEAD_WORDS + place.words as usize,
                    place.text as usize,
                ];
                break;
            }
            [words, text, bytes] = next;
            count += 1;
            if last.0 != place.connection && last.1 > 0 {
                taken(last.0, last.1);
                last.1 = 0;
            }
            last = (place.connection, last.1 + place.cost());
            self.places.pop_front();
        }
        if last.1 > 0 {
            taken(last.0, last.1);
        }
        let [words_from, text_from, bytes_from] = self.taken;
        let parts = &self.parts;
        memory.words.write_ops(
            HEAD_WORDS,
            parts.words.get(words_from..words_from + words).unwrap_or_default(),
        );
        memory
            .text
            .write(0, parts.text.get(text_from..text_from + text).unwrap_or_default());
        slab.write(
            slab_at,
            parts.bytes.get(bytes_from..bytes_from + bytes).unwrap_or_default(),
        );
        self.taken = [words_from + words, text_from + text, bytes_from + bytes];
        (count, needed, bytes)
    }
}

/// The words of a record's head that tell of its tapes.
fn tapes_head(frames: u32, counter: i32, before: [usize; 3], after: [usize; 3]) -> [i32; 5] {
    [
        frames.cast_signed(),
        counter,
        (after[0] - before[0]) as i32,
        (after[1] - before[1]) as i32,
        (after[2] - before[2]) as i32,
    ]
}

/// Memory that batches are handed over in.
pub(super) struct BatchMemory {
    pub(super) words: Shared,
    pub(super) text: Shared,
}
