//! The Node.js addon.

mod core;
mod error;
mod noise;
mod raw;
