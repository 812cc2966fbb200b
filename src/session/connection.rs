//! State of one connection.

use std::fmt;

use super::{ConnectionId, HandshakeKind, Millis};
use crate::{
    frame::{FrameDecoder, FrameError, Preamble, encode_frame},
    handshake::{Certificate, CertificateReport, ExpectServerHello, resume::ExpectResumption},
    noise::{PublicKey, Receiver, Sender},
    wire::{SealError, seal_frame},
};

/// A server with checked certificates. A later handshake with it can be resumed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KnownServer {
    /// The result of the certificate check.
    pub report: CertificateReport,
}

impl KnownServer {
    /// A server that an earlier session checked. The arguments are its static key and the result of
    /// [`validity`](Self::validity).
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

    /// The time in which all certificates are valid, as (not before, not after). Seconds since 1970. `None` means no
    /// bound.
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

/// One connection.
pub(super) struct SessionConnection {
    pub(super) id: ConnectionId,
    pub(super) phase: ConnectionPhase,
    pub(super) frames: FrameDecoder,
    /// Bytes to send before the first frame: the routing info and the WhatsApp header.
    preamble: Preamble,
    /// The time when the transport opened.
    pub(super) opened_at: Millis,
    /// Whether the session has already requested to close the transport.
    pub(super) close_sent: bool,
    /// Whether the transport is already closed.
    pub(super) gone: bool,
}

/// The progress of a connection.
pub(super) enum ConnectionPhase {
    /// The transport is opening.
    Opening,
    /// ClientHello is queued.
    Hello(ExpectServerHello),
    /// ClientHello is queued, and requests resumption.
    Resuming(ExpectResumption),
    /// Stanzas can be sent and received.
    Open { sender: Sender, receiver: Receiver },
    /// The handshake failed.
    Broken,
}

impl fmt::Debug for SessionConnection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let phase = match &self.phase {
            ConnectionPhase::Opening => "opening",
            ConnectionPhase::Hello(_) => "hello",
            ConnectionPhase::Resuming(_) => "resuming",
            ConnectionPhase::Open { .. } => "open",
            ConnectionPhase::Broken => "broken",
        };
        f.debug_struct("SessionConnection")
            .field("id", &self.id)
            .field("phase", &phase)
            .finish_non_exhaustive()
    }
}

impl SessionConnection {
    pub(super) fn new(id: ConnectionId, preamble: Preamble) -> Self {
        Self {
            id,
            phase: ConnectionPhase::Opening,
            frames: FrameDecoder::new(),
            preamble,
            opened_at: 0,
            close_sent: false,
            gone: false,
        }
    }

    /// Whether stanzas can be sent and received.
    pub(super) const fn is_open(&self) -> bool {
        matches!(self.phase, ConnectionPhase::Open { .. })
    }

    pub(super) const fn is_resuming(&self) -> bool {
        matches!(self.phase, ConnectionPhase::Resuming(_))
    }

    /// Takes the phase for a handshake step and leaves `Broken`. The caller sets the next phase if the step succeeds.
    pub(super) fn take_phase(&mut self) -> ConnectionPhase {
        std::mem::replace(&mut self.phase, ConnectionPhase::Broken)
    }

    /// Frames a handshake message. Returns one WebSocket message.
    pub(super) fn frame(&mut self, payload: &[u8]) -> Result<Vec<u8>, FrameError> {
        let mut message = Vec::new();
        self.preamble
            .write_before(&mut message, |message| encode_frame(payload, message))?;
        Ok(message)
    }

    /// Seals and frames a payload. Returns one WebSocket message. Returns `None` if the connection is not open.
    pub(super) fn seal(&mut self, payload: &[u8]) -> Option<Result<Vec<u8>, SealError>> {
        let ConnectionPhase::Open { sender, .. } = &mut self.phase else {
            return None;
        };
        let mut message = Vec::new();
        Some(seal_frame(sender, payload, &mut message).map(|()| message))
    }
}

/// The result of a handshake.
pub(super) struct Established {
    pub(super) sender: Sender,
    pub(super) receiver: Receiver,
    pub(super) kind: HandshakeKind,
    pub(super) report: Option<CertificateReport>,
    /// The ClientFinish message. `None` if the handshake was resumed.
    pub(super) finish: Option<Vec<u8>>,
}
