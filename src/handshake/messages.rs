//! The three handshake messages, between protobuf and plain fields.

use prost::Message;

use super::HandshakeError;
use crate::proto::{
    HandshakeMessage,
    handshake_message::{self, ClientFinish, ClientHello},
};

/// What ServerHello carries, as it is on the wire.
#[derive(Clone, Copy, Debug)]
pub struct ServerHello<'a> {
    /// The server's ephemeral public key, in the clear.
    pub ephemeral: &'a [u8],
    /// The server's static public key, sealed.
    pub static_key: &'a [u8],
    /// The certificate chain, sealed.
    pub payload: &'a [u8],
}

/// ClientHello of an XX handshake: the ephemeral public key alone.
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

/// The ephemeral public key in a ClientHello.
///
/// # Errors
/// [`HandshakeError::InvalidMessage`] and [`HandshakeError::MissingField`].
pub fn decode_client_hello(message: &[u8]) -> Result<Vec<u8>, HandshakeError> {
    const NAME: &str = "client hello";
    let hello = field(NAME, "clientHello", decode(NAME, message)?.client_hello)?;
    field(NAME, "ephemeral", hello.ephemeral)
}

/// ServerHello.
#[must_use]
pub fn encode_server_hello(hello: &ServerHello<'_>) -> Vec<u8> {
    let hello = handshake_message::ServerHello {
        ephemeral: Some(hello.ephemeral.to_vec()),
        r#static: Some(hello.static_key.to_vec()),
        payload: Some(hello.payload.to_vec()),
        ..Default::default()
    };
    HandshakeMessage {
        server_hello: Some(hello),
        ..Default::default()
    }
    .encode_to_vec()
}

/// ServerHello, decoded; [`fields`](Self::fields) checks that all of it is there.
#[derive(Debug)]
pub struct DecodedServerHello(handshake_message::ServerHello);

impl DecodedServerHello {
    /// The fields of the message.
    ///
    /// # Errors
    /// [`HandshakeError::MissingField`] for the first that is not there.
    pub fn fields(&self) -> Result<ServerHello<'_>, HandshakeError> {
        const NAME: &str = "server hello";
        Ok(ServerHello {
            ephemeral: field(NAME, "ephemeral", self.0.ephemeral.as_deref())?,
            static_key: field(NAME, "static", self.0.r#static.as_deref())?,
            payload: field(NAME, "payload", self.0.payload.as_deref())?,
        })
    }
}

/// Decodes a ServerHello.
///
/// # Errors
/// [`HandshakeError::InvalidMessage`] and, where it is another handshake message, [`HandshakeError::MissingField`].
pub fn decode_server_hello(message: &[u8]) -> Result<DecodedServerHello, HandshakeError> {
    const NAME: &str = "server hello";
    field(NAME, "serverHello", decode(NAME, message)?.server_hello).map(DecodedServerHello)
}

/// ClientFinish: the static public key and the payload, both sealed.
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

/// The sealed static public key and the sealed payload in a ClientFinish.
///
/// # Errors
/// [`HandshakeError::InvalidMessage`] and [`HandshakeError::MissingField`].
pub fn decode_client_finish(message: &[u8]) -> Result<(Vec<u8>, Vec<u8>), HandshakeError> {
    const NAME: &str = "client finish";
    let finish = field(NAME, "clientFinish", decode(NAME, message)?.client_finish)?;
    Ok((
        field(NAME, "static", finish.r#static)?,
        field(NAME, "payload", finish.payload)?,
    ))
}

fn decode(name: &'static str, message: &[u8]) -> Result<HandshakeMessage, HandshakeError> {
    HandshakeMessage::decode(message).map_err(|source| HandshakeError::InvalidMessage { message: name, source })
}

fn field<T>(message: &'static str, field: &'static str, value: Option<T>) -> Result<T, HandshakeError> {
    value.ok_or(HandshakeError::MissingField { message, field })
}

/// A ServerHello in answer to a wish to resume.
#[derive(Debug)]
pub(super) struct ResumptionHello {
    /// Whether it carries a static key, and so declines.
    pub(super) declines: bool,
    /// The server's ephemeral public key.
    pub(super) ephemeral: Vec<u8>,
    /// The sealed payload.
    pub(super) payload: Vec<u8>,
}

/// Decodes a ServerHello in answer to a wish to resume.
pub(super) fn decode_server_hello_of_resumption(message: &[u8]) -> Result<ResumptionHello, HandshakeError> {
    const NAME: &str = "server hello";
    let hello = field(NAME, "serverHello", decode(NAME, message)?.server_hello)?;
    Ok(ResumptionHello {
        declines: hello.r#static.is_some(),
        ephemeral: field(NAME, "ephemeral", hello.ephemeral)?,
        payload: field(NAME, "payload", hello.payload)?,
    })
}
