//! A server in memory: handshake, framing, cipher and codec. It only sends what the test requests.

use baileys_native::{
    binary::{Dialect, Node, NodeContent},
    frame::{FrameDecoder, encode_frame},
    handshake::TrustedRoot,
    noise::{KeyPair, PrivateKey, Receiver, Sender},
    proto::{CertChain, ClientPayload, cert_chain::noise_certificate::Details},
};
use prost::Message;

use super::noise_server::{Accepted, ExpectClientFinish, ExpectClientHello, Request, issue};

const HEADER: &[u8] = b"WA\x06\x03";

pub(crate) fn pair(seed: u8) -> KeyPair {
    KeyPair::from_private(PrivateKey::from([seed; 32])).unwrap()
}

/// The root of the server's certificate chain.
pub(crate) fn root() -> TrustedRoot {
    TrustedRoot {
        public_key: *pair(1).public.as_bytes(),
        serial: 9,
    }
}

/// A certificate chain for a static key. `not_after` is in seconds since 1970.
pub(crate) fn chain(static_key: &KeyPair, not_after: Option<u64>) -> Vec<u8> {
    let leaf = Details {
        serial: Some(8),
        issuer_serial: Some(7),
        key: Some(static_key.public.as_bytes().to_vec()),
        not_before: None,
        not_after,
    };
    let issuer = Details {
        serial: Some(7),
        issuer_serial: Some(9),
        key: Some(pair(2).public.as_bytes().to_vec()),
        not_before: None,
        not_after: None,
    };
    CertChain {
        leaf: Some(issue(&leaf, &pair(2).private, &[4; 64])),
        intermediate: Some(issue(&issuer, &pair(1).private, &[5; 64])),
    }
    .encode_to_vec()
}

/// The server's reaction to a request to resume.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum OnResume {
    Accept,
    AcceptWithChain,
    Decline,
    Garbage,
    HangUp,
}

/// The options of all connections of a server.
#[derive(Clone)]
pub(crate) struct ServerOptions {
    pub(crate) static_key: KeyPair,
    pub(crate) chain: Vec<u8>,
    pub(crate) on_resume: OnResume,
}

impl Default for ServerOptions {
    fn default() -> Self {
        Self {
            static_key: pair(3),
            chain: chain(&pair(3), None),
            on_resume: OnResume::Accept,
        }
    }
}

enum Phase {
    Preamble,
    Hello,
    Finish(ExpectClientFinish),
    Open { sender: Sender, receiver: Receiver },
    HungUp,
}

/// One connection of the server.
pub(crate) struct Server {
    options: ServerOptions,
    phase: Phase,
    frames: FrameDecoder,
    early: Vec<u8>,
    /// Bytes for the client.
    pub(crate) out: Vec<u8>,
    /// Stanzas from the client.
    pub(crate) received: Vec<Node>,
    /// The client's payload. `None` until the handshake is complete.
    pub(crate) payload: Option<ClientPayload>,
    pub(crate) routing_info: Option<Vec<u8>>,
    /// Whether the client requested resumption.
    pub(crate) asked_to_resume: bool,
}

impl Server {
    pub(crate) fn new(options: ServerOptions) -> Self {
        Self {
            options,
            phase: Phase::Preamble,
            frames: FrameDecoder::new(),
            early: Vec::new(),
            out: Vec::new(),
            received: Vec::new(),
            payload: None,
            routing_info: None,
            asked_to_resume: false,
        }
    }

    pub(crate) fn is_open(&self) -> bool {
        matches!(self.phase, Phase::Open { .. })
    }

    pub(crate) fn has_hung_up(&self) -> bool {
        matches!(self.phase, Phase::HungUp)
    }

    /// Handles a WebSocket message of the client.
    pub(crate) fn receive(&mut self, message: &[u8]) {
        if matches!(self.phase, Phase::Preamble) {
            self.early.extend_from_slice(message);
            let Some(rest) = self.take_preamble() else { return };
            self.phase = Phase::Hello;
            self.frames.feed(&rest);
        } else {
            self.frames.feed(message);
        }
        while let Some(frame) = self.frames.next().unwrap().map(|frame| frame.to_vec()) {
            self.frame(&frame);
        }
    }

    fn take_preamble(&mut self) -> Option<Vec<u8>> {
        let mut rest = self.early.as_slice();
        if let Some(after) = rest.strip_prefix(b"ED\x00\x01") {
            let length = u32::from_be_bytes([0, after[0], after[1], after[2]]) as usize;
            self.routing_info = Some(after[3..3 + length].to_vec());
            rest = &after[3 + length..];
        }
        rest.strip_prefix(HEADER).map(<[u8]>::to_vec)
    }

    fn frame(&mut self, frame: &[u8]) {
        let phase = std::mem::replace(&mut self.phase, Phase::HungUp);
        self.phase = match phase {
            Phase::Hello => self.client_hello(frame),
            Phase::Finish(state) => {
                let accepted = state.client_finish(frame).unwrap();
                self.accept(accepted)
            }
            Phase::Open { sender, mut receiver } => {
                let mut payload = Vec::new();
                // Fails if the client skips or repeats a counter value.
                receiver.open(frame, &mut payload).expect("a frame in its place");
                assert_eq!(payload[0], 0, "plain");
                self.received.push(Node::decode(&payload[1..], Dialect::V7).unwrap());
                Phase::Open { sender, receiver }
            }
            Phase::HungUp => Phase::HungUp,
            Phase::Preamble => unreachable!(),
        };
    }

    fn client_hello(&mut self, frame: &[u8]) -> Phase {
        let ephemeral = pair(6);
        let ServerOptions {
            static_key,
            chain,
            on_resume,
        } = self.options.clone();
        let Some(request) = Request::decode(HEADER, frame).unwrap() else {
            let hello = ExpectClientHello::new(HEADER).unwrap();
            let (message, state) = hello.client_hello(frame, ephemeral, &static_key, &chain).unwrap();
            self.send_frame(&message);
            return Phase::Finish(state);
        };
        self.asked_to_resume = true;
        match on_resume {
            OnResume::Accept | OnResume::AcceptWithChain => {
                let payload = if on_resume == OnResume::Accept {
                    Vec::new()
                } else {
                    chain
                };
                let (message, accepted) = request.accept(&ephemeral, &static_key, &payload).unwrap();
                self.send_frame(&message);
                self.accept(accepted)
            }
            OnResume::Decline => {
                let (message, state) = request.decline(ephemeral, &static_key, &chain).unwrap();
                self.send_frame(&message);
                Phase::Finish(state)
            }
            OnResume::Garbage => {
                self.send_frame(&[0x1a, 4, 0x0a, 2, 1, 1]);
                Phase::HungUp
            }
            OnResume::HangUp => Phase::HungUp,
        }
    }

    fn accept(&mut self, accepted: Accepted) -> Phase {
        self.payload = Some(ClientPayload::decode(accepted.payload.as_slice()).unwrap());
        Phase::Open {
            sender: accepted.sender,
            receiver: accepted.receiver,
        }
    }

    fn send_frame(&mut self, payload: &[u8]) {
        encode_frame(payload, &mut self.out).unwrap();
    }

    /// Sends a payload with its flag byte, unchanged.
    pub(crate) fn send_payload(&mut self, payload: &[u8]) {
        let Phase::Open { sender, .. } = &mut self.phase else {
            panic!("no stanzas before the handshake's end")
        };
        let mut sealed = Vec::new();
        sender.seal(payload, &mut sealed).unwrap();
        self.send_frame(&sealed);
    }

    pub(crate) fn send(&mut self, stanza: &Node) {
        let mut payload = vec![0];
        stanza.encode(Dialect::V7, &mut payload).unwrap();
        self.send_payload(&payload);
    }
}

/// A node with children, or without content.
pub(crate) fn node(tag: &str, attrs: &[(&str, &str)], children: Vec<Node>) -> Node {
    Node {
        tag: tag.to_owned(),
        attrs: attrs
            .iter()
            .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
            .collect(),
        content: if children.is_empty() {
            NodeContent::None
        } else {
            NodeContent::List(children)
        },
    }
}

/// A node with bytes as content.
pub(crate) fn bytes_node(tag: &str, bytes: &[u8]) -> Node {
    Node {
        content: NodeContent::Bytes(bytes.to_vec()),
        ..node(tag, &[], Vec::new())
    }
}
