//! The Node.js addon.
#![cfg_attr(test, allow(dead_code, reason = "napi-rs registers nothing in a test build"))]

mod codec;
mod core;
mod error;
mod functions;
mod lease;
mod noise;
mod plan_failure;
mod process_metrics;
mod raw;
mod session;
mod session_events;
mod session_json;
mod session_options;
mod socket_options;
mod trim;
mod version;
mod websocket;
