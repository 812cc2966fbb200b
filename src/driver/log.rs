//! What a session's code tells through `tracing`, on its way to the user of that session.
//!
//! There is one subscriber for all sessions, the process's default unless that is somebody else's already. A session's
//! [`Log`] is the thread's own while something is done with the session, and gets what is told meanwhile. Where no session
//! wants anything, `tracing` itself leaves every event out by one comparison; nothing is formatted that the log's level
//! rules out.

use std::cell::RefCell;
use std::fmt::{self, Debug};
use std::sync::atomic::{AtomicU8, AtomicUsize, Ordering};
use std::sync::{Arc, Once};

use tracing::field::{Field, Visit};
use tracing::level_filters::LevelFilter;
use tracing::span::{Attributes, Id, Record};
use tracing::subscriber::Interest;
use tracing::{Event, Level, Metadata, Subscriber};

/// The value of a field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LogValue {
    /// A number.
    Number(i64),
    /// Yes or no.
    Flag(bool),
    /// Anything else, as text.
    Text(String),
}

/// Something that a session's code tells. Never in it: keys, tokens and the content of stanzas. No text is longer than
/// [`MAX_TEXT`](Self::MAX_TEXT).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogEntry {
    /// How important it is.
    pub level: Level,
    /// What happened.
    pub message: String,
    /// Details, by name.
    pub fields: Vec<(&'static str, LogValue)>,
}

impl LogEntry {
    /// The most bytes of a text; what waits for its reader is bounded by number alone.
    pub const MAX_TEXT: usize = 512;
}

/// Takes entries; called with the session's lock held, so it must not use a handle of the session.
pub type TakeEntry = Box<dyn Fn(LogEntry) + Send + Sync>;

/// Where one session's entries go.
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

/// Logs by the number of their level.
static WANTED: [AtomicUsize; 6] = [const { AtomicUsize::new(0) }; 6];

/// Levels from the least to the most talkative; their places are their numbers.
const LEVELS: [LevelFilter; 6] = [
    LevelFilter::OFF,
    LevelFilter::ERROR,
    LevelFilter::WARN,
    LevelFilter::INFO,
    LevelFilter::DEBUG,
    LevelFilter::TRACE,
];

thread_local! {
    /// The log of the session that this thread has at hand.
    static CURRENT: RefCell<Option<Arc<Log>>> = const { RefCell::new(None) };
}

impl Log {
    /// A log of a level.
    #[must_use]
    pub fn new(level: LevelFilter, take: TakeEntry) -> Arc<Self> {
        static INSTALL: Once = Once::new();
        // Where a program has a subscriber of its own, that one gets the events.
        INSTALL.call_once(|| drop(tracing::subscriber::set_global_default(Forward)));
        let log = Self {
            level: AtomicU8::new(0),
            take,
        };
        count(0, 1);
        log.set_level(level);
        Arc::new(log)
    }

    /// Changes the level.
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

    /// Makes this the thread's log until the result is dropped.
    pub(super) fn enter(self: &Arc<Self>) -> Scope {
        Scope(CURRENT.replace(Some(Arc::clone(self))))
    }

    /// Whether nothing is wanted at all.
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

/// Adds to the number of logs of a level, modulo the numbers there are.
fn count(place: usize, more: usize) {
    if let Some(wanted) = WANTED.get(place) {
        wanted.fetch_add(more, Ordering::Relaxed);
    }
}

/// The most talkative level that any log has.
fn most_wanted() -> LevelFilter {
    let wanted = WANTED.iter().zip(LEVELS).rev();
    let found = wanted.into_iter().find(|(count, _)| count.load(Ordering::Relaxed) > 0);
    found.map_or(LevelFilter::OFF, |(_, level)| level)
}

/// See [`Log::enter`].
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

    // No spans are made.
    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }
    fn record(&self, _: &Id, _: &Record<'_>) {}
    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {}
}

/// Collects an event's fields.
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
