//! The Node.js addon.

mod error;
mod events;
mod raw;
mod websocket;
