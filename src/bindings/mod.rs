//! The Node.js addon.
#![cfg_attr(test, allow(dead_code, reason = "napi-rs registers nothing in a test build"))]

mod batch;
mod core;
mod error;
mod events;
mod json;
mod link;
mod noise;
mod raw;
mod session;
mod session_json;
mod session_log;
mod session_options;
mod socket_options;
mod totals;
mod transport_error;
mod trim;
mod wake;
mod websocket;
