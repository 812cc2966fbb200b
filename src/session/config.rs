//! Options of a session.

use std::num::NonZero;

use super::{Millis, code};
use crate::{binary::Dialect, handshake::TrustedRoot};

/// Options of a [`Session`](super::Session). If Baileys 7.0.0-rc14 has the same option, the default is the same.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Config {
    /// The WhatsApp Web version that the client reports.
    pub version: [u32; 3],
    /// Operating system, browser name and browser version.
    pub browser: [String; 3],
    /// ISO 3166-1 alpha-2 code of the user's country.
    pub country_code: String,
    /// The push name that is sent with the login.
    pub push_name: Option<String>,
    /// Whether to request the full message history.
    pub sync_full_history: bool,

    /// The encoding of nodes. It also selects the WhatsApp header of the connection.
    pub dialect: Dialect,
    /// Root keys that are trusted to certify the server.
    pub roots: Vec<TrustedRoot>,
    /// Whether to resume with a server of an earlier connection, which saves one round trip. Off by default, because
    /// resumption was not observed with WhatsApp's servers.
    pub resume: bool,
    /// Time limit for opening the transport, and a second time for the server's handshake message.
    pub connect_timeout: Millis,
    /// Time limit for closing: the queue must be sent and the transport closed.
    pub close_timeout: Millis,

    /// Time between keep-alive queries. The connection is lost after a silence of this interval plus
    /// [`keep_alive_grace`](Self::keep_alive_grace).
    pub keep_alive_interval: NonZero<Millis>,
    /// Silence that is allowed in addition to the interval.
    pub keep_alive_grace: Millis,
    /// Time between WebSocket pings. `None` sends no pings.
    pub socket_ping_interval: Option<NonZero<Millis>>,

    /// Time limit for the answer of a query that has no own timeout. `None` means no limit.
    pub query_timeout: Option<Millis>,
    /// Maximum number of pending queries of the user. Those of the session itself do not count.
    pub max_queries: usize,

    /// Time for which the first QR code is valid.
    pub first_qr_timeout: Millis,
    /// Time for which each later QR code is valid.
    pub qr_timeout: Millis,

    /// Whether to send the `passive` query with `active` after login. The server delivers pending stanzas after this
    /// query.
    pub activate: bool,
    /// Number of stored stanzas to request when the server offers them. `None` requests none.
    pub offline_batch: Option<u32>,

    /// Limits of the outgoing queue.
    pub outgoing: QueueLimits,
    /// Limits of the incoming queue. Reading stops at the high-water mark. Therefore `limit` only applies to data that
    /// was received before the connection ended.
    pub incoming: QueueLimits,

    /// The reconnection policy. `None` means no reconnection.
    pub reconnect: Option<ReconnectConfig>,
    /// Whether each reconnection waits for [`confirm_reconnect`](super::Session::confirm_reconnect). The user can then
    /// check first whether a connection may still be made.
    pub confirm_reconnect: bool,
}

/// The default of Baileys' `keepAliveIntervalMs`.
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
            outgoing: QueueLimits::default(),
            incoming: QueueLimits::default(),
            reconnect: Some(ReconnectConfig::default()),
            confirm_reconnect: false,
        }
    }
}

impl Config {
    /// The WhatsApp header that starts a connection: `W`, `A`, 6 and the dictionary version.
    #[must_use]
    pub fn header(&self) -> [u8; 4] {
        [b'W', b'A', 6, self.dialect.dictionary().version()]
    }
}

/// Limits of a queue. The queue is full when it reaches one of the two high-water marks. It has room again when it is
/// at or below half of both.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QueueLimits {
    /// High-water mark in stanzas.
    pub stanzas: usize,
    /// High-water mark in bytes.
    pub bytes: usize,
    /// Maximum size in bytes. The outgoing queue refuses a stanza that would exceed it. The incoming queue accepts the
    /// event that exceeds it, and after that ignores stanzas.
    pub limit: usize,
}

impl Default for QueueLimits {
    fn default() -> Self {
        Self {
            stanzas: 4096,
            bytes: 4 << 20,
            limit: 64 << 20,
        }
    }
}

/// How to reconnect after a connection ended and the user did not request it.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ReconnectConfig {
    /// Upper bound of the first delay. The delay is random between 0 and the bound.
    pub base: Millis,
    /// Maximum of the bound. The bound doubles with each attempt until the next login.
    pub max: Millis,
    /// Maximum number of consecutive attempts. `None` means no maximum.
    pub attempts: Option<u32>,
    /// Classes for single codes. They have priority over [`ReconnectClass::of`].
    pub classes: Vec<(u16, ReconnectClass)>,
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

/// How a code affects reconnection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReconnectClass {
    /// Reconnect without a delay.
    Immediate,
    /// Reconnect after a delay that grows with each attempt.
    Backoff,
    /// Do not reconnect.
    Final,
}

impl ReconnectClass {
    /// The default class of a code.
    ///
    /// - 515 is [`Immediate`](Self::Immediate).
    /// - 408, 428, 429 and all codes from 501 are [`Backoff`](Self::Backoff): the server or the network failed.
    /// - All other codes are [`Final`](Self::Final): the session or its credentials are refused. Examples are 401, 403,
    ///   440 and 500.
    #[must_use]
    pub const fn of(code: u16) -> Self {
        match code {
            code::RESTART_REQUIRED => Self::Immediate,
            code::CONNECTION_LOST | code::CONNECTION_CLOSED | 429 | 501.. => Self::Backoff,
            _ => Self::Final,
        }
    }
}
