//! Credentials, in the shape in which Baileys keeps them (`AuthenticationCreds`).

use std::fmt;

use base64::{Engine, engine::general_purpose::STANDARD};
use zeroize::Zeroizing;

use crate::{
    handshake::xeddsa,
    noise::{KeyPair, NoiseError, PrivateKey, PublicKey},
};

/// What makes a device: its keys and, once it is paired, its account. The names in brackets are Baileys'.
#[derive(Clone)]
pub struct Credentials {
    /// The static key of the Noise handshake (`noiseKey`).
    pub noise_key: KeyPair,
    /// The key of pairing by code (`pairingEphemeralKeyPair`).
    pub pairing_key: KeyPair,
    /// The identity key (`signedIdentityKey`).
    pub identity_key: KeyPair,
    /// The signed pre-key (`signedPreKey`).
    pub signed_pre_key: SignedPreKey,
    /// The registration id, 14 bits (`registrationId`).
    pub registration_id: u32,
    /// The secret shared with the phone through the QR code, in base64 (`advSecretKey`).
    pub adv_secret_key: Zeroizing<String>,
    /// The account, once paired or while pairing by code (`me`).
    pub me: Option<Me>,
    /// The device's certified identity (`account`).
    pub account: Option<Account>,
    /// Identities known so far (`signalIdentities`).
    pub signal_identities: Vec<SignalIdentity>,
    /// The phone's platform (`platform`).
    pub platform: Option<String>,
    /// What leads the next connection to the same server (`routingInfo`).
    pub routing_info: Option<Vec<u8>>,
    /// The code under which pairing was asked for (`pairingCode`).
    pub pairing_code: Option<String>,
    /// Whether pairing by code went through (`registered`).
    pub registered: bool,
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials")
            .field("paired", &self.account.is_some())
            .finish_non_exhaustive()
    }
}

/// A pre-key that the identity key has signed.
#[derive(Clone)]
pub struct SignedPreKey {
    /// Its number, 24 bits.
    pub key_id: u32,
    /// The key.
    pub key_pair: KeyPair,
    /// The signature of the public key in Signal's format.
    pub signature: Vec<u8>,
}

impl fmt::Debug for SignedPreKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SignedPreKey")
            .field("key_id", &self.key_id)
            .finish_non_exhaustive()
    }
}

/// The account that a device belongs to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Me {
    /// The device's JID.
    pub id: String,
    /// The account's LID.
    pub lid: Option<String>,
    /// The name of the business or the user.
    pub name: Option<String>,
}

impl Me {
    /// The bytes of its texts.
    pub(super) fn text_len(&self) -> usize {
        let text = |text: &Option<String>| text.as_ref().map_or(0, String::len);
        self.id.len() + text(&self.lid) + text(&self.name)
    }
}

/// A device's identity as the account certified it (`ADVSignedDeviceIdentity`).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Account {
    /// The encoded identity.
    pub details: Vec<u8>,
    /// The account's identity key.
    pub account_signature_key: Vec<u8>,
    /// The account's signature.
    pub account_signature: Vec<u8>,
    /// The device's signature.
    pub device_signature: Vec<u8>,
}

/// A party's identity key, as Signal's stores keep it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignalIdentity {
    /// The party's JID; none where the server named no LID.
    pub name: Option<String>,
    /// Its device.
    pub device_id: u32,
    /// Its key: 33 bytes, the first of them 5.
    pub identifier_key: Vec<u8>,
}

/// A change of credentials: what is not `None` is new, as in Baileys' `creds.update`.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct CredentialsUpdate {
    /// The account.
    pub me: Option<Me>,
    /// The certified identity.
    pub account: Option<Account>,
    /// All identities.
    pub signal_identities: Option<Vec<SignalIdentity>>,
    /// The phone's platform.
    pub platform: Option<String>,
    /// Routing information.
    pub routing_info: Option<Vec<u8>>,
    /// The code under which pairing was asked for.
    pub pairing_code: Option<String>,
    /// The secret, in base64.
    pub adv_secret_key: Option<Zeroizing<String>>,
    /// Whether pairing by code went through.
    pub registered: Option<bool>,
}

impl CredentialsUpdate {
    /// The bytes of memory that it takes.
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

/// The random bytes that [`Credentials::generate`] needs.
pub const CREDENTIALS_ENTROPY: usize = 5 * 32 + 64 + 2;

impl Credentials {
    /// Credentials of a new device, as Baileys' `initAuthCreds` makes them, from fresh random bytes.
    ///
    /// # Errors
    /// Where the build lacks X25519.
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

    /// Whether the next connection registers the device, not being paired with an account.
    #[must_use]
    pub const fn wants_registration(&self) -> bool {
        // Asking for a pairing code names the account before there is one.
        self.me.is_none() || (self.account.is_none() && self.pairing_code.is_some())
    }

    /// Takes a change over.
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

/// A public key in Signal's format: 33 bytes, the first of them 5.
#[must_use]
pub fn signal_key(key: &PublicKey) -> [u8; 33] {
    let mut out = [5; 33];
    let (_, bare) = out.split_at_mut(1);
    bare.copy_from_slice(key.as_bytes());
    out
}
