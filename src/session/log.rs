//! The log of a session. The driver provides it.

use std::fmt::{self, Debug, Display};
use std::sync::atomic::{AtomicU8, Ordering};

/// The level of an entry, from the most to the least important.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum LogLevel {
    /// A defect of this package.
    Error = 1,
    /// Data of the server was ignored.
    Warn,
    /// Not used by this crate.
    Info,
    /// Each step of a connection.
    Debug,
    /// Each stanza, without its content.
    Trace,
}

impl LogLevel {
    const ALL: [Self; 5] = [Self::Error, Self::Warn, Self::Info, Self::Debug, Self::Trace];

    /// The name of the level, as in pino: `error`, `warn`, `info`, `debug` or `trace`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warn => "warn",
            Self::Info => "info",
            Self::Debug => "debug",
            Self::Trace => "trace",
        }
    }

    /// The level with this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|level| level.name() == name)
    }
}

/// The value of a log field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LogValue {
    /// An integer.
    Number(i64),
    /// A boolean.
    Flag(bool),
    /// Any other value, as text.
    Text(String),
}

impl LogValue {
    /// Maximum length of a text in bytes. The queue of entries is limited by number only, so each entry has to be
    /// small.
    pub const MAX_TEXT: usize = 512;

    /// A text. It is cut at [`MAX_TEXT`](Self::MAX_TEXT).
    pub fn text(value: impl Display) -> Self {
        let mut text = value.to_string();
        text.truncate(text.floor_char_boundary(Self::MAX_TEXT));
        Self::Text(text)
    }
}

impl From<u64> for LogValue {
    fn from(value: u64) -> Self {
        Self::Number(i64::try_from(value).unwrap_or(i64::MAX))
    }
}

impl From<u32> for LogValue {
    fn from(value: u32) -> Self {
        Self::Number(value.into())
    }
}

impl From<u16> for LogValue {
    fn from(value: u16) -> Self {
        Self::Number(value.into())
    }
}

impl From<usize> for LogValue {
    fn from(value: usize) -> Self {
        Self::Number(i64::try_from(value).unwrap_or(i64::MAX))
    }
}

impl From<bool> for LogValue {
    fn from(value: bool) -> Self {
        Self::Flag(value)
    }
}

impl From<&str> for LogValue {
    /// A text. A peer can decide its length, so it is cut before it is copied.
    fn from(value: &str) -> Self {
        let (value, _) = value.split_at(value.floor_char_boundary(Self::MAX_TEXT));
        Self::Text(value.to_owned())
    }
}

/// A log entry. It never contains keys, tokens or the content of stanzas.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogEntry {
    /// The level.
    pub level: LogLevel,
    /// The message.
    pub message: String,
    /// The fields: names and values.
    pub fields: Vec<(&'static str, LogValue)>,
}

/// Receives log entries. It is called with the session's lock held, so it must not use a handle of the session.
pub type WriteEntry = Box<dyn Fn(LogEntry) + Send + Sync>;

/// The log of one session. Entries above its level are not built.
pub struct Log {
    /// The number of the most detailed level that is written, or 0.
    level: AtomicU8,
    write: WriteEntry,
}

impl Debug for Log {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Log")
            .field("level", &self.level)
            .finish_non_exhaustive()
    }
}

impl Log {
    /// Creates a log that passes entries up to `level` to `write`. `None` writes nothing.
    #[must_use]
    pub fn new(level: Option<LogLevel>, write: WriteEntry) -> Self {
        let log = Self {
            level: AtomicU8::new(0),
            write,
        };
        log.set_level(level);
        log
    }

    /// Changes the level. It is relaxed: around a change an entry may be written or not.
    pub fn set_level(&self, level: Option<LogLevel>) {
        let number = level.map_or(0, |level| level as u8);
        self.level.store(number, Ordering::Relaxed);
    }

    /// Whether entries of this level are written.
    #[must_use]
    pub fn is_enabled(&self, level: LogLevel) -> bool {
        level as u8 <= self.level.load(Ordering::Relaxed)
    }

    /// Writes an entry, without checking its level.
    pub fn write(&self, level: LogLevel, message: &str, fields: Vec<(&'static str, LogValue)>) {
        (self.write)(LogEntry {
            level,
            message: message.to_owned(),
            fields,
        });
    }
}

/// `log!(log, Level, "message", field = value, …)` writes an entry to an `Option<&Log>`. The values are only computed
/// if the level is enabled.
macro_rules! log {
    ($log:expr, $level:ident, $message:expr $(, $name:ident = $value:expr)* $(,)?) => {
        if let Some(log) = $log
            && log.is_enabled($crate::session::LogLevel::$level)
        {
            let fields = vec![$((stringify!($name), $crate::session::LogValue::from($value))),*];
            log.write($crate::session::LogLevel::$level, $message, fields);
        }
    };
}

pub(crate) use log;
