//! Defines [`Stanzas`].

use std::collections::TryReserveError;

use super::{PatternId, Stanza};
use crate::abi::tape_head;
use crate::tape::{TapeWriter, Tapes};

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
    pub(super) fn push(&mut self, matched: &[PatternId], tape: &TapeWriter) -> Result<usize, TryReserveError> {
        let before = self.footprint();
        self.tapes.reserve(tape, 1 + matched.len())?;
        self.tapes.words.push(matched.len() as i32);
        self.tapes
            .words
            .extend(matched.iter().map(|pattern| pattern.0.cast_signed()));
        self.tapes.push(tape);
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
        let Tapes { words, text, bytes } = &self.tapes;
        let (mut words, mut text, mut bytes) = (words.as_slice(), text.as_slice(), bytes.as_slice());
        std::iter::from_fn(move || {
            let (matched, rest) = words.split_first()?;
            let (matched, rest) = rest.split_at_checked(length(*matched)?)?;
            let (head, rest) = rest.split_first_chunk::<{ tape_head::WORDS }>()?;
            let at = |place: usize| head.get(place).copied();
            let (ops_len, units) = (at(tape_head::OPS)?, at(tape_head::UNITS)?);
            let (bytes_len, wide) = (at(tape_head::BYTES)?, at(tape_head::WIDE)?);
            let (ops, rest) = rest.split_at_checked(length(ops_len)?)?;
            let is_wide = wide != 0;
            let text_len = length(units)? * if is_wide { 2 } else { 1 };
            let (own_text, rest_text) = text.split_at_checked(text_len.next_multiple_of(2).min(text.len()))?;
            let (own_bytes, rest_bytes) = bytes.split_at_checked(length(bytes_len)?)?;
            (words, text, bytes) = (rest, rest_text, rest_bytes);
            let matched = matched
                .iter()
                .map(|pattern| PatternId(pattern.cast_unsigned()))
                .collect();
            let stanza = Stanza::of_parts(ops, own_text.get(..text_len)?, is_wide, own_bytes);
            Some((stanza, matched))
        })
    }
}

fn length(word: i32) -> Option<usize> {
    usize::try_from(word).ok()
}
