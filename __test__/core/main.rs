//! Tests of the core, in one binary: no Node.js, no network.

mod frame;
mod handshake;
mod noise;
mod proto;
mod vectors;
mod xeddsa;
