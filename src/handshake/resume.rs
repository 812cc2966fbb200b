//! Resumption with a server of known static key, in one round trip (`Noise_IK_25519_AESGCM_SHA256`). If the server
//! declines, the handshake continues as `Noise_XXfallback_25519_AESGCM_SHA256`.
//!
//! | message | content |
//! | --- | --- |
//! | ClientHello | the client's ephemeral key; encrypted: its static key and its ClientPayload |
//! | ServerHello, accepting | the server's ephemeral key; encrypted: a payload |
//! | ServerHello, declining | the same as in XX; the client then sends ClientFinish |
//!
//! A declined handshake starts again at ServerHello. Its hash starts with the name of the fallback protocol, the
//! prologue and the client's ephemeral key from ClientHello.
//!
//! Source: oxidezap/whatsapp-rust, which follows WhatsApp Web. This project has not observed resumption with WhatsApp's
//! servers. Therefore a session uses XX by default.

use prost::Message;

use super::{
    CertificateReport, Finish, HandshakeError, TrustedRoot,
    certificate::verify_chain,
    client::process_server_hello,
    messages::{decode_server_hello, decode_server_hello_of_resumption},
};
use crate::{
    noise::{Channel, KeyPair, PROTOCOL_IK, PROTOCOL_XX_FALLBACK, PublicKey, Receiver, Sender, SymmetricState},
    proto::{HandshakeMessage, handshake_message::ClientHello},
};

/// A client's handshake that has requested resumption and waits for ServerHello.
#[derive(Debug)]
pub struct ExpectResumption {
    symmetric: SymmetricState,
    header: Vec<u8>,
    ephemeral: KeyPair,
    server_static: PublicKey,
}

/// The server's answer to a request to resume.
#[derive(Debug)]
pub enum Resumption {
    /// The server accepted. If it sent a certificate chain, the chain is verified.
    Resumed {
        /// Encrypts messages to the server.
        sender: Sender,
        /// Decrypts messages from the server.
        receiver: Receiver,
        /// The certificate report. `None` if the server sent no chain.
        report: Option<CertificateReport>,
    },
    /// The server declined, and its certificate chain is verified. ClientFinish must follow.
    Declined {
        /// The next step of the handshake.
        finish: Finish,
        /// The certificate report.
        report: CertificateReport,
    },
}

/// Makes the ClientHello that requests resumption, with `payload` (an encoded ClientPayload).
///
/// # Errors
/// Fails with [`HandshakeError::Noise`] if the server's key is weak, the payload is too long, or a cryptographic
/// function is not available.
pub fn client_hello(
    header: &[u8],
    ephemeral: KeyPair,
    noise_key: &KeyPair,
    server_static: PublicKey,
    payload: &[u8],
) -> Result<(Vec<u8>, ExpectResumption), HandshakeError> {
    let mut symmetric = start(header, &server_static)?;
    symmetric.mix_hash(ephemeral.public.as_bytes());
    symmetric.mix_key(ephemeral.private.shared_secret(&server_static)?.as_slice());
    let mut sealed_key = Vec::new();
    symmetric.encrypt_and_hash(noise_key.public.as_bytes(), &mut sealed_key)?;
    symmetric.mix_key(noise_key.private.shared_secret(&server_static)?.as_slice());
    let mut sealed_payload = Vec::new();
    symmetric.encrypt_and_hash(payload, &mut sealed_payload)?;

    let hello = ClientHello {
        ephemeral: Some(ephemeral.public.as_bytes().to_vec()),
        r#static: Some(sealed_key),
        payload: Some(sealed_payload),
        ..Default::default()
    };
    let message = HandshakeMessage {
        client_hello: Some(hello),
        ..Default::default()
    }
    .encode_to_vec();
    let state = ExpectResumption {
        symmetric,
        header: header.to_vec(),
        ephemeral,
        server_static,
    };
    Ok((message, state))
}

impl ExpectResumption {
    /// Handles the ServerHello message. `noise_key` is the client's static key pair. `roots` are the trusted roots.
    ///
    /// # Errors
    /// Fails with any [`HandshakeError`]. The stored static key of the server must then be discarded.
    pub fn server_hello(
        mut self,
        message: &[u8],
        noise_key: &KeyPair,
        roots: &[TrustedRoot],
    ) -> Result<Resumption, HandshakeError> {
        let hello = decode_server_hello_of_resumption(message)?;
        if hello.declines {
            return self.fall_back(message, noise_key, roots);
        }
        let symmetric = &mut self.symmetric;
        let ephemeral = PublicKey::try_from(hello.ephemeral.as_slice())?;
        symmetric.mix_hash(ephemeral.as_bytes());
        symmetric.mix_key(self.ephemeral.private.shared_secret(&ephemeral)?.as_slice());
        symmetric.mix_key(noise_key.private.shared_secret(&ephemeral)?.as_slice());
        let mut chain = Vec::new();
        symmetric.decrypt_and_hash(&hello.payload, &mut chain)?;
        let report = match chain.is_empty() {
            true => None,
            false => Some(verify_chain(&chain, &self.server_static, roots)?),
        };
        let (sender, receiver) = symmetric.split()?;
        Ok(Resumption::Resumed {
            sender,
            receiver,
            report,
        })
    }

    fn fall_back(
        self,
        message: &[u8],
        noise_key: &KeyPair,
        roots: &[TrustedRoot],
    ) -> Result<Resumption, HandshakeError> {
        let mut channel = Channel::new(PROTOCOL_XX_FALLBACK, &self.header, self.ephemeral.public.as_bytes())?;
        let hello = decode_server_hello(message)?;
        let private = self.ephemeral.private.as_bytes();
        let (sealed_key, report) =
            process_server_hello(&mut channel, private, &hello.fields()?, noise_key.into(), roots)?;
        Ok(Resumption::Declined {
            finish: Finish { channel, sealed_key },
            report,
        })
    }
}

/// The initial state of IK: protocol name, prologue and the server's static key.
fn start(header: &[u8], server_static: &PublicKey) -> Result<SymmetricState, HandshakeError> {
    let mut symmetric = SymmetricState::new(PROTOCOL_IK);
    symmetric.mix_hash(header);
    symmetric.mix_hash(server_static.as_bytes());
    Ok(symmetric)
}
