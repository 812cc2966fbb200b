//! Replays the committed corpora of the fuzz targets, so that earlier findings of fuzzing stay tests.

use std::{fs, path::Path};

/// The fuzz targets import the server of the session tests from here.
mod support {
    pub(crate) use crate::session::{harness, noise_server, server};
    pub(crate) use crate::shared_sender::world as shared_sender;
}

#[allow(unreachable_pub, reason = "the fuzz workspace exports them")]
#[path = "../fuzz/targets/mod.rs"]
mod targets;

#[test]
fn every_input_of_every_corpus_passes_its_target() {
    let corpora = Path::new(env!("CARGO_MANIFEST_DIR")).join("__test__/fuzz/corpus");
    for (name, run) in targets::ALL {
        let mut inputs = 0;
        for entry in fs::read_dir(corpora.join(name)).unwrap_or_else(|_| panic!("a corpus for {name}")) {
            run(&fs::read(entry.unwrap().path()).unwrap());
            inputs += 1;
        }
        assert!(inputs >= 5, "{name} has {inputs} inputs");
    }
}
