//! Errors of the core as JavaScript sees them: the messages, `code`s and `statusCode`s that Baileys' own mapping expects.

use super::raw::Failure;
use crate::binary::{DecodeError, EncodeError, InflateError};

impl From<DecodeError> for Failure {
    fn from(error: DecodeError) -> Self {
        Self::Error { message: error.to_string(), code: "" }
    }
}

impl From<EncodeError> for Failure {
    fn from(error: EncodeError) -> Self {
        Self::Error { message: error.to_string(), code: "" }
    }
}

impl From<InflateError> for Failure {
    fn from(error: InflateError) -> Self {
        Self::Error { message: error.to_string(), code: "" }
    }
}
