//! The read-ahead, against the noise handler's way: it makes the same tapes or none, however the stream is cut into messages.

use arbitrary::{Arbitrary, Unstructured};
use baileys_native::{
    binary::{Dialect, decode, unpack},
    frame::{FrameDecoder, encode_frame},
    noise::{Receiver, Sender},
    read_ahead::{OpenedMessage, ReadAhead, Scratch},
    tape::{TapeWriter, Tapes},
};

const KEY: [u8; 32] = [9; 32];
/// The size of the tapes, in bytes, at which no further frame of a message is opened.
const MAX_TAPES: usize = 8 * 1024 * 1024;

#[derive(Arbitrary, Debug)]
enum Frame<'a> {
    /// A payload that is sealed as it should be.
    Payload(&'a [u8]),
    /// Bytes that nobody sealed.
    Bytes(&'a [u8]),
}

/// `data` is the number of frames before the keys are known, the lengths of the messages, and the frames.
pub fn run(data: &[u8]) {
    let mut source = Unstructured::new(data);
    let (early, dialect): (u8, u8) = source.arbitrary().unwrap_or_default();
    let dialect = [Dialect::V7, Dialect::V6_7, Dialect::V6_17][usize::from(dialect % 3)];
    let lengths: Vec<u16> = source.arbitrary().unwrap_or_default();
    let mut stream = Vec::new();
    let mut tapes = Vec::new();
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
        tapes.push(handled(&sealed, counter, dialect));
    }
    follow(&stream, &tapes, &lengths, early, dialect);
}

/// The tape of one frame as the noise handler makes it; `None` if it cannot be opened or is no node.
fn handled(sealed: &[u8], counter: u32, dialect: Dialect) -> Option<Tapes> {
    let mut receiver = Receiver::resume(&KEY, counter).unwrap();
    let (mut plain, mut inflated, mut tape) = (Vec::new(), Vec::new(), Tapes::default());
    receiver.open(sealed, &mut plain).ok()?;
    let mut writer = TapeWriter::new(&mut tape);
    decode(unpack(&plain, &mut inflated).ok()?, dialect, &mut writer).ok()?;
    writer.finish();
    Some(tape)
}

fn follow(stream: &[u8], tapes: &[Option<Tapes>], lengths: &[u16], early: u8, dialect: Dialect) {
    let mut read_ahead = ReadAhead::default();
    assert!(read_ahead.link());
    let (mut frames, mut scratch, mut made) = (FrameDecoder::new(), Scratch::default(), Tapes::default());
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
        let opened = read_ahead.message(message, &mut scratch, &mut made);
        let own = &tapes[before..before + count];
        let is_whole = begins && frames.buffered() == 0 && count > 0;
        if is_open && is_whole && !is_off {
            let mut expected = Tapes::default();
            for tape in own.iter().map_while(Option::as_ref) {
                expected.extend_from(tape);
            }
            is_off = own.iter().any(Option::is_none);
            let is_large = expected.size() >= MAX_TAPES;
            match opened {
                Some(OpenedMessage { counter, frames }) => {
                    assert_eq!((counter, frames as usize), (before as u64, count));
                    assert_eq!(made, expected);
                    assert!(!is_off);
                }
                None => assert!(is_off || is_large, "frames that can be opened were not"),
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
