//! What lives as long as one connection.

use std::fmt;

use super::{ConnectionId, HandshakeKind, Millis};
use crate::{
    frame::{FrameDecoder, FrameError, Intro, encode_frame},
    handshake::{Certificate, CertificateReport, ExpectServerHello, resume::ExpectResumption},
    noise::{PublicKey, Receiver, Sender},
    wire::{SealError, seal_frame},
};

/// A server whose certificates were checked, so that a handshake with it can be resumed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KnownServer {
    /// Its certificates.
    pub report: CertificateReport,
}

impl KnownServer {
    /// A server whose certificates were checked by an earlier session: its static key, and the time in which they are valid,
    /// as [`validity`](Self::validity) gives it.
    #[must_use]
    pub const fn restore(server_static: PublicKey, (not_before, not_after): (Option<u64>, Option<u64>)) -> Self {
        let certificate = Certificate {
            serial: 0,
            not_before,
            not_after,
        };
        Self {
            report: CertificateReport {
                server_static,
                leaf: certificate,
                intermediate: certificate,
            },
        }
    }

    /// From when on and until when all its certificates are valid, in seconds since 1970, where they say.
    #[must_use]
    pub fn validity(&self) -> (Option<u64>, Option<u64>) {
        let CertificateReport { leaf, intermediate, .. } = &self.report;
        let ends = [leaf.not_after, intermediate.not_after];
        (
            leaf.not_before.max(intermediate.not_before),
            ends.into_iter().flatten().min(),
        )
    }
}

/// A connection.
pub(super) struct Connection {
    pub(super) id: ConnectionId,
    pub(super) phase: Phase,
    pub(super) frames: FrameDecoder,
    /// What goes before the first frame.
    intro: Intro,
    /// When the transport opened.
    pub(super) opened_at: Millis,
    /// Whether the transport is to be closed already.
    pub(super) close_sent: bool,
    /// Whether the transport is closed already.
    pub(super) gone: bool,
}

/// How far a connection has come.
pub(super) enum Phase {
    /// The transport is opening.
    Opening,
    /// ClientHello is sent.
    Hello(ExpectServerHello),
    /// ClientHello is sent, and asks to resume.
    Resuming(ExpectResumption),
    /// Stanzas can be sent and received.
    Open { sender: Sender, receiver: Receiver },
    /// The handshake failed.
    Broken,
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let phase = match &self.phase {
            Phase::Opening => "opening",
            Phase::Hello(_) => "hello",
            Phase::Resuming(_) => "resuming",
            Phase::Open { .. } => "open",
            Phase::Broken => "broken",
        };
        f.debug_struct("Connection")
            .field("id", &self.id)
            .field("phase", &phase)
            .finish_non_exhaustive()
    }
}

impl Connection {
    pub(super) fn new(id: ConnectionId, intro: Intro) -> Self {
        Self {
            id,
            phase: Phase::Opening,
            frames: FrameDecoder::new(),
            intro,
            opened_at: 0,
            close_sent: false,
            gone: false,
        }
    }

    /// Whether stanzas can be sent and received.
    pub(super) const fn is_open(&self) -> bool {
        matches!(self.phase, Phase::Open { .. })
    }

    pub(super) const fn is_resuming(&self) -> bool {
        matches!(self.phase, Phase::Resuming(_))
    }

    /// Takes the phase for a step of the handshake, which leaves another one behind unless it fails.
    pub(super) fn take_phase(&mut self) -> Phase {
        std::mem::replace(&mut self.phase, Phase::Broken)
    }

    /// A handshake message as a WebSocket message.
    pub(super) fn frame(&mut self, payload: &[u8]) -> Result<Vec<u8>, FrameError> {
        let mut message = Vec::new();
        self.intro
            .write_before(&mut message, |message| encode_frame(payload, message))?;
        Ok(message)
    }

    /// A payload sealed, as a WebSocket message; `None` unless the connection is open.
    pub(super) fn seal(&mut self, payload: &[u8]) -> Option<Result<Vec<u8>, SealError>> {
        let Phase::Open { sender, .. } = &mut self.phase else {
            return None;
        };
        let mut message = Vec::new();
        Some(seal_frame(sender, payload, &mut message).map(|()| message))
    }
}

/// What a handshake came to.
pub(super) struct Established {
    pub(super) sender: Sender,
    pub(super) receiver: Receiver,
    pub(super) kind: HandshakeKind,
    pub(super) report: Option<CertificateReport>,
    /// ClientFinish, where the handshake needs one.
    pub(super) finish: Option<Vec<u8>>,
}
