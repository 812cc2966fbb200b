//! Tests of the core, in one binary: no Node.js, no network.

mod binary;
