//! What the fuzz targets run. The same functions replay the committed corpora as ordinary tests, see
//! `__test__/core/corpora.rs`.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a fuzz target reports a fault by panicking"
)]

mod support;
pub mod targets;
