//! Opening and sealing of frames.

use baileys_native::binary::{DecodeErrorKind, Dialect, InflateError, Node};
use baileys_native::frame::{FrameError, HEADER_LEN, MAX_FRAME_LEN};
use baileys_native::noise::{NoiseError, Receiver, Sender, TAG_LEN};
use baileys_native::tape::{TapeWriter, Tapes};
use baileys_native::wire::{
    KEEP_PER_CONNECTION, MAX_PAYLOAD, OpenError, OpenStep, OpenedFrame, Opener, PayloadError, SealError, seal_frame,
};
use flate2::{Compression, write::ZlibEncoder};
use proptest::prelude::*;
use std::io::Write as _;

const KEY: [u8; 32] = [3; 32];

fn sealed(payload: &[u8]) -> Vec<u8> {
    let mut frame = Vec::new();
    seal_frame(&mut Sender::new(&KEY).unwrap(), payload, &mut frame).unwrap();
    frame
}

fn node(id: &str) -> Vec<u8> {
    let mut payload = vec![0];
    Node {
        tag: "ack".into(),
        attrs: vec![("id".into(), id.into())],
        ..Node::default()
    }
    .encode(Dialect::V7, &mut payload)
    .unwrap();
    payload
}

fn compressed(payload: &[u8]) -> Vec<u8> {
    let mut deflated = ZlibEncoder::new(vec![2], Compression::fast());
    deflated.write_all(&payload[1..]).unwrap();
    deflated.finish().unwrap()
}

proptest! {
    #[test]
    fn what_is_sealed_is_opened(id in "[A-Z0-9]{1,40}", is_compressed in any::<bool>(), counter in any::<u32>()) {
        let payload = node(&id);
        let sent = if is_compressed { compressed(&payload) } else { payload.clone() };
        let mut out = b"before".to_vec();
        seal_frame(&mut Sender::resume(&KEY, counter).unwrap(), &sent, &mut out).unwrap();
        let frame = out.strip_prefix(b"before").unwrap();
        prop_assert_eq!(frame.len(), HEADER_LEN + sent.len() + TAG_LEN);

        let (mut opener, mut tapes, mut steps) = (Opener::default(), Tapes::default(), Vec::new());
        let mut tape = TapeWriter::new(&mut tapes);
        let mut receiver = Receiver::resume(&KEY, counter).unwrap();
        let opened = opener.open(&frame[HEADER_LEN..], &mut receiver, Dialect::V7, &mut tape, |step| steps.push(step));
        let expected = OpenedFrame { payload: &payload[1..], stanza_len: payload.len() - 1 };
        prop_assert_eq!(opened, Ok(expected));
        prop_assert_eq!(steps, [OpenStep::Decrypted, OpenStep::Inflated, OpenStep::Walked]);
        prop_assert_eq!(tape.finish().source().next_attr_of_root(), id);
    }
}

/// Reads the value of the first attribute.
trait FirstAttr {
    fn next_attr_of_root(self) -> String;
}

impl<S: baileys_native::binary::NodeSource> FirstAttr for S {
    fn next_attr_of_root(mut self) -> String {
        let dictionary = Dialect::V7.dictionary();
        self.node().unwrap();
        self.attr_key().unwrap();
        self.attr_value().unwrap().resolve(dictionary).to_owned()
    }
}

#[test]
fn each_failure_has_its_own_error() {
    let open = |frame: &[u8]| {
        let (mut opener, mut tapes) = (Opener::default(), Tapes::default());
        let mut tape = TapeWriter::new(&mut tapes);
        let mut receiver = Receiver::new(&KEY).unwrap();
        opener
            .open(&frame[HEADER_LEN..], &mut receiver, Dialect::V7, &mut tape, |_| ())
            .map(drop)
    };
    let mut damaged = sealed(&node("1"));
    *damaged.last_mut().unwrap() ^= 1;
    assert_eq!(open(&damaged), Err(OpenError::Noise(NoiseError::Decrypt)));
    assert_eq!(
        open(&sealed(&[])),
        Err(PayloadError::Inflate(InflateError::EmptyPayload).into())
    );
    assert_eq!(
        open(&sealed(&[2, 0x78])),
        Err(PayloadError::Inflate(InflateError::Truncated).into())
    );
    let Err(OpenError::Payload(error @ PayloadError::Decode(_))) = open(&sealed(&[0, 99])) else {
        panic!("a payload that is not a node");
    };
    assert_eq!(error.offset(), Some(1));
}

#[test]
fn a_redacted_error_contains_no_text_of_the_payload() {
    // A JID pair with a user and an empty server: list of 3, tag `ack`, key `id`, JID_PAIR "secret" "".
    let payload = [0, 248, 3, 7, 8, 250, 252, 6, b's', b'e', b'c', b'r', b'e', b't', 0];
    let (mut opener, mut receiver) = (Opener::default(), Receiver::new(&KEY).unwrap());
    let frame = sealed(&payload);
    let opened = opener.open(
        &frame[3..],
        &mut receiver,
        Dialect::V7,
        &mut TapeWriter::new(&mut Tapes::default()),
        |_| (),
    );
    let Err(OpenError::Payload(error)) = opened else {
        panic!("{opened:?}")
    };
    let PayloadError::Decode(decode) = &error else {
        panic!("{error:?}")
    };
    assert!(matches!(&decode.kind, DecodeErrorKind::InvalidJidPair { user } if user == "secret"));
    assert!(!error.redacted().to_string().contains("secret"));
}

#[test]
fn a_payload_that_does_not_fit_uses_no_counter_value() {
    let mut sender = Sender::new(&KEY).unwrap();
    let mut out = vec![1];
    let error = seal_frame(&mut sender, &vec![0; MAX_PAYLOAD + 1], &mut out);
    let too_large = FrameError::TooLarge {
        length: MAX_FRAME_LEN + 1,
        limit: MAX_FRAME_LEN,
    };
    assert_eq!(error, Err(SealError::Frame(too_large)));
    assert_eq!((&out[..], sender.counter()), (&[1][..], 0));
    seal_frame(&mut sender, &vec![0; MAX_PAYLOAD], &mut out).unwrap();
    assert_eq!(out[1..4], [255, 255, 255]);

    let mut exhausted = Sender::resume(&KEY, u32::MAX).unwrap();
    let mut out = Vec::new();
    seal_frame(&mut exhausted, b"last", &mut out).unwrap();
    let length = out.len();
    assert_eq!(
        seal_frame(&mut exhausted, b"none", &mut out),
        Err(SealError::Noise(NoiseError::Exhausted))
    );
    assert_eq!(out.len(), length);
}

#[test]
fn a_trimmed_opener_keeps_little_memory() {
    let (mut opener, mut receiver) = (Opener::default(), Receiver::new(&KEY).unwrap());
    let large = sealed(&compressed(
        &[&[0, 248, 2, 7, 254, 0, 32, 0, 0][..], &vec![b'x'; 2 << 20]].concat(),
    ));
    opener
        .open(
            &large[3..],
            &mut receiver,
            Dialect::V7,
            &mut TapeWriter::new(&mut Tapes::default()),
            |_| (),
        )
        .unwrap();
    assert!(opener.capacity() > 2 << 20);
    opener.trim(KEEP_PER_CONNECTION);
    assert!(opener.capacity() <= 2 * KEEP_PER_CONNECTION);
}
