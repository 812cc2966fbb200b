//! The session core against a server in memory, in virtual time.

mod flow;
mod harness;
mod pairing;
mod patterns;
mod payloads;
mod reasons;
mod resume;
mod schedules;
mod server;
mod states;
