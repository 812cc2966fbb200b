//! The in-memory server and network of the session tests, and the simulation of the shared sender tests.

#![allow(dead_code, reason = "the session tests use all of it")]

#[path = "../core/session/harness.rs"]
pub(crate) mod harness;
#[path = "../core/session/noise_server.rs"]
pub(crate) mod noise_server;
#[path = "../core/session/server.rs"]
pub(crate) mod server;
#[path = "../core/shared_sender/world.rs"]
pub(crate) mod shared_sender;
