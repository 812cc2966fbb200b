//! Encoding and decoding of the three handshake messages.

use prost::Message;

use super::HandshakeError;
use crate::memory;
use crate::proto::{
    HandshakeMessage,
    handshake_message::{self, ClientFinish, ClientHello},
};

/// The name of a ServerHello in errors.
const SERVER_HELLO: &str = "server hello";

/// The encoded fields of ServerHello.
#[derive(Clone, Copy, Debug)]
pub struct ServerHello<'a> {
    /// The server's ephemeral public key. It is not encrypted.
    pub ephemeral: &'a [u8],
    /// The server's static public key, encrypted.
    pub static_key: &'a [u8],
    /// The certificate chain, encrypted.
    pub payload: &'a [u8],
}

/// Encodes the ClientHello of an XX handshake. It only has the ephemeral public key.
#[must_use]
pub fn encode_client_hello(ephemeral: &[u8]) -> Vec<u8> {
    let hello = ClientHello {
        ephemeral: Some(ephemeral.to_vec()),
        ..Default::default()
    };
    HandshakeMessage {
        client_hello: Some(hello),
        ..Default::default()
    }
    .encode_to_vec()
}

/// A decoded ServerHello. [`fields`](Self::fields) checks that no field is missing.
#[derive(Debug)]
pub struct DecodedServerHello(handshake_message::ServerHello);

impl DecodedServerHello {
    /// The fields of the message.
    ///
    /// # Errors
    /// Fails with [`HandshakeError::MissingField`] for the first missing field.
    pub fn fields(&self) -> Result<ServerHello<'_>, HandshakeError> {
        Ok(ServerHello {
            ephemeral: field(SERVER_HELLO, "ephemeral", self.0.ephemeral.as_deref())?,
            static_key: field(SERVER_HELLO, "static", self.0.r#static.as_deref())?,
            payload: field(SERVER_HELLO, "payload", self.0.payload.as_deref())?,
        })
    }
}

/// Decodes a ServerHello.
///
/// # Errors
/// Fails with [`HandshakeError::InvalidMessage`] or [`HandshakeError::OutOfMemory`]. Fails with
/// [`HandshakeError::MissingField`] if it is another handshake message.
pub fn decode_server_hello(message: &[u8]) -> Result<DecodedServerHello, HandshakeError> {
    server_hello(message).map(DecodedServerHello)
}

fn server_hello(message: &[u8]) -> Result<handshake_message::ServerHello, HandshakeError> {
    let message: HandshakeMessage = decode(SERVER_HELLO, message)?;
    field(SERVER_HELLO, "serverHello", message.server_hello)
}

/// Encodes a ClientFinish with the encrypted static public key and the encrypted payload.
#[must_use]
pub fn encode_client_finish(static_key: Vec<u8>, payload: Vec<u8>) -> Vec<u8> {
    let finish = ClientFinish {
        r#static: Some(static_key),
        payload: Some(payload),
        ..Default::default()
    };
    HandshakeMessage {
        client_finish: Some(finish),
        ..Default::default()
    }
    .encode_to_vec()
}

/// Decodes a message of a server. `name` is its name in errors.
pub(super) fn decode<M: Message + Default>(name: &'static str, message: &[u8]) -> Result<M, HandshakeError> {
    // prost copies each field twice, and frees the first copy.
    if !memory::is_available(message.len().saturating_mul(2)) {
        return Err(HandshakeError::OutOfMemory);
    }
    M::decode(message).map_err(|source| HandshakeError::InvalidMessage { message: name, source })
}

fn field<T>(message: &'static str, field: &'static str, value: Option<T>) -> Result<T, HandshakeError> {
    value.ok_or(HandshakeError::MissingField { message, field })
}

/// A ServerHello that answers a request to resume.
#[derive(Debug)]
pub(super) struct ResumptionHello {
    /// Whether the server declines. It declines if it sends a static key.
    pub(super) declines: bool,
    /// The server's ephemeral public key.
    pub(super) ephemeral: Vec<u8>,
    /// The encrypted payload.
    pub(super) payload: Vec<u8>,
}

/// Decodes a ServerHello that answers a request to resume.
pub(super) fn decode_server_hello_of_resumption(message: &[u8]) -> Result<ResumptionHello, HandshakeError> {
    let hello = server_hello(message)?;
    Ok(ResumptionHello {
        declines: hello.r#static.is_some(),
        ephemeral: field(SERVER_HELLO, "ephemeral", hello.ephemeral)?,
        payload: field(SERVER_HELLO, "payload", hello.payload)?,
    })
}
