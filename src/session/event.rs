//! The output of a session.

use super::{
    CredentialsUpdate, EndReason, Me, Millis, PairingError, QueryError, QueryId, SendId, Stanza, Stanzas, StateChange,
};
use crate::wire::PayloadError;

/// Identifies a connection. Reports from an earlier transport are recognized by their id and ignored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ConnectionId(pub u64);

/// A request to the transport. Requests must be executed in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Transmit {
    /// Open a transport.
    Open(ConnectionId),
    /// Send a binary WebSocket message.
    Message(ConnectionId, Vec<u8>),
    /// Send a WebSocket ping.
    Ping(ConnectionId),
    /// Close the transport after all earlier messages are sent.
    Close(ConnectionId),
}

impl Transmit {
    /// Whether the request belongs to this connection.
    pub(super) fn is_of(&self, connection: ConnectionId) -> bool {
        let (Self::Open(id) | Self::Message(id, _) | Self::Ping(id) | Self::Close(id)) = self;
        *id == connection
    }
}

/// An event for the user. Events are delivered in order.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum SessionEvent {
    /// The state has changed.
    State(StateChange),
    /// A reconnection is planned. [`Session::cancel_reconnect`](super::Session::cancel_reconnect) cancels it before
    /// `at`.
    Reconnecting {
        /// Number of this attempt since the last login; the first is 1.
        attempt: u32,
        /// The time of the attempt.
        at: Millis,
        /// Why the last connection ended.
        reason: EndReason,
    },
    /// A reconnection is due and waits for [`Session::confirm_reconnect`](super::Session::confirm_reconnect). Only with
    /// [`Config::confirm_reconnect`](super::Config::confirm_reconnect).
    ReconnectDue,
    /// Show this QR code. It replaces the previous one.
    Qr {
        /// The text of the QR code.
        text: String,
        /// The time when the code expires.
        expires_at: Millis,
    },
    /// The phone accepted the pairing code, but its answer is not usable. The connection continues.
    PairingFailed(PairingError),
    /// The device is paired. The server will then request a new connection.
    Paired(Me),
    /// The credentials have changed. The user must store them.
    Credentials(Box<CredentialsUpdate>),
    /// The server has delivered all stored stanzas.
    Offline {
        /// The number of stored stanzas, as the server reports it.
        count: u64,
    },
    /// At least one stanza. Each matches a watched pattern.
    Stanzas(Stanzas),
    /// A query is settled. Each accepted query is settled exactly once.
    Answer {
        /// The query.
        query: QueryId,
        /// The answer or the error.
        result: Result<Stanza, QueryError>,
    },
    /// A stanza that the session has queued by itself, or the answer to one. Only after
    /// [`Session::report_own_stanzas`](super::Session::report_own_stanzas).
    Own {
        /// Whether it is the answer.
        is_answer: bool,
        /// The stanza, encoded, with the flag byte in front.
        payload: Vec<u8>,
    },
    /// The outgoing queue has room again.
    Drain,
    /// Stanzas that were accepted but not sent before the connection ended. They are not sent later.
    Unsent(Vec<SendId>),
    /// A frame was decrypted, but its payload is not a stanza. The connection continues. The error contains no text
    /// from the payload.
    Malformed(PayloadError),
}

impl SessionEvent {
    /// The number of stanzas in the event. Other events count as one.
    #[must_use]
    pub const fn weight(&self) -> usize {
        match self {
            Self::Stanzas(stanzas) => stanzas.len(),
            _ => 1,
        }
    }

    /// The size in memory that counts for the incoming queue, in bytes. It is given for each event that the server can
    /// cause in any number, and for each event with a text from the server.
    pub(super) fn footprint(&self) -> Option<usize> {
        let owned = match self {
            Self::Stanzas(stanzas) => return Some(stanzas.footprint()),
            Self::Answer { result: Ok(stanza), .. } => return Some(stanza.footprint()),
            Self::Answer {
                result: Err(QueryError::Refused { text, .. }),
                ..
            } => text.len(),
            Self::Own { payload, .. } => payload.len(),
            Self::Credentials(update) => update.footprint(),
            Self::Paired(me) => me.text_len(),
            Self::Qr { text, .. } => text.len(),
            // These have no data of variable length from the server.
            Self::Malformed(_) | Self::Offline { .. } | Self::PairingFailed(_) => 0,
            Self::State(change) => change.reason.as_ref()?.attrs_footprint()?,
            Self::Reconnecting { reason, .. } => reason.attrs_footprint()?,
            Self::Answer { .. } | Self::Drain | Self::Unsent(_) | Self::ReconnectDue => return None,
        };
        Some(size_of::<Self>() + owned)
    }
}
