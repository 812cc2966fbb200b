//! The XX handshake as WhatsApp runs it.
//!
//! | message | carries |
//! | --- | --- |
//! | ClientHello | the client's ephemeral key |
//! | ServerHello | the server's ephemeral key; sealed its static key and a certificate chain for that |
//! | ClientFinish | sealed the client's static key and its ClientPayload |
//!
//! A client goes [`Start`] -> [`ExpectServerHello`] -> [`Finish`], each consumed by the next, so that a handshake that
//! failed cannot go on. [`process_server_hello`] is the middle step alone, on a [`Channel`](crate::noise::Channel), for
//! a caller that does the rest itself. [`server`] is the other side, for tests and tools.
//!
//! [`resume`] is the shortcut for a server whose static key is known.
//!
//! The certificate chain is always checked. A test or a tool that plays the server brings a [`TrustedRoot`] of its own.

mod certificate;
mod client;
mod error;
pub mod messages;
pub mod resume;
pub mod server;
pub mod xeddsa;

pub use certificate::{Certificate, CertificateReport, TrustedRoot, WHATSAPP_ROOT};
pub use client::{ExpectServerHello, Finish, NoiseKey, Start, process_server_hello};
pub use error::HandshakeError;
