//! Tests of the core in one binary, without Node.js. Only the driver's tests use the network, on loopback.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking, and clippy.toml's exception reaches only the functions marked as tests"
)]

mod abi;
mod binary;
#[cfg(feature = "seams")]
mod corpora;
// With the bindings, the driver cannot be linked in this binary, because Node.js provides symbols of the bindings.
#[cfg(all(feature = "transport", not(feature = "node")))]
mod driver;
#[cfg(all(feature = "transport", not(feature = "node")))]
mod dropin;
mod frame;
mod handshake;
mod layering;
mod noise;
mod proto;
mod read_ahead;
mod resume;
mod session;
mod shared_sender;
mod tape;
mod vectors;
mod wire;
mod xeddsa;
