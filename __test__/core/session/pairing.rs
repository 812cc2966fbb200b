//! Pairing: comparison with results of Baileys, and complete runs with a phone.

use std::sync::{Arc, Mutex};

use baileys_native::{
    binary::{Dialect, Node, NodeContent},
    handshake::xeddsa,
    noise::{KeyPair, PublicKey},
    proto::AdvSignedDeviceIdentity,
    session::{
        Account, Config, Credentials, EndReason, Me, PairingError, QueryOptions, Session, SessionEvent, SessionState,
        SignalIdentity,
        pairing::{accept_pair_success, companion_platform_id, pairing_code, qr_text},
        signal_key,
    },
};
use prost::Message;
use serde_json::Value;
use zeroize::Zeroizing;

use super::{
    harness::{World, config, entropy, new_device, paired_device},
    server::{bytes_node, node},
};
use crate::vectors::{array, bytes, items, key_pair, load, text};

fn recorded_device() -> (Credentials, Value) {
    let recorded = load("session-pairing");
    let keys = |name: &str| key_pair(&recorded["keys"][name]);
    let credentials = Credentials {
        noise_key: keys("noise"),
        identity_key: keys("identity"),
        pairing_key: keys("pairing"),
        adv_secret_key: Zeroizing::new(text(&recorded["advSecretKey"]).to_owned()),
        ..new_device(1)
    };
    (credentials, recorded)
}

fn browser(value: &Value) -> [String; 3] {
    [0, 1, 2].map(|place| text(&value[place]).to_owned())
}

#[test]
fn qr_codes_are_those_of_baileys() {
    let (credentials, recorded) = recorded_device();
    for case in items(&recorded["qrs"]) {
        let mut config = Config::default();
        config.browser = browser(&case["browser"]);
        assert_eq!(
            companion_platform_id(&config.browser).to_string(),
            text(&case["platform"])
        );
        assert_eq!(qr_text("2@a,b/c+d==", &credentials, &config), text(&case["text"]));
    }
}

#[test]
fn pairing_codes_are_those_of_baileys() {
    for case in items(&recorded_device().1["codes"]["crockford"]) {
        assert_eq!(pairing_code(&array(&case["bytes"])), text(&case["code"]));
    }
}

#[test]
fn pair_success_is_processed_as_in_baileys() {
    let (credentials, _) = recorded_device();
    let recorded = load("session-pair-success");
    for case in items(&recorded) {
        let name = text(&case["name"]);
        let stanza = Node::decode(&bytes(&case["stanza"])[1..], Dialect::V7).unwrap();
        let result = accept_pair_success(&stanza, &credentials, &[3; 64]);
        if let Some(error) = case["error"].as_str() {
            assert_eq!(result.unwrap_err().to_string(), error, "{name}");
            continue;
        }
        let paired = result.unwrap();
        let string = |value: &Value| value.as_str().map(str::to_owned);
        let me = Me {
            id: text(&case["me"]["id"]).to_owned(),
            lid: string(&case["me"]["lid"]),
            name: string(&case["me"]["name"]),
        };
        assert_eq!(paired.update.me, Some(me), "{name}");
        assert_eq!(paired.update.platform, string(&case["platform"]), "{name}");
        let identity = SignalIdentity {
            name: string(&case["signalIdentity"]["name"]),
            device_id: 0,
            identifier_key: bytes(&case["signalIdentity"]["key"]),
        };
        assert_eq!(paired.update.signal_identities, Some(vec![identity]), "{name}");
        let account = paired.update.account.unwrap();
        for (ours, field) in [
            (&account.details, "details"),
            (&account.account_signature_key, "accountSignatureKey"),
            (&account.account_signature, "accountSignature"),
        ] {
            assert_eq!(*ours, bytes(&case["account"][field]), "{name}, {field}");
        }
        verify_device_signature(&account, &credentials);
        let mut expected = Node::decode(&bytes(&case["reply"])[1..], Dialect::V7).unwrap();
        sign_answer(&mut expected, &account.device_signature);
        assert_eq!(paired.reply, expected, "{name}");
    }
    assert!(items(&recorded).len() >= 9);
}

fn verify_device_signature(account: &Account, credentials: &Credentials) {
    let key = &credentials.identity_key.public;
    let signed = [
        &[6, 1],
        account.details.as_slice(),
        key.as_bytes(),
        &account.account_signature_key,
    ]
    .concat();
    assert!(xeddsa::verify(key, &signed, &account.device_signature));
}

/// Adds a device signature to a recorded answer, which has none.
fn sign_answer(reply: &mut Node, signature: &[u8]) {
    let NodeContent::List(children) = &mut reply.content else {
        panic!()
    };
    let NodeContent::List(children) = &mut children[0].content else {
        panic!()
    };
    let NodeContent::Bytes(encoded) = &mut children[0].content else {
        panic!()
    };
    let mut identity = AdvSignedDeviceIdentity::decode(encoded.as_slice()).unwrap();
    assert!(identity.account_signature_key.is_none());
    identity.device_signature = Some(signature.to_vec());
    *encoded = identity.encode_to_vec();
}

#[test]
fn an_invalid_account_signature_is_refused() {
    let (mut credentials, _) = recorded_device();
    let stanza = Node::decode(&bytes(&load("session-pair-success")[0]["stanza"])[1..], Dialect::V7).unwrap();
    credentials.identity_key = new_device(9).identity_key;
    let error = accept_pair_success(&stanza, &credentials, &[3; 64]).unwrap_err();
    assert_eq!(error, PairingError::AccountSignature);
    credentials.adv_secret_key = Zeroizing::new("!".to_owned());
    let error = accept_pair_success(&stanza, &credentials, &[3; 64]).unwrap_err();
    assert_eq!(error, PairingError::InvalidSecret);
}

fn offer(references: &[&str]) -> Node {
    let references = references
        .iter()
        .map(|text| bytes_node("ref", text.as_bytes()))
        .collect();
    let attrs = [("from", "s.whatsapp.net"), ("type", "set"), ("id", "offer-1")];
    node("iq", &attrs, vec![node("pair-device", &[], references)])
}

fn qr_events(world: &World) -> Vec<(String, u64)> {
    let events = world.events.iter().filter_map(|event| match event {
        SessionEvent::Qr { text, expires_at } => Some((text.clone(), *expires_at)),
        _ => None,
    });
    events.collect()
}

#[test]
fn from_the_first_code_to_the_login() {
    let (credentials, _) = recorded_device();
    let mut world = World::new(config(), credentials.clone());
    world.connect();
    world.serve(&offer(&["one", "two", "three"]));
    let answer = node(
        "iq",
        &[("to", "@s.whatsapp.net"), ("type", "result"), ("id", "offer-1")],
        Vec::new(),
    );
    assert_eq!(world.server().received, [answer]);
    let start = world.now;
    world.advance(30_000);
    world.serve(&node("ib", &[], Vec::new()));
    world.advance(30_000);
    assert_eq!(
        qr_events(&world).iter().map(|(_, at)| at - start).collect::<Vec<_>>(),
        [60_000, 80_000]
    );
    assert_eq!(qr_events(&world)[1].0, qr_text("two", &credentials, &config()));

    let success = &load("session-pair-success")[0];
    world.serve(&Node::decode(&bytes(&success["stanza"])[1..], Dialect::V7).unwrap());
    let reply = world.server().received.last().unwrap().clone();
    assert_eq!((reply.attr("type"), reply.attr("id")), (Some("result"), Some("4242")));
    assert!(
        world
            .events
            .iter()
            .any(|event| matches!(event, SessionEvent::Paired(me) if me.id.starts_with("15551234567")))
    );
    assert_eq!(
        world.session.server_time_offset(),
        Some(1_700_000_001_000 - world.now as i64)
    );
    world.serve(&node("stream:error", &[("code", "515")], Vec::new()));
    world.advance(0);
    assert_eq!(world.server().payload.as_ref().unwrap().username, Some(15_551_234_567));
    world.log_in();
    assert_eq!(world.session.state(), SessionState::Connected);
    world.advance(20_000);
    assert_eq!(qr_events(&world).len(), 2, "no code after the login");
}

#[test]
fn references_that_are_too_long_for_a_qr_code_are_skipped() {
    let (fits, too_long) = ("r".repeat(4096), "r".repeat(4097));
    let mut world = World::new(config(), new_device(1));
    world.connect();
    let mut references = vec![too_long.as_str(), fits.as_str()];
    references.resize(200, "more");
    world.serve(&offer(&references));
    // The first code is valid for 60 s, the others for 20 s.
    for _ in 0..3 + 63 {
        world.serve(&node("ib", &[], Vec::new()));
        world.advance(20_000);
    }
    assert_eq!(world.last_reason(), EndReason::QrEnded);
    let shown = qr_events(&world);
    assert_eq!(shown.len(), 64);
    assert!(shown[0].0.contains(&fits) && !shown[0].0.contains(&too_long));
}

#[test]
fn a_forged_pair_success_ends_the_connection() {
    let mut world = World::new(config(), new_device(1));
    world.connect();
    world.serve(&Node::decode(&bytes(&load("session-pair-success")[0]["stanza"])[1..], Dialect::V7).unwrap());
    assert_eq!(world.last_reason(), EndReason::Pairing(PairingError::Hmac));
    assert!(world.session.credentials().me.is_none());
}

/// A session with random bytes from the test.
fn scripted() -> (World, Arc<Mutex<Vec<u8>>>, Value) {
    let (credentials, recorded) = recorded_device();
    let script: Arc<Mutex<Vec<u8>>> = Arc::default();
    let shared = script.clone();
    let mut otherwise = entropy(5);
    let fill = move |out: &mut [u8]| {
        let mut script = shared.lock().unwrap();
        if script.is_empty() {
            otherwise(out);
        } else {
            out.copy_from_slice(&script.drain(..out.len()).collect::<Vec<_>>());
        }
    };
    let mut world = World::new(config(), credentials.clone());
    world.session = Session::new(config(), credentials, Box::new(fill));
    (world, script, recorded["codes"].clone())
}

fn part<'a>(stanza: &'a Node, tag: &str) -> &'a [u8] {
    let NodeContent::List(children) = &stanza.content else {
        panic!()
    };
    let NodeContent::List(parts) = &children[0].content else {
        panic!()
    };
    let part = parts
        .iter()
        .find(|part| part.tag == tag)
        .unwrap_or_else(|| panic!("no {tag}"));
    match &part.content {
        NodeContent::Bytes(bytes) => bytes,
        NodeContent::Text(text) => text.as_bytes(),
        _ => panic!("{tag} holds nothing"),
    }
}

/// Requests a pairing code.
fn request_code(world: &mut World, code: Option<&str>) -> Result<String, PairingError> {
    let key = world.session.prepare_pairing_code(world.now, code)?.run();
    world.session.request_pairing_code(world.now, "15551234567", &key)
}

/// The notification of a phone that has accepted the code.
fn phone_answer(codes: &Value) -> Node {
    let registration = node(
        "link_code_companion_reg",
        &[("stage", "primary_hello")],
        vec![
            bytes_node("link_code_pairing_ref", b"reference"),
            bytes_node("primary_identity_pub", &bytes(&codes["primaryIdentity"])),
            bytes_node(
                "link_code_pairing_wrapped_primary_ephemeral_pub",
                &bytes(&codes["phoneWrapped"]),
            ),
        ],
    );
    let attrs = [
        ("from", "s.whatsapp.net"),
        ("type", "link_code_companion_reg"),
        ("id", "n1"),
    ];
    node("notification", &attrs, vec![registration])
}

#[test]
fn pairing_by_code_computes_what_baileys_computes() {
    let (mut world, script, codes) = scripted();
    world.connect();
    world.serve(&offer(&["one"]));
    *script.lock().unwrap() = bytes(&codes["helloRandom"]);
    let code = request_code(&mut world, Some("ABCD1234")).unwrap();
    assert_eq!(code, text(&codes["code"]));
    world.pump();
    let hello = world.server().received.last().unwrap().clone();
    assert_eq!((hello.attr("type"), hello.attr("xmlns")), (Some("set"), Some("md")));
    assert_eq!(
        part(&hello, "link_code_pairing_wrapped_companion_ephemeral_pub"),
        bytes(&codes["wrapped"])
    );
    assert_eq!(part(&hello, "companion_platform_id"), b"1");
    assert_eq!(part(&hello, "companion_platform_display"), b"Chrome (Mac OS)");
    assert_eq!(part(&hello, "link_code_pairing_nonce"), b"0");
    let me = world.session.credentials().me.clone().unwrap();
    assert_eq!(
        (me.id.as_str(), me.name.as_deref()),
        ("15551234567@s.whatsapp.net", Some("~"))
    );
    let noise_key = *world.session.credentials().noise_key.public.as_bytes();
    assert_eq!(part(&hello, "companion_server_auth_key_pub"), noise_key);

    *script.lock().unwrap() = bytes(&codes["finishRandom"]);
    world.watch("CB:notification");
    world.serve(&phone_answer(&codes));
    let [.., finish, ack] = world.server().received.as_slice() else {
        panic!()
    };
    let (finish, ack) = (finish.clone(), ack.clone());
    assert_eq!(
        part(&finish, "link_code_pairing_wrapped_key_bundle"),
        bytes(&codes["keyBundle"])
    );
    assert_eq!(part(&finish, "link_code_pairing_ref"), b"reference");
    let expected = [
        ("id", "n1"),
        ("to", "s.whatsapp.net"),
        ("class", "notification"),
        ("type", "link_code_companion_reg"),
    ];
    assert_eq!(ack, node("ack", &expected, Vec::new()));
    assert!(world.stanzas().is_empty(), "the session's own business");
    assert_eq!(
        world.session.credentials().adv_secret_key.as_str(),
        text(&codes["advSecretKey"])
    );
    assert!(!world.session.credentials().registered);
    world.serve(&node(
        "iq",
        &[("type", "result"), ("id", finish.attr("id").unwrap())],
        Vec::new(),
    ));
    assert!(world.session.credentials().registered);
}

#[test]
fn few_answers_to_one_code_are_processed_and_all_are_acknowledged() {
    let (mut world, _, codes) = scripted();
    world.connect();
    let ask = |world: &mut World| {
        let asked = request_code(world, None);
        assert!(asked.is_ok());
        world.pump();
        world.server().received.clear();
    };
    let counts = |world: &mut World| {
        let received = &world.server().received;
        ["iq", "ack"].map(|tag| received.iter().filter(|stanza| stanza.tag == tag).count())
    };
    ask(&mut world);
    for _ in 0..8 {
        world.serve(&phone_answer(&codes));
    }
    assert_eq!(counts(&mut world), [5, 8]);
    ask(&mut world);
    world.serve(&phone_answer(&codes));
    assert_eq!(counts(&mut world), [1, 1]);
}

#[test]
fn a_key_that_is_derived_too_late_is_ignored() {
    let (mut world, _, codes) = scripted();
    world.connect();
    request_code(&mut world, None).unwrap();
    world.pump();
    world.server().received.clear();
    world.server().send(&phone_answer(&codes));
    world.deliver();
    let late = world.session.poll_derivation().unwrap();
    // The phone repeats its answer while the first one is processed.
    world.serve(&phone_answer(&codes));
    assert_eq!(world.server().received.len(), 1);
    request_code(&mut world, None).unwrap();
    world.session.handle_code_key(world.now, &late.run());
    world.pump();
    let tags: Vec<_> = world
        .server()
        .received
        .iter()
        .map(|stanza| stanza.tag.clone())
        .collect();
    assert_eq!(tags, ["ack", "iq"]);
    assert!(!world.session.has_derivation());
}

#[test]
fn an_unfinished_pairing_by_code_registers_again() {
    let (mut world, ..) = scripted();
    world.connect();
    let code = request_code(&mut world, None).unwrap();
    assert_eq!(code.len(), 8);
    world.pump();
    world.drop_link();
    world.advance(1_000);
    assert!(world.server().payload.as_ref().unwrap().device_pairing_data.is_some());
    // An invalid answer has no effect on the connection.
    let attrs = [
        ("from", "s.whatsapp.net"),
        ("type", "link_code_companion_reg"),
        ("id", "n1"),
    ];
    world.serve(&node("notification", &attrs, Vec::new()));
    assert!(
        world
            .events
            .contains(&SessionEvent::PairingFailed(PairingError::IncompleteAnswer))
    );
    assert_eq!(world.session.state(), SessionState::Authenticating);
}

#[test]
fn pairing_codes_are_only_for_registrations() {
    let mut world = World::connected();
    let refused = request_code(&mut world, None);
    assert_eq!(refused, Err(PairingError::NotRegistering));
    let mut world = World::new(config(), new_device(1));
    let refused = request_code(&mut world, None);
    assert_eq!(refused, Err(PairingError::NotRegistering));
    world.connect();
    let refused = request_code(&mut world, Some("SHORT"));
    assert_eq!(refused, Err(PairingError::InvalidCode));
}

#[test]
fn new_devices_are_complete() {
    let device = new_device(8);
    let signed = signal_key(&device.signed_pre_key.key_pair.public);
    assert!(xeddsa::verify(
        &device.identity_key.public,
        &signed,
        &device.signed_pre_key.signature
    ));
    let keys: [&KeyPair; 4] = [
        &device.noise_key,
        &device.identity_key,
        &device.pairing_key,
        &device.signed_pre_key.key_pair,
    ];
    let publics: std::collections::HashSet<PublicKey> = keys.iter().map(|pair| pair.public).collect();
    assert_eq!(publics.len(), 4);
    for pair in keys {
        assert_eq!(pair.private.public_key().unwrap(), pair.public);
    }
    assert!(device.registration_id < 16384 && device.adv_secret_key.len() == 44);
    assert!(device.wants_registration() && !paired_device(8).wants_registration());
    assert_eq!(format!("{device:?}"), "Credentials { paired: false, .. }");
}

#[test]
fn stanzas_can_be_sent_while_pairing() {
    let mut world = World::new(config(), new_device(1));
    world.connect();
    let stanza = node("iq", &[("type", "get")], Vec::new());
    world.query(&stanza, QueryOptions::default());
    assert_eq!(world.server().received.len(), 1);
}
