//! A native socket layer for [Baileys](https://github.com/WhiskeySockets/Baileys).
//!
//! The core does no input or output: it does not use Node.js, tokio, a clock or a random number generator.
//!
//! | module | is | may use |
//! | --- | --- | --- |
//! | `failure` | the description of an error for JavaScript | |
//! | `memory` | a check for free memory | |
//! | `frame` | 3-byte length framing and the preamble | |
//! | `noise` | the Noise symmetric state and the two transport directions | |
//! | `proto` | the protobuf messages, generated from `proto/` | |
//! | `handshake` | WhatsApp's Noise handshake, resumption, the certificate chain | `memory`, `noise`, `proto` |
//! | `binary` | the binary-node codec | |
//! | `abi` | the numbers that Rust and JavaScript share | |
//! | `sync` | locks and atomics for two threads, of std or of loom | |
//! | `tape` | nodes as flat operations, the form that is passed to and from JavaScript | `abi`, `binary` |
//! | `wire` | the only code that opens a frame, and the only code that seals one | `frame`, `noise`, `binary` |
//! | `session` | connection, login, pairing, queries, queues and reconnection, without input or output | `abi`, `failure`, `frame`, `noise`, `proto`, `handshake`, `binary`, `tape`, `wire` |
//! | `read_ahead` | frames that the I/O thread opens before JavaScript asks for them | `frame`, `noise`, `binary`, `tape`, `wire` |
//! | `shared_sender` | the noise sender of a connection, which JavaScript and the I/O thread share | `noise`, `binary`, `wire` |
//! | `transport` | WebSocket over TCP or TLS, directly or through a proxy, on tokio | `failure`, `memory`, `sync` |
//! | `driver` | sessions on transports, with the system's clock and random numbers | `failure`, `session`, `transport`, `sync` |
//! | `dropin` | the drop-in's connections, between the transport and JavaScript | `abi`, `frame`, `noise`, `binary`, `tape`, `wire`, `read_ahead`, `shared_sender`, `session`, `transport`, `driver`, `sync` |
//! | `bindings` | the Node.js addon | all of the above |
//!
//! `__test__/core/layering` checks this table against the sources.

pub mod abi;
pub mod binary;
#[cfg(feature = "node")]
mod bindings;
#[cfg(feature = "transport")]
pub mod driver;
#[cfg(feature = "transport")]
pub mod dropin;
pub mod failure;
pub mod frame;
pub mod handshake;
mod memory;
pub mod noise;
pub mod proto;
pub mod read_ahead;
pub mod session;
pub mod shared_sender;
#[cfg(feature = "transport")]
mod sync;
pub mod tape;
#[cfg(feature = "transport")]
pub mod transport;
pub mod wire;
