//! The log of a session on a real socket.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicU32, Ordering},
};

use baileys_native::{
    binary::NodeContent,
    driver::LogQueue,
    session::{Log, LogEntry, LogLevel, LogValue, Pattern, QueryOptions, SessionEvent, SessionState},
};

use super::{
    loopback::{Behaviour, Loopback},
    user::{User, is_state, question},
};
use crate::session::{harness::config, server::node};

/// A log and its entries.
fn recording(level: LogLevel) -> (Arc<Log>, Arc<Mutex<Vec<LogEntry>>>) {
    let entries = Arc::<Mutex<Vec<LogEntry>>>::default();
    let into = Arc::clone(&entries);
    let log = Log::new(Some(level), Box::new(move |entry| into.lock().unwrap().push(entry)));
    (Arc::new(log), entries)
}

fn messages(entries: &Mutex<Vec<LogEntry>>) -> Vec<String> {
    let entries = entries.lock().unwrap();
    entries.iter().map(|entry| entry.message.clone()).collect()
}

#[test]
fn a_queue_of_entries_is_limited_and_counts_the_dropped_ones() {
    let queue = Arc::<LogQueue>::default();
    let wakes = Arc::<AtomicU32>::default();
    let on_wake = Arc::clone(&wakes);
    let log = queue.log(Some(LogLevel::Warn), move || {
        on_wake.fetch_add(1, Ordering::Relaxed);
    });
    for number in 0..LogQueue::MOST + 3 {
        log.write(LogLevel::Warn, &number.to_string(), Vec::new());
    }
    let taken = queue.take();
    assert_eq!(taken.len(), LogQueue::MOST + 1);
    assert_eq!(taken[LogQueue::MOST - 1].message, (LogQueue::MOST - 1).to_string());
    assert_eq!(taken[LogQueue::MOST].fields, [("count", LogValue::Number(3))]);
    assert_eq!(wakes.load(Ordering::Relaxed), 1);
    assert!(queue.take().is_empty());
}

#[test]
fn log_entries_go_to_the_log_of_their_session() {
    let server = Loopback::new(&[Behaviour::Answer]);
    let (log, entries) = recording(LogLevel::Debug);
    let mut user = User::with_log(server.address, config(), Some(Arc::clone(&log)));
    let (_other_log, others) = recording(LogLevel::Trace);
    user.handle.with(|session, now| session.connect(now));
    user.wait_for(|event| is_state(event, SessionState::Connected));
    let logged = messages(&entries);
    for expected in [
        "opening a connection",
        "name resolved",
        "sending ClientHello",
        "handshake complete",
    ] {
        assert!(
            logged.iter().any(|message| message == expected),
            "{expected}: {logged:?}"
        );
    }
    let kind = ("kind", LogValue::Text("XX".to_owned()));
    assert!(entries.lock().unwrap().iter().any(|entry| entry.fields.contains(&kind)));
    assert!(
        !logged.iter().any(|message| message.starts_with("stanza")),
        "these entries need the level trace"
    );
    assert!(
        others.lock().unwrap().is_empty(),
        "the log of another session has entries"
    );

    log.set_level(Some(LogLevel::Info));
    // An entry that the other thread is writing is complete when the session can be locked.
    user.handle.with(|_, _| ());
    let before = messages(&entries).len();
    user.handle.with(|session, now| session.close(now));
    user.wait_for(|event| is_state(event, SessionState::Disconnected));
    assert_eq!(messages(&entries).len(), before);
}

#[test]
fn log_texts_are_bounded() {
    let server = Loopback::new(&[Behaviour::Tag("x".repeat(100_000))]);
    let (log, entries) = recording(LogLevel::Trace);
    let mut user = User::with_log(server.address, config(), Some(log));
    user.handle.with(|session, now| {
        session.watch(Pattern::parse("frame").unwrap());
        session.connect(now);
    });
    user.wait_for(|event| matches!(event, SessionEvent::Stanzas(stanzas) if stanzas.footprint() > 100_000));
    let longest = entries
        .lock()
        .unwrap()
        .iter()
        .flat_map(|entry| &entry.fields)
        .fold(0, |longest, (_, value)| {
            longest.max(match value {
                LogValue::Text(text) => text.len(),
                _ => 0,
            })
        });
    assert_eq!(longest, LogValue::MAX_TEXT);
}

#[test]
fn no_log_level_shows_keys_or_contents_of_stanzas() {
    let server = Loopback::new(&[Behaviour::Answer]);
    let (log, entries) = recording(LogLevel::Trace);
    let mut user = User::with_log(server.address, config(), Some(log));
    user.handle.with(|session, now| session.connect(now));
    user.wait_for(|event| is_state(event, SessionState::Connected));
    let mut stanza = question();
    stanza.content = NodeContent::List(vec![node("hidden", &[("token", "content-of-a-stanza")], Vec::new())]);
    stanza.attrs.push(("value".into(), "value-of-an-attribute".into()));
    let query = user
        .handle
        .with(|session, now| session.query(now, &mut stanza.source(), QueryOptions::default()))
        .unwrap();
    user.wait_for(|event| matches!(event, SessionEvent::Answer { query: of, .. } if *of == query.query));
    let all = format!("{:?}", entries.lock().unwrap()).to_lowercase();
    assert!(all.contains("stanza received") && all.contains("stanza sent"), "{all}");
    assert!(
        !all.contains("content-of") && !all.contains("value-of") && !all.contains("token"),
        "{all}"
    );
    let credentials = user.handle.with(|session, _| session.credentials().clone());
    for pair in [
        &credentials.noise_key,
        &credentials.identity_key,
        &credentials.pairing_key,
    ] {
        for key in [pair.private.as_bytes(), pair.public.as_bytes()] {
            let hex: String = key.iter().map(|byte| format!("{byte:02x}")).collect();
            let list = format!("{key:?}");
            assert!(
                !all.contains(&hex) && !all.contains(list.trim_matches(['[', ']'])),
                "{all}"
            );
        }
    }
}
