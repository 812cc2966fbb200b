//! Conversion of session options from JavaScript.

use std::num::NonZero;

use napi::bindgen_prelude::Buffer;
use napi::{Error, Result};
use napi_derive::napi;
use zeroize::Zeroizing;

use crate::handshake::TrustedRoot;
use crate::noise::{KeyPair, PrivateKey};
use crate::session::{
    Account, Config, Credentials, KnownServer, Me, Millis, Pattern, QueueLimits, ReconnectClass, ReconnectConfig,
    SignalIdentity, SignedPreKey,
};

// Each Buffer is a copy that JavaScript has made (js/session/options.cjs): no other thread can write to it.

/// Options of a session. A missing option has the default of the core. Times are in milliseconds.
#[napi(object)]
pub struct SessionOptions {
    /// The credentials of the device.
    pub credentials: SessionCredentials,
    /// Trusted root keys for the server's certificate chain, 32 bytes each.
    pub roots: Buffer,
    /// The WhatsApp Web version.
    pub version: Option<Vec<u32>>,
    /// Operating system, browser name and browser version.
    pub browser: Option<Vec<String>>,
    pub country_code: Option<String>,
    pub push_name: Option<String>,
    pub sync_full_history: Option<bool>,
    /// Whether to resume with a known server.
    pub resume: Option<bool>,
    /// The server of an earlier session.
    pub known_server: Option<SessionServer>,
    pub connect_timeout: Option<f64>,
    pub close_timeout: Option<f64>,
    pub keep_alive_interval: Option<f64>,
    pub keep_alive_grace: Option<f64>,
    /// 0 sends no pings.
    pub socket_ping_interval: Option<f64>,
    /// 0 means no time limit.
    pub query_timeout: Option<f64>,
    pub max_queries: Option<u32>,
    pub first_qr_timeout: Option<f64>,
    pub qr_timeout: Option<f64>,
    pub activate: Option<bool>,
    /// 0 requests no stored stanzas.
    pub offline_batch: Option<u32>,
    pub outgoing: Option<SessionBounds>,
    pub incoming: Option<SessionBounds>,
    /// Whether to reconnect.
    pub reconnect: bool,
    pub reconnect_base: Option<f64>,
    pub reconnect_max: Option<f64>,
    pub reconnect_attempts: Option<u32>,
    /// Reconnection classes of single codes.
    pub reconnect_classes: Vec<SessionClass>,
    /// The lowest level that the user's logger accepts: `trace`, `debug`, `info`, `warn`, `error` or `off`.
    pub log_level: String,
}

/// A server to resume with.
#[napi(object)]
pub struct SessionServer {
    /// The static key of the server, 32 bytes.
    pub key: Buffer,
    /// The start of the validity of its certificates, in seconds since 1970.
    pub not_before: Option<f64>,
    /// The end of the validity of its certificates, in seconds since 1970.
    pub not_after: Option<f64>,
}

impl From<&KnownServer> for SessionServer {
    fn from(server: &KnownServer) -> Self {
        let (not_before, not_after) = server.validity();
        Self {
            key: server.report.server_static.as_bytes().to_vec().into(),
            not_before: not_before.map(|seconds| seconds as f64),
            not_after: not_after.map(|seconds| seconds as f64),
        }
    }
}

/// Converts the server of an earlier session.
pub(super) fn known_server(given: Option<&SessionServer>) -> Result<Option<KnownServer>> {
    let Some(server) = given else { return Ok(None) };
    let key =
        <[u8; 32]>::try_from(server.key.as_ref()).map_err(|_| Error::from_reason("a server key must have 32 bytes"))?;
    // Conversions from floating point saturate.
    let seconds = |value: Option<f64>| value.map(|value| value as u64);
    let validity = (seconds(server.not_before), seconds(server.not_after));
    Ok(Some(KnownServer::restore(key.into(), validity)))
}

/// Limits of a queue.
#[napi(object)]
pub struct SessionBounds {
    pub stanzas: Option<u32>,
    pub bytes: Option<f64>,
    pub limit: Option<f64>,
}

/// The reconnection class of a code: `immediate`, `backoff` or `final`.
#[napi(object)]
pub struct SessionClass {
    pub code: u16,
    pub class: String,
}

/// The fields of Baileys' `AuthenticationCreds` that a session uses. Key fields are private keys.
#[napi(object)]
pub struct SessionCredentials {
    /// Private keys.
    pub noise_key: Buffer,
    pub pairing_key: Buffer,
    pub identity_key: Buffer,
    pub signed_pre_key: Buffer,
    pub signed_pre_key_id: u32,
    pub signed_pre_key_signature: Buffer,
    pub registration_id: u32,
    pub adv_secret_key: String,
    pub me: Option<SessionMe>,
    pub account: Option<SessionAccount>,
    pub signal_identities: Vec<SessionIdentity>,
    pub platform: Option<String>,
    pub routing_info: Option<Buffer>,
    pub pairing_code: Option<String>,
    pub registered: bool,
}

/// The user's own `Contact` in Baileys.
#[napi(object)]
pub struct SessionMe {
    pub id: String,
    pub lid: Option<String>,
    pub name: Option<String>,
}

/// The fields of an `ADVSignedDeviceIdentity`.
#[napi(object)]
pub struct SessionAccount {
    pub details: Buffer,
    pub account_signature_key: Buffer,
    pub account_signature: Buffer,
    pub device_signature: Buffer,
}

/// Baileys' `SignalIdentity`.
#[napi(object)]
pub struct SessionIdentity {
    pub name: Option<String>,
    pub device_id: u32,
    pub identifier_key: Buffer,
}

/// A structured stanza pattern.
#[napi(object)]
pub struct StanzaPattern {
    pub tag: Option<String>,
    pub id: Option<String>,
    pub attrs: Vec<PatternAttribute>,
    pub child: Option<String>,
}

/// An attribute that must be present. Without a value, any value matches.
#[napi(object)]
pub struct PatternAttribute {
    pub name: String,
    pub value: Option<String>,
}

pub(super) fn pattern(pattern: StanzaPattern) -> Pattern {
    let StanzaPattern { tag, id, attrs, child } = pattern;
    let attrs = attrs.into_iter().map(|attr| (attr.name, attr.value)).collect();
    Pattern { tag, id, attrs, child }
}

/// Sets `place` if a value is given.
fn set<T>(place: &mut T, value: Option<T>) {
    if let Some(value) = value {
        *place = value;
    }
}

fn millis(value: Option<f64>) -> Option<Millis> {
    // Conversions from floating point saturate.
    value.map(|value| value as Millis)
}

fn bounds(place: &mut QueueLimits, given: Option<&SessionBounds>) {
    let Some(given) = given else { return };
    set(&mut place.stanzas, given.stanzas.map(|count| count as usize));
    set(&mut place.bytes, given.bytes.map(|count| count as usize));
    set(&mut place.limit, given.limit.map(|count| count as usize));
}

pub(super) fn config(options: &SessionOptions) -> Result<Config> {
    let mut config = Config::default();
    let (keys, rest) = options.roots.as_chunks();
    if keys.is_empty() || !rest.is_empty() {
        return Err(Error::from_reason("a root key must have 32 bytes"));
    }
    let root = |&public_key: &[u8; 32]| TrustedRoot { public_key, serial: 0 };
    config.roots = keys.iter().map(root).collect();
    if let Some(version) = &options.version {
        config.version = version
            .as_slice()
            .try_into()
            .map_err(|_| Error::from_reason("the version must have three numbers"))?;
    }
    if let Some(browser) = &options.browser {
        config.browser = browser
            .clone()
            .try_into()
            .map_err(|_| Error::from_reason("the browser must have three strings"))?;
    }
    set(&mut config.country_code, options.country_code.clone());
    config.push_name.clone_from(&options.push_name);
    set(&mut config.sync_full_history, options.sync_full_history);
    set(&mut config.resume, options.resume);
    set(&mut config.connect_timeout, millis(options.connect_timeout));
    set(&mut config.close_timeout, millis(options.close_timeout));
    let keep_alive_interval = millis(options.keep_alive_interval).map(NonZero::new);
    if keep_alive_interval == Some(None) {
        return Err(Error::from_reason("the keep-alive interval must be at least 1 ms"));
    }
    set(&mut config.keep_alive_interval, keep_alive_interval.flatten());
    set(&mut config.keep_alive_grace, millis(options.keep_alive_grace));
    config.socket_ping_interval = millis(options.socket_ping_interval).and_then(NonZero::new);
    if let Some(timeout) = millis(options.query_timeout) {
        config.query_timeout = Some(timeout).filter(|&timeout| timeout > 0);
    }
    set(&mut config.max_queries, options.max_queries.map(|count| count as usize));
    set(&mut config.first_qr_timeout, millis(options.first_qr_timeout));
    set(&mut config.qr_timeout, millis(options.qr_timeout));
    set(&mut config.activate, options.activate);
    if let Some(batch) = options.offline_batch {
        config.offline_batch = Some(batch).filter(|&batch| batch > 0);
    }
    bounds(&mut config.outgoing, options.outgoing.as_ref());
    bounds(&mut config.incoming, options.incoming.as_ref());
    config.reconnect = if options.reconnect {
        Some(reconnect(options)?)
    } else {
        None
    };
    // JavaScript checks first whether the program has replaced functions of Node, perhaps to use a proxy.
    config.confirm_reconnect = true;
    Ok(config)
}

fn reconnect(options: &SessionOptions) -> Result<ReconnectConfig> {
    let mut reconnect = ReconnectConfig::default();
    set(&mut reconnect.base, millis(options.reconnect_base));
    set(&mut reconnect.max, millis(options.reconnect_max));
    reconnect.attempts = options.reconnect_attempts;
    for SessionClass { code, class } in &options.reconnect_classes {
        let class = match class.as_str() {
            "immediate" => ReconnectClass::Immediate,
            "backoff" => ReconnectClass::Backoff,
            "final" => ReconnectClass::Final,
            _ => return Err(Error::from_reason(format!("unknown reconnect class: {class}"))),
        };
        reconnect.classes.push((*code, class));
    }
    Ok(reconnect)
}

pub(super) fn credentials(given: &SessionCredentials) -> Result<Credentials> {
    let pair = |private: &Buffer| {
        PrivateKey::try_from(private.as_ref())
            .and_then(KeyPair::from_private)
            .map_err(|error| Error::from_reason(format!("the credentials cannot be used: {error}")))
    };
    let me = given.me.as_ref().map(|me| Me {
        id: me.id.clone(),
        lid: me.lid.clone(),
        name: me.name.clone(),
    });
    let account = given.account.as_ref().map(|account| Account {
        details: account.details.to_vec(),
        account_signature_key: account.account_signature_key.to_vec(),
        account_signature: account.account_signature.to_vec(),
        device_signature: account.device_signature.to_vec(),
    });
    let identity = |identity: &SessionIdentity| SignalIdentity {
        name: identity.name.clone(),
        device_id: identity.device_id,
        identifier_key: identity.identifier_key.to_vec(),
    };
    Ok(Credentials {
        noise_key: pair(&given.noise_key)?,
        pairing_key: pair(&given.pairing_key)?,
        identity_key: pair(&given.identity_key)?,
        signed_pre_key: SignedPreKey {
            key_id: given.signed_pre_key_id,
            key_pair: pair(&given.signed_pre_key)?,
            signature: given.signed_pre_key_signature.to_vec(),
        },
        registration_id: given.registration_id,
        adv_secret_key: Zeroizing::new(given.adv_secret_key.clone()),
        me,
        account,
        signal_identities: given.signal_identities.iter().map(identity).collect(),
        platform: given.platform.clone(),
        routing_info: given.routing_info.as_ref().map(|info| info.to_vec()),
        pairing_code: given.pairing_code.clone(),
        registered: given.registered,
    })
}
