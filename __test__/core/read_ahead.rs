//! The read-ahead makes the same tapes as the noise handler, or none.

use baileys_native::binary::{self, Dialect, Node, NodeContent};
use baileys_native::frame::{FrameDecoder, encode_frame};
use baileys_native::noise::{Receiver, Sender};
use baileys_native::read_ahead::{KeepAliveReplies, OpenedMessage, ReadAhead, ThreadBuffers};
use baileys_native::tape::{TapeWriter, Tapes};
use flate2::{Compression, write::ZlibEncoder};
use proptest::prelude::*;
use std::io::Write as _;

const KEY: [u8; 32] = [9; 32];
const HANDSHAKE: &[u8] = b"\0\0\x05hello";

fn payload(number: usize, compressed: bool) -> Vec<u8> {
    let content = NodeContent::Bytes(vec![number as u8; number % 50]);
    let attrs = vec![
        ("id".into(), number.to_string()),
        (
            "notify".into(),
            if number.is_multiple_of(3) { "\u{1F600}" } else { "x" }.into(),
        ),
    ];
    let mut node = Vec::new();
    Node {
        tag: "message".into(),
        attrs,
        content,
    }
    .encode(Dialect::V7, &mut node)
    .unwrap();
    if !compressed {
        return [&[0], &node[..]].concat();
    }
    let mut deflated = ZlibEncoder::new(vec![2], Compression::fast());
    deflated.write_all(&node).unwrap();
    deflated.finish().unwrap()
}

/// A stream with `count` sealed frames.
fn stream(count: usize) -> Vec<u8> {
    let mut sender = Sender::new(&KEY).unwrap();
    let mut stream = Vec::new();
    for number in 0..count {
        let mut sealed = Vec::new();
        sender.seal(&payload(number, number % 4 == 0), &mut sealed).unwrap();
        encode_frame(&sealed, &mut stream).unwrap();
    }
    stream
}

/// The tapes that the noise handler makes: one per frame.
fn handled(stream: &[u8]) -> Vec<Vec<i32>> {
    let (mut frames, mut receiver, mut tapes) = (FrameDecoder::new(), Receiver::new(&KEY).unwrap(), Vec::new());
    frames.feed(stream);
    while let Some(frame) = frames.next().unwrap() {
        let (mut plain, mut inflated, mut tape) = (Vec::new(), Vec::new(), Tapes::default());
        let mut writer = TapeWriter::new(&mut tape);
        receiver.open(frame, &mut plain).unwrap();
        binary::decode(binary::unpack(&plain, &mut inflated).unwrap(), Dialect::V7, &mut writer).unwrap();
        tapes.push(writer.finish().ops.to_vec());
    }
    tapes
}

fn linked() -> ReadAhead {
    let mut read_ahead = ReadAhead::default();
    assert!(read_ahead.link());
    read_ahead
}

fn opened() -> ReadAhead {
    let mut read_ahead = linked();
    read_ahead.open(Receiver::new(&KEY).unwrap(), 0, Dialect::V7);
    read_ahead
}

fn split(tapes: &Tapes) -> Vec<Vec<i32>> {
    let mut cursor = tapes.cursor();
    std::iter::from_fn(|| Some(cursor.tape()?.ops.to_vec())).collect()
}

proptest! {
    #[test]
    fn every_way_to_cut_a_stream_into_messages_is_followed(cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..12), early in 0..4_usize) {
        let stream = stream(12);
        let expected = handled(&stream);
        let mut places: Vec<_> = cuts.iter().map(|cut| cut.index(stream.len())).chain([0, stream.len()]).collect();
        places.sort_unstable();
        let mut read_ahead = linked();
        let mut tapes = Tapes::default();
        prop_assert_eq!(read_ahead.message(HANDSHAKE, &mut ThreadBuffers::default(), &mut tapes), None);
        let mut followed = FrameDecoder::new();
        let mut frames = 0;
        for (at, ends) in places.windows(2).enumerate() {
            // The keys can be set after a part of the stream was received.
            if at == early {
                read_ahead.open(Receiver::new(&KEY).unwrap(), 1, Dialect::V7);
            }
            let message = &stream[ends[0]..ends[1]];
            let whole = followed.buffered() == 0;
            let before = frames;
            followed.feed(message);
            while followed.next().unwrap().is_some() {
                frames += 1;
            }
            tapes.clear();
            let result = read_ahead.message(message, &mut ThreadBuffers::default(), &mut tapes);
            if at >= early && whole && followed.buffered() == 0 && frames > before {
                prop_assert_eq!(result, Some(OpenedMessage { counter: before as u64, frames: (frames - before) as u32 }));
                prop_assert_eq!(split(&tapes), &expected[before..frames]);
            } else {
                prop_assert_eq!(result, None);
                prop_assert!(tapes.is_empty() && tapes.text.is_empty() && tapes.bytes.is_empty());
            }
        }
    }
}

/// A compressed payload with content of this length in bytes, and with bytes after the stanza.
fn large(bytes: usize, after: usize) -> Vec<u8> {
    let mut node = Vec::new();
    Node {
        tag: "message".into(),
        attrs: Vec::new(),
        content: NodeContent::Bytes(vec![0; bytes]),
    }
    .encode(Dialect::V7, &mut node)
    .unwrap();
    node.resize(node.len() + after, 0);
    let mut deflated = ZlibEncoder::new(vec![2], Compression::fast());
    deflated.write_all(&node).unwrap();
    deflated.finish().unwrap()
}

#[test]
fn a_message_above_the_limit_is_left_to_the_handler_and_later_messages_are_read_ahead() {
    const MIB: usize = 1024 * 1024;
    let mut sender = Sender::new(&KEY).unwrap();
    let mut message = |sizes: &[usize]| {
        let mut message = Vec::new();
        for &size in sizes {
            let mut sealed = Vec::new();
            sender.seal(&large(size, 0), &mut sealed).unwrap();
            encode_frame(&sealed, &mut message).unwrap();
        }
        message
    };
    let mut read_ahead = opened();
    let mut tapes = Tapes::default();
    let mut open = |message: &[u8]| {
        tapes.clear();
        let opened = read_ahead.message(message, &mut ThreadBuffers::default(), &mut tapes);
        (opened, tapes.bytes.len())
    };
    let some = |counter, frames| Some(OpenedMessage { counter, frames });
    // A single frame is opened at any size. Several frames are opened only if there is room before each of them.
    assert_eq!(open(&message(&[12 * MIB])), (some(0, 1), 12 * MIB));
    assert_eq!(open(&message(&[3 * MIB, 3 * MIB])), (some(1, 2), 6 * MIB));
    assert_eq!(open(&message(&[3 * MIB; 4])), (None, 0));
    assert_eq!(open(&message(&[1])), (some(7, 1), 1));
    // The result is the same if the rest of the last frame is in a second message.
    let cut = message(&[12 * MIB, 1, 1]);
    assert_eq!(open(&cut[..cut.len() - 1]), (None, 0));
    assert_eq!(open(&cut[cut.len() - 1..]), (None, 0));
    assert_eq!(open(&message(&[1, 2])), (some(11, 2), 3));
}

#[test]
fn bytes_after_a_stanza_count_for_the_limit_of_a_message() {
    let mut sender = Sender::new(&KEY).unwrap();
    let mut message = Vec::new();
    for _ in 0..3 {
        let mut sealed = Vec::new();
        sender.seal(&large(1, 5 << 20), &mut sealed).unwrap();
        encode_frame(&sealed, &mut message).unwrap();
    }
    let mut read_ahead = opened();
    let mut tapes = Tapes::default();
    let mut open = |message: &[u8]| read_ahead.message(message, &mut ThreadBuffers::default(), &mut tapes);
    assert_eq!(open(&message), None);
    let (mut sealed, mut message) = (Vec::new(), Vec::new());
    sender.seal(&large(1, 9 << 20), &mut sealed).unwrap();
    encode_frame(&sealed, &mut message).unwrap();
    assert_eq!(open(&message), Some(OpenedMessage { counter: 3, frames: 1 }));
}

#[test]
fn a_read_ahead_cannot_be_linked_after_the_first_message() {
    let mut read_ahead = ReadAhead::default();
    assert_eq!(
        read_ahead.message(HANDSHAKE, &mut ThreadBuffers::default(), &mut Tapes::default()),
        None
    );
    assert!(!read_ahead.link());
    read_ahead.open(Receiver::new(&KEY).unwrap(), 0, Dialect::V7);
    assert_eq!(
        read_ahead.message(&stream(1), &mut ThreadBuffers::default(), &mut Tapes::default()),
        None
    );
}

#[test]
fn nothing_is_opened_after_a_frame_that_cannot_be_decrypted() {
    let mut damaged = stream(2);
    damaged[10] ^= 1;
    let mut read_ahead = opened();
    let mut tapes = Tapes::default();
    assert_eq!(
        read_ahead.message(&damaged, &mut ThreadBuffers::default(), &mut tapes),
        None
    );
    assert!(tapes.is_empty());
    assert_eq!(
        read_ahead.message(&stream(1), &mut ThreadBuffers::default(), &mut tapes),
        None
    );
}

#[test]
fn messages_after_a_payload_that_is_not_a_stanza_are_opened() {
    let mut sender = Sender::new(&KEY).unwrap();
    let mut message = |payloads: &[&[u8]]| {
        let mut message = Vec::new();
        for payload in payloads {
            let mut sealed = Vec::new();
            sender.seal(payload, &mut sealed).unwrap();
            encode_frame(&sealed, &mut message).unwrap();
        }
        message
    };
    let stanza = payload(1, false);
    let no_stanza: &[u8] = &[0, 99];
    let no_deflate: &[u8] = &[2, 99];
    let mut read_ahead = opened();
    let mut tapes = Tapes::default();
    let mut open = |message: &[u8]| {
        tapes.clear();
        let opened = read_ahead.message(message, &mut ThreadBuffers::default(), &mut tapes);
        assert_eq!(tapes.is_empty(), opened.is_none());
        opened
    };
    let some = |counter, frames| Some(OpenedMessage { counter, frames });
    assert_eq!(open(&message(&[no_stanza])), None);
    assert_eq!(open(&message(&[&stanza])), some(1, 1));
    assert_eq!(open(&message(&[&stanza, no_deflate, &stanza])), None);
    assert_eq!(open(&message(&[&stanza, &stanza])), some(5, 2));
    // A frame that cannot be decrypted ends it.
    assert_eq!(open(b"\0\0\x01x"), None);
    assert_eq!(open(&message(&[&stanza])), None);
}

#[test]
fn a_count_above_the_received_handshake_frames_opens_nothing() {
    let mut read_ahead = linked();
    read_ahead.open(Receiver::new(&KEY).unwrap(), 1, Dialect::V7);
    assert_eq!(
        read_ahead.message(&stream(1), &mut ThreadBuffers::default(), &mut Tapes::default()),
        None
    );
}

#[test]
fn a_closed_read_ahead_opens_nothing() {
    let mut read_ahead = opened();
    assert!(
        read_ahead
            .message(&stream(1), &mut ThreadBuffers::default(), &mut Tapes::default())
            .is_some()
    );
    read_ahead.close();
    assert_eq!(
        read_ahead.message(&stream(1), &mut ThreadBuffers::default(), &mut Tapes::default()),
        None
    );
    assert!(!read_ahead.link());
}

/// An unpredictable prefix in the form of Baileys' ids.
const OURS: &str = "12345678901234567890.9876543210987654321-";

fn stanza(tag: &str, id: &str, kind: &str, dialect: Dialect) -> Vec<u8> {
    let mut payload = vec![0];
    let attrs = [("from", "@s.whatsapp.net"), ("id", id), ("type", kind)];
    Node {
        tag: tag.to_owned(),
        attrs: attrs.map(|(key, value)| (key.to_owned(), value.to_owned())).into(),
        content: NodeContent::None,
    }
    .encode(dialect, &mut payload)
    .unwrap();
    payload
}

#[test]
fn only_replies_to_keep_alive_queries_of_the_addon_are_hidden() {
    let own = format!("{OURS}1");
    for dialect in [Dialect::V7, Dialect::V6_7, Dialect::V6_17] {
        let stanzas = [
            (stanza("iq", &own, "result", dialect), true),
            (stanza("iq", "1.2-1", "result", dialect), false),
            (stanza("iq", &own, "error", dialect), true),
            (stanza("iq", &own, "get", dialect), false),
            (stanza("message", &own, "result", dialect), false),
            (stanza("iq", &format!("1{own}"), "result", dialect), false),
            (stanza("iq", &OURS[..OURS.len() - 1], "result", dialect), false),
            (stanza("iq", &own, "result", dialect), true),
        ];
        for expecting in [false, true] {
            let mut sender = Sender::new(&KEY).unwrap();
            let mut message = Vec::new();
            for (payload, _) in &stanzas {
                let mut sealed = Vec::new();
                sender.seal(payload, &mut sealed).unwrap();
                encode_frame(&sealed, &mut message).unwrap();
            }
            let mut read_ahead = linked();
            read_ahead.open(Receiver::new(&KEY).unwrap(), 0, dialect);
            if expecting {
                read_ahead.hide(KeepAliveReplies::new(OURS.to_owned()));
            }
            let mut tapes = Tapes::default();
            let opened = read_ahead.message(&message, &mut ThreadBuffers::default(), &mut tapes);
            // A hidden frame still has an empty tape, so that the counters are correct.
            assert_eq!(opened, Some(OpenedMessage { counter: 0, frames: 8 }));
            let passed: Vec<bool> = split(&tapes).iter().map(Vec::is_empty).collect();
            let expected: Vec<bool> = stanzas.iter().map(|(_, ours)| expecting && *ours).collect();
            assert_eq!(passed, expected);
        }
    }
}
