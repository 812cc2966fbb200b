//! Defines [`Stanza`].

use crate::{
    binary::{Dialect, Node},
    tape::{TapeReader, TapeText, TapeWriter},
};

/// An inbound stanza, stored as the tape that is passed to JavaScript.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stanza {
    ops: Box<[i32]>,
    text: StanzaText,
    bytes: Box<[u8]>,
}

/// The strings of a [`Stanza`] that are not tokens, concatenated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StanzaText {
    /// Latin-1: one byte per character.
    Latin1(Box<[u8]>),
    /// UTF-16.
    Wide(Box<[u16]>),
}

impl Stanza {
    /// The stanza on a tape.
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

    /// A stanza from the parts of a tape. If `is_wide` is true, `text` has UTF-16 units in native byte order.
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

    /// The operations of the tape.
    #[must_use]
    pub const fn ops(&self) -> &[i32] {
        &self.ops
    }

    /// The text of the tape.
    #[must_use]
    pub const fn text(&self) -> &StanzaText {
        &self.text
    }

    /// The content bytes. Offsets in the operations are relative to the start of this slice.
    #[must_use]
    pub const fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The size in memory, in bytes.
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

    /// The stanza as an owned node. `dialect` must be the dialect that the stanza was decoded with.
    #[must_use]
    pub fn to_node(&self, dialect: Dialect) -> Node {
        // The tape of a decoded stanza is always a complete node.
        Node::read(&mut self.source(), dialect.dictionary()).unwrap_or_default()
    }
}
