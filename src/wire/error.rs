//! Errors of opening and sealing frames.

use crate::binary::{DecodeError, DecodeErrorKind, InflateError};
use crate::frame::FrameError;
use crate::noise::NoiseError;

/// Why a frame could not be opened.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    /// The frame cannot be decrypted. The connection cannot continue.
    #[error(transparent)]
    Noise(#[from] NoiseError),
    /// The frame was decrypted, but its payload is not a stanza. Later frames can still be opened.
    #[error(transparent)]
    Payload(#[from] PayloadError),
}

/// Why a payload is not a stanza.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PayloadError {
    /// The payload cannot be decompressed.
    #[error(transparent)]
    Inflate(#[from] InflateError),
    /// The payload cannot be decoded.
    #[error(transparent)]
    Decode(#[from] DecodeError),
}

impl PayloadError {
    /// The offset of the error in the decompressed payload, in bytes. `None` for a decompression error.
    #[must_use]
    pub const fn offset(&self) -> Option<usize> {
        match self {
            Self::Inflate(_) => None,
            Self::Decode(error) => Some(error.offset),
        }
    }

    /// The same error without text from the payload. Logs and events use it.
    #[must_use]
    pub fn redacted(mut self) -> Self {
        if let Self::Decode(DecodeError {
            kind: DecodeErrorKind::InvalidJidPair { user },
            ..
        }) = &mut self
        {
            *user = "…".to_owned();
        }
        self
    }
}

/// Why a payload could not be sealed. No counter value is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    /// The cipher failed: the counter is exhausted.
    #[error(transparent)]
    Noise(#[from] NoiseError),
    /// The payload is longer than [`MAX_PAYLOAD`](super::MAX_PAYLOAD).
    #[error(transparent)]
    Frame(#[from] FrameError),
}
