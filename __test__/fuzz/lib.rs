//! The functions of the fuzz targets. `__test__/core/corpora.rs` replays the committed corpora with the same functions.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a fuzz target reports a fault by panicking"
)]

mod support;
pub mod targets;
