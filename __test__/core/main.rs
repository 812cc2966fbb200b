//! Tests of the core, in one binary: no Node.js, no network.

mod frame;
mod handshake;
mod layering;
mod noise;
mod proto;
mod tape;
mod vectors;
mod xeddsa;
