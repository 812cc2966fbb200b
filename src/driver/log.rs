//! Forwards `tracing` events of a session's code to the log of that session.
//!
//! All sessions share one subscriber. It is the process's default subscriber, unless the program has installed another
//! one. While a thread works for a session, the session's [`Log`] is the current log of the thread and receives its
//! events. If no session wants events, `tracing` skips each event with one comparison. Events above the level of the
//! log are not formatted.

use std::cell::RefCell;
use std::fmt::{self, Debug};
use std::sync::atomic::{AtomicU8, AtomicUsize, Ordering};
use std::sync::{Arc, Once};

use tracing::field::{Field, Visit};
use tracing::level_filters::LevelFilter;
use tracing::span::{Attributes, Id, Record};
use tracing::subscriber::Interest;
use tracing::{Event, Level, Metadata, Subscriber};

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

/// A log entry. It never contains keys, tokens or the content of stanzas. No text is longer than
/// [`MAX_TEXT`](Self::MAX_TEXT).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogEntry {
    /// The log level.
    pub level: Level,
    /// The message.
    pub message: String,
    /// The fields: names and values.
    pub fields: Vec<(&'static str, LogValue)>,
}

impl LogEntry {
    /// Maximum length of a text in bytes. The queue of entries is limited by number only, so each entry has to be
    /// small.
    pub const MAX_TEXT: usize = 512;
}

/// Receives log entries. It is called with the session's lock held, so it must not use a handle of the session.
pub type TakeEntry = Box<dyn Fn(LogEntry) + Send + Sync>;

/// The log of one session.
pub struct Log {
    level: AtomicU8,
    take: TakeEntry,
}

impl Debug for Log {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Log")
            .field("level", &self.level())
            .finish_non_exhaustive()
    }
}

/// The number of logs per level.
static WANTED: [AtomicUsize; 6] = [const { AtomicUsize::new(0) }; 6];

/// All levels, from the fewest to the most events. The index of a level is its number.
const LEVELS: [LevelFilter; 6] = [
    LevelFilter::OFF,
    LevelFilter::ERROR,
    LevelFilter::WARN,
    LevelFilter::INFO,
    LevelFilter::DEBUG,
    LevelFilter::TRACE,
];

thread_local! {
    /// The log of the session that this thread currently works for.
    static CURRENT: RefCell<Option<Arc<Log>>> = const { RefCell::new(None) };
}

impl Log {
    /// Creates a log with a level.
    #[must_use]
    pub fn new(level: LevelFilter, take: TakeEntry) -> Arc<Self> {
        static INSTALL: Once = Once::new();
        // If the program has its own subscriber, that one receives the events.
        INSTALL.call_once(|| drop(tracing::subscriber::set_global_default(Forward)));
        let log = Self {
            level: AtomicU8::new(0),
            take,
        };
        count(0, 1);
        log.set_level(level);
        Arc::new(log)
    }

    /// Changes the level. The level itself is relaxed: around a change an entry may be written or not.
    pub fn set_level(&self, level: LevelFilter) {
        let place = LEVELS.iter().position(|other| *other == level).unwrap_or_default();
        let before = self.level.swap(place as u8, Ordering::Relaxed);
        if usize::from(before) == place {
            return;
        }
        let most = most_wanted();
        count(usize::from(before), usize::MAX);
        count(place, 1);
        if most_wanted() != most {
            tracing::callsite::rebuild_interest_cache();
        }
    }

    fn level(&self) -> LevelFilter {
        let place = usize::from(self.level.load(Ordering::Relaxed));
        LEVELS.get(place).copied().unwrap_or(LevelFilter::OFF)
    }

    /// Makes this log the current log of the thread, until the result is dropped.
    pub(super) fn enter(self: &Arc<Self>) -> Scope {
        Scope(CURRENT.replace(Some(Arc::clone(self))))
    }

    /// Whether the log receives no events.
    pub(super) fn is_off(&self) -> bool {
        self.level.load(Ordering::Relaxed) == 0
    }
}

impl Drop for Log {
    fn drop(&mut self) {
        self.set_level(LevelFilter::OFF);
        count(0, usize::MAX);
    }
}

/// Adds `more` to the number of logs of a level. `usize::MAX` subtracts one, because the addition wraps.
///
/// Sequentially consistent, like the loads of [`most_wanted`]. If two threads change levels at the same time, at least one sees
/// the change of the other. So the last rebuild of the interest cache knows both changes.
fn count(place: usize, more: usize) {
    if let Some(wanted) = WANTED.get(place) {
        wanted.fetch_add(more, Ordering::SeqCst);
    }
}

/// The highest level of all logs.
fn most_wanted() -> LevelFilter {
    let wanted = WANTED.iter().zip(LEVELS).rev();
    let found = wanted.into_iter().find(|(count, _)| count.load(Ordering::SeqCst) > 0);
    found.map_or(LevelFilter::OFF, |(_, level)| level)
}

/// Restores the previous log of the thread on drop.
pub(super) struct Scope(Option<Arc<Log>>);

impl Drop for Scope {
    fn drop(&mut self) {
        CURRENT.set(self.0.take());
    }
}

/// The subscriber.
struct Forward;

impl Subscriber for Forward {
    fn register_callsite(&self, metadata: &'static Metadata<'static>) -> Interest {
        if metadata.is_event() && metadata.target().starts_with(env!("CARGO_CRATE_NAME")) {
            Interest::sometimes()
        } else {
            Interest::never()
        }
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        Some(most_wanted())
    }

    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        CURRENT.with_borrow(|log| log.as_ref().is_some_and(|log| *metadata.level() <= log.level()))
    }

    fn event(&self, event: &Event<'_>) {
        let Some(log) = CURRENT.with_borrow(Clone::clone) else {
            return;
        };
        let mut entry = LogEntry {
            level: *event.metadata().level(),
            message: String::new(),
            fields: Vec::new(),
        };
        event.record(&mut Fields(&mut entry));
        (log.take)(entry);
    }

    // The crate creates no spans.
    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }
    fn record(&self, _: &Id, _: &Record<'_>) {}
    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {}
}

/// Collects the fields of an event.
struct Fields<'a>(&'a mut LogEntry);

impl Fields<'_> {
    fn add(&mut self, field: &Field, value: LogValue) {
        match (field.name(), value) {
            ("message", LogValue::Text(message)) => self.0.message = message,
            (name, value) => self.0.fields.push((name, value)),
        }
    }
}

impl Visit for Fields<'_> {
    fn record_i64(&mut self, field: &Field, value: i64) {
        self.add(field, LogValue::Number(value));
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.add(field, LogValue::Number(i64::try_from(value).unwrap_or(i64::MAX)));
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.add(field, LogValue::Flag(value));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        let (value, _) = value.split_at(value.floor_char_boundary(LogEntry::MAX_TEXT));
        self.add(field, LogValue::Text(value.to_owned()));
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.record_str(field, &format!("{value:?}"));
    }
}
