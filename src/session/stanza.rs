//! [`Stanza`].

use crate::{
    binary::{Content, Dialect, EncodeError, Node, NodeHead, NodeSource, Text, TokenId},
    tape::{
        TapeWriter,
        layout::{HEAD_SHIFT, KIND_BYTES, KIND_LIST, KIND_NONE, KIND_TEXT},
    },
};

/// A stanza that came in, as the tape on which it crosses into JavaScript.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stanza {
    ops: Box<[i32]>,
    text: StanzaText,
    bytes: Box<[u8]>,
}

/// The strings of a [`Stanza`] that are not tokens, one after the other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StanzaText {
    /// A byte per character.
    Latin1(Box<[u8]>),
    /// UTF-16.
    Wide(Box<[u16]>),
}

impl Stanza {
    /// What is on the tape.
    pub(super) fn of(tape: &TapeWriter) -> Self {
        let text = match (tape.latin1(), tape.wide()) {
            (None, Some(wide)) => StanzaText::Wide(wide.into()),
            (latin1, _) => StanzaText::Latin1(latin1.unwrap_or_default().into()),
        };
        Self {
            ops: tape.ops().into(),
            text,
            bytes: tape.bytes().into(),
        }
    }

    /// A tape whose text is given as bytes, of UTF-16 units where it is wide.
    pub(super) fn of_parts(ops: &[i32], text: &[u8], is_wide: bool, bytes: &[u8]) -> Self {
        let text = match is_wide {
            false => StanzaText::Latin1(text.into()),
            true => StanzaText::Wide(
                text.as_chunks()
                    .0
                    .iter()
                    .map(|unit| u16::from_ne_bytes(*unit))
                    .collect(),
            ),
        };
        Self {
            ops: ops.into(),
            text,
            bytes: bytes.into(),
        }
    }

    /// The operations.
    #[must_use]
    pub const fn ops(&self) -> &[i32] {
        &self.ops
    }

    /// The text.
    #[must_use]
    pub const fn text(&self) -> &StanzaText {
        &self.text
    }

    /// The content bytes; offsets in the operations count from their start.
    #[must_use]
    pub const fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The bytes of memory that it takes.
    #[must_use]
    pub fn footprint(&self) -> usize {
        let text = match &self.text {
            StanzaText::Latin1(text) => text.len(),
            StanzaText::Wide(text) => 2 * text.len(),
        };
        size_of::<Self>() + 4 * self.ops.len() + text + self.bytes.len()
    }

    /// The stanza as a source of nodes.
    #[must_use]
    pub fn source(&self) -> StanzaReader<'_> {
        StanzaReader {
            ops: &self.ops,
            stanza: self,
            taken: 0,
            buffer: String::new(),
            kind: KIND_NONE,
            shape_ahead: false,
        }
    }

    /// The stanza as an owned node.
    ///
    /// # Errors
    /// Where it cannot be written in `dialect`, which is for certain the one that it was read in.
    pub fn to_node(&self, dialect: Dialect) -> Result<Node, EncodeError> {
        let mut encoded = Vec::new();
        crate::binary::encode(&mut self.source(), dialect, &mut encoded)?;
        Node::decode(&encoded, dialect).map_err(|_| EncodeError::InvalidSource)
    }
}

/// A [`NodeSource`] over a [`Stanza`].
#[derive(Debug)]
pub struct StanzaReader<'a> {
    stanza: &'a Stanza,
    ops: &'a [i32],
    /// Units of the text that were given.
    taken: usize,
    buffer: String,
    kind: i32,
    /// Whether the next operation is the shape of a node's attributes, which is for JavaScript alone.
    shape_ahead: bool,
}

impl StanzaReader<'_> {
    fn op(&mut self) -> Result<i32, EncodeError> {
        let (op, rest) = self.ops.split_first().ok_or(EncodeError::InvalidSource)?;
        self.ops = rest;
        Ok(*op)
    }

    fn length(&mut self) -> Result<usize, EncodeError> {
        usize::try_from(self.op()?).map_err(|_| EncodeError::InvalidSource)
    }

    fn string(&mut self) -> Result<Text<'_>, EncodeError> {
        let op = self.op()?;
        if let Ok(token) = u16::try_from(op) {
            return Ok(Text::Token(TokenId(token)));
        }
        let length = usize::try_from(!op).map_err(|_| EncodeError::InvalidSource)?;
        let units = self.taken..self.taken + length;
        self.taken = units.end;
        self.buffer.clear();
        match &self.stanza.text {
            StanzaText::Latin1(text) => {
                let text = text.get(units).ok_or(EncodeError::InvalidSource)?;
                self.buffer.extend(text.iter().copied().map(char::from));
            }
            StanzaText::Wide(text) => {
                let text = text.get(units).ok_or(EncodeError::InvalidSource)?;
                let characters = char::decode_utf16(text.iter().copied());
                self.buffer
                    .extend(characters.map(|character| character.unwrap_or(char::REPLACEMENT_CHARACTER)));
            }
        }
        Ok(Text::Str(&self.buffer))
    }
}

impl NodeSource for StanzaReader<'_> {
    fn node(&mut self) -> Result<NodeHead<'_>, EncodeError> {
        let head = self.op()?;
        self.kind = head & ((1 << HEAD_SHIFT) - 1);
        let attrs = usize::try_from(head >> HEAD_SHIFT).map_err(|_| EncodeError::InvalidSource)?;
        let has_content = self.kind != KIND_NONE;
        self.shape_ahead = attrs > 0;
        let tag = self.string()?;
        Ok(NodeHead {
            tag,
            attrs,
            has_content,
        })
    }

    fn attr_key(&mut self) -> Result<Text<'_>, EncodeError> {
        if std::mem::take(&mut self.shape_ahead) {
            self.op()?;
        }
        self.string()
    }

    fn attr_value(&mut self) -> Result<Text<'_>, EncodeError> {
        self.string()
    }

    fn content(&mut self) -> Result<Content<'_>, EncodeError> {
        match self.kind {
            KIND_NONE => Ok(Content::None),
            KIND_TEXT => self.string().map(Content::Text),
            KIND_BYTES => {
                let offset = self.length()?;
                let length = self.length()?;
                let bytes = self.stanza.bytes.get(offset..).and_then(|bytes| bytes.get(..length));
                bytes.map(Content::Bytes).ok_or(EncodeError::InvalidSource)
            }
            KIND_LIST => self.length().map(Content::List),
            _ => Err(EncodeError::InvalidSource),
        }
    }
}
