//! Credentials, with the same content as Baileys' `AuthenticationCreds`.

use std::fmt;

use base64::{Engine, engine::general_purpose::STANDARD};
use zeroize::Zeroizing;

use crate::{
    handshake::xeddsa,
    noise::{KeyPair, NoiseError, PrivateKey, PublicKey},
};

/// The keys of a device and, after pairing, its account. Names in brackets are the names in Baileys.
#[derive(Clone)]
pub struct Credentials {
    /// The static key of the Noise handshake (`noiseKey`).
    pub noise_key: KeyPair,
    /// The ephemeral key for pairing by code (`pairingEphemeralKeyPair`).
    pub pairing_key: KeyPair,
    /// The identity key (`signedIdentityKey`).
    pub identity_key: KeyPair,
    /// The signed pre-key (`signedPreKey`).
    pub signed_pre_key: SignedPreKey,
    /// The registration id, 14 bits (`registrationId`).
    pub registration_id: u32,
    /// The secret that the QR code shares with the phone, in base64 (`advSecretKey`).
    pub adv_secret_key: Zeroizing<String>,
    /// The account (`me`). It is set by pairing and by the request for a pairing code.
    pub me: Option<Me>,
    /// The device identity that the account has signed (`account`).
    pub account: Option<Account>,
    /// Known Signal identities (`signalIdentities`).
    pub signal_identities: Vec<SignalIdentity>,
    /// The phone's platform (`platform`).
    pub platform: Option<String>,
    /// Data from the server that routes the next connection to the same server (`routingInfo`).
    pub routing_info: Option<Vec<u8>>,
    /// The last requested pairing code (`pairingCode`).
    pub pairing_code: Option<String>,
    /// Whether pairing by code has succeeded (`registered`).
    pub registered: bool,
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials")
            .field("paired", &self.account.is_some())
            .finish_non_exhaustive()
    }
}

/// A pre-key with a signature of the identity key.
#[derive(Clone)]
pub struct SignedPreKey {
    /// The number of the key, 24 bits.
    pub key_id: u32,
    /// The key.
    pub key_pair: KeyPair,
    /// The signature of the public key in Signal's format (33 bytes).
    pub signature: Vec<u8>,
}

impl fmt::Debug for SignedPreKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SignedPreKey")
            .field("key_id", &self.key_id)
            .finish_non_exhaustive()
    }
}

/// The account of a device.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Me {
    /// The JID of the device.
    pub id: String,
    /// The LID of the account.
    pub lid: Option<String>,
    /// The name of the business or user.
    pub name: Option<String>,
}

impl Me {
    /// The length of all texts in bytes.
    pub(super) fn text_len(&self) -> usize {
        let text = |text: &Option<String>| text.as_ref().map_or(0, String::len);
        self.id.len() + text(&self.lid) + text(&self.name)
    }
}

/// A device identity that the account has signed (`ADVSignedDeviceIdentity`).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Account {
    /// The encoded `ADVDeviceIdentity`.
    pub details: Vec<u8>,
    /// The identity key of the account.
    pub account_signature_key: Vec<u8>,
    /// The signature of the account.
    pub account_signature: Vec<u8>,
    /// The signature of the device.
    pub device_signature: Vec<u8>,
}

/// The identity key of a user, as stored by Signal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignalIdentity {
    /// The LID of the user. `None` if the server sent no LID.
    pub name: Option<String>,
    /// The device number.
    pub device_id: u32,
    /// The public key: a byte 5 and 32 key bytes.
    pub identifier_key: Vec<u8>,
}

/// A change of credentials, as in Baileys' `creds.update`. A field that is `None` does not change.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct CredentialsUpdate {
    /// New value of [`Credentials::me`].
    pub me: Option<Me>,
    /// New value of [`Credentials::account`].
    pub account: Option<Account>,
    /// New value of [`Credentials::signal_identities`]. It has the old identities too.
    pub signal_identities: Option<Vec<SignalIdentity>>,
    /// New value of [`Credentials::platform`].
    pub platform: Option<String>,
    /// New value of [`Credentials::routing_info`].
    pub routing_info: Option<Vec<u8>>,
    /// New value of [`Credentials::pairing_code`].
    pub pairing_code: Option<String>,
    /// New value of [`Credentials::adv_secret_key`].
    pub adv_secret_key: Option<Zeroizing<String>>,
    /// New value of [`Credentials::registered`].
    pub registered: Option<bool>,
}

impl CredentialsUpdate {
    /// The size in memory, in bytes.
    pub(super) fn footprint(&self) -> usize {
        let text = |text: &Option<String>| text.as_ref().map_or(0, String::len);
        let account = self.account.as_ref().map_or(0, |account| {
            account.details.len()
                + account.account_signature_key.len()
                + account.account_signature.len()
                + account.device_signature.len()
        });
        let identities = self
            .signal_identities
            .iter()
            .flatten()
            .map(|identity| size_of::<SignalIdentity>() + text(&identity.name) + identity.identifier_key.len());
        size_of::<Self>()
            + self.me.as_ref().map_or(0, Me::text_len)
            + account
            + identities.sum::<usize>()
            + text(&self.platform)
            + self.routing_info.as_ref().map_or(0, Vec::len)
            + text(&self.pairing_code)
            + self.adv_secret_key.as_ref().map_or(0, |secret| secret.len())
    }
}

impl fmt::Debug for CredentialsUpdate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CredentialsUpdate")
            .field("me", &self.me.is_some())
            .field("account", &self.account.is_some())
            .field("routing_info", &self.routing_info.is_some())
            .field("pairing_code", &self.pairing_code.is_some())
            .field("registered", &self.registered)
            .finish_non_exhaustive()
    }
}

/// Number of random bytes for [`Credentials::generate`].
pub const CREDENTIALS_ENTROPY: usize = 5 * 32 + 64 + 2;

impl Credentials {
    /// Creates the credentials of a new device from fresh random bytes. The content is that of Baileys'
    /// `initAuthCreds`.
    ///
    /// # Errors
    /// Fails if X25519 is not available.
    pub fn generate(random: &[u8; CREDENTIALS_ENTROPY]) -> Result<Self, NoiseError> {
        let (keys, rest) = random.as_chunks::<32>();
        let seed = |place: usize| Zeroizing::new(keys.get(place).copied().unwrap_or_default());
        let pair = |place| KeyPair::from_private(PrivateKey::from(*seed(place)));
        let mut signing = Zeroizing::new([0; 64]);
        let (left, right) = signing.split_at_mut(32);
        left.copy_from_slice(seed(5).as_slice());
        right.copy_from_slice(seed(6).as_slice());

        let identity_key = pair(2)?;
        let pre_key = pair(3)?;
        let signature = xeddsa::sign(&identity_key.private, &signal_key(&pre_key.public), &signing).to_vec();
        let id = rest.first_chunk().map_or(0, |bytes| u16::from_le_bytes(*bytes));
        Ok(Self {
            noise_key: pair(0)?,
            pairing_key: pair(1)?,
            identity_key,
            signed_pre_key: SignedPreKey {
                key_id: 1,
                key_pair: pre_key,
                signature,
            },
            registration_id: u32::from(id & 16383),
            adv_secret_key: Zeroizing::new(STANDARD.encode(seed(4).as_slice())),
            me: None,
            account: None,
            signal_identities: Vec::new(),
            platform: None,
            routing_info: None,
            pairing_code: None,
            registered: false,
        })
    }

    /// Whether the next connection registers the device. A connection of a paired device logs in.
    #[must_use]
    pub const fn wants_registration(&self) -> bool {
        // A request for a pairing code sets `me` before there is an account.
        self.me.is_none() || (self.account.is_none() && self.pairing_code.is_some())
    }

    /// Applies a change.
    pub fn apply(&mut self, update: &CredentialsUpdate) {
        let update = update.clone();
        if update.me.is_some() {
            self.me = update.me;
        }
        if update.account.is_some() {
            self.account = update.account;
        }
        if let Some(identities) = update.signal_identities {
            self.signal_identities = identities;
        }
        if update.platform.is_some() {
            self.platform = update.platform;
        }
        if update.routing_info.is_some() {
            self.routing_info = update.routing_info;
        }
        if update.pairing_code.is_some() {
            self.pairing_code = update.pairing_code;
        }
        if let Some(secret) = update.adv_secret_key {
            self.adv_secret_key = secret;
        }
        if let Some(registered) = update.registered {
            self.registered = registered;
        }
    }
}

/// A public key in Signal's format: a byte 5 and 32 key bytes.
#[must_use]
pub fn signal_key(key: &PublicKey) -> [u8; 33] {
    let mut out = [5; 33];
    let (_, bare) = out.split_at_mut(1);
    bare.copy_from_slice(key.as_bytes());
    out
}
