//! The client's handshake with any ServerHello or certificate chain. It must never succeed without the signature of the
//! root.

use baileys_native::{
    handshake::{Start, TrustedRoot},
    noise::{KeyPair, PrivateKey},
};

use super::super::support::noise_server::ExpectClientHello;

const HEADER: &[u8] = b"WA\x06\x03";

/// `data` is a ServerHello, and also a certificate chain that a server seals correctly.
pub fn run(data: &[u8]) {
    check(|_| data.to_vec());
    check(|client_hello| {
        let server = ExpectClientHello::new(HEADER).expect("a header");
        let hello = server.client_hello(client_hello, pair(3), &pair(4), data);
        hello.expect("a good ClientHello").0
    });
}

fn pair(seed: u8) -> KeyPair {
    KeyPair::from_private(PrivateKey::from([seed; 32])).expect("a key pair")
}

fn check(answer: impl FnOnce(&[u8]) -> Vec<u8>) {
    let root = TrustedRoot {
        public_key: *pair(5).public.as_bytes(),
        serial: 0,
    };
    let (client_hello, client) = Start::new(HEADER, pair(1)).expect("a header").client_hello();
    let server_hello = answer(&client_hello);
    let result = client.server_hello(&server_hello, &pair(2), &[root]);
    assert!(result.is_err(), "the handshake succeeded without the root key");
}
