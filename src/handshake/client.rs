//! The client's side of the handshake.

use super::{
    CertificateReport, HandshakeError, TrustedRoot,
    certificate::verify_chain,
    messages::{ServerHello, decode_server_hello, encode_client_finish, encode_client_hello},
};
use crate::noise::{Channel, KeyPair, PROTOCOL_XX, PrivateKey, PublicKey, Receiver, Sender};

/// A client's static key pair as bytes. The private key is checked at its first use.
#[derive(Clone, Copy)]
pub struct NoiseKey<'a> {
    /// The private key.
    pub private: &'a [u8],
    /// The public key.
    pub public: &'a [u8],
}

impl<'a> From<&'a KeyPair> for NoiseKey<'a> {
    fn from(pair: &'a KeyPair) -> Self {
        Self {
            private: pair.private.as_bytes(),
            public: pair.public.as_bytes(),
        }
    }
}

/// Handles a ServerHello: decrypts it and checks the certificate chain. Returns the client's encrypted static public
/// key for ClientFinish. The payload of ClientFinish must then be encrypted with the same channel.
///
/// The steps have the order of Baileys' `processHandshake`, so that a failure leaves the channel in the same state as
/// in Baileys.
///
/// # Errors
/// Fails with any [`HandshakeError`] except [`MissingField`](HandshakeError::MissingField). The channel cannot be used
/// after that.
pub fn process_server_hello(
    channel: &mut Channel,
    ephemeral_private: &[u8],
    hello: &ServerHello<'_>,
    noise_key: NoiseKey<'_>,
    roots: &[TrustedRoot],
) -> Result<(Vec<u8>, CertificateReport), HandshakeError> {
    channel.authenticate(hello.ephemeral);
    let server_ephemeral = PublicKey::try_from(hello.ephemeral)?;
    let ephemeral = PrivateKey::try_from(ephemeral_private)?;
    channel.mix_into_key(ephemeral.shared_secret(&server_ephemeral)?.as_slice());

    let mut server_static = Vec::new();
    channel.decrypt(hello.static_key, &mut server_static)?;
    let server_static = PublicKey::try_from(server_static.as_slice())?;
    channel.mix_into_key(ephemeral.shared_secret(&server_static)?.as_slice());

    let mut chain = Vec::new();
    channel.decrypt(hello.payload, &mut chain)?;
    let report = verify_chain(&chain, &server_static, roots)?;

    let mut sealed_key = Vec::new();
    channel.encrypt(noise_key.public, &mut sealed_key)?;
    let private = PrivateKey::try_from(noise_key.private)?;
    channel.mix_into_key(private.shared_secret(&server_ephemeral)?.as_slice());
    Ok((sealed_key, report))
}

/// A handshake before its first message.
#[derive(Debug)]
pub struct Start {
    channel: Channel,
    ephemeral: KeyPair,
}

impl Start {
    /// Starts a handshake. `header` is the WhatsApp header of the connection. `ephemeral` must be a new key pair.
    ///
    /// # Errors
    /// Returns no error at present.
    pub fn new(header: &[u8], ephemeral: KeyPair) -> Result<Self, HandshakeError> {
        let channel = Channel::new(PROTOCOL_XX, header, ephemeral.public.as_bytes())?;
        Ok(Self { channel, ephemeral })
    }

    /// The ClientHello message to send.
    #[must_use]
    pub fn client_hello(self) -> (Vec<u8>, ExpectServerHello) {
        let message = encode_client_hello(self.ephemeral.public.as_bytes());
        (
            message,
            ExpectServerHello {
                channel: self.channel,
                ephemeral: self.ephemeral,
            },
        )
    }
}

/// A handshake that waits for ServerHello.
#[derive(Debug)]
pub struct ExpectServerHello {
    channel: Channel,
    ephemeral: KeyPair,
}

impl ExpectServerHello {
    /// Handles the ServerHello message. `noise_key` is the client's static key pair. `roots` are the trusted roots.
    ///
    /// # Errors
    /// Fails with any [`HandshakeError`].
    pub fn server_hello(
        mut self,
        message: &[u8],
        noise_key: &KeyPair,
        roots: &[TrustedRoot],
    ) -> Result<(Finish, CertificateReport), HandshakeError> {
        let hello = decode_server_hello(message)?;
        let private = self.ephemeral.private.as_bytes();
        let (sealed_key, report) =
            process_server_hello(&mut self.channel, private, &hello.fields()?, noise_key.into(), roots)?;
        Ok((
            Finish {
                channel: self.channel,
                sealed_key,
            },
            report,
        ))
    }
}

/// A handshake with a verified server.
#[derive(Debug)]
pub struct Finish {
    pub(super) channel: Channel,
    pub(super) sealed_key: Vec<u8>,
}

impl Finish {
    /// The ClientFinish message to send, with `payload` (an encoded ClientPayload), and the transport directions.
    ///
    /// # Errors
    /// Fails with [`HandshakeError::Noise`] if the payload is too long or a cryptographic function is not available.
    pub fn client_finish(mut self, payload: &[u8]) -> Result<(Vec<u8>, Sender, Receiver), HandshakeError> {
        let mut sealed_payload = Vec::new();
        self.channel.encrypt(payload, &mut sealed_payload)?;
        let (sender, receiver) = self.channel.derive_transport()?;
        Ok((encode_client_finish(self.sealed_key, sealed_payload), sender, receiver))
    }
}
