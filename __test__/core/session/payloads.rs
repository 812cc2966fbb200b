//! Registration and login payloads, compared with those of Baileys for the same input.

use baileys_native::{
    noise::KeyPair,
    session::{
        Config, Credentials, LoginError, SignedPreKey,
        login::{client_payload, login_payload, registration_payload},
    },
};
use serde_json::Value;

use super::{harness::new_device, server::pair};
use crate::vectors::{array, bytes, items, load, text};

fn config(recorded: &Value) -> Config {
    let mut config = Config::default();
    config.version = [0, 1, 2].map(|place| recorded["version"][place].as_u64().unwrap() as u32);
    config.browser = [0, 1, 2].map(|place| text(&recorded["browser"][place]).to_owned());
    config.country_code = text(&recorded["countryCode"]).to_owned();
    config.sync_full_history = recorded["syncFullHistory"].as_bool().unwrap();
    config
}

/// A key pair with only a public key. The test does not use the private key.
fn public(value: &Value) -> KeyPair {
    KeyPair {
        public: array::<32>(value).into(),
        ..pair(1)
    }
}

fn credentials(recorded: &Value) -> Credentials {
    Credentials {
        registration_id: recorded["registrationId"].as_u64().unwrap() as u32,
        identity_key: public(&recorded["identityPublic"]),
        signed_pre_key: SignedPreKey {
            key_id: recorded["signedPreKeyId"].as_u64().unwrap() as u32,
            key_pair: public(&recorded["signedPreKeyPublic"]),
            signature: bytes(&recorded["signedPreKeySignature"]),
        },
        ..new_device(1)
    }
}

#[test]
fn equal_to_baileys_7_byte_for_byte() {
    for name in ["noise-payloads", "session-payloads"] {
        let recorded = load(name);
        assert!(items(&recorded).len() >= 4);
        for case in items(&recorded) {
            let name = text(&case["name"]);
            let mut config = config(&case["config"]);
            let credentials = credentials(&case["registration"]);
            let expected = bytes(&case["registration"]["encoded"]);
            assert_eq!(registration_payload(&credentials, &config), expected, "{name}");
            assert_eq!(client_payload(&credentials, &config).unwrap(), expected, "{name}");
            for kind in ["login", "loginWithPushName"] {
                let login = &case[kind];
                config.push_name = login["pushName"].as_str().map(str::to_owned);
                let payload = login_payload(text(&login["jid"]), &config).unwrap();
                assert_eq!(payload, bytes(&login["encoded"]), "{name}, {kind}");
            }
        }
    }
}

#[test]
fn a_login_needs_the_jid_of_an_account() {
    for jid in [
        "",
        "@s.whatsapp.net",
        "15551234567",
        "name@s.whatsapp.net",
        "1:x@s.whatsapp.net",
    ] {
        assert_eq!(
            login_payload(jid, &Config::default()),
            Err(LoginError::InvalidJid(jid.to_owned()))
        );
    }
    for jid in ["1@s.whatsapp.net", "1_2:3@hosted", "1:@lid"] {
        assert!(login_payload(jid, &Config::default()).is_ok(), "{jid}");
    }
}
