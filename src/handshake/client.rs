//! The client's side.

use super::{
    CertificateReport, HandshakeError, TrustedRoot,
    certificate::verify_chain,
    messages::{ServerHello, decode_server_hello, encode_client_finish, encode_client_hello},
};
use crate::noise::{Channel, KeyPair, PROTOCOL_XX, PrivateKey, PublicKey, Receiver, Sender};

/// A client's static key pair, as its owner keeps it. The halves are taken as they are; the private one is checked
/// when it is used.
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

/// Goes on from ServerHello: opens it, checks the certificate chain, and gives the client's static public key, sealed,
/// for ClientFinish, whose payload is then to be sealed with the same channel.
///
/// Works through the steps in the order of Baileys' `processHandshake`, so that a failure leaves the channel as it
/// would there.
///
/// # Errors
/// Any [`HandshakeError`] but [`MissingField`](HandshakeError::MissingField). The channel is then of no more use.
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

/// A handshake not yet begun.
#[derive(Debug)]
pub struct Start {
    channel: Channel,
    ephemeral: KeyPair,
}

impl Start {
    /// A handshake with the WhatsApp header that opens the connection, and an ephemeral key pair made for it alone.
    ///
    /// # Errors
    /// [`HandshakeError::Noise`] where the build lacks a primitive.
    pub fn new(header: &[u8], ephemeral: KeyPair) -> Result<Self, HandshakeError> {
        let channel = Channel::new(PROTOCOL_XX, header, ephemeral.public.as_bytes())?;
        Ok(Self { channel, ephemeral })
    }

    /// The ClientHello to send.
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

/// A handshake whose ClientHello is sent.
#[derive(Debug)]
pub struct ExpectServerHello {
    channel: Channel,
    ephemeral: KeyPair,
}

impl ExpectServerHello {
    /// Takes the ServerHello that came, with the client's static key pair and the roots to trust.
    ///
    /// # Errors
    /// Any [`HandshakeError`].
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

/// A handshake whose server has shown itself to be trusted.
#[derive(Debug)]
pub struct Finish {
    pub(super) channel: Channel,
    pub(super) sealed_key: Vec<u8>,
}

impl Finish {
    /// The ClientFinish to send, with `payload` (an encoded ClientPayload) in it, and what seals and opens from then
    /// on.
    ///
    /// # Errors
    /// [`HandshakeError::Noise`] where the payload is too long or the build lacks a primitive.
    pub fn client_finish(mut self, payload: &[u8]) -> Result<(Vec<u8>, Sender, Receiver), HandshakeError> {
        let mut sealed_payload = Vec::new();
        self.channel.encrypt(payload, &mut sealed_payload)?;
        let (sender, receiver) = self.channel.derive_transport()?;
        Ok((encode_client_finish(self.sealed_key, sealed_payload), sender, receiver))
    }
}
