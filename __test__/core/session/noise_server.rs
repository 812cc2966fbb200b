//! The server's half of the Noise handshake, for tests.

use baileys_native::{
    handshake::{HandshakeError, messages::ServerHello, xeddsa},
    noise::{
        KeyPair, NoiseError, PROTOCOL_IK, PROTOCOL_XX, PROTOCOL_XX_FALLBACK, PrivateKey, PublicKey, Receiver, Sender,
        SymmetricState,
    },
    proto::{
        HandshakeMessage,
        cert_chain::{NoiseCertificate, noise_certificate::Details},
        handshake_message::{self, ClientHello},
    },
};
use prost::Message;

/// Signs a certificate with the issuer's private key. `random` must be fresh random bytes.
pub(crate) fn issue(details: &Details, issuer: &PrivateKey, random: &[u8; 64]) -> NoiseCertificate {
    let details = details.encode_to_vec();
    let signature = xeddsa::sign(issuer, &details, random).to_vec();
    NoiseCertificate {
        details: Some(details),
        signature: Some(signature),
    }
}

/// The transport directions of the responder.
fn split_of_responder(symmetric: &SymmetricState) -> Result<(Sender, Receiver), NoiseError> {
    let (initiator, responder) = symmetric.transport_keys();
    Ok((Sender::new(&responder)?, Receiver::new(&initiator)?))
}

/// A server that waits for ClientHello.
#[derive(Debug)]
pub(crate) struct ExpectClientHello {
    symmetric: SymmetricState,
}

impl ExpectClientHello {
    /// Starts a handshake. `header` is the WhatsApp header of the connection.
    pub(crate) fn new(header: &[u8]) -> Result<Self, HandshakeError> {
        let mut symmetric = SymmetricState::new(PROTOCOL_XX);
        symmetric.mix_hash(header);
        Ok(Self { symmetric })
    }

    /// Handles the ClientHello message. `chain` is an encoded CertChain. Returns the ServerHello to send.
    pub(crate) fn client_hello(
        mut self,
        message: &[u8],
        ephemeral: KeyPair,
        static_key: &KeyPair,
        chain: &[u8],
    ) -> Result<(Vec<u8>, ExpectClientFinish), HandshakeError> {
        let client_ephemeral = decode_client_hello(message)?;
        let symmetric = &mut self.symmetric;
        symmetric.mix_hash(&client_ephemeral);
        let client_ephemeral = PublicKey::try_from(client_ephemeral.as_slice())?;

        let own_ephemeral = ephemeral.public.as_bytes();
        symmetric.mix_hash(own_ephemeral);
        symmetric.mix_key(ephemeral.private.shared_secret(&client_ephemeral)?.as_slice());
        let mut sealed_key = Vec::new();
        symmetric.encrypt_and_hash(static_key.public.as_bytes(), &mut sealed_key)?;
        symmetric.mix_key(static_key.private.shared_secret(&client_ephemeral)?.as_slice());
        let mut sealed_chain = Vec::new();
        symmetric.encrypt_and_hash(chain, &mut sealed_chain)?;

        let hello = ServerHello {
            ephemeral: own_ephemeral,
            static_key: &sealed_key,
            payload: &sealed_chain,
        };
        let message = encode_server_hello(&hello);
        Ok((
            message,
            ExpectClientFinish {
                symmetric: self.symmetric,
                ephemeral,
            },
        ))
    }
}

/// A server that waits for ClientFinish.
#[derive(Debug)]
pub(crate) struct ExpectClientFinish {
    symmetric: SymmetricState,
    ephemeral: KeyPair,
}

/// The server's result of a handshake.
#[derive(Debug)]
pub(crate) struct Accepted {
    /// The client's static key.
    pub(crate) client_static: PublicKey,
    /// The client's encoded ClientPayload.
    pub(crate) payload: Vec<u8>,
    /// Encrypts messages to the client.
    pub(crate) sender: Sender,
    /// Decrypts messages from the client.
    pub(crate) receiver: Receiver,
}

impl ExpectClientFinish {
    /// Handles the ClientFinish message.
    pub(crate) fn client_finish(mut self, message: &[u8]) -> Result<Accepted, HandshakeError> {
        let (sealed_key, sealed_payload) = decode_client_finish(message)?;
        let symmetric = &mut self.symmetric;
        let mut client_static = Vec::new();
        symmetric.decrypt_and_hash(&sealed_key, &mut client_static)?;
        let client_static = PublicKey::try_from(client_static.as_slice())?;
        symmetric.mix_key(self.ephemeral.private.shared_secret(&client_static)?.as_slice());
        let mut payload = Vec::new();
        symmetric.decrypt_and_hash(&sealed_payload, &mut payload)?;
        let (sender, receiver) = split_of_responder(symmetric)?;
        Ok(Accepted {
            client_static,
            payload,
            sender,
            receiver,
        })
    }
}

/// A request to resume.
#[derive(Debug)]
pub(crate) struct Request {
    header: Vec<u8>,
    hello: ClientHello,
}

impl Request {
    /// Decodes a ClientHello that requests resumption. Returns `None` for a ClientHello of XX.
    pub(crate) fn decode(header: &[u8], message: &[u8]) -> Result<Option<Self>, HandshakeError> {
        const NAME: &str = "client hello";
        let hello = field(NAME, "clientHello", decode(NAME, message)?.client_hello)?;
        Ok(hello.r#static.is_some().then(|| Self {
            header: header.to_vec(),
            hello,
        }))
    }

    /// Accepts. `payload` is an encoded CertChain or empty. Returns the ServerHello to send and the result of the
    /// handshake.
    pub(crate) fn accept(
        self,
        ephemeral: &KeyPair,
        static_key: &KeyPair,
        payload: &[u8],
    ) -> Result<(Vec<u8>, Accepted), HandshakeError> {
        let mut symmetric = SymmetricState::new(PROTOCOL_IK);
        symmetric.mix_hash(&self.header);
        symmetric.mix_hash(static_key.public.as_bytes());
        let client_ephemeral = self.hello.ephemeral();
        symmetric.mix_hash(client_ephemeral);
        let client_ephemeral = PublicKey::try_from(client_ephemeral)?;
        symmetric.mix_key(static_key.private.shared_secret(&client_ephemeral)?.as_slice());
        let mut client_static = Vec::new();
        symmetric.decrypt_and_hash(self.hello.r#static(), &mut client_static)?;
        let client_static = PublicKey::try_from(client_static.as_slice())?;
        symmetric.mix_key(static_key.private.shared_secret(&client_static)?.as_slice());
        let mut client_payload = Vec::new();
        symmetric.decrypt_and_hash(self.hello.payload(), &mut client_payload)?;

        symmetric.mix_hash(ephemeral.public.as_bytes());
        symmetric.mix_key(ephemeral.private.shared_secret(&client_ephemeral)?.as_slice());
        symmetric.mix_key(ephemeral.private.shared_secret(&client_static)?.as_slice());
        let mut sealed = Vec::new();
        symmetric.encrypt_and_hash(payload, &mut sealed)?;
        let hello = handshake_message::ServerHello {
            ephemeral: Some(ephemeral.public.as_bytes().to_vec()),
            payload: Some(sealed),
            ..Default::default()
        };
        let message = HandshakeMessage {
            server_hello: Some(hello),
            ..Default::default()
        }
        .encode_to_vec();
        let (sender, receiver) = split_of_responder(&symmetric)?;
        Ok((
            message,
            Accepted {
                client_static,
                payload: client_payload,
                sender,
                receiver,
            },
        ))
    }

    /// Declines. `chain` is an encoded CertChain. Returns the ServerHello to send and the next step of the handshake.
    pub(crate) fn decline(
        self,
        ephemeral: KeyPair,
        static_key: &KeyPair,
        chain: &[u8],
    ) -> Result<(Vec<u8>, ExpectClientFinish), HandshakeError> {
        let mut symmetric = SymmetricState::new(PROTOCOL_XX_FALLBACK);
        symmetric.mix_hash(&self.header);
        let expect = ExpectClientHello { symmetric };
        let message = HandshakeMessage {
            client_hello: Some(self.hello),
            ..Default::default()
        }
        .encode_to_vec();
        expect.client_hello(&message, ephemeral, static_key, chain)
    }
}

/// Decodes a ClientHello. Returns the ephemeral public key.
fn decode_client_hello(message: &[u8]) -> Result<Vec<u8>, HandshakeError> {
    const NAME: &str = "client hello";
    let hello = field(NAME, "clientHello", decode(NAME, message)?.client_hello)?;
    field(NAME, "ephemeral", hello.ephemeral)
}

/// Encodes a ServerHello.
pub(crate) fn encode_server_hello(hello: &ServerHello<'_>) -> Vec<u8> {
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

/// Decodes a ClientFinish. Returns the encrypted static public key and the encrypted payload.
fn decode_client_finish(message: &[u8]) -> Result<(Vec<u8>, Vec<u8>), HandshakeError> {
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
