//! Defines [`Stanzas`].

use std::collections::TryReserveError;

use super::{PatternId, Stanza};
use crate::tape::{Tape, Tapes};

/// Consecutive inbound stanzas, each with the patterns that it matches.
///
/// They share their buffers. Therefore a stanza needs no allocation of its own, and many stanzas are copied to
/// JavaScript at once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stanzas {
    tapes: Tapes,
    count: usize,
}

/// Maximum number of stanzas in one event. It bounds the work for one event.
const MOST: usize = 64;
/// No stanza is added to an event that has this size or more, in bytes.
const ROOM: usize = 8 * 1024;

/// Estimated overhead of a stanza in memory, in bytes.
const COST: usize = 64;

impl Stanzas {
    /// Adds the stanza on the tape. Returns the increase of the size in memory, in bytes.
    ///
    /// # Errors
    /// If there is not enough memory.
    pub(super) fn push(&mut self, matched: &[PatternId], tape: Tape<'_>) -> Result<usize, TryReserveError> {
        let before = self.footprint();
        let start = self.tapes.len();
        self.tapes.words.try_reserve(1 + matched.len())?;
        self.tapes.words.push(matched.len() as i32);
        self.tapes
            .words
            .extend(matched.iter().map(|pattern| pattern.0.cast_signed()));
        if let Err(error) = self.tapes.push(tape) {
            self.tapes.truncate(start);
            return Err(error);
        }
        self.count += 1;
        Ok(self.footprint() - before)
    }

    /// Whether another stanza may be added.
    pub(super) fn has_room(&self) -> bool {
        self.count < MOST && self.footprint() < ROOM
    }

    /// The number of stanzas. It is at least one in an event.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.count
    }

    /// Whether there are no stanzas.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// The stored data. Each stanza has the number of patterns, the pattern ids and the tape.
    #[must_use]
    pub const fn tapes(&self) -> &Tapes {
        &self.tapes
    }

    /// The size in memory, in bytes.
    #[must_use]
    pub fn footprint(&self) -> usize {
        self.tapes.size() + COST * self.count
    }

    /// Iterates over the stanzas. The patterns of a stanza are in the order in which Baileys emits them.
    pub fn iter(&self) -> impl Iterator<Item = (Stanza, Vec<PatternId>)> + '_ {
        let mut cursor = self.tapes.cursor();
        std::iter::from_fn(move || {
            let count = cursor.word()?;
            let matched = (0..count)
                .map(|_| Some(PatternId(cursor.word()?.cast_unsigned())))
                .collect::<Option<_>>()?;
            Some((Stanza::of(cursor.tape()?), matched))
        })
    }
}
