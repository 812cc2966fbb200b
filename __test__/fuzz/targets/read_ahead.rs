//! The read-ahead, compared with the noise handler. For every way to split a stream into messages it
//! makes the same tapes or none.

use arbitrary::{Arbitrary, Unstructured};
use baileys_native::{
    binary::{Dialect, decode, unpack},
    frame::{FrameDecoder, encode_frame},
    noise::{Receiver, Sender},
    read_ahead::{OpenedMessage, ReadAhead, ThreadBuffers},
    tape::{TapeWriter, Tapes},
};

const KEY: [u8; 32] = [9; 32];
/// The size of the tapes, in bytes, at which no further frame of a message is opened.
const MAX_TAPES: usize = 8 * 1024 * 1024;
/// The same for the decompressed payloads.
const MAX_PAYLOADS: usize = 8 * 1024 * 1024;

#[derive(Arbitrary, Debug)]
enum Frame<'a> {
    /// A payload that is sealed correctly.
    Payload(&'a [u8]),
    /// Bytes that were not sealed.
    Bytes(&'a [u8]),
}

/// `data` is the number of frames before the keys are known, the lengths of the messages, and the frames.
pub fn run(data: &[u8]) {
    let mut source = Unstructured::new(data);
    let (early, dialect): (u8, u8) = source.arbitrary().unwrap_or_default();
    let dialect = [Dialect::V7, Dialect::V6_7, Dialect::V6_17][usize::from(dialect % 3)];
    let lengths: Vec<u16> = source.arbitrary().unwrap_or_default();
    let mut stream = Vec::new();
    let mut frames = Vec::new();
    let mut sender = Sender::new(&KEY).unwrap();
    for counter in 0.. {
        if source.is_empty() {
            break;
        }
        let Ok(frame) = source.arbitrary() else { break };
        let mut sealed = Vec::new();
        // Each frame uses up a counter.
        match frame {
            Frame::Payload(payload) => sender.seal(payload, &mut sealed).unwrap(),
            Frame::Bytes(bytes) => {
                sender.seal(&[], &mut Vec::new()).unwrap();
                sealed.extend_from_slice(bytes);
            }
        }
        encode_frame(&sealed, &mut stream).unwrap();
        frames.push(handled(&sealed, counter, dialect));
    }
    follow(&stream, &frames, &lengths, early, dialect);
}

/// The result of the noise handler for one frame.
enum Handled {
    /// Its tape, and the length of the decompressed payload.
    Stanza(Tapes, usize),
    /// The frame is authentic, but its payload is not a stanza.
    NoStanza,
    /// The frame cannot be decrypted.
    NotAuthentic,
}

fn handled(sealed: &[u8], counter: u32, dialect: Dialect) -> Handled {
    let mut receiver = Receiver::resume(&KEY, counter).unwrap();
    let (mut plain, mut inflated, mut tape) = (Vec::new(), Vec::new(), Tapes::default());
    if receiver.open(sealed, &mut plain).is_err() {
        return Handled::NotAuthentic;
    }
    let mut writer = TapeWriter::new(&mut tape);
    let Ok(payload) = unpack(&plain, &mut inflated) else {
        return Handled::NoStanza;
    };
    if decode(payload, dialect, &mut writer).is_err() {
        return Handled::NoStanza;
    }
    let length = payload.len();
    writer.finish();
    Handled::Stanza(tape, length)
}

fn follow(stream: &[u8], handled: &[Handled], lengths: &[u16], early: u8, dialect: Dialect) {
    let mut read_ahead = ReadAhead::default();
    assert!(read_ahead.link());
    let (mut frames, mut buffers, mut made) = (FrameDecoder::new(), ThreadBuffers::default(), Tapes::default());
    let (mut rest, mut before, mut is_open, mut is_off) = (stream, 0, false, false);
    let mut lengths = lengths.iter();
    while !rest.is_empty() {
        if !is_open && before >= usize::from(early) {
            read_ahead.open(Receiver::new(&KEY).unwrap(), 0, dialect);
            is_open = true;
        }
        let length = lengths
            .next()
            .map_or(rest.len(), |&length| usize::from(length).min(rest.len()));
        let (message, after) = rest.split_at(length);
        rest = after;
        let begins = frames.buffered() == 0;
        frames.feed(message);
        let mut count = 0;
        while frames.next().unwrap().is_some() {
            count += 1;
        }
        made.clear();
        let opened = read_ahead.message(message, &mut buffers, &mut made);
        let is_whole = begins && frames.buffered() == 0 && count > 0;
        if is_open && is_whole && !is_off {
            let mut expected = Tapes::default();
            let (mut payloads, mut all_opened) = (0, true);
            for frame in &handled[before..before + count] {
                let has_room = expected.size() < MAX_TAPES && payloads < MAX_PAYLOADS;
                all_opened = has_room && matches!(frame, Handled::Stanza(..));
                match frame {
                    _ if !has_room => {}
                    Handled::Stanza(tape, length) => {
                        expected.extend_from(tape).unwrap();
                        payloads += length;
                    }
                    Handled::NoStanza => {}
                    Handled::NotAuthentic => is_off = true,
                }
                if !all_opened {
                    break;
                }
            }
            match opened {
                Some(OpenedMessage { counter, frames }) => {
                    assert_eq!((counter, frames as usize), (before as u64, count));
                    assert_eq!(made, expected);
                    assert!(all_opened);
                }
                None => assert!(!all_opened, "frames that can be opened were not"),
            }
        } else {
            assert_eq!(opened, None);
        }
        if opened.is_none() {
            assert!(made.is_empty() && made.text.is_empty() && made.bytes.is_empty());
        }
        before += count;
    }
}
