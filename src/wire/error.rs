//! Why a frame cannot be opened or sealed.

use crate::binary::{DecodeError, DecodeErrorKind, InflateError};
use crate::frame::FrameError;
use crate::noise::NoiseError;

/// Why a frame did not become a stanza.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    /// It does not decrypt. The connection cannot continue.
    #[error(transparent)]
    Noise(#[from] NoiseError),
    /// It decrypts, but the payload is not a stanza. Later frames can still be opened.
    #[error(transparent)]
    Payload(#[from] PayloadError),
}

/// Why a payload is not a stanza.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PayloadError {
    /// It does not decompress.
    #[error(transparent)]
    Inflate(#[from] InflateError),
    /// It does not decode.
    #[error(transparent)]
    Decode(#[from] DecodeError),
}

impl PayloadError {
    /// The offset in the decompressed payload at which the error was found, in bytes.
    #[must_use]
    pub const fn offset(&self) -> Option<usize> {
        match self {
            Self::Inflate(_) => None,
            Self::Decode(error) => Some(error.offset),
        }
    }

    /// The same error without text from the payload, for logs and events.
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

/// Why a payload did not become a frame. Nothing was sealed: no counter value is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    /// The cipher refuses.
    #[error(transparent)]
    Noise(#[from] NoiseError),
    /// The payload is longer than [`MAX_PAYLOAD`](super::MAX_PAYLOAD).
    #[error(transparent)]
    Frame(#[from] FrameError),
}
