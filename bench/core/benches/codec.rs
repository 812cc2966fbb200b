//! The node codec compared with `wacore-binary`, for each stanza.
//!
//! `decode` compares the normal result of each codec: a tape in this crate, and nodes that borrow from the input in
//! `wacore-binary`. `decode_owned` compares owned nodes. `encode` starts with owned nodes with string attributes. In
//! `encode_parsed_jids`, the nodes of `wacore-binary` have parsed JIDs.

use baileys_native::binary::{Node, decode};
use baileys_native::tape::{TapeWriter, Tapes};
use baileys_native_bench::{CORPUS, DIALECT, names, stanza};
use divan::{Bencher, black_box};
use wacore_binary::marshal::{marshal_to_vec, unmarshal_ref};

fn main() {
    // Initializing the corpus checks that the results are equal.
    assert!(!CORPUS.is_empty());
    divan::main();
}

mod decode {
    use super::*;

    #[divan::bench(args = names())]
    fn ours(bencher: Bencher, name: &str) {
        let input = &stanza(name).encoded;
        let mut tapes = Tapes::default();
        bencher.bench_local(|| {
            tapes.clear();
            let mut tape = TapeWriter::borrowing(&mut tapes, input);
            super::decode(black_box(input), DIALECT, &mut tape).unwrap();
            black_box(tape.finish().ops.len())
        });
    }

    #[divan::bench(args = names())]
    fn wacore(bencher: Bencher, name: &str) {
        let input = &stanza(name).encoded;
        bencher.bench_local(|| {
            // The result is dropped within the measurement, because the reuse of the tape's memory is also within it.
            black_box(&unmarshal_ref(black_box(input)).unwrap());
        });
    }
}

mod decode_owned {
    use super::*;

    #[divan::bench(args = names())]
    fn ours(bencher: Bencher, name: &str) {
        let input = &stanza(name).encoded;
        bencher.bench_local(|| {
            black_box(&Node::decode(black_box(input), DIALECT).unwrap());
        });
    }

    #[divan::bench(args = names())]
    fn wacore(bencher: Bencher, name: &str) {
        let input = &stanza(name).encoded;
        bencher.bench_local(|| {
            black_box(&unmarshal_ref(black_box(input)).unwrap().to_owned());
        });
    }
}

mod encode {
    use super::*;

    #[divan::bench(args = names())]
    fn ours(bencher: Bencher, name: &str) {
        let node = &stanza(name).ours;
        let mut out = Vec::new();
        bencher.bench_local(|| {
            out.clear();
            black_box(node).encode(DIALECT, &mut out).unwrap();
            black_box(out.len())
        });
    }

    #[divan::bench(args = names())]
    fn wacore(bencher: Bencher, name: &str) {
        let node = &stanza(name).theirs;
        let mut out = Vec::new();
        bencher.bench_local(|| {
            out.clear();
            marshal_to_vec(black_box(node), &mut out).unwrap();
            black_box(out.len())
        });
    }

    #[divan::bench(args = names())]
    fn wacore_parsed_jids(bencher: Bencher, name: &str) {
        let node = &stanza(name).theirs_parsed;
        let mut out = Vec::new();
        bencher.bench_local(|| {
            out.clear();
            marshal_to_vec(black_box(node), &mut out).unwrap();
            black_box(out.len())
        });
    }
}
