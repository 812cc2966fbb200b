//! [`Channel`].

use super::{NoiseError, Receiver, Sender, SymmetricState};

/// A client's end of a connection, before and after the handshake, with exactly the behaviour of the handler that
/// Baileys 7.0.0-rc14 makes: it begins in the handshake, and [`finish_init`](Self::finish_init) takes it to transport.
#[derive(Debug)]
pub struct Channel {
    symmetric: SymmetricState,
    phase: Phase,
}

#[derive(Debug)]
enum Phase {
    Handshake,
    Transport {
        /// Gone once it was taken.
        sender: Option<Sender>,
        receiver: Receiver,
    },
}

impl Channel {
    /// The handshake before any message, with the WhatsApp header (the prologue) and the own ephemeral public key mixed
    /// into the hash, both as they are.
    ///
    /// # Errors
    /// [`NoiseError::Unavailable`] where the build lacks a primitive.
    pub fn new(protocol_name: &str, header: &[u8], ephemeral_public: &[u8]) -> Result<Self, NoiseError> {
        let mut symmetric = SymmetricState::new(protocol_name);
        symmetric.mix_hash(header);
        symmetric.mix_hash(ephemeral_public);
        Ok(Self {
            symmetric,
            phase: Phase::Handshake,
        })
    }

    /// Whether [`finish_init`](Self::finish_init) succeeded.
    #[must_use]
    pub const fn is_transport(&self) -> bool {
        matches!(self.phase, Phase::Transport { .. })
    }

    /// Appends `plaintext` sealed to `out`; in the handshake also mixes the ciphertext into the hash.
    ///
    /// # Errors
    /// As [`SymmetricState::encrypt_and_hash`] or [`Sender::seal`]; [`NoiseError::SenderTaken`].
    pub fn encrypt(&mut self, plaintext: &[u8], out: &mut Vec<u8>) -> Result<(), NoiseError> {
        match &mut self.phase {
            Phase::Handshake => self.symmetric.encrypt_and_hash(plaintext, out),
            Phase::Transport { sender, .. } => sender.as_mut().ok_or(NoiseError::SenderTaken)?.seal(plaintext, out),
        }
    }

    /// Appends the plaintext of `ciphertext` to `out`; in the handshake also mixes the ciphertext into the hash.
    ///
    /// # Errors
    /// As [`SymmetricState::decrypt_and_hash`] or [`Receiver::open`].
    pub fn decrypt(&mut self, ciphertext: &[u8], out: &mut Vec<u8>) -> Result<(), NoiseError> {
        match &mut self.phase {
            Phase::Handshake => self.symmetric.decrypt_and_hash(ciphertext, out),
            Phase::Transport { receiver, .. } => receiver.open(ciphertext, out),
        }
    }

    /// Mixes `data` into the hash; in transport does nothing.
    pub fn authenticate(&mut self, data: &[u8]) {
        if !self.is_transport() {
            self.symmetric.mix_hash(data);
        }
    }

    /// Mixes `data` into the handshake's keys. In transport that shows only after the next
    /// [`finish_init`](Self::finish_init).
    pub fn mix_into_key(&mut self, data: &[u8]) {
        self.symmetric.mix_key(data);
    }

    /// Goes to transport, with both counters at zero. A second call derives both directions anew, from whatever was
    /// mixed into the key until then.
    ///
    /// # Errors
    /// [`NoiseError::Unavailable`] where the build lacks a primitive; the phase is then as before.
    pub fn finish_init(&mut self) -> Result<(), NoiseError> {
        let (sender, receiver) = self.derive_transport()?;
        self.phase = Phase::Transport {
            sender: Some(sender),
            receiver,
        };
        Ok(())
    }

    /// The two directions that [`finish_init`](Self::finish_init) would go on with, at counter zero, for a caller that
    /// keeps them in different places.
    ///
    /// # Errors
    /// As [`finish_init`](Self::finish_init).
    pub fn derive_transport(&self) -> Result<(Sender, Receiver), NoiseError> {
        self.symmetric.split()
    }

    /// Hands the sending direction over to a caller that seals with it from now on: of a key and its counter there must be
    /// one. `None` in the handshake, and where it was taken before.
    #[must_use]
    pub const fn take_sender(&mut self) -> Option<Sender> {
        match &mut self.phase {
            Phase::Handshake => None,
            Phase::Transport { sender, .. } => sender.take(),
        }
    }

    /// The sending direction, borrowed; `None` in the handshake, and after it was taken.
    #[must_use]
    pub const fn sender_mut(&mut self) -> Option<&mut Sender> {
        match &mut self.phase {
            Phase::Handshake => None,
            Phase::Transport { sender, .. } => sender.as_mut(),
        }
    }

    /// The receiving direction, borrowed; `None` in the handshake.
    #[must_use]
    pub const fn receiver_mut(&mut self) -> Option<&mut Receiver> {
        match &mut self.phase {
            Phase::Handshake => None,
            Phase::Transport { receiver, .. } => Some(receiver),
        }
    }
}
