//! The Node.js addon.

mod core;
mod error;
mod raw;
