//! The session with a server in memory, in virtual time.

mod flow;
pub(crate) mod harness;
pub(crate) mod noise_server;
mod pairing;
mod patterns;
mod payloads;
mod reasons;
mod resume;
mod schedules;
pub(crate) mod server;
mod states;
