//! [`HandshakeError`].

use crate::noise::NoiseError;

/// Why a handshake failed. Each is final: the connection is to be closed.
///
/// The texts of the certificate errors that Baileys knows are those that its own handler throws.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HandshakeError {
    /// A key was invalid or a message did not authenticate.
    #[error(transparent)]
    Noise(#[from] NoiseError),
    /// A message is not valid protobuf.
    #[error("invalid {message}: {source}")]
    InvalidMessage {
        /// Which one.
        message: &'static str,
        /// What is wrong with it.
        source: prost::DecodeError,
    },
    /// A message lacks a field that the handshake needs.
    #[error("{message} without {field}")]
    MissingField {
        /// Which message.
        message: &'static str,
        /// Which field.
        field: &'static str,
    },
    /// The chain has no leaf, or one without details or signature.
    #[error("invalid noise leaf certificate")]
    InvalidLeaf,
    /// The chain has no intermediate certificate, or one without details or signature.
    #[error("invalid noise intermediate certificate")]
    InvalidIntermediate,
    /// The leaf is not signed with the intermediate certificate's key.
    #[error("noise certificate signature invalid")]
    LeafSignature,
    /// The intermediate certificate is not signed with the root's key.
    #[error("noise intermediate certificate signature invalid")]
    IntermediateSignature,
    /// The intermediate certificate's issuer is not the root's serial.
    #[error("certification match failed")]
    IntermediateIssuer,
    /// The leaf's issuer is not the intermediate certificate's serial. (Baileys does not look at that.)
    #[error("noise leaf certificate names another issuer")]
    LeafIssuer,
    /// The leaf certifies another key than the one the server uses. (Baileys does not look at that.)
    #[error("noise leaf certificate is for another key")]
    LeafKey,
    /// A certificate is expired or not valid yet. (Baileys does not look at that; WhatsApp Web and whatsmeow do.)
    #[error("noise certificate is expired or not valid yet")]
    Validity,
}

impl HandshakeError {
    /// Whether the server could not show that it is trusted: the chain is malformed or does not lead from the trusted
    /// root to the server's key. (Baileys gives these the status code 400.)
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
