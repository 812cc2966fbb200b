//! Tests of the core, in one binary: no Node.js, no network.

mod binary;
mod frame;
mod noise;
mod tape;
