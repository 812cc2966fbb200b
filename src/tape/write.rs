//! Writes decoded nodes to a tape.

use super::{TapeReader, TapeText, keys};
use crate::abi::{content_kind, op};
use crate::binary::{Content, NodeSink, Text};

/// A [`NodeSink`] that writes a tape. It is reused for many frames, and allocates only if its buffers have to grow.
#[derive(Debug, Default)]
pub struct TapeWriter {
    ops: Vec<i32>,
    latin1: Vec<u8>,
    /// Replaces `latin1` after the first character that is not Latin-1.
    wide: Option<Vec<u16>>,
    bytes: Vec<u8>,
    /// The address range of the payload. `Some` if content bytes in the payload are not copied.
    borrowed: Option<std::ops::Range<usize>>,
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

impl TapeWriter {
    /// An empty tape.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Starts a new tape. All content bytes are copied to [`bytes`](Self::bytes).
    pub fn clear(&mut self) {
        self.ops.clear();
        self.latin1.clear();
        self.wide = None;
        self.bytes.clear();
        self.borrowed = None;
        self.is_out_of_memory = false;
    }

    /// Clears the tape. Frees capacity above `keep` bytes in each part.
    pub fn trim(&mut self, keep: usize) {
        self.clear();
        self.ops.shrink_to(keep / size_of::<i32>());
        self.latin1.shrink_to(keep);
        self.bytes.shrink_to(keep);
    }

    /// The allocated memory in bytes.
    #[must_use]
    pub fn capacity(&self) -> usize {
        size_of::<i32>() * self.ops.capacity()
            + self.latin1.capacity()
            + size_of::<u16>() * self.wide.as_ref().map_or(0, Vec::capacity)
            + self.bytes.capacity()
    }

    /// Starts a new tape for a tree that is decoded from `payload`. Content bytes in the payload are not copied; their
    /// offsets are relative to the start of the payload.
    pub fn clear_for(&mut self, payload: &[u8]) {
        self.clear();
        let start = payload.as_ptr().addr();
        self.borrowed = Some(start..start + payload.len());
    }

    /// The operations.
    #[must_use]
    pub fn ops(&self) -> &[i32] {
        &self.ops
    }

    /// The text, if it is Latin-1.
    #[must_use]
    pub fn latin1(&self) -> Option<&[u8]> {
        if self.wide.is_none() { Some(&self.latin1) } else { None }
    }

    /// The text, if it is UTF-16.
    #[must_use]
    pub fn wide(&self) -> Option<&[u16]> {
        self.wide.as_deref()
    }

    /// The tape as a source of nodes. All content bytes must have been copied, see [`clear`](Self::clear).
    #[must_use]
    pub fn source(&self) -> TapeReader<'_> {
        let text = match (&self.wide, &self.latin1) {
            (Some(units), _) => TapeText::wide(units),
            (None, units) => TapeText::latin1(units),
        };
        TapeReader::decoded(&self.ops, text, &self.bytes)
    }

    /// The length of the text in units.
    #[must_use]
    pub fn text_len(&self) -> usize {
        self.wide.as_ref().map_or(self.latin1.len(), Vec::len)
    }

    /// The copied content bytes.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    #[inline]
    fn string(&mut self, text: Text<'_>) {
        let op = match text {
            Text::Token(token) => i32::from(token.0),
            text => self.literal(text),
        };
        self.ops.push(op);
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

    fn append_ascii(&mut self, text: &[u8]) -> usize {
        let Self {
            latin1,
            wide,
            is_out_of_memory,
            ..
        } = self;
        let reserved = match wide {
            None => latin1.try_reserve(text.len()),
            Some(units) => units.try_reserve(text.len()),
        };
        if reserved.is_err() {
            *is_out_of_memory = true;
            return 0;
        }
        match wide {
            None => latin1.extend_from_slice(text),
            Some(units) => units.extend(text.iter().map(|&byte| u16::from(byte))),
        }
        text.len()
    }

    /// Appends to the text. Returns the length in units. It fits in 31 bits, because the strings of a payload are
    /// limited far below.
    fn append(&mut self, text: &str) -> usize {
        if text.is_ascii() {
            self.append_ascii(text.as_bytes())
        } else if self.wide.is_none() && text.chars().all(|character| u8::try_from(character).is_ok()) {
            if self.latin1.try_reserve(text.len()).is_err() {
                self.is_out_of_memory = true;
                return 0;
            }
            let before = self.latin1.len();
            self.latin1
                .extend(text.chars().filter_map(|character| u8::try_from(character).ok()));
            self.latin1.len() - before
        } else {
            self.append_wide(text)
        }
    }

    /// Converts the text to UTF-16 and appends to it.
    fn append_wide(&mut self, text: &str) -> usize {
        let Self {
            latin1,
            wide,
            is_out_of_memory,
            ..
        } = self;
        let units = wide.get_or_insert_default();
        let length = text.encode_utf16().count();
        if units.try_reserve(latin1.len() + length).is_err() {
            *is_out_of_memory = true;
            return 0;
        }
        units.extend(latin1.drain(..).map(u16::from));
        units.extend(text.encode_utf16());
        length
    }
}

/// Maximum number of operations of a node without attributes: head, tag, shape, two for the content.
const NODE_OPS: usize = 5;

impl NodeSink for TapeWriter {
    fn node(&mut self, tag: Text<'_>, attrs: usize) {
        // Reserves space for all operations of the node, so that none of them allocates.
        self.is_out_of_memory |= self.ops.try_reserve(NODE_OPS + 2 * attrs).is_err();
        if self.is_out_of_memory {
            return;
        }
        self.head = self.ops.len();
        self.ops.push((attrs as i32) << op::HEAD_SHIFT);
        self.string(tag);
        self.shape = Shape {
            at: self.ops.len(),
            left: attrs,
            hash: Some(0),
        };
        if attrs > 0 {
            self.ops.push(op::NO_SHAPE);
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
        if let (0, Some(hash), Some(op)) = (shape.left, shape.hash, self.ops.get_mut(shape.at)) {
            // 30 bits: the value is a small integer in JavaScript and differs from `op::NO_SHAPE`, which is negative.
            *op = (hash & 0x3FFF_FFFF) as i32;
        }
        self.ops.push(op);
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
        if let Some(head) = self.ops.get_mut(self.head) {
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
                        let offset = self.bytes.len();
                        if self.bytes.try_reserve(bytes.len()).is_err() {
                            self.is_out_of_memory = true;
                            return;
                        }
                        self.bytes.extend_from_slice(bytes);
                        offset
                    }
                };
                self.ops.push(offset as i32);
                self.ops.push(bytes.len() as i32);
            }
            Content::List(children) => self.ops.push(children as i32),
        }
    }
}
