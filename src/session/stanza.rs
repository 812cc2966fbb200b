//! Defines [`Stanza`].

use std::collections::TryReserveError;

use crate::{
    binary::{Dialect, Node},
    tape::{Tape, TapeReader, Tapes},
};

/// An inbound stanza, stored as the tape that is passed to JavaScript.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stanza {
    /// One tape.
    tapes: Tapes,
}

impl Stanza {
    /// A copy of a tape that was received.
    ///
    /// # Errors
    /// If there is not enough memory. A peer decides how long a tape is.
    pub(super) fn received(tape: Tape<'_>) -> Result<Self, TryReserveError> {
        let mut tapes = Tapes::default();
        tapes.push(tape)?;
        Ok(Self { tapes })
    }

    /// A copy of a tape of a delivered stanza.
    pub(super) fn of(tape: Tape<'_>) -> Self {
        Self {
            tapes: Tapes::from(tape),
        }
    }

    /// The tape.
    #[must_use]
    pub const fn tapes(&self) -> &Tapes {
        &self.tapes
    }

    /// The size in memory, in bytes.
    #[must_use]
    pub fn footprint(&self) -> usize {
        size_of::<Self>() + self.tapes.size()
    }

    /// The stanza as a source of nodes.
    #[must_use]
    pub fn source(&self) -> TapeReader<'_> {
        self.tapes.first().unwrap_or_default().source()
    }

    /// The stanza as an owned node. `dialect` must be the dialect that the stanza was decoded with.
    #[must_use]
    pub fn to_node(&self, dialect: Dialect) -> Node {
        // The tape of a decoded stanza is always a complete node.
        Node::read(&mut self.source(), dialect.dictionary()).unwrap_or_default()
    }
}
