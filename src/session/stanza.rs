//! [`Stanza`].

use crate::{
    binary::{Dialect, Node},
    tape::{TapeReader, TapeText, TapeWriter},
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
    pub fn source(&self) -> TapeReader<'_> {
        let text = match &self.text {
            StanzaText::Latin1(text) => TapeText::latin1(text),
            StanzaText::Wide(text) => TapeText::wide(text),
        };
        TapeReader::decoded(&self.ops, text, &self.bytes)
    }

    /// The stanza as an owned node. `dialect` is the one that it was received in.
    #[must_use]
    pub fn to_node(&self, dialect: Dialect) -> Node {
        // The tape of a decoded stanza is always a whole node.
        Node::read(&mut self.source(), dialect.dictionary()).unwrap_or_default()
    }
}
