//! Defines [`HandshakeError`].

use crate::noise::NoiseError;

/// Why a handshake failed. After any of these errors, the connection must be closed.
///
/// If Baileys has the same certificate error, the text is the text of Baileys' noise handler.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HandshakeError {
    /// A key is invalid, or a message does not authenticate.
    #[error(transparent)]
    Noise(#[from] NoiseError),
    /// A message is not valid protobuf.
    #[error("invalid {message}: {source}")]
    InvalidMessage {
        /// The name of the message.
        message: &'static str,
        /// The decoding error.
        source: prost::DecodeError,
    },
    /// There is not enough memory to decode a message.
    #[error("out of memory")]
    OutOfMemory,
    /// A message has no value for a required field.
    #[error("invalid {message}: the field {field} is missing")]
    MissingField {
        /// The name of the message.
        message: &'static str,
        /// The name of the field.
        field: &'static str,
    },
    /// The chain has no leaf certificate, or the leaf has no details or no signature.
    #[error("invalid noise leaf certificate")]
    InvalidLeaf,
    /// The chain has no intermediate certificate, or it has no details or no signature.
    #[error("invalid noise intermediate certificate")]
    InvalidIntermediate,
    /// The leaf is not signed by the key of the intermediate certificate.
    #[error("noise certificate signature invalid")]
    LeafSignature,
    /// The intermediate certificate is not signed by a trusted root.
    #[error("noise intermediate certificate signature invalid")]
    IntermediateSignature,
    /// The issuer serial of the intermediate certificate is not the serial of the root.
    #[error("certification match failed")]
    IntermediateIssuer,
    /// The issuer serial of the leaf is not the serial of the intermediate certificate. Baileys does not check this.
    #[error("noise leaf certificate has the wrong issuer")]
    LeafIssuer,
    /// The leaf certifies a key that is not the server's static key. Baileys does not check this.
    #[error("noise leaf certificate does not belong to the server's key")]
    LeafKey,
    /// A certificate is expired or not valid yet. WhatsApp Web and whatsmeow check this; Baileys does not.
    #[error("noise certificate is expired or not valid yet")]
    Validity,
}

impl HandshakeError {
    /// Whether the server is not trusted: the chain is malformed, or it does not certify the server's key with a
    /// trusted root. Baileys uses the status code 400 for these errors.
    #[must_use]
    pub const fn is_certificate(&self) -> bool {
        matches!(
            self,
            Self::InvalidLeaf
                | Self::InvalidIntermediate
                | Self::LeafSignature
                | Self::IntermediateSignature
                | Self::IntermediateIssuer
                | Self::LeafIssuer
                | Self::LeafKey
                | Self::Validity
        )
    }
}
