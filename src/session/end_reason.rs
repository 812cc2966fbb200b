//! Why a connection ended, with the codes that Baileys gives for it.

use super::{LoginError, PairingError, code};
use crate::{
    binary::{Node, NodeContent},
    failure::Failure,
    frame::FrameError,
    handshake::HandshakeError,
    noise::NoiseError,
};

/// The most bytes of a server's word for a reason that are kept; those that are known are short.
const MAX_REASON: usize = 64;

/// Why a connection ended. The texts are Baileys' where it has one.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EndReason {
    /// The user closed it.
    #[error("Connection Closed")]
    Requested,
    /// The user logged the device out.
    #[error("Intentional Logout")]
    LoggedOut,
    /// The transport could not be opened or broke.
    #[error("WebSocket Error ({failure})")]
    Transport {
        /// The transport's error.
        failure: Box<Failure>,
        /// The HTTP status, where a server answered with one instead of opening a WebSocket.
        status: Option<u16>,
    },
    /// The transport was closed by the other side.
    #[error("Connection Terminated")]
    TransportClosed,
    /// The transport did not open, or the server did not answer the handshake, in time.
    #[error("Timed Out")]
    TimedOut,
    /// Nothing came in for the keep-alive interval and its grace.
    #[error("Connection was lost")]
    Silence,
    /// No phone took any of the QR codes.
    #[error("QR refs attempts ended")]
    QrEnded,
    /// `stream:error`.
    #[error("Stream Errored ({reason})")]
    Stream {
        /// The tag of its first child, cut where it is very long, `restart required` for code 515, `unknown` without a
        /// child.
        reason: String,
        /// Its code, or the one that the reason stands for.
        code: u16,
    },
    /// `failure`: the server refuses the login.
    #[error("Connection Failure")]
    Failure {
        /// The reason's code.
        code: u16,
        /// All attributes of the stanza.
        attrs: Vec<(String, String)>,
    },
    /// `xmlstreamend`.
    #[error("Connection Terminated by Server")]
    StreamEnd,
    /// `ib` with `downgrade_webclient`.
    #[error("Multi-device beta not joined")]
    NotMultiDevice,
    /// The handshake failed.
    #[error(transparent)]
    Handshake(#[from] HandshakeError),
    /// The server's part in pairing is wrong.
    #[error(transparent)]
    Pairing(#[from] PairingError),
    /// There is no login with these credentials.
    #[error(transparent)]
    Login(#[from] LoginError),
    /// The peer does not keep to the framing.
    #[error(transparent)]
    Frame(#[from] FrameError),
    /// A frame does not open, or nothing can be sealed any longer.
    #[error(transparent)]
    Noise(#[from] NoiseError),
    /// The driver has failed so often that it gives the session up; it never connects again.
    #[error("The session has failed and cannot go on")]
    Defect,
}

impl EndReason {
    /// The code: a value of Baileys' `DisconnectReason`, or what the server said.
    #[must_use]
    pub fn code(&self) -> u16 {
        match self {
            Self::LoggedOut => code::LOGGED_OUT,
            // As for a certificate of the Noise handshake that is not trusted.
            Self::Transport { failure, .. } if failure.is_permanent => 400,
            Self::Transport { status, .. } => status.filter(|status| *status >= 400).unwrap_or(code::CONNECTION_LOST),
            Self::TimedOut | Self::Silence | Self::QrEnded => code::CONNECTION_LOST,
            Self::Requested
            | Self::TransportClosed
            | Self::StreamEnd
            | Self::Frame(_)
            | Self::Noise(_)
            | Self::Defect => code::CONNECTION_CLOSED,
            Self::Stream { code, .. } | Self::Failure { code, .. } => *code,
            Self::NotMultiDevice => code::MULTIDEVICE_MISMATCH,
            Self::Handshake(error) if error.is_certificate() => 400,
            Self::Handshake(_) | Self::Pairing(_) | Self::Login(_) => code::BAD_SESSION,
        }
    }

    /// The name that JavaScript sees.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Requested => "requested",
            Self::LoggedOut => "loggedOut",
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

    /// Whether the user wanted the end; nothing then connects again.
    #[must_use]
    pub const fn is_intended(&self) -> bool {
        matches!(self, Self::Requested | Self::LoggedOut)
    }

    /// The bytes of memory that the server's attributes take, where it has such.
    pub(super) fn attrs_footprint(&self) -> Option<usize> {
        let Self::Failure { attrs, .. } = self else { return None };
        let texts = attrs.iter().map(|(key, value)| key.len() + value.len());
        Some(size_of_val(attrs.as_slice()) + texts.sum::<usize>())
    }

    /// The reason that a `stream:error` stands for.
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

    /// The reason that a `failure` stands for.
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

/// At most so many bytes of a text, whole characters.
pub(super) fn cut(text: &str, most: usize) -> &str {
    text.split_at(text.floor_char_boundary(most)).0
}
