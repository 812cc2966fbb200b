//! Reads a tape as a source of nodes. JavaScript or a [`TapeWriter`](super::TapeWriter) has written the tape.

use super::keys::KEYS;
use crate::abi::{content_kind, op, text};
use crate::binary::{Content, EncodeError, NodeHead, NodeSource, Text, TokenId};

/// The text of a tape with a read position.
#[derive(Debug)]
pub enum TapeText<'a> {
    /// All strings are ASCII. The length of a string in UTF-16 units is its length in bytes.
    Ascii(&'a str),
    /// Each byte is one Latin-1 character.
    Latin1 {
        /// The rest of the text.
        units: &'a [u8],
        /// The current string in UTF-8.
        buffer: String,
    },
    /// UTF-16. Each string is converted on its own: a high surrogate at the end of a string and a low surrogate at the
    /// start of the next string are two invalid characters, not a valid pair.
    Wide {
        /// The rest of the text.
        units: &'a [u16],
        /// The current string in UTF-8.
        buffer: String,
    },
    /// UTF-16 in native byte order.
    WideBytes {
        /// The rest of the text.
        units: &'a [[u8; 2]],
        /// The current string in UTF-8.
        buffer: String,
    },
}

impl<'a> TapeText<'a> {
    /// A text in UTF-16 units.
    #[must_use]
    pub fn wide(units: &'a [u16]) -> Self {
        Self::Wide {
            units,
            buffer: String::new(),
        }
    }

    /// A text in UTF-16 in native byte order.
    #[must_use]
    pub const fn wide_bytes(bytes: &'a [u8]) -> Self {
        Self::WideBytes {
            units: bytes.as_chunks().0,
            buffer: String::new(),
        }
    }

    /// A text with one byte per character.
    #[must_use]
    pub const fn latin1(units: &'a [u8]) -> Self {
        Self::Latin1 {
            units,
            buffer: String::new(),
        }
    }

    fn take(&mut self, length: usize) -> Result<&str, EncodeError> {
        match self {
            Self::Latin1 { units, buffer } => {
                let (taken, rest) = units.split_at_checked(length).ok_or(EncodeError::InvalidSource)?;
                *units = rest;
                buffer.clear();
                buffer.extend(taken.iter().copied().map(char::from));
                Ok(buffer)
            }
            Self::Ascii(text) => {
                let (taken, rest) = text.split_at_checked(length).ok_or(EncodeError::InvalidSource)?;
                *text = rest;
                Ok(taken)
            }
            Self::Wide { units, buffer } => {
                let (taken, rest) = units.split_at_checked(length).ok_or(EncodeError::InvalidSource)?;
                *units = rest;
                Ok(decode_utf16(taken.iter().copied(), buffer))
            }
            Self::WideBytes { units, buffer } => {
                let (taken, rest) = units.split_at_checked(length).ok_or(EncodeError::InvalidSource)?;
                *units = rest;
                Ok(decode_utf16(taken.iter().copied().map(u16::from_ne_bytes), buffer))
            }
        }
    }
}

fn decode_utf16(units: impl Iterator<Item = u16>, buffer: &mut String) -> &str {
    buffer.clear();
    buffer.extend(char::decode_utf16(units).map(|unit| unit.unwrap_or(char::REPLACEMENT_CHARACTER)));
    buffer
}

/// A [`NodeSource`] that reads a tape. The strings of the tape that can be tokens are already token operations, except
/// strings of [`text::LOOKUP_UNITS`] or more units.
#[derive(Debug)]
pub struct TapeReader<'a> {
    ops: &'a [i32],
    text: TapeText<'a>,
    bytes: &'a [u8],
    kind: i32,
    /// Whether a shape precedes the attributes of each node.
    shapes: bool,
    /// Whether the next operation is a shape.
    shape_ahead: bool,
}

impl<'a> TapeReader<'a> {
    /// A reader at the first node of `ops`. The tape has no shapes.
    #[must_use]
    pub fn new(ops: &'a [i32], text: TapeText<'a>, bytes: &'a [u8]) -> Self {
        Self {
            ops,
            text,
            bytes,
            kind: content_kind::NONE,
            shapes: false,
            shape_ahead: false,
        }
    }

    /// A reader for a tape of a [`TapeWriter`](super::TapeWriter), which has shapes.
    #[must_use]
    pub fn decoded(ops: &'a [i32], text: TapeText<'a>, bytes: &'a [u8]) -> Self {
        Self {
            shapes: true,
            ..Self::new(ops, text, bytes)
        }
    }

    fn op(&mut self) -> Result<i32, EncodeError> {
        let (&op, rest) = self.ops.split_first().ok_or(EncodeError::InvalidSource)?;
        self.ops = rest;
        Ok(op)
    }

    fn length(&mut self) -> Result<usize, EncodeError> {
        usize::try_from(self.op()?).map_err(|_| EncodeError::InvalidSource)
    }

    // Inlined like its callers. Otherwise the result for each string is written to memory and read back.
    #[inline(always)]
    fn string(&mut self) -> Result<Text<'_>, EncodeError> {
        let op = self.op()?;
        if op < 0 {
            let length = !op as usize;
            let literal = if length < text::LOOKUP_UNITS {
                Text::Literal
            } else {
                Text::Str
            };
            return self.text.take(length).map(literal);
        }
        match KEYS.get(op.wrapping_sub(op::FIRST_KEY) as usize) {
            Some(key) => Ok(Text::Literal(key)),
            None => u16::try_from(op)
                .map(|id| Text::Token(TokenId(id)))
                .map_err(|_| EncodeError::InvalidSource),
        }
    }
}

impl NodeSource for TapeReader<'_> {
    fn node(&mut self) -> Result<NodeHead<'_>, EncodeError> {
        let head = self.op()?;
        self.kind = head & ((1 << op::HEAD_SHIFT) - 1);
        let attrs = usize::try_from(head >> op::HEAD_SHIFT).map_err(|_| EncodeError::InvalidSource)?;
        let has_content = self.kind != content_kind::NONE;
        self.shape_ahead = self.shapes && attrs > 0;
        let tag = self.string()?;
        Ok(NodeHead {
            tag,
            attrs,
            has_content,
        })
    }

    #[inline(always)]
    fn attr_key(&mut self) -> Result<Text<'_>, EncodeError> {
        if std::mem::take(&mut self.shape_ahead) {
            self.op()?;
        }
        self.string()
    }

    #[inline(always)]
    fn attr_value(&mut self) -> Result<Text<'_>, EncodeError> {
        self.string()
    }

    fn content(&mut self) -> Result<Content<'_>, EncodeError> {
        match self.kind {
            content_kind::NONE => Ok(Content::None),
            content_kind::TEXT => self.string().map(Content::Text),
            content_kind::BYTES => {
                let offset = self.length()?;
                let length = self.length()?;
                let bytes = self.bytes.get(offset..).and_then(|bytes| bytes.get(..length));
                bytes.map(Content::Bytes).ok_or(EncodeError::InvalidSource)
            }
            content_kind::LIST => self.length().map(Content::List),
            _ => Err(EncodeError::InvalidSource),
        }
    }
}
