//! The Node.js addon.
#![cfg_attr(test, allow(dead_code, reason = "napi-rs registers nothing in a test build"))]

mod batch;
mod core;
mod error;
mod events;
mod noise;
mod raw;
mod socket_options;
mod transport_error;
mod wake;
mod websocket;
