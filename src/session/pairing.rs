//! Pairing by QR code, the `pair-success` stanza, and pairing by a code that the user types on the phone.
//!
//! Sources in Baileys 7.0.0-rc14: `companion-reg-client-utils`, `validate-connection`, `socket`, `messages-recv`.

use base64::{
    Engine, alphabet,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig, general_purpose::STANDARD},
};
use prost::Message;
use ring::{aead, hkdf, hmac};
use zeroize::Zeroizing;

use super::{
    Account, CodeKey, Config, Credentials, CredentialsUpdate, Entropy, KeyDerivation, Log, Me, PairingError,
    SignalIdentity,
    credentials::signal_key,
    log,
    nodes::{acknowledgement, bytes_node, child, children, content_bytes, node, text_node},
};
use crate::{
    binary::Node,
    handshake::xeddsa,
    noise::PublicKey,
    proto::{AdvDeviceIdentity, AdvEncryptionType, AdvSignedDeviceIdentity, AdvSignedDeviceIdentityHmac},
    wire::SERVER,
};

/// Prefix of the data that the account signs.
const ACCOUNT_PREFIX: [u8; 2] = [6, 0];
/// The same prefix for a hosted account.
const HOSTED_ACCOUNT_PREFIX: [u8; 2] = [6, 5];
/// Prefix of the data that the device signs.
const DEVICE_PREFIX: [u8; 2] = [6, 1];

/// The alphabet of pairing codes. It has no 0, I, O and U.
const CODE_ALPHABET: &[u8; 32] = b"123456789ABCDEFGHJKLMNPQRSTVWXYZ";
/// Length of a pairing code in characters.
const CODE_LEN: usize = 8;

/// Base64 as Node.js decodes it: padding is optional, and trailing bits are ignored.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// The companion platform number of a browser.
#[must_use]
pub fn companion_platform_id(browser: &[String; 3]) -> u32 {
    let [system, name, _] = browser;
    match (name.as_str(), system.as_str()) {
        ("Desktop", "Windows") => 8,
        ("Desktop", _) => 7,
        ("Chrome", _) => 1,
        ("Edge", _) => 2,
        ("Firefox", _) => 3,
        ("IE", _) => 4,
        ("Opera", _) => 5,
        ("Safari", _) => 6,
        _ => 9,
    }
}

/// The text of the QR code for a reference from the server.
#[must_use]
pub fn qr_text(reference: &str, credentials: &Credentials, config: &Config) -> String {
    format!(
        "https://wa.me/settings/linked_devices#{reference},{},{},{},{}",
        STANDARD.encode(credentials.noise_key.public.as_bytes()),
        STANDARD.encode(credentials.identity_key.public.as_bytes()),
        credentials.adv_secret_key.as_str(),
        companion_platform_id(&config.browser),
    )
}

/// Maximum number of references. The server sends six.
const MAX_REFERENCES: usize = 64;
/// Maximum length of a reference in bytes. The server's references have about a hundred bytes.
const MAX_REFERENCE: usize = 4 * 1024;

/// The references in a `pair-device` stanza. References that are too long for a QR code are omitted.
pub(super) fn qr_references(stanza: &Node, log: Option<&Log>) -> Vec<String> {
    let references = child(stanza, "pair-device")
        .map(|pair| children(pair, "ref"))
        .into_iter()
        .flatten();
    references
        .filter_map(content_bytes)
        .filter(|bytes| {
            let fits = bytes.len() <= MAX_REFERENCE;
            if !fits {
                log!(
                    log,
                    Warn,
                    "a QR reference is too long and is omitted",
                    bytes = bytes.len()
                );
            }
            fits
        })
        .take(MAX_REFERENCES)
        .map(|bytes| String::from_utf8_lossy(bytes).into_owned())
        .collect()
}

/// The result of a valid `pair-success` stanza.
#[derive(Debug)]
pub struct Paired {
    /// The change of credentials.
    pub update: CredentialsUpdate,
    /// The answer, with the signature of the device.
    pub reply: Node,
}

/// Verifies a `pair-success` stanza and signs the device identity. `random` must be fresh random bytes.
///
/// # Errors
/// Fails if a part is missing or malformed, or if a signature or the HMAC is invalid.
pub fn accept_pair_success(
    stanza: &Node,
    credentials: &Credentials,
    random: &[u8; 64],
) -> Result<Paired, PairingError> {
    let success = child(stanza, "pair-success").ok_or(PairingError::Incomplete)?;
    let identity_node = child(success, "device-identity").ok_or(PairingError::Incomplete)?;
    let device = child(success, "device").ok_or(PairingError::Incomplete)?;
    let encoded = content_bytes(identity_node).ok_or(PairingError::Malformed)?;
    let details = authenticated_details(encoded, &credentials.adv_secret_key)?;

    let (account, key_index) = sign_account(&details, credentials, random)?;
    let signature_key = PublicKey::try_from(account.account_signature_key.as_slice())?;
    let name_in = |tag| {
        child(success, tag)
            .and_then(|node| node.attr("name"))
            .map(str::to_owned)
    };
    let lid = device.attr("lid").map(str::to_owned);
    let mut signal_identities = credentials.signal_identities.clone();
    signal_identities.push(SignalIdentity {
        name: lid.clone(),
        device_id: 0,
        identifier_key: signal_key(&signature_key).to_vec(),
    });
    let reply = pair_success_reply(stanza.attr("id").unwrap_or_default(), &account, key_index);
    let update = CredentialsUpdate {
        me: Some(Me {
            id: device.attr("jid").unwrap_or_default().to_owned(),
            lid,
            name: name_in("biz"),
        }),
        account: Some(account),
        signal_identities: Some(signal_identities),
        platform: name_in("platform"),
        ..Default::default()
    };
    Ok(Paired { update, reply })
}

/// Verifies the account's signature and adds the signature of the device. Also returns the key index of the identity.
fn sign_account(details: &[u8], credentials: &Credentials, random: &[u8; 64]) -> Result<(Account, u32), PairingError> {
    let account = AdvSignedDeviceIdentity::decode(details).map_err(|_| PairingError::Malformed)?;
    let identity = AdvDeviceIdentity::decode(account.details()).map_err(|_| PairingError::Malformed)?;
    let signature_key =
        PublicKey::try_from(account.account_signature_key()).map_err(|_| PairingError::AccountSignature)?;
    let own_key = credentials.identity_key.public.as_bytes();
    let prefix = match identity.device_type() {
        AdvEncryptionType::Hosted => HOSTED_ACCOUNT_PREFIX,
        AdvEncryptionType::E2ee => ACCOUNT_PREFIX,
    };
    let signed = [&prefix, account.details(), own_key].concat();
    if !xeddsa::verify(&signature_key, &signed, account.account_signature()) {
        return Err(PairingError::AccountSignature);
    }
    let to_sign = [
        &DEVICE_PREFIX,
        account.details(),
        own_key,
        account.account_signature_key(),
    ]
    .concat();
    let account = Account {
        device_signature: xeddsa::sign(&credentials.identity_key.private, &to_sign, random).to_vec(),
        details: account.details.unwrap_or_default(),
        account_signature_key: account.account_signature_key.unwrap_or_default(),
        account_signature: account.account_signature.unwrap_or_default(),
    };
    Ok((account, identity.key_index()))
}

fn pair_success_reply(id: &str, account: &Account, key_index: u32) -> Node {
    // As in Baileys, the answer has no account signature key, because the phone knows this key.
    let signed = AdvSignedDeviceIdentity {
        details: Some(account.details.clone()),
        account_signature_key: None,
        account_signature: Some(account.account_signature.clone()),
        device_signature: Some(account.device_signature.clone()),
    };
    let identity = Node {
        attrs: vec![("key-index".to_owned(), key_index.to_string())],
        ..bytes_node("device-identity", signed.encode_to_vec())
    };
    let attrs = [("to", SERVER), ("type", "result"), ("id", id)];
    node("iq", &attrs, vec![node("pair-device-sign", &[], vec![identity])])
}

/// Verifies the HMAC of an encoded `ADVSignedDeviceIdentityHMAC`. Returns the encoded `ADVSignedDeviceIdentity`.
fn authenticated_details(encoded: &[u8], secret: &str) -> Result<Vec<u8>, PairingError> {
    let sealed = AdvSignedDeviceIdentityHmac::decode(encoded).map_err(|_| PairingError::Malformed)?;
    let secret = Zeroizing::new(LENIENT.decode(secret).map_err(|_| PairingError::InvalidSecret)?);
    let hosted = sealed.account_type == Some(AdvEncryptionType::Hosted.into());
    let prefix: &[u8] = if hosted { &HOSTED_ACCOUNT_PREFIX } else { &[] };
    let details = sealed.details.unwrap_or_default();
    let key = hmac::Key::new(hmac::HMAC_SHA256, &secret);
    hmac::verify(&key, &[prefix, &details].concat(), &sealed.hmac.unwrap_or_default())
        .map_err(|_| PairingError::Hmac)?;
    Ok(details)
}

/// A pairing code from 5 random bytes. Each character encodes 5 bits.
#[must_use]
pub fn pairing_code(random: &[u8; 5]) -> String {
    let bits = random.iter().fold(0_u64, |bits, byte| bits << 8 | u64::from(*byte));
    let character = |place: usize| CODE_ALPHABET.get((bits >> (35 - 5 * place) & 31) as usize).copied();
    (0..CODE_LEN).filter_map(character).map(char::from).collect()
}

/// Whether a text can be a pairing code: it must have 8 UTF-16 units, as in Baileys.
#[must_use]
pub fn is_pairing_code(code: &str) -> bool {
    code.encode_utf16().count() == CODE_LEN
}

/// The query that asks the phone of `jid` to pair with this device by code.
#[must_use]
pub fn companion_hello(
    id: &str,
    jid: &str,
    key: &CodeKey,
    credentials: &Credentials,
    config: &Config,
    entropy: &mut dyn Entropy,
) -> Node {
    let mut iv = [0; 16];
    entropy.fill(&mut iv);
    let mut sealed = *credentials.pairing_key.public.as_bytes();
    key.apply(&iv, &mut sealed);
    let [system, browser, _] = &config.browser;
    let registration = node(
        "link_code_companion_reg",
        &[
            ("jid", jid),
            ("stage", "companion_hello"),
            ("should_show_push_notification", "true"),
        ],
        vec![
            bytes_node(
                "link_code_pairing_wrapped_companion_ephemeral_pub",
                [&key.salt()[..], &iv[..], &sealed[..]].concat(),
            ),
            bytes_node(
                "companion_server_auth_key_pub",
                credentials.noise_key.public.as_bytes().to_vec(),
            ),
            text_node(
                "companion_platform_id",
                companion_platform_id(&config.browser).to_string(),
            ),
            text_node("companion_platform_display", format!("{browser} ({system})")),
            text_node("link_code_pairing_nonce", "0".to_owned()),
        ],
    );
    set_query(id, registration)
}

/// The result of a phone's answer to a pairing code.
#[derive(Debug)]
pub struct CodeAccepted {
    /// The query that finishes pairing on this device.
    pub query: Node,
    /// The new `adv_secret_key`. The HMAC of `pair-success` is made with it.
    pub update: CredentialsUpdate,
}

/// The phone's answer to a pairing code.
#[derive(Debug)]
pub struct CodeAnswer {
    reference: Vec<u8>,
    primary_identity: PublicKey,
    salt: [u8; 32],
    iv: [u8; 16],
    sealed_ephemeral: [u8; 32],
    /// The stanza that acknowledges the answer.
    pub acknowledgement: Node,
}

impl CodeAnswer {
    /// Reads the phone's `link_code_companion_reg` notification.
    ///
    /// # Errors
    /// Fails if a part is missing or a key is invalid.
    pub fn read(notification: &Node) -> Result<Self, PairingError> {
        let registration = child(notification, "link_code_companion_reg").ok_or(PairingError::IncompleteAnswer)?;
        let part = |tag| {
            child(registration, tag)
                .and_then(content_bytes)
                .ok_or(PairingError::IncompleteAnswer)
        };
        let reference = part("link_code_pairing_ref")?.to_vec();
        let primary_identity = PublicKey::try_from(part("primary_identity_pub")?)?;
        let wrapped = part("link_code_pairing_wrapped_primary_ephemeral_pub")?;
        let (salt, iv, sealed_ephemeral) = split_wrapped(wrapped).ok_or(PairingError::IncompleteAnswer)?;
        Ok(Self {
            reference,
            primary_identity,
            salt,
            iv,
            sealed_ephemeral,
            acknowledgement: acknowledgement(notification),
        })
    }

    /// The derivation of the key that decrypts the answer.
    #[must_use]
    pub fn derivation(&self, code: &str) -> KeyDerivation {
        KeyDerivation::new(code, self.salt)
    }

    /// Whether `key` is the key that decrypts the answer.
    #[must_use]
    pub fn is_for(&self, key: &CodeKey, code: &str) -> bool {
        self.salt == *key.salt() && key.code() == code
    }
}

/// Splits a wrapped key into salt, IV and encrypted key.
fn split_wrapped(wrapped: &[u8]) -> Option<([u8; 32], [u8; 16], [u8; 32])> {
    let (salt, rest) = wrapped.split_first_chunk()?;
    let (iv, rest) = rest.split_first_chunk()?;
    Some((*salt, *iv, *rest.first_chunk()?))
}

/// Decrypts the phone's answer and makes the query that finishes pairing. `id` is the id of this query.
///
/// # Errors
/// Fails if a key is invalid.
pub fn companion_finish(
    id: &str,
    answer: &CodeAnswer,
    key: &CodeKey,
    credentials: &Credentials,
    entropy: &mut dyn Entropy,
) -> Result<CodeAccepted, PairingError> {
    let CodeAnswer {
        reference,
        primary_identity,
        ..
    } = answer;
    let jid = credentials.me.as_ref().map(|me| me.id.as_str()).unwrap_or_default();
    let mut primary_ephemeral = answer.sealed_ephemeral;
    key.apply(&answer.iv, &mut primary_ephemeral);
    let primary_ephemeral = PublicKey::from(primary_ephemeral);
    let shared = credentials.pairing_key.private.shared_secret(&primary_ephemeral)?;
    let (mut random, mut salt, mut iv) = (Zeroizing::new([0; 32]), [0; 32], [0; 12]);
    entropy.fill(random.as_mut_slice());
    entropy.fill(&mut salt);
    entropy.fill(&mut iv);

    let own_identity = credentials.identity_key.public.as_bytes();
    let bundle = Zeroizing::new([own_identity, primary_identity.as_bytes(), random.as_slice()].concat());
    let key = derive(&salt, shared.as_slice(), b"link_code_pairing_key_bundle_encryption_key")?;
    let sealed = seal_gcm(&key, iv, &bundle)?;

    let identity_shared = credentials.identity_key.private.shared_secret(primary_identity)?;
    let secret_input = Zeroizing::new([shared.as_slice(), identity_shared.as_slice(), random.as_slice()].concat());
    let secret = derive(&[], &secret_input, b"adv_secret")?;

    let answer = node(
        "link_code_companion_reg",
        &[("jid", jid), ("stage", "companion_finish")],
        vec![
            bytes_node(
                "link_code_pairing_wrapped_key_bundle",
                [&salt[..], &iv[..], &sealed[..]].concat(),
            ),
            bytes_node("companion_identity_public", own_identity.to_vec()),
            bytes_node("link_code_pairing_ref", reference.clone()),
        ],
    );
    let update = CredentialsUpdate {
        adv_secret_key: Some(Zeroizing::new(STANDARD.encode(secret.as_slice()))),
        ..Default::default()
    };
    Ok(CodeAccepted {
        query: set_query(id, answer),
        update,
    })
}

fn set_query(id: &str, content: Node) -> Node {
    node(
        "iq",
        &[("to", SERVER), ("type", "set"), ("id", id), ("xmlns", "md")],
        vec![content],
    )
}

fn derive(salt: &[u8], input: &[u8], info: &[u8]) -> Result<Zeroizing<[u8; 32]>, PairingError> {
    let mut out = Zeroizing::new([0; 32]);
    hkdf::Salt::new(hkdf::HKDF_SHA256, salt)
        .extract(input)
        .expand(&[info], hkdf::HKDF_SHA256)
        .and_then(|key| key.fill(out.as_mut_slice()))
        .map_err(|_| PairingError::Unavailable("HKDF"))?;
    Ok(out)
}

fn seal_gcm(key: &[u8; 32], iv: [u8; 12], plaintext: &[u8]) -> Result<Vec<u8>, PairingError> {
    let failed = |_| PairingError::Unavailable("AES-GCM");
    let key = aead::LessSafeKey::new(aead::UnboundKey::new(&aead::AES_256_GCM, key).map_err(failed)?);
    let mut sealed = plaintext.to_vec();
    key.seal_in_place_append_tag(aead::Nonce::assume_unique_for_key(iv), aead::Aad::empty(), &mut sealed)
        .map_err(failed)?;
    Ok(sealed)
}
