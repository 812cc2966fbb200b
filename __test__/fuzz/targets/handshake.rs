//! The client's handshakes (XX, IK and its fallback) with any ServerHello or certificate chain. They must never succeed
//! without the signature of the root. Only a resumption may succeed without a chain.

use baileys_native::{
    handshake::{
        Start, TrustedRoot,
        resume::{Resumption, client_hello},
    },
    noise::{KeyPair, PrivateKey},
};

use super::super::support::noise_server::{ExpectClientHello, Request};

const HEADER: &[u8] = b"WA\x06\x03";

/// `data` is a ServerHello, and also a certificate chain that a server seals correctly.
pub fn run(data: &[u8]) {
    check(|_| data.to_vec());
    check(|client_hello| {
        let server = ExpectClientHello::new(HEADER).expect("a header");
        let hello = server.client_hello(client_hello, pair(3), &pair(4), data);
        hello.expect("a good ClientHello").0
    });
    let resumes = |answer: &dyn Fn(Request) -> Vec<u8>| check_resumption(answer, false);
    resumes(&|_| data.to_vec());
    resumes(&|request| request.decline(pair(3), &pair(4), data).expect("a good request").0);
    check_resumption(
        &|request| request.accept(&pair(3), &pair(4), data).expect("a good request").0,
        data.is_empty(),
    );
}

fn pair(seed: u8) -> KeyPair {
    KeyPair::from_private(PrivateKey::from([seed; 32])).expect("a key pair")
}

fn root() -> TrustedRoot {
    TrustedRoot {
        public_key: *pair(5).public.as_bytes(),
        serial: 0,
    }
}

/// Resumes with the server whose static key is that of `pair(4)`. `may_resume`: the server sends no chain.
fn check_resumption(answer: &dyn Fn(Request) -> Vec<u8>, may_resume: bool) {
    let (hello, client) = client_hello(HEADER, pair(1), &pair(2), pair(4).public, b"login").expect("a request");
    let request = Request::decode(HEADER, &hello)
        .expect("a good ClientHello")
        .expect("a request to resume");
    match client.server_hello(&answer(request), &pair(2), &[root()]) {
        Ok(Resumption::Resumed { report: None, .. }) => assert!(may_resume, "resumed with a chain that is not checked"),
        Ok(_) => panic!("the handshake succeeded without the root key"),
        Err(error) => assert!(!may_resume, "{error}"),
    }
}

fn check(answer: impl FnOnce(&[u8]) -> Vec<u8>) {
    let (client_hello, client) = Start::new(HEADER, pair(1)).expect("a header").client_hello();
    let server_hello = answer(&client_hello);
    let result = client.server_hello(&server_hello, &pair(2), &[root()]);
    assert!(result.is_err(), "the handshake succeeded without the root key");
}
