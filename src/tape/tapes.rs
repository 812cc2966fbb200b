//! Defines [`Tapes`].

use std::collections::TryReserveError;

use super::TapeWriter;
use crate::abi::tape_head;

/// A sequence of tapes that is passed to JavaScript at once. The words before a tape can have other data of that tape.
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

    /// Whether there are no words.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.words.is_empty()
    }

    /// Makes room for a tape, and for words before it. Appending them then needs no more memory.
    ///
    /// # Errors
    /// If there is not enough memory. A peer decides how long a tape is.
    pub fn reserve(&mut self, tape: &TapeWriter, words: usize) -> Result<(), TryReserveError> {
        let units = tape.wide().map_or(tape.latin1().unwrap_or_default().len(), size_of_val);
        self.words.try_reserve(words + tape_head::WORDS + tape.ops().len())?;
        self.text.try_reserve(units + 1)?;
        self.bytes.try_reserve(tape.bytes().len())
    }

    /// Appends a tape.
    pub fn push(&mut self, tape: &TapeWriter) {
        self.push_parts(tape.ops(), tape.latin1().unwrap_or_default(), tape.wide(), tape.bytes());
    }

    /// Appends a tape without operations. It represents a frame that is skipped.
    pub fn push_nothing(&mut self) {
        self.push_parts(&[], &[], None, &[]);
    }

    /// Appends a tape with these operations and content bytes. The text is `wide` if it is given, otherwise `latin1`.
    pub fn push_parts(&mut self, ops: &[i32], latin1: &[u8], wide: Option<&[u16]>, bytes: &[u8]) {
        let numbers = [
            (tape_head::OPS, ops.len()),
            (tape_head::UNITS, wide.map_or(latin1.len(), <[u16]>::len)),
            (tape_head::BYTES, bytes.len()),
            (tape_head::WIDE, usize::from(wide.is_some())),
        ];
        let mut head = [0; tape_head::WORDS];
        for (place, number) in numbers {
            if let Some(word) = head.get_mut(place) {
                // The number fits in 31 bits, because the limits of a stanza are far below.
                *word = number as i32;
            }
        }
        self.words.extend_from_slice(&head);
        self.words.extend_from_slice(ops);
        match wide {
            None => self.text.extend_from_slice(latin1),
            Some(units) => self.text.extend(units.iter().flat_map(|unit| unit.to_ne_bytes())),
        }
        if !self.text.len().is_multiple_of(2) {
            self.text.push(0);
        }
        self.bytes.extend_from_slice(bytes);
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
    pub fn extend_from(&mut self, other: &Self) {
        self.words.extend_from_slice(&other.words);
        self.text.extend_from_slice(&other.text);
        self.bytes.extend_from_slice(&other.bytes);
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
