//! The session with a server in memory, in virtual time.

mod flow;
pub(crate) mod harness;
pub(crate) mod noise_server;
mod pairing;
mod patterns;
mod payloads;
mod queries;
mod reasons;
mod receiving;
mod resume;
mod schedules;
mod sending;
pub(crate) mod server;
mod states;
