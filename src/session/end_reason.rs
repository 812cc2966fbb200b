//! Why a connection ended, and the code that Baileys uses for it.

use super::{LoginError, PairingError, code};
use crate::{
    binary::{Node, NodeContent},
    failure::Failure,
    frame::FrameError,
    handshake::HandshakeError,
    noise::NoiseError,
};

/// Maximum length of a reason text from the server, in bytes. Known texts are shorter.
const MAX_REASON: usize = 64;

/// Why a connection ended. If Baileys has the same reason, the text is the text of Baileys.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EndReason {
    /// The user closed the connection.
    #[error("Connection Closed")]
    Requested,
    /// The user logged the device out.
    #[error("Intentional Logout")]
    LoggedOut,
    /// The lease ended, so the user may no longer hold a connection.
    #[error("Lease ended")]
    LeaseEnded,
    /// The transport could not be opened, or it failed.
    #[error("WebSocket Error ({failure})")]
    Transport {
        /// The transport's error.
        failure: Box<Failure>,
        /// The HTTP status, if the server refused the WebSocket.
        status: Option<u16>,
    },
    /// The server closed the transport.
    #[error("Connection Terminated")]
    TransportClosed,
    /// The transport did not open in time, or the server did not answer the handshake in time.
    #[error("Timed Out")]
    TimedOut,
    /// Nothing was received during the keep-alive interval and its grace.
    #[error("Connection was lost")]
    Silence,
    /// All QR codes expired.
    #[error("QR refs attempts ended")]
    QrEnded,
    /// The server sent `stream:error`.
    #[error("Stream Errored ({reason})")]
    Stream {
        /// The tag of the first child, at most 64 bytes. `restart required` for code 515. `unknown` without a child.
        reason: String,
        /// The `code` attribute. If it is missing: 440 for `conflict`, otherwise 500.
        code: u16,
    },
    /// The server sent `failure`: it refuses the login.
    #[error("Connection Failure")]
    Failure {
        /// The `reason` attribute. If it is missing: 500.
        code: u16,
        /// All attributes of the stanza.
        attrs: Vec<(String, String)>,
    },
    /// The server sent `xmlstreamend`.
    #[error("Connection Terminated by Server")]
    StreamEnd,
    /// The server sent `ib` with `downgrade_webclient`.
    #[error("Multi-device beta not joined")]
    NotMultiDevice,
    /// The handshake failed.
    #[error(transparent)]
    Handshake(#[from] HandshakeError),
    /// The server's pairing data is wrong.
    #[error(transparent)]
    Pairing(#[from] PairingError),
    /// The credentials cannot be used for a login.
    #[error(transparent)]
    Login(#[from] LoginError),
    /// The peer violated the framing.
    #[error(transparent)]
    Frame(#[from] FrameError),
    /// A frame cannot be decrypted, or no more frames can be encrypted.
    #[error(transparent)]
    Noise(#[from] NoiseError),
    /// The driver has failed repeatedly and has stopped the session. The session cannot connect again.
    #[error("The session has stopped after repeated internal errors. Create a new session.")]
    Defect,
}

impl EndReason {
    /// The code: a value of Baileys' `DisconnectReason`, or the code from the server.
    #[must_use]
    pub fn code(&self) -> u16 {
        match self {
            Self::LoggedOut => code::LOGGED_OUT,
            // The same code as for an untrusted certificate in the Noise handshake.
            Self::Transport { failure, .. } if failure.is_permanent => 400,
            Self::Transport { status, .. } => status
                .filter(|status| *status >= 400 && !code::ACCOUNT_STATUSES.contains(status))
                .unwrap_or(code::CONNECTION_LOST),
            Self::TimedOut | Self::Silence | Self::QrEnded => code::CONNECTION_LOST,
            Self::Requested
            | Self::LeaseEnded
            | Self::TransportClosed
            | Self::StreamEnd
            | Self::Frame(_)
            | Self::Noise(_)
            | Self::Handshake(HandshakeError::OutOfMemory | HandshakeError::Noise(NoiseError::OutOfMemory))
            | Self::Defect => code::CONNECTION_CLOSED,
            Self::Stream { code, .. } | Self::Failure { code, .. } => *code,
            Self::NotMultiDevice => code::MULTIDEVICE_MISMATCH,
            Self::Handshake(error) if error.is_certificate() => 400,
            Self::Handshake(_) | Self::Pairing(_) | Self::Login(_) => code::BAD_SESSION,
        }
    }

    /// The name of the reason in JavaScript.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Requested => "requested",
            Self::LoggedOut => "loggedOut",
            Self::LeaseEnded => "leaseEnded",
            Self::Transport { .. } => "transport",
            Self::TransportClosed => "transportClosed",
            Self::TimedOut => "timedOut",
            Self::Silence => "silence",
            Self::QrEnded => "qrEnded",
            Self::Stream { .. } => "stream",
            Self::Failure { .. } => "failure",
            Self::StreamEnd => "streamEnd",
            Self::NotMultiDevice => "notMultiDevice",
            Self::Handshake(_) => "handshake",
            Self::Pairing(_) => "pairing",
            Self::Login(_) => "login",
            Self::Frame(_) => "frame",
            Self::Noise(_) => "noise",
            Self::Defect => "defect",
        }
    }

    /// Whether the user requested the end, or let the lease end. The session then does not reconnect.
    #[must_use]
    pub const fn is_intended(&self) -> bool {
        matches!(self, Self::Requested | Self::LoggedOut | Self::LeaseEnded)
    }

    /// The memory of the server's attributes in bytes. `None` if the reason has no attributes.
    pub(super) fn attrs_footprint(&self) -> Option<usize> {
        let Self::Failure { attrs, .. } = self else { return None };
        let texts = attrs.iter().map(|(key, value)| key.len() + value.len());
        Some(size_of_val(attrs.as_slice()) + texts.sum::<usize>())
    }

    /// The reason for a `stream:error` stanza.
    #[must_use]
    pub fn from_stream_error(stanza: &Node) -> Self {
        let child = match &stanza.content {
            NodeContent::List(children) => children.first().map(|child| child.tag.as_str()),
            _ => None,
        };
        let reason = child.unwrap_or("unknown");
        let implied = if reason == "conflict" {
            code::CONNECTION_REPLACED
        } else {
            code::BAD_SESSION
        };
        let code = number(stanza.attr("code")).unwrap_or(implied);
        let reason = if code == code::RESTART_REQUIRED {
            "restart required"
        } else {
            reason
        };
        Self::Stream {
            reason: cut(reason, MAX_REASON).to_owned(),
            code,
        }
    }

    /// The reason for a `failure` stanza.
    #[must_use]
    pub fn from_failure(stanza: &Node) -> Self {
        let code = number(stanza.attr("reason")).unwrap_or(code::BAD_SESSION);
        Self::Failure {
            code,
            attrs: stanza.attrs.clone(),
        }
    }
}

fn number(text: Option<&str>) -> Option<u16> {
    text?.parse().ok().filter(|number| *number != 0)
}

/// Returns the first characters of a text, at most `most` bytes.
pub(super) fn cut(text: &str, most: usize) -> &str {
    text.split_at(text.floor_char_boundary(most)).0
}
