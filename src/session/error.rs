//! What can be wrong with a command, a query, a login and a pairing.

use crate::{binary::EncodeError, frame::FrameError, noise::NoiseError};

/// Why a stanza was not accepted for sending. It was not sent, and will not be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SendError {
    /// There is no connection that could carry it.
    #[error("Connection Closed")]
    NotConnected,
    /// The queue holds as much as it may; wait for [`Event::Drain`](super::Event::Drain).
    #[error("the outgoing queue is full")]
    Full,
    /// It is not a node that can be written.
    #[error(transparent)]
    Encode(#[from] EncodeError),
    /// It is longer than a frame.
    #[error(transparent)]
    TooLarge(#[from] FrameError),
    /// A query with this id is still unanswered.
    #[error("a query with the id {0} is still unanswered")]
    DuplicateId(String),
    /// So many queries are unanswered that no more are accepted.
    #[error("{0} queries are unanswered")]
    TooManyQueries(usize),
}

impl SendError {
    /// The code in the sense of Baileys' `DisconnectReason`, where Baileys has one for it.
    #[must_use]
    pub const fn code(&self) -> Option<u16> {
        match self {
            Self::NotConnected => Some(super::code::CONNECTION_CLOSED),
            _ => None,
        }
    }
}

/// Why a query has no good answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum QueryError {
    /// The server answered with an error stanza.
    #[error("{text}")]
    Refused {
        /// Its code, where it is a number.
        code: Option<u32>,
        /// Its text; `Unknown error` where it has none, as in Baileys.
        text: String,
    },
    /// No answer came in time. One that comes later is ignored.
    #[error("Timed Out")]
    TimedOut,
    /// The user does not want the answer any longer.
    #[error("Query Cancelled")]
    Cancelled,
    /// The connection ended before the answer came.
    #[error("Connection Closed")]
    Closed {
        /// The [code](super::EndReason::code) of its end.
        code: u16,
    },
}

/// Why there is no login or registration with given credentials.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LoginError {
    /// The account's JID has no `@`, a user that is not a number, or a device that is not one.
    #[error("{0:?} is not the JID of an account")]
    InvalidJid(String),
}

/// Why pairing failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PairingError {
    /// `pair-success` lacks a part.
    #[error("Missing device-identity or device in pair success node")]
    Incomplete,
    /// A part is not the protobuf message it should be, or lacks a field.
    #[error("the device identity is malformed")]
    Malformed,
    /// The secret of the credentials is not base64.
    #[error("the secret of the credentials is not base64")]
    InvalidSecret,
    /// The HMAC is not made with the secret of the QR code.
    #[error("Invalid account signature")]
    Hmac,
    /// The account's signature of the device is wrong.
    #[error("Failed to verify account signature")]
    AccountSignature,
    /// There is no registration under way that a code could be asked for.
    #[error("a pairing code needs an open connection that is not logged in")]
    NotRegistering,
    /// A code of one's own must have 8 characters.
    #[error("Custom pairing code must be exactly 8 chars")]
    InvalidCode,
    /// The phone's answer to a pairing code lacks a part.
    #[error("Invalid buffer")]
    IncompleteAnswer,
    /// A key is wrong.
    #[error(transparent)]
    Key(#[from] NoiseError),
    /// A cryptographic primitive is not available; a defect of the build.
    #[error("{0} failed")]
    Unavailable(&'static str),
    /// The stanza was not accepted for sending.
    #[error(transparent)]
    Send(#[from] SendError),
}
