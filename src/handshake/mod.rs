//! WhatsApp's Noise handshake.
//!
//! | message | content |
//! | --- | --- |
//! | ClientHello | the client's ephemeral key |
//! | ServerHello | the server's ephemeral key; encrypted: its static key and its certificate chain |
//! | ClientFinish | encrypted: the client's static key and its ClientPayload |
//!
//! A client uses [`Start`], [`ExpectServerHello`] and [`Finish`], in this order. Each step consumes the previous state,
//! so a failed handshake cannot continue. [`process_server_hello`] is the middle step on a
//! [`Channel`](crate::noise::Channel), for callers that do the other steps themselves.
//!
//! [`resume`] resumes with a server if its static key is known.
//!
//! The certificate chain is always checked. Tests and tools with their own server use their own [`TrustedRoot`].

mod certificate;
mod client;
mod error;
pub mod messages;
pub mod resume;
pub mod xeddsa;

pub use certificate::{Certificate, CertificateReport, TrustedRoot, WHATSAPP_ROOT};
pub use client::{ExpectServerHello, Finish, NoiseKey, Start, process_server_hello};
pub use error::HandshakeError;
