//! Options of a session.

use std::num::NonZero;

use super::{Millis, code};
use crate::{binary::Dialect, handshake::TrustedRoot};

/// Options of a [`Session`](super::Session). The defaults are those of Baileys 7.0.0-rc14 where it has the option.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Config {
    /// Version of WhatsApp Web that the client claims to be.
    pub version: [u32; 3],
    /// Operating system, browser and version thereof.
    pub browser: [String; 3],
    /// ISO 3166-1 code of the user's country.
    pub country_code: String,
    /// The name to log in under.
    pub push_name: Option<String>,
    /// Whether the whole history is wanted.
    pub sync_full_history: bool,

    /// How nodes are written; also says which WhatsApp header opens the connection.
    pub dialect: Dialect,
    /// Who may have certified the server.
    pub roots: Vec<TrustedRoot>,
    /// Whether to resume with a server whose key is known from an earlier connection, in one round trip. Off: not
    /// observed against WhatsApp's servers.
    pub resume: bool,
    /// Time for the transport to open, and again for the server to answer the handshake.
    pub connect_timeout: Millis,
    /// Time for a connection that is closing to send what is queued and be closed.
    pub close_timeout: Millis,

    /// Time between keep-alive queries, and, with [`keep_alive_grace`](Self::keep_alive_grace), the longest silence.
    pub keep_alive_interval: NonZero<Millis>,
    /// How much longer than the interval the server may be silent.
    pub keep_alive_grace: Millis,
    /// Time between WebSocket pings. Without it none are sent.
    pub socket_ping_interval: Option<NonZero<Millis>>,

    /// Time for a query to be answered, unless it says otherwise.
    pub query_timeout: Option<Millis>,
    /// The most queries unanswered at a time.
    pub max_queries: usize,

    /// Time for which the first QR code is shown.
    pub first_qr_timeout: Millis,
    /// Time for which each further QR code is shown.
    pub qr_timeout: Millis,

    /// Whether to ask for pending stanzas (the `passive` query with `active`) as soon as the login succeeded.
    pub activate: bool,
    /// How many stored stanzas to ask for when the server offers them; it is not asked where `None`.
    pub offline_batch: Option<u32>,

    /// Bounds of the outgoing queue.
    pub outgoing: Bounds,
    /// Bounds of the incoming queue. Above the high-water mark nothing is read, so that the limit matters only for what a
    /// connection had received before it ended.
    pub incoming: Bounds,

    /// Whether and how to connect again.
    pub reconnect: Option<ReconnectConfig>,
}

/// Baileys' `keepAliveIntervalMs`.
const DEFAULT_KEEP_ALIVE: NonZero<Millis> = NonZero::new(30_000).unwrap();

impl Default for Config {
    fn default() -> Self {
        Self {
            version: [2, 3000, 1_043_857_760],
            browser: ["Mac OS", "Chrome", "14.4.1"].map(str::to_owned),
            country_code: "US".to_owned(),
            push_name: None,
            sync_full_history: true,
            dialect: Dialect::V7,
            roots: vec![TrustedRoot::default()],
            resume: false,
            connect_timeout: 20_000,
            close_timeout: 5_000,
            keep_alive_interval: DEFAULT_KEEP_ALIVE,
            keep_alive_grace: 5_000,
            socket_ping_interval: None,
            query_timeout: Some(60_000),
            max_queries: 10_000,
            first_qr_timeout: 60_000,
            qr_timeout: 20_000,
            activate: true,
            offline_batch: Some(100),
            outgoing: Bounds::default(),
            incoming: Bounds::default(),
            reconnect: Some(ReconnectConfig::default()),
        }
    }
}

impl Config {
    /// The WhatsApp header that opens a connection: `W`, `A`, 6 and the dictionary's version.
    #[must_use]
    pub fn header(&self) -> [u8; 4] {
        [b'W', b'A', 6, self.dialect.dictionary().version()]
    }
}

/// Bounds of a queue. It is full at the first high-water mark that it reaches, and takes more gladly again when it is
/// at half of both.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// High-water mark in stanzas.
    pub stanzas: usize,
    /// High-water mark in bytes.
    pub bytes: usize,
    /// The most bytes that stanzas are added to. The outgoing queue refuses one that would exceed it; the incoming queue
    /// takes whole the one that reaches it.
    pub limit: usize,
}

impl Default for Bounds {
    fn default() -> Self {
        Self {
            stanzas: 4096,
            bytes: 4 << 20,
            limit: 64 << 20,
        }
    }
}

/// How to connect again after an end that was not wanted.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ReconnectConfig {
    /// The delay is random, up to this,
    pub base: Millis,
    /// doubled with every attempt that failed since the last login, up to this.
    pub max: Millis,
    /// The most attempts in a row; without end where `None`.
    pub attempts: Option<u32>,
    /// What to do for particular codes, before [`Class::of`] is asked.
    pub classes: Vec<(u16, Class)>,
}

impl Default for ReconnectConfig {
    fn default() -> Self {
        Self {
            base: 1_000,
            max: 60_000,
            attempts: None,
            classes: Vec::new(),
        }
    }
}

/// What a code means for the next connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// Connect again at once.
    Immediate,
    /// Connect again after a delay that grows.
    Backoff,
    /// Do not connect again.
    Final,
}

impl Class {
    /// The class of a code: 515 at once; 408, 428, 503 and what else says that server or network are at fault after a
    /// delay; 401, 403, 440, 500 and what else says that the session is at fault not at all.
    #[must_use]
    pub const fn of(code: u16) -> Self {
        match code {
            code::RESTART_REQUIRED => Self::Immediate,
            code::CONNECTION_LOST | code::CONNECTION_CLOSED | 429 | 501.. => Self::Backoff,
            _ => Self::Final,
        }
    }
}
