//! The handshake: comparison with recordings of Baileys, client with server, and all failures.

use baileys_native::{
    frame::{Preamble, encode_frame},
    handshake::{
        CertificateReport, HandshakeError, NoiseKey, Start, TrustedRoot, WHATSAPP_ROOT,
        messages::{self, ServerHello},
        process_server_hello,
    },
    noise::{Channel, KeyPair, NoiseError, PROTOCOL_XX, PrivateKey, Receiver, Sender, SymmetricState},
    proto::{CertChain, cert_chain::noise_certificate::Details},
};
use prost::Message;
use serde_json::Value;

use crate::session::noise_server::{Accepted, ExpectClientHello, encode_server_hello, issue};
use crate::vectors::{array, bytes, items, key_pair, load, text};

const HEADER: &[u8] = b"WA\x06\x03";

fn pair(seed: u8) -> KeyPair {
    KeyPair::from_private(PrivateKey::from([seed; 32])).unwrap()
}

fn open(receiver: &mut Receiver, sealed: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    receiver.open(sealed, &mut out).unwrap();
    out
}

fn seal(sender: &mut Sender, plaintext: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    sender.seal(plaintext, &mut out).unwrap();
    out
}

/// A server with its own root and a valid chain.
struct Server {
    root: TrustedRoot,
    ephemeral: KeyPair,
    static_key: KeyPair,
    chain: Vec<u8>,
}

impl Server {
    fn new() -> Self {
        let (root, intermediate, static_key) = (pair(1), pair(2), pair(3));
        let leaf = Details {
            serial: Some(8),
            issuer_serial: Some(7),
            key: Some(static_key.public.as_bytes().to_vec()),
            not_before: Some(100),
            not_after: Some(200),
        };
        let issuer = Details {
            serial: Some(7),
            issuer_serial: Some(9),
            key: Some(intermediate.public.as_bytes().to_vec()),
            not_before: Some(50),
            not_after: None,
        };
        let chain = CertChain {
            leaf: Some(issue(&leaf, &intermediate.private, &[4; 64])),
            intermediate: Some(issue(&issuer, &root.private, &[5; 64])),
        };
        Self {
            root: TrustedRoot {
                public_key: *root.public.as_bytes(),
                serial: 9,
            },
            ephemeral: pair(6),
            static_key,
            chain: chain.encode_to_vec(),
        }
    }

    /// Runs the whole handshake. `change` can modify each message.
    fn run(&self, mut change: impl FnMut(usize, &mut Vec<u8>)) -> Result<Outcome, HandshakeError> {
        let (mut message, client) = Start::new(HEADER, pair(10))?.client_hello();
        change(0, &mut message);
        let server = ExpectClientHello::new(HEADER)?;
        let (mut message, server) =
            server.client_hello(&message, self.ephemeral.clone(), &self.static_key, &self.chain)?;
        change(1, &mut message);
        let (client, report) = client.server_hello(&message, &pair(11), &[self.root])?;
        let (mut message, sender, receiver) = client.client_finish(b"payload")?;
        change(2, &mut message);
        let accepted = server.client_finish(&message)?;
        Ok(Outcome {
            report,
            sender,
            receiver,
            accepted,
        })
    }
}

#[derive(Debug)]
struct Outcome {
    report: CertificateReport,
    sender: Sender,
    receiver: Receiver,
    accepted: Accepted,
}

#[test]
fn client_and_server_agree() {
    let mut outcome = Server::new().run(|_, _| ()).unwrap();
    assert_eq!(outcome.accepted.client_static, pair(11).public);
    assert_eq!(outcome.accepted.payload, b"payload");
    for i in 0..3_u8 {
        let up = seal(&mut outcome.sender, &[i; 40]);
        assert_eq!(open(&mut outcome.accepted.receiver, &up), [i; 40]);
        let down = seal(&mut outcome.accepted.sender, &[i; 50]);
        assert_eq!(open(&mut outcome.receiver, &down), [i; 50]);
    }
}

#[test]
fn certificate_dates_are_reported_and_not_enforced() {
    let report = Server::new().run(|_, _| ()).unwrap().report;
    assert_eq!(
        (report.leaf.serial, report.leaf.not_before, report.leaf.not_after),
        (8, Some(100), Some(200))
    );
    assert_eq!((report.intermediate.serial, report.intermediate.not_after), (7, None));
    for (seconds, leaf, both) in [
        (49, false, false),
        (100, true, true),
        (200, true, true),
        (201, false, false),
    ] {
        assert_eq!(
            (report.leaf.is_valid_at(seconds), report.is_valid_at(seconds)),
            (leaf, both),
            "{seconds}"
        );
    }
    assert!(report.intermediate.is_valid_at(u64::MAX) && !report.intermediate.is_valid_at(49));
}

#[test]
fn every_changed_byte_of_every_message_fails_the_handshake() {
    let server = Server::new();
    let mut lengths = [0; 3];
    server.run(|step, message| lengths[step] = message.len()).unwrap();
    for (step, length) in lengths.into_iter().enumerate() {
        for place in 0..length {
            let result = server.run(|at, message| {
                if at == step {
                    message[place] ^= 0x10;
                }
            });
            assert!(result.is_err(), "message {step}, byte {place}");
        }
    }
}

#[test]
fn every_truncated_message_fails_the_handshake() {
    let server = Server::new();
    for step in 0..3 {
        for keep in (0..30).chain([100]) {
            let result = server.run(|at, message| {
                if at == step && keep < message.len() {
                    message.truncate(keep);
                } else if at == step {
                    message.clear();
                }
            });
            assert!(result.is_err(), "message {step}, {keep} bytes kept");
        }
    }
}

#[test]
fn another_root_is_refused() {
    let mut server = Server::new();
    server.root.serial = 0;
    assert_eq!(server.run(|_, _| ()).unwrap_err(), HandshakeError::IntermediateIssuer);
    server.root = TrustedRoot {
        serial: 9,
        ..WHATSAPP_ROOT
    };
    assert_eq!(
        server.run(|_, _| ()).unwrap_err(),
        HandshakeError::IntermediateSignature
    );
    assert_eq!(TrustedRoot::default(), WHATSAPP_ROOT);
}

#[test]
fn missing_fields_are_named() {
    let hello = |message: &[u8]| {
        let (_, client) = Start::new(HEADER, pair(10)).unwrap().client_hello();
        client
            .server_hello(message, &pair(11), &[WHATSAPP_ROOT])
            .map(|_| ())
            .unwrap_err()
            .to_string()
    };
    assert_eq!(hello(&[]), "invalid server hello: the field serverHello is missing");
    assert_eq!(
        hello(&messages::encode_client_hello(&[1; 32])),
        "invalid server hello: the field serverHello is missing"
    );
    assert_eq!(
        hello(&[0x1a, 0]),
        "invalid server hello: the field ephemeral is missing"
    );
    assert_eq!(
        hello(&[0x1a, 3, 0x0a, 1, 1]),
        "invalid server hello: the field static is missing"
    );
    assert!(hello(&[0xff]).starts_with("invalid server hello: "));
    let key = hello(&encode_server_hello(&ServerHello {
        ephemeral: &[1; 31],
        static_key: &[],
        payload: &[],
    }));
    assert_eq!(key, "a public key of 31 bytes is invalid");
}

/// Replays a recorded handshake and compares all bytes.
fn replay(recorded: &Value) {
    let header = bytes(&recorded["header"]);
    let keys = &recorded["keys"];
    let root = TrustedRoot {
        public_key: array(&keys["root"]["public"]),
        serial: 0,
    };
    let routing_info = recorded["routingInfo"]
        .as_str()
        .map(|_| bytes(&recorded["routingInfo"]));
    let mut preamble = Preamble::new(&header, routing_info.as_deref()).unwrap();
    let mut frame_of = |payload: &[u8]| {
        let mut out = Vec::new();
        preamble
            .write_before(&mut out, |out| encode_frame(payload, out))
            .unwrap();
        out
    };

    let (hello, client) = Start::new(&header, key_pair(&keys["clientEphemeral"]))
        .unwrap()
        .client_hello();
    assert_eq!(hello, bytes(&recorded["clientHello"]));
    assert_eq!(frame_of(&hello), bytes(&recorded["clientHelloFrame"]));

    let server = ExpectClientHello::new(&header).unwrap();
    let (ephemeral, static_key) = (key_pair(&keys["serverEphemeral"]), key_pair(&keys["serverStatic"]));
    let chain = bytes(&recorded["certificateChain"]);
    let (server_hello, server) = server.client_hello(&hello, ephemeral, &static_key, &chain).unwrap();
    assert_eq!(server_hello, bytes(&recorded["serverHello"]));

    let client_static = key_pair(&keys["clientStatic"]);
    let (client, _) = client.server_hello(&server_hello, &client_static, &[root]).unwrap();
    let payload = bytes(&recorded["payload"]);
    let (finish, mut sender, mut receiver) = client.client_finish(&payload).unwrap();
    assert_eq!(finish, bytes(&recorded["clientFinish"]));
    assert_eq!(frame_of(&finish), bytes(&recorded["clientFinishFrame"]));

    let mut accepted = server.client_finish(&finish).unwrap();
    assert_eq!(
        (accepted.client_static, accepted.payload),
        (client_static.public, payload)
    );

    let frames = items(&recorded["transport"]);
    assert!(!frames.is_empty());
    for frame in frames {
        let plaintext = bytes(&frame["plaintext"]);
        let up = seal(&mut sender, &plaintext);
        assert_eq!(frame_of(&up), bytes(&frame["frame"]));
        assert_eq!(open(&mut accepted.receiver, &up), plaintext);
        let down = bytes(&frame["sealed"]);
        assert_eq!(seal(&mut accepted.sender, &plaintext), down);
        assert_eq!(open(&mut receiver, &down), bytes(&frame["opened"]));
    }
}

#[test]
fn equal_to_baileys_7_byte_for_byte() {
    items(&load("noise-handshake-7")).iter().for_each(replay);
}

#[test]
fn equal_to_baileys_6_7_24_byte_for_byte() {
    items(&load("noise-handshake-6.7.24")).iter().for_each(replay);
}

/// The expected error for a recorded chain. Some checks are missing in Baileys, so the recording alone is not enough.
fn expected_error(case: &Value) -> Option<String> {
    if let Some(error) = case["error"].as_str().filter(|_| case["statusCode"] == 400) {
        return Some(error.to_owned());
    }
    let signatures = &case["signatures"];
    let error = match text(&case["name"]) {
        _ if signatures["leaf"] == false => "noise certificate signature invalid",
        _ if signatures["intermediate"] == false => "noise intermediate certificate signature invalid",
        "leaf of another issuer" => "noise leaf certificate has the wrong issuer",
        "leaf for another key" | "leaf without key" => "noise leaf certificate does not belong to the server's key",
        "leaf details are no protobuf" => "invalid noise leaf certificate: ",
        "intermediate details are no protobuf" => "invalid noise intermediate certificate: ",
        "chain is no protobuf" => "invalid certificate chain: ",
        "good" | "intermediate with a prefixed key" => return None,
        name => panic!("no expectation for {name}"),
    };
    Some(error.to_owned())
}

#[test]
fn certificate_chains_fail_as_in_baileys_or_earlier() {
    let keys = &load("noise-handshake-7")[0]["keys"];
    let (ephemeral, client_static) = (key_pair(&keys["clientEphemeral"]), key_pair(&keys["clientStatic"]));
    let root = TrustedRoot {
        public_key: array(&keys["root"]["public"]),
        serial: 0,
    };
    let cases = load("noise-certificates");
    let mut passed = Vec::new();
    for case in items(&cases) {
        let name = text(&case["name"]);
        let hello = messages::decode_server_hello(&bytes(&case["serverHello"])).unwrap();
        let mut channel = Channel::new(PROTOCOL_XX, HEADER, ephemeral.public.as_bytes()).unwrap();
        let key = NoiseKey::from(&client_static);
        let result = process_server_hello(
            &mut channel,
            ephemeral.private.as_bytes(),
            &hello.fields().unwrap(),
            key,
            &[root],
        );
        let same_as_baileys = match (&result, expected_error(case)) {
            (Ok((sealed_key, _)), None) => {
                assert_eq!(*sealed_key, bytes(&case["result"]), "{name}");
                passed.push(name);
                true
            }
            (Err(error), Some(expected)) => {
                assert!(
                    error.to_string().starts_with(&expected),
                    "{name}: {error} instead of {expected}"
                );
                let malformed = matches!(error, HandshakeError::InvalidMessage { .. });
                assert_eq!(error.is_certificate(), !malformed, "{name}");
                case["error"].is_string()
            }
            (result, expected) => panic!("{name}: {result:?} instead of {expected:?}"),
        };
        if same_as_baileys {
            let mut sealed = Vec::new();
            channel.encrypt(b"afterwards", &mut sealed).unwrap();
            assert_eq!(sealed, bytes(&case["sealedAfterwards"]), "{name}");
        }
    }
    assert_eq!(passed, ["good", "intermediate with a prefixed key"]);
}

/// The ServerHello of snow's handshake state, which follows the specification, for our ClientHello.
fn snow_server_hello(client: &KeyPair) -> (snow::HandshakeState, Vec<u8>) {
    let static_key = pair(3);
    let mut snow = snow::Builder::new(PROTOCOL_XX.parse().unwrap())
        .prologue(HEADER)
        .unwrap()
        .local_private_key(static_key.private.as_bytes())
        .unwrap()
        .build_responder()
        .unwrap();
    snow.read_message(client.public.as_bytes(), &mut []).unwrap();
    let mut message = vec![0; 1024];
    let length = snow.write_message(b"certificates", &mut message).unwrap();
    message.truncate(length);
    (snow, message)
}

/// The client's part of the handshake after message 1. Returns message 3.
fn answer(
    mut state: SymmetricState,
    client: &KeyPair,
    message: &[u8],
) -> Result<(Vec<u8>, SymmetricState), NoiseError> {
    let (ephemeral, rest) = message.split_at(32);
    let (sealed_static, sealed_payload) = rest.split_at(48);
    state.mix_hash(ephemeral);
    let ephemeral = ephemeral.try_into()?;
    state.mix_key(client.private.shared_secret(&ephemeral)?.as_slice());
    let mut static_key = Vec::new();
    state.decrypt_and_hash(sealed_static, &mut static_key)?;
    state.mix_key(
        client
            .private
            .shared_secret(&static_key.as_slice().try_into()?)?
            .as_slice(),
    );
    let mut payload = Vec::new();
    state.decrypt_and_hash(sealed_payload, &mut payload)?;
    assert_eq!(payload, b"certificates");

    let noise_key = pair(11);
    let mut finish = Vec::new();
    state.encrypt_and_hash(noise_key.public.as_bytes(), &mut finish)?;
    state.mix_key(noise_key.private.shared_secret(&ephemeral)?.as_slice());
    state.encrypt_and_hash(b"payload", &mut finish)?;
    Ok((finish, state))
}

/// Shows why this crate has its own symmetric state: the specification mixes the empty payload of message 1 into the
/// hash, and WhatsApp does not.
#[test]
fn the_handshake_state_of_snow_is_not_compatible() {
    let client = pair(10);
    let mut state = SymmetricState::new(PROTOCOL_XX);
    state.mix_hash(HEADER);
    state.mix_hash(client.public.as_bytes());
    let (_, message) = snow_server_hello(&client);
    assert_eq!(answer(state, &client, &message).unwrap_err(), NoiseError::Decrypt);

    // The same steps succeed if the empty payload is also mixed in. So this is the only difference.
    let mut state = SymmetricState::new(PROTOCOL_XX);
    state.mix_hash(HEADER);
    state.mix_hash(client.public.as_bytes());
    state.mix_hash(&[]);
    let (mut snow, message) = snow_server_hello(&client);
    let (finish, state) = answer(state, &client, &message).unwrap();
    let mut payload = [0; 64];
    let length = snow.read_message(&finish, &mut payload).unwrap();
    assert_eq!(&payload[..length], b"payload");
    assert_eq!(snow.get_handshake_hash(), state.hash());

    let (mut sender, mut receiver) = state.split().unwrap();
    let mut snow = snow.into_transport_mode().unwrap();
    let mut plaintext = [0; 64];
    let length = snow.read_message(&seal(&mut sender, b"up"), &mut plaintext).unwrap();
    assert_eq!(&plaintext[..length], b"up");
    let mut sealed = [0; 64];
    let length = snow.write_message(b"down", &mut sealed).unwrap();
    assert_eq!(open(&mut receiver, &sealed[..length]), b"down");
}
