//! Writes decoded nodes to a tape.

use super::{Tape, Tapes, keys};
use crate::abi::{content_kind, op, tape_head};
use crate::binary::{Content, NodeSink, Text};

/// A [`NodeSink`] that appends one tape to [`Tapes`]. It allocates only if their buffers have to grow.
#[derive(Debug)]
pub struct TapeWriter<'t> {
    tapes: &'t mut Tapes,
    /// The lengths of `tapes` before this tape.
    start: [usize; 3],
    /// Whether the text of this tape is UTF-16. It is Latin-1 up to the first other character.
    is_wide: bool,
    /// The address range of the payload. `Some` if content bytes in the payload are not copied.
    borrowed: Option<std::ops::Range<usize>>,
    /// The index of the current node's head in the words.
    head: usize,
    shape: Shape,
    /// An allocation has failed. The rest of the tree is ignored.
    is_out_of_memory: bool,
}

/// The hash of a node's attribute keys, while it is computed.
#[derive(Debug, Default, Clone, Copy)]
struct Shape {
    at: usize,
    left: usize,
    hash: Option<u32>,
}

impl<'t> TapeWriter<'t> {
    /// Starts a tape behind the other tapes. All content bytes are copied. [`finish`](Self::finish) must be called
    /// after the last node; if the tree is incomplete, the caller truncates the tapes instead.
    #[must_use]
    pub fn new(tapes: &'t mut Tapes) -> Self {
        let start = tapes.len();
        let is_out_of_memory = tapes.words.try_reserve(tape_head::WORDS).is_err();
        if !is_out_of_memory {
            tapes.words.extend_from_slice(&[0; tape_head::WORDS]);
        }
        Self {
            tapes,
            start,
            is_wide: false,
            borrowed: None,
            head: 0,
            shape: Shape::default(),
            is_out_of_memory,
        }
    }

    /// Starts a tape for a tree that is decoded from `payload`. Content bytes in the payload are not copied; their
    /// offsets are relative to the start of the payload.
    #[must_use]
    pub fn borrowing(tapes: &'t mut Tapes, payload: &[u8]) -> Self {
        let start = payload.as_ptr().addr();
        Self {
            borrowed: Some(start..start + payload.len()),
            ..Self::new(tapes)
        }
    }

    /// Ends the tape.
    pub fn finish(self) -> Tape<'t> {
        self.tapes.finish(self.start, self.is_wide)
    }

    #[inline]
    fn string(&mut self, text: Text<'_>) {
        let op = match text {
            Text::Token(token) => i32::from(token.0),
            text => self.literal(text),
        };
        self.tapes.words.push(op);
    }

    fn literal(&mut self, text: Text<'_>) -> i32 {
        let length = match text {
            Text::Ascii(text) => self.append_ascii(text),
            Text::Str(text) | Text::Literal(text) => self.append(text),
            Text::Token(_) => 0,
        };
        // The empty string is token 0 in all dictionaries.
        if length == 0 { 0 } else { !(length as i32) }
    }

    fn append_ascii(&mut self, ascii: &[u8]) -> usize {
        let text = &mut self.tapes.text;
        // The additional byte is for the padding at the end of the text.
        if text
            .try_reserve((1 + usize::from(self.is_wide)) * ascii.len() + 1)
            .is_err()
        {
            self.is_out_of_memory = true;
            return 0;
        }
        if self.is_wide {
            text.extend(ascii.iter().flat_map(|&byte| u16::from(byte).to_ne_bytes()));
        } else {
            text.extend_from_slice(ascii);
        }
        ascii.len()
    }

    /// Appends to the text. Returns the length in units. It fits in 31 bits, because the strings of a payload are
    /// limited far below.
    fn append(&mut self, string: &str) -> usize {
        if string.is_ascii() {
            self.append_ascii(string.as_bytes())
        } else if !self.is_wide && string.chars().all(|character| u8::try_from(character).is_ok()) {
            let text = &mut self.tapes.text;
            if text.try_reserve(string.len() + 1).is_err() {
                self.is_out_of_memory = true;
                return 0;
            }
            let before = text.len();
            text.extend(string.chars().filter_map(|character| u8::try_from(character).ok()));
            text.len() - before
        } else {
            self.append_wide(string)
        }
    }

    /// Converts the text to UTF-16 and appends to it.
    fn append_wide(&mut self, string: &str) -> usize {
        let text = &mut self.tapes.text;
        let length = string.encode_utf16().count();
        let narrow = if self.is_wide { 0 } else { text.len() - self.start[1] };
        if text.try_reserve(narrow + 2 * length).is_err() {
            self.is_out_of_memory = true;
            return 0;
        }
        if !self.is_wide {
            widen(text, self.start[1]);
            self.is_wide = true;
        }
        text.extend(string.encode_utf16().flat_map(u16::to_ne_bytes));
        length
    }
}

/// Converts the Latin-1 text from `start` on to UTF-16.
fn widen(text: &mut Vec<u8>, start: usize) {
    let units = text.len() - start;
    text.resize(start + 2 * units, 0);
    // From the end, so that no unit is overwritten before it was read.
    for unit in (0..units).rev() {
        let character = text.get(start + unit).copied().unwrap_or_default();
        let place = start + 2 * unit;
        if let Some(bytes) = text.get_mut(place..place + 2) {
            bytes.copy_from_slice(&u16::from(character).to_ne_bytes());
        }
    }
}

/// Maximum number of operations of a node without attributes: head, tag, shape, two for the content.
const NODE_OPS: usize = 5;

impl NodeSink for TapeWriter<'_> {
    fn node(&mut self, tag: Text<'_>, attrs: usize) {
        // Reserves space for all operations of the node, so that none of them allocates.
        self.is_out_of_memory |= self.tapes.words.try_reserve(NODE_OPS + 2 * attrs).is_err();
        if self.is_out_of_memory {
            return;
        }
        self.head = self.tapes.words.len();
        self.tapes.words.push((attrs as i32) << op::HEAD_SHIFT);
        self.string(tag);
        self.shape = Shape {
            at: self.tapes.words.len(),
            left: attrs,
            hash: Some(0),
        };
        if attrs > 0 {
            self.tapes.words.push(op::NO_SHAPE);
        }
    }

    fn attr_key(&mut self, key: Text<'_>) {
        if self.is_out_of_memory {
            return;
        }
        let op = match key {
            Text::Token(token) => i32::from(token.0),
            Text::Ascii(text) => match keys::find(text) {
                Some(place) => op::FIRST_KEY + place as i32,
                None => self.literal(key),
            },
            Text::Str(_) | Text::Literal(_) => self.literal(key),
        };
        let shape = &mut self.shape;
        shape.hash = match shape.hash {
            Some(hash) if op >= 0 => Some((hash ^ op as u32).wrapping_mul(0x9E37_79B1).rotate_left(15)),
            _ => None,
        };
        shape.left = shape.left.saturating_sub(1);
        if let (0, Some(hash), Some(op)) = (shape.left, shape.hash, self.tapes.words.get_mut(shape.at)) {
            // 30 bits: the value is a small integer in JavaScript and differs from `op::NO_SHAPE`, which is negative.
            *op = (hash & 0x3FFF_FFFF) as i32;
        }
        self.tapes.words.push(op);
    }

    fn attr_value(&mut self, value: Text<'_>) {
        if !self.is_out_of_memory {
            self.string(value);
        }
    }

    fn is_out_of_memory(&self) -> bool {
        self.is_out_of_memory
    }

    fn content(&mut self, content: Content<'_>) {
        if self.is_out_of_memory {
            return;
        }
        let kind = match content {
            Content::None => content_kind::NONE,
            Content::Text(_) => content_kind::TEXT,
            Content::Bytes(_) => content_kind::BYTES,
            Content::List(_) => content_kind::LIST,
        };
        if let Some(head) = self.tapes.words.get_mut(self.head) {
            *head |= kind;
        }
        match content {
            Content::None => {}
            Content::Text(text) => self.string(text),
            Content::Bytes(bytes) => {
                let at = bytes.as_ptr().addr();
                let offset = match &self.borrowed {
                    Some(payload) if at >= payload.start && at + bytes.len() <= payload.end => at - payload.start,
                    _ => {
                        let offset = self.tapes.bytes.len() - self.start[2];
                        if self.tapes.bytes.try_reserve(bytes.len()).is_err() {
                            self.is_out_of_memory = true;
                            return;
                        }
                        self.tapes.bytes.extend_from_slice(bytes);
                        offset
                    }
                };
                self.tapes.words.push(offset as i32);
                self.tapes.words.push(bytes.len() as i32);
            }
            Content::List(children) => self.tapes.words.push(children as i32),
        }
    }
}
