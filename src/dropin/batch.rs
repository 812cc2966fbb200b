//! Records of events for JavaScript. Many records are passed to JavaScript at once.

use std::collections::{TryReserveError, VecDeque};

use crate::abi::record;
use crate::read_ahead::{OpenedMessage, ReadAhead, ThreadBuffers};
use crate::session::{Stanza, Stanzas};
use crate::tape::Tapes;

/// Additional cost of a record in bytes. It limits a flood of empty messages.
const RECORD_COST: usize = 64;

/// The connection of a record, and the record's length in each part.
#[derive(Debug, Clone, Copy)]
struct RecordSize {
    connection: u32,
    words: u32,
    text: u32,
    bytes: u32,
}

impl RecordSize {
    /// The record that was appended between these lengths. `None` if a length does not fit into 31 bits.
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

/// Records in order. Each has its words (and those of its tapes), the text of its tapes, and its payload followed by
/// the content bytes of its tapes. Each of the three parts is contiguous for all records, so that many records are
/// copied at once.
#[derive(Debug, Default)]
pub struct Batch {
    sizes: VecDeque<RecordSize>,
    parts: Tapes,
    /// How much of each part was taken.
    taken: [usize; 3],
}

impl Batch {
    /// Whether all records were taken.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.sizes.is_empty()
    }

    /// Removes everything. Frees capacity above `keep` elements in each part.
    pub fn clear(&mut self, keep: usize) {
        self.sizes.clear();
        self.sizes.shrink_to(keep);
        self.parts.clear();
        self.parts.shrink_to(keep);
        self.taken = [0; 3];
    }

    /// Adds a record; returns its cost in bytes. `None` if there is not enough memory.
    pub fn push(&mut self, kind: u32, connection: u32, value: u32, payload: &[u8]) -> Option<usize> {
        self.record(kind, connection, value, payload, |_| Some(OpenedMessage::default()))
    }

    /// Adds a binary message. If `read_ahead` opens its frames, their tapes are added too. Returns the number of these
    /// frames and the cost in bytes. `None` if there is not enough memory.
    pub fn message(
        &mut self,
        kind: u32,
        connection: u32,
        payload: &[u8],
        read_ahead: &mut ReadAhead,
        buffers: &mut ThreadBuffers,
    ) -> Option<(u32, usize)> {
        let mut frames = 0;
        let cost = self.record(kind, connection, 0, payload, |parts| {
            let opened = read_ahead.message(payload, buffers, parts).unwrap_or_default();
            frames = opened.frames;
            Some(opened)
        });
        match cost {
            Some(cost) => Some((frames, cost)),
            // The tapes are too long for one record. The noise handler then makes them one by one.
            None => self.push(kind, connection, 0, payload).map(|cost| (0, cost)),
        }
    }

    /// Adds a stanza of a session; returns its cost in bytes. `None` if there is not enough memory.
    pub fn stanza(&mut self, kind: u32, session: u32, value: u32, stanza: &Stanza) -> Option<usize> {
        self.record(kind, session, value, &[], |parts| {
            parts.extend_from(stanza.tapes()).ok()?;
            Some(OpenedMessage { frames: 1, counter: 0 })
        })
    }

    /// Adds stanzas of a session in one record; returns its cost in bytes. `None` if there is not enough memory.
    pub fn stanzas(&mut self, kind: u32, session: u32, stanzas: &Stanzas) -> Option<usize> {
        self.record(kind, session, 0, &[], |parts| {
            parts.extend_from(stanzas.tapes()).ok()?;
            let frames = stanzas.len() as u32;
            Some(OpenedMessage { frames, counter: 0 })
        })
    }

    /// Adds a record with the tapes that `tapes` appends. Returns its cost in bytes. If the record is too long, or
    /// if there is not enough memory, nothing is added and the result is `None`.
    fn record(
        &mut self,
        kind: u32,
        connection: u32,
        value: u32,
        payload: &[u8],
        tapes: impl FnOnce(&mut Tapes) -> Option<OpenedMessage>,
    ) -> Option<usize> {
        self.sizes.try_reserve(1).ok()?;
        // If a panic left one part longer, all later records would be misaligned.
        let size = self.parts.attempt(|parts| {
            let before = parts.len();
            parts.words.try_reserve(record::WORDS).ok()?;
            parts.bytes.try_reserve(payload.len()).ok()?;
            parts.words.extend_from_slice(&[0; record::WORDS]);
            parts.bytes.extend_from_slice(payload);
            let [words_before, text_before, bytes_before] = parts.len();
            let OpenedMessage { frames, counter } = tapes(parts)?;
            let [words, text, bytes] = parts.len();
            let head = parts.words.get_mut(before[0]..).unwrap_or_default();
            for (index, number) in [
                (record::KIND, kind.cast_signed()),
                (record::SOURCE, connection.cast_signed()),
                (record::VALUE, value.cast_signed()),
                (record::LENGTH, payload.len() as i32),
                (record::FRAMES, frames.cast_signed()),
                // A counter has 32 bits; JavaScript takes it as unsigned.
                (record::COUNTER, counter as i32),
                (record::TAPE_WORDS, (words - words_before) as i32),
                (record::TAPE_TEXT, (text - text_before) as i32),
                (record::TAPE_BYTES, (bytes - bytes_before) as i32),
            ] {
                if let Some(word) = head.get_mut(index) {
                    *word = number;
                }
            }
            RecordSize::between(connection, before, parts.len())
        })?;
        self.sizes.push_back(size);
        Some(size.cost())
    }

    /// Moves all records of `other` to the end. No record of `other` may have been taken.
    ///
    /// # Errors
    /// If there is not enough memory; nothing is moved then.
    pub fn append(&mut self, other: &mut Self) -> Result<(), TryReserveError> {
        self.sizes.try_reserve(other.sizes.len())?;
        self.parts.append(&mut other.parts)?;
        self.sizes.append(&mut other.sizes);
        Ok(())
    }

    /// Takes records until `room` is full. Calls `taken` with the connection and cost of each.
    pub fn take(&mut self, room: Room, mut taken: impl FnMut(u32, usize)) -> Records<'_> {
        let (mut count, mut needed) = (0, Room::default());
        let [mut words, mut text, mut bytes] = [0; 3];
        let mut last = (0, 0);
        while let Some(&size) = self.sizes.front() {
            let next = [
                words + size.words as usize,
                text + size.text as usize,
                bytes + size.bytes as usize,
            ];
            if next[0] > room.words || next[1] > room.text || next[2] > room.bytes {
                needed = Room {
                    words: size.words as usize,
                    text: size.text as usize,
                    bytes: size.bytes as usize,
                };
                break;
            }
            [words, text, bytes] = next;
            count += 1;
            if last.0 != size.connection && last.1 > 0 {
                taken(last.0, last.1);
                last.1 = 0;
            }
            last = (size.connection, last.1 + size.cost());
            self.sizes.pop_front();
        }
        if last.1 > 0 {
            taken(last.0, last.1);
        }
        let [words_from, text_from, bytes_from] = self.taken;
        self.taken = [words_from + words, text_from + text, bytes_from + bytes];
        let parts = &self.parts;
        Records {
            count,
            needed,
            words: parts.words.get(words_from..words_from + words).unwrap_or_default(),
            text: parts.text.get(text_from..text_from + text).unwrap_or_default(),
            bytes: parts.bytes.get(bytes_from..bytes_from + bytes).unwrap_or_default(),
        }
    }
}

/// Room for records.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Room {
    /// Number of 32-bit words.
    pub words: usize,
    /// Bytes of text.
    pub text: usize,
    /// Bytes of payloads and content.
    pub bytes: usize,
}

/// Records that were taken from a batch.
#[derive(Debug, PartialEq, Eq)]
pub struct Records<'b> {
    /// The number of records.
    pub count: i32,
    /// The room that the next record needs. Zero if there is none.
    pub needed: Room,
    /// The words of the records.
    pub words: &'b [i32],
    /// The text of the records.
    pub text: &'b [u8],
    /// The payloads and content bytes of the records.
    pub bytes: &'b [u8],
}
