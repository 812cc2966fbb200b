//! The socket layer of [Baileys](https://github.com/WhiskeySockets/Baileys), natively.
//!
//! The core is sans-IO: it knows neither Node.js nor tokio nor a clock nor a source of randomness.
//!
//! | module | is | may use |
//! | --- | --- | --- |
//! | `failure` | an error as JavaScript shows it | |
//! | `frame` | 3-byte length framing and the intro header | |
//! | `noise` | the Noise symmetric state and the two transport directions | |
//! | `proto` | the protobuf messages, generated from `proto/` | |
//! | `handshake` | `Noise_XX_25519_AESGCM_SHA256` as WhatsApp runs it, resumption, certificate chain | `noise`, `proto` |
//! | `binary` | the binary-node codec | |
//! | `abi` | the numbers that Rust and JavaScript share | |
//! | `tape` | nodes as flat operations, the form that crosses into JavaScript | `abi`, `binary` |
//! | `wire` | the only way in which a frame is opened, and the only way in which one is sealed | `frame`, `noise`, `binary` |
//! | `session` | connection, login, pairing, queries, queues and reconnection, without input or output | `abi`, `failure`, `frame`, `noise`, `proto`, `handshake`, `binary`, `tape`, `wire` |
//! | `read_ahead` | frames opened and walked on the I/O side, ahead of JavaScript | `frame`, `noise`, `binary`, `tape`, `wire` |
//! | `shared_sender` | the sending half of a connection, shared by JavaScript and the I/O side, which keeps it alive | `noise`, `binary`, `wire` |
//! | `transport` | WebSocket over TCP or TLS, directly or through a proxy, on tokio | `failure` |
//! | `driver` | a session on a transport, with the real clock and randomness | `failure`, `session`, `transport` |
//! | `dropin` | the drop-in's connections, between the transport and JavaScript | `abi`, `frame`, `noise`, `binary`, `tape`, `wire`, `read_ahead`, `shared_sender`, `session`, `transport`, `driver` |
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
pub mod noise;
pub mod proto;
pub mod read_ahead;
pub mod session;
pub mod shared_sender;
pub mod tape;
#[cfg(feature = "transport")]
pub mod transport;
pub mod wire;
