//! Errors of commands, queries, login and pairing.

use crate::{binary::EncodeError, frame::FrameError, noise::NoiseError};

/// Why a stanza was not accepted for sending. It is not sent.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SendError {
    /// There is no open connection.
    #[error("Connection Closed")]
    NotConnected,
    /// The queue has reached its limit. Wait for [`SessionEvent::Drain`](super::SessionEvent::Drain).
    #[error("the outgoing queue is full")]
    Full,
    /// The stanza cannot be encoded.
    #[error(transparent)]
    Encode(#[from] EncodeError),
    /// The stanza is longer than a frame.
    #[error(transparent)]
    TooLarge(#[from] FrameError),
    /// A query with this id is pending.
    #[error("a query with the id {0} is still pending")]
    DuplicateId(String),
    /// The maximum number of queries is pending.
    #[error("too many queries are pending: {0}")]
    TooManyQueries(usize),
}

impl SendError {
    /// The code as in Baileys' `DisconnectReason`. `None` if Baileys has no code for the error.
    #[must_use]
    pub const fn code(&self) -> Option<u16> {
        match self {
            Self::NotConnected => Some(super::code::CONNECTION_CLOSED),
            _ => None,
        }
    }
}

/// Why a query failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum QueryError {
    /// The server answered with an error stanza.
    #[error("{text}")]
    Refused {
        /// The `code` attribute, if it is a number.
        code: Option<u32>,
        /// The `text` attribute. `Unknown error` if it is missing or empty, as in Baileys.
        text: String,
    },
    /// No answer came in time. A later answer is ignored.
    #[error("Timed Out")]
    TimedOut,
    /// The user cancelled the query.
    #[error("Query Cancelled")]
    Cancelled,
    /// The connection ended before the answer came.
    #[error("Connection Closed")]
    Closed {
        /// The [code](super::EndReason::code) of the end reason.
        code: u16,
    },
    /// There is not enough memory to keep the answer.
    #[error("out of memory for the answer")]
    OutOfMemory,
}

/// Why no login payload can be made from the credentials.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LoginError {
    /// The JID of the account is malformed: it has no `@`, or its user or device is not a number.
    #[error("creds.me.id {0:?} is not the JID of an account")]
    InvalidJid(String),
}

/// Why pairing failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PairingError {
    /// A child of `pair-success` is missing.
    #[error("Missing device-identity or device in pair success node")]
    Incomplete,
    /// A part is not the expected protobuf message, or a field is missing.
    #[error("the device identity is malformed")]
    Malformed,
    /// `advSecretKey` of the credentials is not base64.
    #[error("advSecretKey of the credentials is not base64")]
    InvalidSecret,
    /// The HMAC does not match `advSecretKey`.
    #[error("Invalid account signature")]
    Hmac,
    /// The account's signature of the device identity is invalid.
    #[error("Failed to verify account signature")]
    AccountSignature,
    /// No registration is in progress.
    #[error("a pairing code can be requested only on an open connection, before the device is linked")]
    NotRegistering,
    /// The given code does not have 8 characters.
    #[error("Custom pairing code must be exactly 8 chars")]
    InvalidCode,
    /// The phone's answer to a pairing code is incomplete.
    #[error("Invalid buffer")]
    IncompleteAnswer,
    /// A public key is invalid.
    #[error(transparent)]
    Key(#[from] NoiseError),
    /// A cryptographic function is not available. This is a defect of the build.
    #[error("the cryptographic function {0} is not available")]
    Unavailable(&'static str),
    /// The request for a pairing code was not accepted for sending.
    #[error(transparent)]
    Send(#[from] SendError),
}
