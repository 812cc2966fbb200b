//! The server's side of the handshake. For tests and tools; clients do not use it.

use prost::Message;

use super::{
    HandshakeError,
    messages::{ServerHello, decode_client_finish, decode_client_hello, encode_server_hello},
    xeddsa,
};
use crate::{
    noise::{KeyPair, PROTOCOL_XX, PrivateKey, PublicKey, Receiver, Sender, SymmetricState},
    proto::cert_chain::{NoiseCertificate, noise_certificate::Details},
};

/// Signs a certificate with the issuer's private key. `random` must be fresh random bytes.
#[must_use]
pub fn issue(details: &Details, issuer: &PrivateKey, random: &[u8; 64]) -> NoiseCertificate {
    let details = details.encode_to_vec();
    let signature = xeddsa::sign(issuer, &details, random).to_vec();
    NoiseCertificate {
        details: Some(details),
        signature: Some(signature),
    }
}

/// A server that waits for ClientHello.
#[derive(Debug)]
pub struct ExpectClientHello {
    pub(super) symmetric: SymmetricState,
}

impl ExpectClientHello {
    /// Starts a handshake. `header` is the WhatsApp header of the connection.
    ///
    /// # Errors
    /// Returns no error at present.
    pub fn new(header: &[u8]) -> Result<Self, HandshakeError> {
        let mut symmetric = SymmetricState::new(PROTOCOL_XX);
        symmetric.mix_hash(header);
        Ok(Self { symmetric })
    }

    /// Handles the ClientHello message. `chain` is an encoded CertChain. Returns the ServerHello to send.
    ///
    /// # Errors
    /// Fails if the message is malformed or its key is invalid.
    pub fn client_hello(
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
pub struct ExpectClientFinish {
    symmetric: SymmetricState,
    ephemeral: KeyPair,
}

/// The server's result of a handshake.
#[derive(Debug)]
pub struct Accepted {
    /// The client's static key.
    pub client_static: PublicKey,
    /// The client's encoded ClientPayload.
    pub payload: Vec<u8>,
    /// Encrypts messages to the client.
    pub sender: Sender,
    /// Decrypts messages from the client.
    pub receiver: Receiver,
}

impl ExpectClientFinish {
    /// Handles the ClientFinish message.
    ///
    /// # Errors
    /// Fails if the message is malformed or does not authenticate.
    pub fn client_finish(mut self, message: &[u8]) -> Result<Accepted, HandshakeError> {
        let (sealed_key, sealed_payload) = decode_client_finish(message)?;
        let symmetric = &mut self.symmetric;
        let mut client_static = Vec::new();
        symmetric.decrypt_and_hash(&sealed_key, &mut client_static)?;
        let client_static = PublicKey::try_from(client_static.as_slice())?;
        symmetric.mix_key(self.ephemeral.private.shared_secret(&client_static)?.as_slice());
        let mut payload = Vec::new();
        symmetric.decrypt_and_hash(&sealed_payload, &mut payload)?;
        let (sender, receiver) = symmetric.split_responder()?;
        Ok(Accepted {
            client_static,
            payload,
            sender,
            receiver,
        })
    }
}
