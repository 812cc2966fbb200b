//! What comes out of a session.

use super::{
    CredentialsUpdate, EndReason, Me, Millis, PairingError, QueryError, QueryId, SendId, Stanza, Stanzas, StateChange,
};
use crate::wire::PayloadError;

/// Names a connection, so that what a transport that was given up still says cannot be mistaken for the next one's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ConnectionId(pub u64);

/// What the session wants from the transport, in this order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Transmit {
    /// Open a transport.
    Open(ConnectionId),
    /// Send a binary WebSocket message.
    Message(ConnectionId, Vec<u8>),
    /// Send a WebSocket ping.
    Ping(ConnectionId),
    /// Close the transport, once everything before is sent.
    Close(ConnectionId),
}

impl Transmit {
    /// Whether it is for the transport of this connection.
    pub(super) fn is_of(&self, connection: ConnectionId) -> bool {
        let (Self::Open(id) | Self::Message(id, _) | Self::Ping(id) | Self::Close(id)) = self;
        *id == connection
    }
}

/// What the session tells its user, in this order.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Event {
    /// The state has changed.
    State(StateChange),
    /// Another connection will be made. [`Session::veto`](super::Session::veto) until then keeps that from happening.
    Reconnecting {
        /// How many connections in a row this makes without a login.
        attempt: u32,
        /// When.
        at: Millis,
        /// Why the last one ended.
        reason: EndReason,
    },
    /// A QR code is to be shown, in place of the one before.
    Qr {
        /// Its text.
        text: String,
        /// When it expires.
        expires_at: Millis,
    },
    /// A phone has taken the pairing code, but its answer cannot be used. The connection goes on.
    PairingFailed(PairingError),
    /// The device is paired; the server will want a new connection.
    Paired(Me),
    /// Credentials have changed and are to be stored.
    Credentials(Box<CredentialsUpdate>),
    /// The server has delivered what was stored for the device.
    Offline {
        /// The number of stanzas that were.
        count: u64,
    },
    /// Stanzas, at least one, for each of which a pattern is watched.
    Stanzas(Stanzas),
    /// A query is settled. Every query that was accepted is settled exactly once.
    Answer {
        /// Which.
        query: QueryId,
        /// The answer.
        result: Result<Stanza, QueryError>,
    },
    /// The outgoing queue has room again.
    Drain,
    /// Stanzas that were accepted but not sent when the connection ended. They will not be.
    Unsent(Vec<SendId>),
    /// A frame was decrypted, but its payload is not a stanza. The connection continues. The error has no text from the
    /// payload.
    Malformed(PayloadError),
}

impl Event {
    /// How many stanzas it stands for: one, but for several in one event.
    #[must_use]
    pub const fn weight(&self) -> usize {
        match self {
            Self::Stanzas(stanzas) => stanzas.len(),
            _ => 1,
        }
    }

    /// The bytes of memory that count for the incoming queue: of every event that the server can cause at will, or give a
    /// text of any length.
    pub(super) fn footprint(&self) -> Option<usize> {
        let owned = match self {
            Self::Stanzas(stanzas) => return Some(stanzas.footprint()),
            Self::Answer { result: Ok(stanza), .. } => return Some(stanza.footprint()),
            Self::Answer {
                result: Err(QueryError::Refused { text, .. }),
                ..
            } => text.len(),
            Self::Credentials(update) => update.footprint(),
            Self::Paired(me) => me.text_len(),
            Self::Qr { text, .. } => text.len(),
            // What these own is short.
            Self::Malformed(_) | Self::Offline { .. } | Self::PairingFailed(_) => 0,
            Self::State(change) => change.reason.as_ref()?.attrs_footprint()?,
            Self::Reconnecting { reason, .. } => reason.attrs_footprint()?,
            Self::Answer { .. } | Self::Drain | Self::Unsent(_) => return None,
        };
        Some(size_of::<Self>() + owned)
    }
}
