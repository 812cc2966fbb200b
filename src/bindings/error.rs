//! Conversion of errors to JavaScript, with the `message`, `code` and `statusCode` that Baileys expects.

use super::raw::Exception;
use crate::binary::{DecodeError, EncodeError, InflateError};
use crate::dropin::FrameOpenError;
use crate::frame::FrameError;
use crate::handshake::HandshakeError;
use crate::noise::NoiseError;
use crate::wire::{OpenError, PayloadError, SealError};

impl Exception {
    fn error(message: impl ToString, code: &'static str) -> Self {
        Self::Error {
            message: message.to_string(),
            code,
        }
    }
}

impl From<DecodeError> for Exception {
    fn from(error: DecodeError) -> Self {
        Self::error(error, "")
    }
}

impl From<EncodeError> for Exception {
    fn from(error: EncodeError) -> Self {
        Self::error(error, "")
    }
}

impl From<InflateError> for Exception {
    fn from(error: InflateError) -> Self {
        // The codes of Node's zlib and Buffer.
        let code = match &error {
            InflateError::EmptyPayload => {
                return Self::Range {
                    message: "Attempt to access memory outside buffer bounds",
                    code: "ERR_BUFFER_OUT_OF_BOUNDS",
                };
            }
            InflateError::Truncated => "Z_BUF_ERROR",
            InflateError::NeedsDictionary => "Z_NEED_DICT",
            InflateError::BadData { .. } => "Z_DATA_ERROR",
            InflateError::OutOfMemory | InflateError::TooLarge { .. } => "ERR_BUFFER_TOO_LARGE",
        };
        Self::error(error, code)
    }
}

impl From<FrameError> for Exception {
    fn from(error: FrameError) -> Self {
        Self::error(error, "ERR_FRAME")
    }
}

impl From<NoiseError> for Exception {
    fn from(error: NoiseError) -> Self {
        match error {
            // The message of AES-GCM in Node.js, which Baileys throws.
            NoiseError::Decrypt => Self::error("Unsupported state or unable to authenticate data", ""),
            error => Self::error(error, "ERR_NOISE"),
        }
    }
}

impl From<SealError> for Exception {
    fn from(error: SealError) -> Self {
        match error {
            SealError::Noise(error) => error.into(),
            SealError::Frame(error) => error.into(),
        }
    }
}

impl From<OpenError> for Exception {
    fn from(error: OpenError) -> Self {
        match error {
            OpenError::Noise(error) => error.into(),
            OpenError::Payload(PayloadError::Inflate(error)) => error.into(),
            OpenError::Payload(PayloadError::Decode(error)) => error.into(),
        }
    }
}

impl From<HandshakeError> for Exception {
    fn from(error: HandshakeError) -> Self {
        match error {
            HandshakeError::Noise(error) => error.into(),
            error if error.is_certificate() => Self::error(error, "ERR_NOISE_CERTIFICATE"),
            error => Self::error(error, "ERR_NOISE"),
        }
    }
}

impl From<FrameOpenError> for Exception {
    fn from(error: FrameOpenError) -> Self {
        match error {
            FrameOpenError::Stream(error) => error.into(),
            FrameOpenError::Frame(error) => error.into(),
        }
    }
}
