//! The node codec against `wacore-binary`, stanza by stanza.
//!
//! `decode` compares what each hands on: a tape here, nodes that borrow from the input there. `decode_owned` compares
//! nodes that own what they hold. `encode` starts from owned nodes whose attributes are strings, and
//! `encode_parsed_jids` lets theirs have JIDs parsed beforehand.

use baileys_native::binary::{Node, decode};
use baileys_native::tape::TapeWriter;
use baileys_native_bench::{CORPUS, DIALECT, names, stanza};
use divan::{Bencher, black_box};
use wacore_binary::marshal::{marshal_to_vec, unmarshal_ref};

fn main() {
    // Proved equal before anything is timed.
    assert!(!CORPUS.is_empty());
    divan::main();
}

mod decode {
    use super::*;

    #[divan::bench(args = names())]
    fn ours(bencher: Bencher, name: &str) {
        let input = &stanza(name).encoded;
        let mut tape = TapeWriter::new();
        bencher.bench_local(|| {
            tape.clear_for(input);
            super::decode(black_box(input), DIALECT, &mut tape).unwrap();
            black_box(tape.ops().len())
        });
    }

    #[divan::bench(args = names())]
    fn wacore(bencher: Bencher, name: &str) {
        let input = &stanza(name).encoded;
        bencher.bench_local(|| {
            // Dropped as part of the work, since the tape's memory is used again as part of ours.
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
