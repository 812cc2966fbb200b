//! Resumption: client with server, accepted, declined, and all failures.

use baileys_native::{
    handshake::{
        HandshakeError, TrustedRoot,
        resume::{Resumption, client_hello},
    },
    noise::{KeyPair, PrivateKey, Receiver, Sender},
    proto::{CertChain, cert_chain::noise_certificate::Details},
};
use prost::Message;

use crate::session::noise_server::{Request, issue};

const HEADER: &[u8] = b"WA\x06\x03";

fn pair(seed: u8) -> KeyPair {
    KeyPair::from_private(PrivateKey::from([seed; 32])).unwrap()
}

fn root() -> TrustedRoot {
    TrustedRoot {
        public_key: *pair(1).public.as_bytes(),
        serial: 9,
    }
}

fn chain() -> Vec<u8> {
    let leaf = Details {
        serial: Some(8),
        issuer_serial: Some(7),
        key: Some(pair(3).public.as_bytes().to_vec()),
        ..Default::default()
    };
    let issuer = Details {
        serial: Some(7),
        issuer_serial: Some(9),
        key: Some(pair(2).public.as_bytes().to_vec()),
        ..Default::default()
    };
    CertChain {
        leaf: Some(issue(&leaf, &pair(2).private, &[4; 64])),
        intermediate: Some(issue(&issuer, &pair(1).private, &[5; 64])),
    }
    .encode_to_vec()
}

fn agree(sender: &mut Sender, receiver: &mut Receiver) {
    for message in [&b"one"[..], b"", b"three"] {
        let (mut sealed, mut opened) = (Vec::new(), Vec::new());
        sender.seal(message, &mut sealed).unwrap();
        receiver.open(&sealed, &mut opened).unwrap();
        assert_eq!(opened, message);
    }
}

#[test]
fn an_accepting_server_and_the_client_agree() {
    for payload in [Vec::new(), chain()] {
        let (hello, client) = client_hello(HEADER, pair(10), &pair(11), pair(3).public, b"payload").unwrap();
        let request = Request::decode(HEADER, &hello).unwrap().unwrap();
        let (answer, mut server) = request.accept(&pair(6), &pair(3), &payload).unwrap();
        assert_eq!(
            (server.client_static, server.payload.as_slice()),
            (pair(11).public, &b"payload"[..])
        );
        let Resumption::Resumed {
            mut sender,
            mut receiver,
            report,
        } = client.server_hello(&answer, &pair(11), &[root()]).unwrap()
        else {
            panic!("declined")
        };
        assert_eq!(
            report.map(|report| report.server_static),
            (!payload.is_empty()).then(|| pair(3).public)
        );
        agree(&mut sender, &mut server.receiver);
        agree(&mut server.sender, &mut receiver);
    }
}

#[test]
fn a_server_that_declines_continues_with_xx_and_its_new_key() {
    // The server's static key differs from the one that the client knows, so the server cannot decrypt the request.
    let (hello, client) = client_hello(HEADER, pair(10), &pair(11), pair(77).public, b"payload").unwrap();
    let request = Request::decode(HEADER, &hello).unwrap().unwrap();
    let (answer, server) = request.decline(pair(6), &pair(3), &chain()).unwrap();
    let Resumption::Declined { finish, report } = client.server_hello(&answer, &pair(11), &[root()]).unwrap() else {
        panic!("accepted")
    };
    assert_eq!(report.server_static, pair(3).public);
    let (message, mut sender, mut receiver) = finish.client_finish(b"payload").unwrap();
    let mut server = server.client_finish(&message).unwrap();
    assert_eq!(server.payload, b"payload");
    agree(&mut sender, &mut server.receiver);
    agree(&mut server.sender, &mut receiver);
}

#[test]
fn a_server_with_another_static_key_cannot_accept() {
    let (hello, _) = client_hello(HEADER, pair(10), &pair(11), pair(77).public, b"payload").unwrap();
    let request = Request::decode(HEADER, &hello).unwrap().unwrap();
    assert!(request.accept(&pair(6), &pair(3), &[]).is_err());
}

#[test]
fn an_xx_hello_is_not_a_request_to_resume() {
    let hello = baileys_native::handshake::messages::encode_client_hello(&[1; 32]);
    assert!(Request::decode(HEADER, &hello).unwrap().is_none());
    assert!(matches!(
        Request::decode(HEADER, &[]),
        Err(HandshakeError::MissingField { .. })
    ));
}

#[test]
fn every_changed_byte_of_either_answer_fails() {
    let run = |decline: bool, change: Option<usize>| {
        let (hello, client) = client_hello(HEADER, pair(10), &pair(11), pair(3).public, b"payload").unwrap();
        let request = Request::decode(HEADER, &hello).unwrap().unwrap();
        let mut answer = if decline {
            request.decline(pair(6), &pair(3), &chain()).unwrap().0
        } else {
            request.accept(&pair(6), &pair(3), &chain()).unwrap().0
        };
        if let Some(place) = change {
            answer[place] ^= 0x10;
        }
        (answer.len(), client.server_hello(&answer, &pair(11), &[root()]).is_ok())
    };
    for decline in [false, true] {
        let (length, good) = run(decline, None);
        assert!(good);
        for place in 0..length {
            assert!(!run(decline, Some(place)).1, "byte {place}, declined: {decline}");
        }
    }
}
