//! Framing: the result is independent of chunks, lengths are limited, and memory is freed.

use baileys_native::frame::{
    FrameDecoder, FrameError, HEADER_LEN, MAX_FRAME_LEN, Preamble, RETAINED_CAPACITY, encode_frame, frame_header,
};
use proptest::prelude::*;

fn drain(decoder: &mut FrameDecoder, frames: &mut Vec<Vec<u8>>) {
    while let Some(frame) = decoder.next().expect("enough memory") {
        frames.push(frame.to_vec());
    }
}

fn encode_all(frames: &[Vec<u8>]) -> Vec<u8> {
    let mut stream = Vec::new();
    for frame in frames {
        encode_frame(frame, &mut stream).expect("short frame");
    }
    stream
}

proptest! {
    #[test]
    fn every_chunking_yields_the_same_frames(
        frames in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..300), 0..30),
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..60),
        drain_each in any::<bool>(),
    ) {
        let stream = encode_all(&frames);
        let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(stream.len() + 1)).collect();
        cuts.extend([0, stream.len()]);
        cuts.sort_unstable();
        let mut decoder = FrameDecoder::new();
        let mut got = Vec::new();
        for pair in cuts.windows(2) {
            decoder.feed(&stream[pair[0]..pair[1]]);
            if drain_each {
                drain(&mut decoder, &mut got);
            }
        }
        drain(&mut decoder, &mut got);
        prop_assert_eq!(got, frames);
        prop_assert_eq!(decoder.buffered(), 0);
    }

    #[test]
    fn every_large_chunking_yields_the_same_frames(
        lengths in prop::collection::vec(0_usize..90_000, 1..6),
        chunk in 1_usize..70_000,
    ) {
        let frames: Vec<Vec<u8>> = lengths.iter().enumerate().map(|(i, length)| vec![i as u8; *length]).collect();
        let mut decoder = FrameDecoder::new();
        let mut got = Vec::new();
        for part in encode_all(&frames).chunks(chunk) {
            decoder.feed(part);
            drain(&mut decoder, &mut got);
        }
        prop_assert_eq!(got, frames);
        prop_assert!(decoder.capacity() <= RETAINED_CAPACITY);
    }

    #[test]
    fn arbitrary_bytes_are_returned_or_buffered(chunks in prop::collection::vec(prop::collection::vec(0..4_u8, 0..50), 0..20)) {
        let (mut decoder, mut fed, mut returned) = (FrameDecoder::new(), 0, 0);
        for chunk in chunks {
            fed += chunk.len();
            decoder.feed(&chunk);
            while let Some(frame) = decoder.next().unwrap() {
                returned += HEADER_LEN + frame.len();
            }
            prop_assert_eq!(decoder.buffered(), fed - returned);
        }
    }
}

#[test]
fn byte_by_byte() {
    let frames = vec![vec![], vec![1], vec![2; 255], vec![], vec![3; 256]];
    let mut decoder = FrameDecoder::default();
    let mut got = Vec::new();
    for byte in encode_all(&frames) {
        decoder.feed(&[byte]);
        drain(&mut decoder, &mut got);
    }
    assert_eq!(got, frames);
}

#[test]
fn a_frame_is_borrowed_without_a_copy() {
    let mut decoder = FrameDecoder::new();
    decoder.feed(&[0, 0, 2, 7, 8, 0, 0]);
    let frame = decoder.next().unwrap().unwrap();
    frame[0] = 9;
    assert_eq!(frame, [9, 8]);
    assert_eq!(decoder.next().unwrap(), None);
    assert_eq!(decoder.buffered(), 2);
}

#[test]
fn the_longest_frame_is_accepted_and_its_memory_freed() {
    let mut decoder = FrameDecoder::new();
    decoder.feed(&[0xff, 0xff, 0xff]);
    assert_eq!(decoder.next().unwrap(), None);
    assert!(decoder.capacity() < 1024, "a length alone allocates nothing");
    for _ in 0..255 {
        decoder.feed(&[5; 65_536]);
        assert_eq!(decoder.next().unwrap(), None);
    }
    decoder.feed(&[5; 65_535 + 2]);
    assert_eq!(decoder.next().unwrap().unwrap().len(), MAX_FRAME_LEN);
    assert!(decoder.capacity() > MAX_FRAME_LEN);
    assert_eq!(decoder.next().unwrap(), None);
    assert_eq!(decoder.buffered(), 2);
    assert!(decoder.capacity() <= RETAINED_CAPACITY);
}

#[test]
fn feeding_many_small_frames_at_once_is_linear() {
    let mut decoder = FrameDecoder::new();
    let stream = [0, 0, 1, 42].repeat(500_000);
    let mut count = 0;
    for chunk in stream.chunks(1_000_001) {
        decoder.feed(chunk);
        while let Some(frame) = decoder.next().unwrap() {
            assert_eq!(frame, [42]);
            count += 1;
        }
    }
    assert_eq!(count, 500_000);
}

#[test]
fn headers() {
    assert_eq!(frame_header(0), Ok([0, 0, 0]));
    assert_eq!(frame_header(0x01_02_03), Ok([1, 2, 3]));
    assert_eq!(frame_header(MAX_FRAME_LEN), Ok([255, 255, 255]));
    let too_large = FrameError::TooLarge {
        length: 1 << 24,
        limit: MAX_FRAME_LEN,
    };
    assert_eq!(frame_header(1 << 24), Err(too_large));
    assert_eq!(
        too_large.to_string(),
        "the frame is too long: 16777216 bytes, limit 16777215"
    );
    assert!(frame_header(usize::MAX).is_err());
    let mut out = vec![1];
    assert_eq!(encode_frame(&vec![0; 1 << 24], &mut out), Err(too_large));
    assert_eq!(out, [1]);
}

proptest! {
    /// `next_of` returns the same frames as `feed` and `next`, for all ways to cut the stream.
    #[test]
    fn frames_in_place_are_the_frames_of_the_stream(
        frames in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..40), 0..12),
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..8),
    ) {
        let mut stream = Vec::new();
        for frame in &frames {
            encode_frame(frame, &mut stream).unwrap();
        }
        let mut places: Vec<_> = cuts.iter().map(|cut| cut.index(stream.len() + 1)).chain([0, stream.len()]).collect();
        places.sort_unstable();
        let mut decoder = FrameDecoder::new();
        let mut found = Vec::new();
        for ends in places.windows(2) {
            let mut input = &stream[ends[0]..ends[1]];
            while let Some(frame) = decoder.next_of(&mut input).unwrap() {
                found.push(frame.to_vec());
            }
            prop_assert!(input.is_empty());
        }
        prop_assert_eq!(found, frames);
        prop_assert_eq!(decoder.buffered(), 0);
    }
}

#[test]
fn the_preamble_is_sent_once() {
    let mut preamble = Preamble::new(b"WA\x06\x03", None).unwrap();
    assert!(!preamble.is_sent());
    assert_eq!(preamble.pending(), b"WA\x06\x03");
    let mut out = vec![1];
    let refused = preamble.write_before(&mut out, |out| {
        out.push(7);
        Err("refused")
    });
    assert_eq!((refused, &out[..]), (Err("refused"), &[1][..]));
    for byte in [2, 3] {
        preamble
            .write_before(&mut out, |out| encode_frame(&[byte], out))
            .unwrap();
    }
    assert_eq!(out, b"\x01WA\x06\x03\0\0\x01\x02\0\0\x01\x03");
    assert!(preamble.is_sent() && preamble.pending().is_empty());
}

#[test]
fn routing_information_precedes_the_header() {
    assert_eq!(
        Preamble::new(b"WA\x06\x03", Some(&[8, 2])).unwrap().pending(),
        b"ED\0\x01\0\0\x02\x08\x02WA\x06\x03"
    );
    assert_eq!(
        Preamble::new(b"WA\x06\x03", Some(&[])).unwrap().pending(),
        b"ED\0\x01\0\0\0WA\x06\x03"
    );
    let error = Preamble::new(b"WA\x06\x03", Some(&vec![0; 1 << 24])).unwrap_err();
    assert_eq!(error, FrameError::RoutingInfoTooLarge { length: 1 << 24 });
    assert_eq!(
        error.to_string(),
        "the routing information is too long: 16777216 bytes, limit 16777215"
    );
}
