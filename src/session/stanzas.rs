//! [`Stanzas`].

use super::{PatternId, Stanza};
use crate::abi::tape_head;
use crate::tape::{TapeWriter, Tapes};

/// Stanzas that came in one after the other, each with the patterns that it matches.
///
/// They lie in common memory, so that a stanza costs no allocation, and many cross into JavaScript in one copy.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stanzas {
    tapes: Tapes,
    count: usize,
}

/// The most stanzas in one piece, and the size at which another one begins: what is taken at a time is bounded by that.
const MOST: usize = 64;
const ROOM: usize = 8 * 1024;

/// What a stanza costs beside its parts, in bytes.
const COST: usize = 64;

impl Stanzas {
    /// Adds what is on the tape; returns the bytes of memory that it takes.
    pub(super) fn push(&mut self, matched: &[PatternId], tape: &TapeWriter) -> usize {
        let before = self.footprint();
        self.tapes.words.push(matched.len() as i32);
        self.tapes
            .words
            .extend(matched.iter().map(|pattern| pattern.0.cast_signed()));
        self.tapes.push(tape);
        self.count += 1;
        self.footprint() - before
    }

    /// Whether another stanza may be added.
    pub(super) fn has_room(&self) -> bool {
        self.count < MOST && self.footprint() < ROOM
    }

    /// The number of stanzas; at least one.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.count
    }

    /// Whether there is none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// For each stanza the number of patterns that it matches, their names, and its tape.
    #[must_use]
    pub const fn tapes(&self) -> &Tapes {
        &self.tapes
    }

    /// The bytes of memory that they take.
    #[must_use]
    pub fn footprint(&self) -> usize {
        self.tapes.size() + COST * self.count
    }

    /// The stanzas, each with the patterns that it matches in the order in which Baileys would emit them.
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
