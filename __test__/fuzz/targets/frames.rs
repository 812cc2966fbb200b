//! The frame decoder. Every way to split a stream into chunks gives the same frames, and the frames
//! contain the whole stream.

use arbitrary::Unstructured;
use baileys_native::frame::{FrameDecoder, encode_frame, split_frame};

/// `data` is the lengths of the chunks and then the stream.
pub fn run(data: &[u8]) {
    let mut source = Unstructured::new(data);
    let chunks: Vec<u8> = source.arbitrary().unwrap_or_default();
    let stream = source.take_rest();
    let whole = frames([stream]);
    let mut pieces = Vec::new();
    let mut rest = stream;
    for length in chunks {
        let (piece, after) = rest.split_at(usize::from(length).min(rest.len()));
        pieces.push(piece);
        rest = after;
    }
    pieces.push(rest);
    assert_eq!(frames(pieces), whole);
    assert_eq!(reference(stream), whole);
    let mut encoded = Vec::new();
    for frame in &whole {
        encode_frame(frame, &mut encoded).expect("a frame that was read is short enough");
    }
    assert!(stream.starts_with(&encoded));
}

fn frames<'a>(chunks: impl IntoIterator<Item = &'a [u8]>) -> Vec<Vec<u8>> {
    let mut decoder = FrameDecoder::new();
    let mut found = Vec::new();
    for chunk in chunks {
        decoder.feed(chunk);
        while let Some(frame) = decoder.next().expect("every length that can be written is allowed") {
            found.push(frame.to_vec());
        }
    }
    found
}

fn reference(mut stream: &[u8]) -> Vec<Vec<u8>> {
    let mut found = Vec::new();
    while let Some((frame, rest)) = split_frame(stream) {
        found.push(frame.to_vec());
        stream = rest;
    }
    found
}
