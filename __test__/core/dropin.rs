//! The drop-in's connections without Node.js, in virtual time.

mod exit;
mod harness;
mod keep_alive;
mod records;
