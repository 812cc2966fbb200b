//! [`Tapes`].

use super::TapeWriter;
use crate::abi::tape_head;

/// Tapes one behind the other, for many frames in one crossing. What else belongs to a tape may stand before it in the words.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tapes {
    /// For each tape its [head](tape_head) and its operations.
    pub words: Vec<i32>,
    /// The texts. Each begins at an even offset.
    pub text: Vec<u8>,
    /// The content bytes.
    pub bytes: Vec<u8>,
}

impl Tapes {
    /// The lengths of the three parts.
    #[must_use]
    pub fn len(&self) -> [usize; 3] {
        [self.words.len(), self.text.len(), self.bytes.len()]
    }

    /// The bytes of memory in use.
    #[must_use]
    pub fn size(&self) -> usize {
        size_of_val(self.words.as_slice()) + self.text.len() + self.bytes.len()
    }

    /// Whether there is no tape.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.words.is_empty()
    }

    /// Appends a tape.
    pub fn push(&mut self, tape: &TapeWriter) {
        self.push_parts(tape.ops(), tape.latin1().unwrap_or_default(), tape.wide(), tape.bytes());
    }

    /// Appends a tape without operations: a frame that is passed over.
    pub fn push_nothing(&mut self) {
        self.push_parts(&[], &[], None, &[]);
    }

    /// Appends a tape of these operations, content bytes, and text: `wide` where there is such, otherwise `latin1`.
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
                // It fits 31 bits: the bounds on a stanza are far below.
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

    /// Moves all tapes of `other` behind these.
    pub fn append(&mut self, other: &mut Self) {
        self.words.append(&mut other.words);
        self.text.append(&mut other.text);
        self.bytes.append(&mut other.bytes);
    }

    /// Appends all tapes of `other`.
    pub fn extend_from(&mut self, other: &Self) {
        self.words.extend_from_slice(&other.words);
        self.text.extend_from_slice(&other.text);
        self.bytes.extend_from_slice(&other.bytes);
    }

    /// Gives memory beyond so many elements of each part back.
    pub fn shrink_to(&mut self, elements: usize) {
        self.words.shrink_to(elements);
        self.text.shrink_to(elements);
        self.bytes.shrink_to(elements);
    }

    /// Takes what was appended since the lengths were these.
    pub fn truncate(&mut self, [words, text, bytes]: [usize; 3]) {
        self.words.truncate(words);
        self.text.truncate(text);
        self.bytes.truncate(bytes);
    }

    /// Lets `append` append something. Where that gives `None`, or panics, what it did append is taken back.
    pub fn attempt<R>(&mut self, append: impl FnOnce(&mut Self) -> Option<R>) -> Option<R> {
        let mut attempt = Attempt {
            kept: self.len(),
            tapes: self,
        };
        let result = append(attempt.tapes)?;
        attempt.kept = attempt.tapes.len();
        Some(result)
    }

    /// Forgets all tapes.
    pub fn clear(&mut self) {
        self.truncate([0; 3]);
    }
}

/// Leaves so much of the tapes and no more when it goes.
struct Attempt<'a> {
    tapes: &'a mut Tapes,
    kept: [usize; 3],
}

impl Drop for Attempt<'_> {
    fn drop(&mut self) {
        self.tapes.truncate(self.kept);
    }
}
