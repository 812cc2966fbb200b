//! Noise and framing compared with `wacore-noise`: sealing and opening framed messages of several sizes, the symmetric
//! operations of a handshake, and the splitting of a stream into frames.

use baileys_native::frame::FrameDecoder;
use baileys_native::noise::{PROTOCOL_XX, Receiver, Sender, SymmetricState};
use divan::{Bencher, black_box};
use wacore_noise::{NoiseCipher, NoiseState};

const KEY: [u8; 32] = [0x42; 32];
const SIZES: [usize; 5] = [40, 250, 1500, 16_384, 65_536];

fn plaintext(length: usize) -> Vec<u8> {
    (0..length).map(|at| at as u8).collect()
}

fn sealed(length: usize) -> Vec<u8> {
    let mut out = Vec::new();
    Sender::new(&KEY).unwrap().seal(&plaintext(length), &mut out).unwrap();
    out
}

fn main() {
    for length in SIZES {
        let theirs = NoiseCipher::new(&KEY)
            .unwrap()
            .encrypt_with_counter(0, &plaintext(length))
            .unwrap();
        assert_eq!(theirs, sealed(length), "both seal the same bytes");
    }
    assert_eq!(
        handshake_ours(),
        handshake_theirs(),
        "both handshakes give the same bytes"
    );
    divan::main();
}

mod seal {
    use super::*;

    #[divan::bench(args = SIZES)]
    fn ours(bencher: Bencher, length: usize) {
        let input = plaintext(length);
        let mut sender = Sender::new(&KEY).unwrap();
        let mut out = Vec::with_capacity(length + 16);
        bencher.bench_local(|| {
            out.clear();
            sender.seal(black_box(&input), &mut out).unwrap();
            black_box(out.len())
        });
    }

    #[divan::bench(args = SIZES)]
    fn wacore(bencher: Bencher, length: usize) {
        let input = plaintext(length);
        let cipher = NoiseCipher::new(&KEY).unwrap();
        let mut counter = 0;
        let mut out = Vec::with_capacity(length + 16);
        bencher.bench_local(|| {
            out.clear();
            out.extend_from_slice(black_box(&input));
            cipher.encrypt_in_place_with_counter(counter, &mut out).unwrap();
            counter += 1;
            black_box(out.len())
        });
    }
}

mod open {
    use super::*;

    /// Both open the message with counter 0. Setting the counter is not measured for either.
    #[divan::bench(args = SIZES)]
    fn ours(bencher: Bencher, length: usize) {
        let input = sealed(length);
        let mut out = Vec::with_capacity(length + 16);
        bencher
            .with_inputs(|| Receiver::new(&KEY).unwrap())
            .bench_local_refs(|receiver| {
                out.clear();
                receiver.open(black_box(&input), &mut out).unwrap();
                black_box(out.len())
            });
    }

    #[divan::bench(args = SIZES)]
    fn wacore(bencher: Bencher, length: usize) {
        let input = sealed(length);
        let mut out = Vec::with_capacity(length + 16);
        bencher
            .with_inputs(|| NoiseCipher::new(&KEY).unwrap())
            .bench_local_refs(|cipher| {
                out.clear();
                out.extend_from_slice(black_box(&input));
                cipher.decrypt_in_place_with_counter(0, &mut out).unwrap();
                black_box(out.len())
            });
    }
}

/// The client's part of a handshake without the curve, with encrypted parts of usual sizes.
fn handshake_ours() -> Vec<u8> {
    let mut state = SymmetricState::new(PROTOCOL_XX);
    state.mix_hash(b"WA\x06\x03");
    state.mix_hash(&KEY);
    state.mix_key(&KEY);
    let mut out = Vec::new();
    for length in [32, 300, 32, 500] {
        state.encrypt_and_hash(&plaintext(length), &mut out).unwrap();
        state.mix_key(&KEY);
    }
    black_box(state.split().unwrap());
    out
}

fn handshake_theirs() -> Vec<u8> {
    let mut state = NoiseState::new(PROTOCOL_XX, b"WA\x06\x03").unwrap();
    state.authenticate(&KEY);
    state.mix_key(&KEY).unwrap();
    let mut out = Vec::new();
    for length in [32, 300, 32, 500] {
        state.encrypt_into(&plaintext(length), &mut out).unwrap();
        state.mix_key(&KEY).unwrap();
    }
    black_box(state.split().unwrap());
    out
}

mod handshake {
    #[divan::bench]
    fn ours() -> Vec<u8> {
        super::handshake_ours()
    }

    #[divan::bench]
    fn wacore() -> Vec<u8> {
        super::handshake_theirs()
    }
}

/// 64 frames in one chunk.
fn stream(length: usize) -> Vec<u8> {
    let mut out = Vec::new();
    for _ in 0..64 {
        baileys_native::frame::encode_frame(&plaintext(length), &mut out).unwrap();
    }
    out
}

mod frames_64 {
    use super::*;

    #[divan::bench(args = [40, 250, 1500])]
    fn ours(bencher: Bencher, length: usize) {
        let input = stream(length);
        let mut decoder = FrameDecoder::new();
        bencher.bench_local(|| {
            decoder.feed(black_box(&input));
            while let Some(frame) = decoder.next().unwrap() {
                black_box(frame.len());
            }
        });
    }

    #[divan::bench(args = [40, 250, 1500])]
    fn wacore(bencher: Bencher, length: usize) {
        let input = stream(length);
        let mut decoder = wacore_noise::framing::FrameDecoder::new();
        bencher.bench_local(|| {
            decoder.feed(black_box(&input));
            while let Some(frame) = decoder.decode_frame() {
                black_box(frame.len());
            }
        });
    }
}
