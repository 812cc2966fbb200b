//! Defines [`Tapes`] and [`Tape`].

use std::collections::TryReserveError;

use super::{TapeReader, TapeText};
use crate::abi::tape_head;

/// A finished tape in the memory of its owner.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tape<'a> {
    /// The operations.
    pub ops: &'a [i32],
    /// All strings that are not tokens, concatenated: Latin-1, or UTF-16 in native byte order if `is_wide` is true.
    pub text: &'a [u8],
    /// Whether the text is UTF-16.
    pub is_wide: bool,
    /// The content bytes. Offsets in the operations are relative to the start of this slice.
    pub bytes: &'a [u8],
}

impl<'a> Tape<'a> {
    /// The length of the text in units: bytes of Latin-1, or 16-bit units.
    #[must_use]
    pub const fn text_units(&self) -> usize {
        if self.is_wide {
            self.text.len() / 2
        } else {
            self.text.len()
        }
    }

    /// The tape as a source of nodes.
    #[must_use]
    pub fn source(&self) -> TapeReader<'a> {
        let text = if self.is_wide {
            TapeText::wide_bytes(self.text)
        } else {
            TapeText::latin1(self.text)
        };
        TapeReader::decoded(self.ops, text, self.bytes)
    }
}

/// A sequence of tapes that is passed to JavaScript at once. The words before a tape can have other data of that tape.
/// A [`TapeWriter`](super::TapeWriter) appends a tape.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tapes {
    /// The [head](tape_head) and the operations of each tape.
    pub words: Vec<i32>,
    /// The text of each tape. Each text starts at an even offset.
    pub text: Vec<u8>,
    /// The content bytes of each tape.
    pub bytes: Vec<u8>,
}

impl Tapes {
    /// The lengths of the three parts, in elements.
    #[must_use]
    pub fn len(&self) -> [usize; 3] {
        [self.words.len(), self.text.len(), self.bytes.len()]
    }

    /// The used memory in bytes.
    #[must_use]
    pub fn size(&self) -> usize {
        size_of_val(self.words.as_slice()) + self.text.len() + self.bytes.len()
    }

    /// The allocated memory in bytes.
    #[must_use]
    pub const fn capacity(&self) -> usize {
        size_of::<i32>() * self.words.capacity() + self.text.capacity() + self.bytes.capacity()
    }

    /// Whether there are no words.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.words.is_empty()
    }

    /// Appends a copy of a tape.
    ///
    /// # Errors
    /// If there is not enough memory; nothing is appended then. A peer decides how long a tape is.
    pub fn push(&mut self, tape: Tape<'_>) -> Result<(), TryReserveError> {
        self.words.try_reserve(tape_head::WORDS + tape.ops.len())?;
        self.text.try_reserve(tape.text.len() + 1)?;
        self.bytes.try_reserve(tape.bytes.len())?;
        self.words.extend_from_slice(&head(tape));
        self.words.extend_from_slice(tape.ops);
        self.text.extend_from_slice(tape.text);
        self.pad_text();
        self.bytes.extend_from_slice(tape.bytes);
        Ok(())
    }

    /// Fills in the head of the tape that starts at these lengths, and ends the tape.
    pub(super) fn finish(&mut self, start: [usize; 3], is_wide: bool) -> Tape<'_> {
        let head = head(self.tape_at(start, is_wide));
        if let Some(words) = self.words.get_mut(start[0]..).and_then(<[i32]>::first_chunk_mut) {
            *words = head;
        }
        let text_end = self.text.len();
        self.pad_text();
        let tape = self.tape_at(start, is_wide);
        Tape {
            text: tape.text.get(..text_end - start[1]).unwrap_or_default(),
            ..tape
        }
    }

    /// The parts from these lengths on, without a head.
    fn tape_at(&self, [words, text, bytes]: [usize; 3], is_wide: bool) -> Tape<'_> {
        Tape {
            ops: self.words.get(words + tape_head::WORDS..).unwrap_or_default(),
            text: self.text.get(text..).unwrap_or_default(),
            is_wide,
            bytes: self.bytes.get(bytes..).unwrap_or_default(),
        }
    }

    /// Makes the length of the text even. [`TapeWriter`](super::TapeWriter) reserves one more byte for this, so that
    /// it does not allocate.
    fn pad_text(&mut self) {
        if !self.text.len().is_multiple_of(2) {
            self.text.push(0);
        }
    }

    /// Reads the words and tapes from the start.
    #[must_use]
    pub fn cursor(&self) -> TapeCursor<'_> {
        TapeCursor {
            words: &self.words,
            text: &self.text,
            bytes: &self.bytes,
        }
    }

    /// The first tape, if no words are before it.
    #[must_use]
    pub fn first(&self) -> Option<Tape<'_>> {
        self.cursor().tape()
    }

    /// Moves all tapes of `other` to the end of these tapes.
    ///
    /// # Errors
    /// If there is not enough memory. Nothing is moved then.
    pub fn append(&mut self, other: &mut Self) -> Result<(), TryReserveError> {
        self.words.try_reserve(other.words.len())?;
        self.text.try_reserve(other.text.len())?;
        self.bytes.try_reserve(other.bytes.len())?;
        self.words.append(&mut other.words);
        self.text.append(&mut other.text);
        self.bytes.append(&mut other.bytes);
        Ok(())
    }

    /// Appends a copy of all tapes of `other`.
    ///
    /// # Errors
    /// If there is not enough memory; nothing is appended then.
    pub fn extend_from(&mut self, other: &Self) -> Result<(), TryReserveError> {
        self.words.try_reserve(other.words.len())?;
        self.text.try_reserve(other.text.len())?;
        self.bytes.try_reserve(other.bytes.len())?;
        self.words.extend_from_slice(&other.words);
        self.text.extend_from_slice(&other.text);
        self.bytes.extend_from_slice(&other.bytes);
        Ok(())
    }

    /// Frees capacity above this number of elements in each part.
    pub fn shrink_to(&mut self, elements: usize) {
        self.words.shrink_to(elements);
        self.text.shrink_to(elements);
        self.bytes.shrink_to(elements);
    }

    /// Shortens the three parts to these lengths.
    pub fn truncate(&mut self, [words, text, bytes]: [usize; 3]) {
        self.words.truncate(words);
        self.text.truncate(text);
        self.bytes.truncate(bytes);
    }

    /// Calls `append`. If it returns `None` or panics, everything that it appended is removed.
    pub fn attempt<R>(&mut self, append: impl FnOnce(&mut Self) -> Option<R>) -> Option<R> {
        let mut attempt = Attempt {
            kept: self.len(),
            tapes: self,
        };
        let result = append(attempt.tapes)?;
        attempt.kept = attempt.tapes.len();
        Some(result)
    }

    /// Removes all tapes.
    pub fn clear(&mut self) {
        self.truncate([0; 3]);
    }

    /// Removes all tapes. Frees capacity above `keep` bytes in each part.
    pub fn trim(&mut self, keep: usize) {
        self.clear();
        self.words.shrink_to(keep / size_of::<i32>());
        self.text.shrink_to(keep);
        self.bytes.shrink_to(keep);
    }
}

impl From<Tape<'_>> for Tapes {
    fn from(tape: Tape<'_>) -> Self {
        let mut tapes = Self {
            words: [&head(tape), tape.ops].concat(),
            text: tape.text.to_vec(),
            bytes: tape.bytes.to_vec(),
        };
        tapes.pad_text();
        tapes
    }
}

/// The head of a tape. The numbers fit in 31 bits, because the limits of a stanza are far below.
fn head(tape: Tape<'_>) -> [i32; tape_head::WORDS] {
    let mut head = [0; tape_head::WORDS];
    for (place, number) in [
        (tape_head::OPS, tape.ops.len()),
        (tape_head::UNITS, tape.text_units()),
        (tape_head::BYTES, tape.bytes.len()),
        (tape_head::WIDE, usize::from(tape.is_wide)),
    ] {
        if let Some(word) = head.get_mut(place) {
            *word = number as i32;
        }
    }
    head
}

/// A read position in [`Tapes`].
#[derive(Clone, Copy, Debug)]
pub struct TapeCursor<'a> {
    words: &'a [i32],
    text: &'a [u8],
    bytes: &'a [u8],
}

impl<'a> TapeCursor<'a> {
    /// The next word, which is not part of a tape. `None` at the end.
    pub fn word(&mut self) -> Option<i32> {
        let (word, rest) = self.words.split_first()?;
        self.words = rest;
        Some(*word)
    }

    /// The next tape. `None` at the end.
    pub fn tape(&mut self) -> Option<Tape<'a>> {
        let (head, words) = self.words.split_first_chunk::<{ tape_head::WORDS }>()?;
        let length = |place: usize| usize::try_from(*head.get(place)?).ok();
        let is_wide = length(tape_head::WIDE)? != 0;
        let text_len = length(tape_head::UNITS)? * if is_wide { 2 } else { 1 };
        let (ops, words) = words.split_at_checked(length(tape_head::OPS)?)?;
        let (text, rest) = self.text.split_at_checked(text_len)?;
        let (bytes, content) = self.bytes.split_at_checked(length(tape_head::BYTES)?)?;
        let padding = text_len % 2;
        (self.words, self.text, self.bytes) = (words, rest.get(padding..)?, content);
        Some(Tape {
            ops,
            text,
            is_wide,
            bytes,
        })
    }
}

/// Truncates the tapes to the lengths in `kept` on drop.
struct Attempt<'a> {
    tapes: &'a mut Tapes,
    kept: [usize; 3],
}

impl Drop for Attempt<'_> {
    fn drop(&mut self) {
        self.tapes.truncate(self.kept);
    }
}
