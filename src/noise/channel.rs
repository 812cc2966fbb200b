//! Defines [`Channel`].

use super::{NoiseError, Receiver, Sender, SymmetricState};

/// The client's noise state of a connection, before and after the handshake. It behaves exactly like the noise handler
/// of Baileys 7.0.0-rc14. It starts in the handshake; [`finish_init`](Self::finish_init) switches to transport.
#[derive(Debug)]
pub struct Channel {
    symmetric: SymmetricState,
    phase: ChannelPhase,
}

#[derive(Debug)]
enum ChannelPhase {
    Handshake,
    Transport {
        /// `None` after [`Channel::take_sender`].
        sender: Option<Sender>,
        receiver: Receiver,
    },
}

impl Channel {
    /// Starts a handshake. `header` is the WhatsApp header, which is the Noise prologue. Both arguments are mixed into
    /// the hash unchanged.
    ///
    /// # Errors
    /// Returns no error at present.
    pub fn new(protocol_name: &str, header: &[u8], ephemeral_public: &[u8]) -> Result<Self, NoiseError> {
        let mut symmetric = SymmetricState::new(protocol_name);
        symmetric.mix_hash(header);
        symmetric.mix_hash(ephemeral_public);
        Ok(Self {
            symmetric,
            phase: ChannelPhase::Handshake,
        })
    }

    /// Whether [`finish_init`](Self::finish_init) succeeded.
    #[must_use]
    pub const fn is_transport(&self) -> bool {
        matches!(self.phase, ChannelPhase::Transport { .. })
    }

    /// Encrypts `plaintext` and appends the ciphertext to `out`. During the handshake, the ciphertext is also mixed
    /// into the hash.
    ///
    /// # Errors
    /// Same errors as [`SymmetricState::encrypt_and_hash`] or [`Sender::seal`]. Fails with [`NoiseError::SenderTaken`]
    /// after [`take_sender`](Self::take_sender).
    pub fn encrypt(&mut self, plaintext: &[u8], out: &mut Vec<u8>) -> Result<(), NoiseError> {
        match &mut self.phase {
            ChannelPhase::Handshake => self.symmetric.encrypt_and_hash(plaintext, out),
            ChannelPhase::Transport { sender, .. } => {
                sender.as_mut().ok_or(NoiseError::SenderTaken)?.seal(plaintext, out)
            }
        }
    }

    /// Decrypts `ciphertext` and appends the plaintext to `out`. During the handshake, the ciphertext is also mixed
    /// into the hash.
    ///
    /// # Errors
    /// Same errors as [`SymmetricState::decrypt_and_hash`] or [`Receiver::open`].
    pub fn decrypt(&mut self, ciphertext: &[u8], out: &mut Vec<u8>) -> Result<(), NoiseError> {
        match &mut self.phase {
            ChannelPhase::Handshake => self.symmetric.decrypt_and_hash(ciphertext, out),
            ChannelPhase::Transport { receiver, .. } => receiver.open(ciphertext, out),
        }
    }

    /// Mixes `data` into the hash. After the handshake, it does nothing.
    pub fn authenticate(&mut self, data: &[u8]) {
        if !self.is_transport() {
            self.symmetric.mix_hash(data);
        }
    }

    /// Mixes `data` into the handshake keys. After the handshake, this only affects the next
    /// [`finish_init`](Self::finish_init).
    pub fn mix_into_key(&mut self, data: &[u8]) {
        self.symmetric.mix_key(data);
    }

    /// Switches to transport, with both counters at zero. A second call derives both keys again, from all data that was
    /// mixed into the key until then.
    ///
    /// # Errors
    /// Fails with [`NoiseError::Unavailable`] if the build has no AES-GCM. The phase is then unchanged.
    pub fn finish_init(&mut self) -> Result<(), NoiseError> {
        let (sender, receiver) = self.derive_transport()?;
        self.phase = ChannelPhase::Transport {
            sender: Some(sender),
            receiver,
        };
        Ok(())
    }

    /// Derives the sender and receiver of [`finish_init`](Self::finish_init), with counter zero, without a change of
    /// phase. For callers that store the two separately.
    ///
    /// # Errors
    /// Same errors as [`finish_init`](Self::finish_init).
    pub fn derive_transport(&self) -> Result<(Sender, Receiver), NoiseError> {
        self.symmetric.split()
    }

    /// Moves the sender to the caller. There must be only one user of a key and its counter. Returns `None` during the
    /// handshake and after an earlier call.
    #[must_use]
    pub const fn take_sender(&mut self) -> Option<Sender> {
        match &mut self.phase {
            ChannelPhase::Handshake => None,
            ChannelPhase::Transport { sender, .. } => sender.take(),
        }
    }

    /// Borrows the sender. Returns `None` during the handshake and after [`take_sender`](Self::take_sender).
    #[must_use]
    pub const fn sender_mut(&mut self) -> Option<&mut Sender> {
        match &mut self.phase {
            ChannelPhase::Handshake => None,
            ChannelPhase::Transport { sender, .. } => sender.as_mut(),
        }
    }

    /// Borrows the receiver. Returns `None` during the handshake.
    #[must_use]
    pub const fn receiver_mut(&mut self) -> Option<&mut Receiver> {
        match &mut self.phase {
            ChannelPhase::Handshake => None,
            ChannelPhase::Transport { receiver, .. } => Some(receiver),
        }
    }
}
