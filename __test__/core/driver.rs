//! Sessions on real sockets, with a server on loopback and the system's clock. In some tests the user does not take
//! events.

use std::{
    net::SocketAddr,
    num::NonZero,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
        mpsc,
    },
    time::{Duration, Instant, SystemTime},
};

use baileys_native::{
    binary::{Dialect, Node, NodeContent},
    driver::{Endpoint, Handle, Lease, start},
    session::{
        Config, EndReason, Event, Log, LogEntry, LogLevel, LogValue, Pattern, QueryError, QueryOptions, QueueLimits,
        ReconnectConfig, State, code,
    },
    transport::ConnectOptions,
};
use futures_util::{SinkExt, StreamExt};
use tokio::{net::TcpListener, runtime::Runtime};
use tokio_tungstenite::{accept_async, tungstenite::Message};

use crate::session::{
    harness::{config, paired_device},
    server::{Server, ServerOptions, node},
};

/// Time limit of each wait.
const WAIT_LIMIT: Duration = Duration::from_secs(20);

/// The behaviour of the server on a connection after the client's login.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Behaviour {
    /// Answer queries.
    Answer,
    /// Also send this number of stanzas at once.
    Flood(u64),
    /// Also send a stanza with this tag.
    Tag(String),
    /// End the stream.
    Restart,
    /// Drop the connection.
    Drop,
    /// Close the WebSocket and wait for the answer.
    Close,
}

struct Loopback {
    address: SocketAddr,
    connections: Arc<AtomicUsize>,
    /// Number of received keep-alive queries.
    pings: Arc<AtomicUsize>,
    _runtime: Runtime,
}

impl Loopback {
    /// A server with one behaviour per connection. Further connections use the last one.
    fn new(behaviours: &[Behaviour]) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
        let address = listener.local_addr().unwrap();
        let (connections, pings) = (Arc::<AtomicUsize>::default(), Arc::<AtomicUsize>::default());
        let (behaviours, count, seen) = (behaviours.to_vec(), Arc::clone(&connections), Arc::clone(&pings));
        runtime.spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let place = count.fetch_add(1, Ordering::SeqCst).min(behaviours.len() - 1);
                tokio::spawn(converse(stream, behaviours[place].clone(), Arc::clone(&seen)));
            }
        });
        Self {
            address,
            connections,
            pings,
            _runtime: runtime,
        }
    }
}

async fn converse(stream: tokio::net::TcpStream, behaviour: Behaviour, pings: Arc<AtomicUsize>) {
    let Ok(mut socket) = accept_async(stream).await else {
        return;
    };
    let mut server = Server::new(ServerOptions::default());
    let mut greeted = false;
    while let Some(Ok(message)) = socket.next().await {
        if !message.is_binary() {
            continue;
        }
        server.receive(&message.into_data());
        if server.is_open() && !greeted {
            greeted = true;
            server.send(&node("success", &[("t", "1700000000")], Vec::new()));
            match &behaviour {
                Behaviour::Answer => {}
                Behaviour::Tag(tag) => server.send(&node(tag, &[], Vec::new())),
                Behaviour::Flood(count) => {
                    for number in 0..*count {
                        server.send(&node("message", &[("n", &number.to_string())], Vec::new()));
                        if server.out.len() > 8000 {
                            let sent = socket
                                .send(Message::Binary(std::mem::take(&mut server.out).into()))
                                .await;
                            if sent.is_err() {
                                return;
                            }
                        }
                    }
                }
                Behaviour::Restart => server.send(&node("stream:error", &[("code", "515")], Vec::new())),
                Behaviour::Drop => return,
                Behaviour::Close => {
                    let _ = socket.close(None).await;
                    while let Some(Ok(_)) = socket.next().await {}
                    return;
                }
            }
        }
        for stanza in std::mem::take(&mut server.received) {
            answer(&mut server, &stanza, &pings);
        }
        let out = std::mem::take(&mut server.out);
        if !out.is_empty() && socket.send(Message::Binary(out.into())).await.is_err() {
            return;
        }
    }
}

fn answer(server: &mut Server, stanza: &Node, pings: &AtomicUsize) {
    if stanza.attr("xmlns") == Some("w:p") {
        pings.fetch_add(1, Ordering::SeqCst);
    }
    if stanza.tag == "iq"
        && let Some(id) = stanza.attr("id")
    {
        server.send(&node("iq", &[("type", "result"), ("id", id)], Vec::new()));
    }
}

/// A session and its events.
struct User {
    handle: Handle,
    notifications: mpsc::Receiver<()>,
    events: Vec<Event>,
}

impl User {
    fn new(address: SocketAddr, config: Config) -> Self {
        Self::with_log(address, config, None)
    }

    fn with_log(address: SocketAddr, config: Config, log: Option<Arc<Log>>) -> Self {
        Self::with_notify(address, config, log, || {})
    }

    /// A user that also calls `notified` on each notification.
    fn with_notify(
        address: SocketAddr,
        config: Config,
        log: Option<Arc<Log>>,
        notified: impl Fn() + Send + Sync + 'static,
    ) -> Self {
        let options = ConnectOptions {
            addresses: Vec::new(),
            local_address: None,
            probes: None,
            proxy: None,
            tls: None,
            host: address.to_string(),
            target: "/ws/chat".into(),
            headers: Vec::new(),
            origin: "https://web.whatsapp.com".into(),
            handshake_timeout: Some(Duration::from_secs(5)),
            turn: None,
        };
        let endpoint = Endpoint {
            host: address.ip().to_string(),
            port: address.port(),
            options,
            limiter: None,
        };
        let (tell, notifications) = mpsc::channel();
        let tell = Mutex::new(tell);
        let notify = Box::new(move || {
            let _ = tell.lock().unwrap().send(());
            notified();
        });
        let handle = start(endpoint, config, paired_device(1), notify, log).unwrap();
        Self {
            handle,
            notifications,
            events: Vec::new(),
        }
    }

    fn connected(server: &Loopback, config: Config) -> Self {
        let mut user = Self::new(server.address, config);
        assert!(user.handle.with(|session, now| session.connect(now)));
        user.wait_for(|event| is_state(event, State::Connected));
        user
    }

    /// Takes events until `wanted` returns true for one.
    fn wait_for(&mut self, wanted: impl Fn(&Event) -> bool) {
        let start = Instant::now();
        loop {
            let before = self.events.len();
            self.handle.take_events(100, &mut self.events);
            if self.events[before..].iter().any(&wanted) {
                return;
            }
            if self.events.len() == before {
                let rest = WAIT_LIMIT.checked_sub(start.elapsed()).unwrap_or_default();
                let notifications = self.notifications.recv_timeout(rest);
                assert!(notifications.is_ok(), "nothing more came after {:?}", self.events);
            }
        }
    }

    fn state(&self) -> State {
        self.handle.with(|session, _| session.state())
    }

    fn numbers(&self) -> Vec<u64> {
        self.events.iter().flat_map(numbers_of).collect()
    }
}

/// The numbers of the stanzas in an event.
fn numbers_of(event: &Event) -> Vec<u64> {
    let Event::Stanzas(stanzas) = event else {
        return Vec::new();
    };
    let nodes = stanzas.iter().map(|(stanza, _)| stanza.to_node(Dialect::V7));
    nodes.map(|node| node.attr("n").unwrap().parse().unwrap()).collect()
}

fn is_state(event: &Event, state: State) -> bool {
    matches!(event, Event::State(change) if change.to == state)
}

fn question() -> Node {
    node("iq", &[("type", "get")], Vec::new())
}

#[test]
fn connects_asks_and_closes() {
    let server = Loopback::new(&[Behaviour::Answer]);
    let mut user = User::connected(&server, config());
    let query = user
        .handle
        .with(|session, now| session.query(now, &mut question().source(), QueryOptions::default()))
        .unwrap();
    user.wait_for(|event| matches!(event, Event::Answer { query: of, result: Ok(_) } if *of == query.query));
    assert!(user.handle.with(|session, now| session.close(now)));
    user.wait_for(|event| is_state(event, State::Disconnected));
    let metrics = user.handle.with(|session, _| session.metrics());
    assert_eq!((metrics.logins, metrics.queries), (1, 1));
    assert!(user.handle.busy() > Duration::ZERO);
    // The same session can connect again.
    assert!(user.handle.with(|session, now| session.connect(now)));
    user.wait_for(|event| is_state(event, State::Connected));
    assert_eq!(server.connections.load(Ordering::SeqCst), 2);
}

#[test]
fn closing_ends_at_once_without_an_open_transport() {
    let server = Loopback::new(&[Behaviour::Answer]);
    let mut config = config();
    // The test fails if the close timeout is used.
    config.close_timeout = 10 * WAIT_LIMIT.as_millis() as u64;
    let mut user = User::new(server.address, config);
    for round in 0..20 {
        user.handle.with(|session, now| session.connect(now));
        // The delays range from before the name lookup to the middle of the handshake.
        std::thread::sleep(Duration::from_micros(round * 100));
        user.handle.with(|session, now| session.close(now));
        user.wait_for(|event| is_state(event, State::Disconnected));
    }
    assert_eq!(user.state(), State::Disconnected);
}

#[test]
fn a_flood_waits_until_the_user_takes_it_and_keeps_its_order() {
    const COUNT: u64 = 10_000;
    let server = Loopback::new(&[Behaviour::Flood(COUNT)]);
    let mut config = config();
    config.incoming = QueueLimits {
        stanzas: 500,
        bytes: 1 << 20,
        limit: 1 << 20,
    };
    config.keep_alive_interval = NonZero::new(100).unwrap();
    config.keep_alive_grace = 900;
    let mut user = User::new(server.address, config);
    user.handle.with(|session, now| {
        session.watch(Pattern::parse("CB:message").unwrap());
        session.connect(now);
    });
    user.wait_for(|event| is_state(event, State::Connected));
    // The user is away for longer than the allowed silence, like a blocked JavaScript thread.
    let start = Instant::now();
    while start.elapsed() < Duration::from_millis(2_500) || server.pings.load(Ordering::SeqCst) < 3 {
        assert!(
            start.elapsed() < WAIT_LIMIT,
            "no keep-alive query while the user takes no events"
        );
        std::thread::sleep(Duration::from_millis(20));
    }
    assert_eq!(user.state(), State::Connected);
    let incoming = user.handle.with(|session, _| session.metrics()).incoming;
    assert!(incoming.stanzas <= 501 && incoming.most_stanzas <= 501, "{incoming:?}");
    user.wait_for(|event| numbers_of(event).contains(&(COUNT - 1)));
    assert_eq!(user.numbers(), (0..COUNT).collect::<Vec<_>>());
    assert_eq!(user.state(), State::Connected);
    assert_eq!(server.connections.load(Ordering::SeqCst), 1);
}

#[test]
fn stanzas_without_a_matching_pattern_do_not_wake_the_user() {
    const COUNT: u64 = 2_000;
    let server = Loopback::new(&[Behaviour::Flood(COUNT)]);
    let mut user = User::connected(&server, config());
    user.handle.with(|session, _| {
        session.watch(Pattern::parse("CB:message,n:none").unwrap());
        session.watch(Pattern::parse("CB:receipt").unwrap());
    });
    // All current events are taken. No events are taken after this.
    while user.handle.take_events(100, &mut user.events) > 0 {}
    while user.notifications.try_recv().is_ok() {}
    let start = Instant::now();
    while user.handle.with(|session, _| session.metrics()).stanzas_in < COUNT {
        assert!(start.elapsed() < WAIT_LIMIT, "the flood has not arrived");
        std::thread::sleep(Duration::from_millis(5));
    }
    assert!(
        user.notifications.try_recv().is_err(),
        "the user was woken without an event"
    );
    let metrics = user.handle.with(|session, _| session.metrics());
    assert_eq!((metrics.incoming.stanzas, user.numbers().len()), (0, 0));
}

#[test]
fn many_stanzas_go_out_in_order() {
    let server = Loopback::new(&[Behaviour::Answer]);
    let mut user = User::connected(&server, config());
    let queries: Vec<_> = (0..2_000)
        .map(|_| {
            let query = user
                .handle
                .with(|session, now| session.query(now, &mut question().source(), QueryOptions::default()));
            query.unwrap().query
        })
        .collect();
    let last = *queries.last().unwrap();
    user.wait_for(|event| matches!(event, Event::Answer { query, .. } if *query == last));
    let answered: Vec<_> = user
        .events
        .iter()
        .filter_map(|event| match event {
            Event::Answer { query, result: Ok(_) } => Some(*query),
            _ => None,
        })
        .collect();
    assert_eq!(answered, queries);
}

#[test]
fn reconnects_after_a_restart_and_after_a_loss() {
    let server = Loopback::new(&[Behaviour::Restart, Behaviour::Drop, Behaviour::Answer]);
    let mut config = config();
    config.reconnect.as_mut().unwrap().base = 20;
    let mut user = User::new(server.address, config);
    user.handle.with(|session, now| session.connect(now));
    user.wait_for(
        |event| matches!(event, Event::Reconnecting { reason, .. } if reason.code() == code::RESTART_REQUIRED),
    );
    user.wait_for(|event| {
        matches!(
            event,
            Event::Reconnecting {
                reason: EndReason::TransportClosed,
                ..
            }
        )
    });
    user.wait_for(|event| is_state(event, State::Connected));
    // The first connection had also logged in.
    assert!(server.connections.load(Ordering::SeqCst) >= 3);
    assert!(
        user.handle
            .with(|session, now| session.query(now, &mut question().source(), QueryOptions::default()))
            .is_ok()
    );
    user.wait_for(|event| matches!(event, Event::Answer { result: Ok(_), .. }));
}

#[test]
fn a_close_frame_is_answered_at_once() {
    let server = Loopback::new(&[Behaviour::Close, Behaviour::Answer]);
    let mut config = config();
    config.reconnect.as_mut().unwrap().base = 20;
    let mut user = User::new(server.address, config);
    user.handle.with(|session, now| session.connect(now));
    // Without an answer this would take 30 seconds in the transport, which is longer than the limit of `wait_for`.
    let reconnecting = |event: &Event| matches!(event, Event::Reconnecting { .. });
    user.wait_for(reconnecting);
    // On a slow machine, the next connection can already exist.
    let since = user.events.iter().position(reconnecting).unwrap();
    if !user.events[since..]
        .iter()
        .any(|event| is_state(event, State::Connected))
    {
        user.wait_for(|event| is_state(event, State::Connected));
    }
}

#[test]
fn a_refused_connection_is_reported_and_retried() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let mut config = config();
    let reconnect = config.reconnect.as_mut().unwrap();
    (reconnect.base, reconnect.attempts) = (5, Some(2));
    let mut user = User::new(address, config);
    user.handle.with(|session, now| session.connect(now));
    user.wait_for(|event| is_state(event, State::Disconnected));
    let lost = user
        .events
        .iter()
        .filter(|event| matches!(event, Event::Reconnecting { .. }))
        .count();
    assert_eq!(lost, 2);
}

#[test]
fn a_refused_upgrade_has_its_status_as_the_code() {
    use std::io::{Read, Write};
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let server = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let _ = stream.read(&mut [0; 2048]).unwrap();
        stream
            .write_all(b"HTTP/1.1 405 Method Not Allowed\r\nContent-Length: 0\r\n\r\n")
            .unwrap();
    });
    let mut user = User::new(address, config());
    user.handle.with(|session, now| session.connect(now));
    user.wait_for(|event| is_state(event, State::Disconnected));
    let reasons: Vec<u16> = user
        .events
        .iter()
        .filter_map(|event| match event {
            Event::State(change) => change.reason.as_ref().map(EndReason::code),
            _ => None,
        })
        .collect();
    assert_eq!(reasons, [405]);
    server.join().unwrap();
}

#[test]
fn queries_time_out_by_the_real_clock() {
    let server = Loopback::new(&[Behaviour::Answer]);
    let mut user = User::connected(&server, config());
    // The server only answers `iq` stanzas.
    let stanza = node("message", &[], Vec::new());
    let options = QueryOptions {
        timeout: Some(50),
        idempotent: false,
    };
    let start = Instant::now();
    let _ = user
        .handle
        .with(|session, now| session.query(now, &mut stanza.source(), options))
        .unwrap();
    user.wait_for(|event| {
        matches!(
            event,
            Event::Answer {
                result: Err(QueryError::TimedOut),
                ..
            }
        )
    });
    assert!(start.elapsed() >= Duration::from_millis(49));
}

#[test]
fn the_end_of_a_lease_closes_the_connection_and_prevents_others() {
    let server = Loopback::new(&[Behaviour::Answer]);
    let mut user = User::connected(&server, config());
    let ended = |event: &Event| matches!(event, Event::State(change) if change.reason == Some(EndReason::LeaseEnded));
    let until = |time| Some(Arc::new(Lease::until(time)));
    user.handle
        .set_lease(until(SystemTime::now() + Duration::from_millis(100)));
    user.wait_for(ended);
    assert_eq!(user.state(), State::Disconnected);
    assert!(user.handle.with(|session, now| session.connect(now)));
    user.wait_for(ended);
    assert_eq!(server.connections.load(Ordering::SeqCst), 1);
    user.handle.set_lease(None);
    assert!(user.handle.with(|session, now| session.connect(now)));
    user.wait_for(|event| is_state(event, State::Connected));
    // At once, with what waits to be sent.
    let sent = user.handle.with(|session, now| {
        let sent = session.send(now, &mut question().source());
        assert!(sent.is_ok());
        session.send(now, &mut question().source())
    });
    assert!(sent.is_ok());
    user.handle.set_lease(until(SystemTime::UNIX_EPOCH));
    assert_eq!(user.state(), State::Disconnected);
}

#[test]
fn sessions_share_a_lease_that_is_renewed_without_them() {
    let server = Loopback::new(&[Behaviour::Answer, Behaviour::Answer]);
    let mut users = [User::connected(&server, config()), User::connected(&server, config())];
    let start = SystemTime::now();
    let lease = Arc::new(Lease::until(start + Duration::from_millis(200)));
    for user in &users {
        user.handle.set_lease(Some(Arc::clone(&lease)));
    }
    assert!(lease.renew(start + Duration::from_millis(600)));
    for user in &mut users {
        user.wait_for(|event| matches!(event, Event::State(change) if change.reason == Some(EndReason::LeaseEnded)));
        assert!(
            start
                .elapsed()
                .is_ok_and(|elapsed| elapsed >= Duration::from_millis(599))
        );
    }
    assert!(!lease.renew(SystemTime::now() + Duration::from_secs(60)));
}

#[test]
fn dropping_the_handle_ends_the_connection() {
    let server = Loopback::new(&[Behaviour::Answer]);
    let user = User::connected(&server, config());
    let notifications = {
        let User {
            handle, notifications, ..
        } = user;
        let (other, weak) = (handle.clone(), handle.downgrade());
        drop(handle);
        assert_eq!(other.with(|session, _| session.state()), State::Connected);
        assert!(weak.upgrade().is_some());
        drop(other);
        assert!(weak.upgrade().is_none());
        notifications
    };
    // The session is dropped when the last sender of notifications is dropped.
    let start = Instant::now();
    loop {
        match notifications.recv_timeout(WAIT_LIMIT) {
            Err(mpsc::RecvTimeoutError::Disconnected) => break,
            Ok(()) => {}
            Err(mpsc::RecvTimeoutError::Timeout) => panic!("the session lives on"),
        }
        assert!(start.elapsed() < WAIT_LIMIT);
    }
}

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
fn log_entries_go_to_the_log_of_their_session() {
    let server = Loopback::new(&[Behaviour::Answer]);
    let (log, entries) = recording(LogLevel::Debug);
    let mut user = User::with_log(server.address, config(), Some(Arc::clone(&log)));
    let (_other_log, others) = recording(LogLevel::Trace);
    user.handle.with(|session, now| session.connect(now));
    user.wait_for(|event| is_state(event, State::Connected));
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
    let before = logged.len();
    user.handle.with(|session, now| session.close(now));
    user.wait_for(|event| is_state(event, State::Disconnected));
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
    user.wait_for(|event| matches!(event, Event::Stanzas(stanzas) if stanzas.footprint() > 100_000));
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
    user.wait_for(|event| is_state(event, State::Connected));
    let mut stanza = question();
    stanza.content = NodeContent::List(vec![node("hidden", &[("token", "content-of-a-stanza")], Vec::new())]);
    stanza.attrs.push(("value".into(), "value-of-an-attribute".into()));
    let query = user
        .handle
        .with(|session, now| session.query(now, &mut stanza.source(), QueryOptions::default()))
        .unwrap();
    user.wait_for(|event| matches!(event, Event::Answer { query: of, .. } if *of == query.query));
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

#[test]
fn a_session_with_repeated_internal_errors_ends_and_reports_it() {
    let vacant = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = vacant.local_addr().unwrap();
    drop(vacant);
    let mut config = config();
    let mut reconnect = ReconnectConfig::default();
    (reconnect.base, reconnect.max) = (1, 1);
    config.reconnect = Some(reconnect);
    let mut user = User::with_notify(address, config, None, || {
        let on_the_io_thread = std::thread::current().name() == Some("baileys-net");
        assert!(!on_the_io_thread, "deliberate");
    });
    assert!(user.handle.with(|session, now| session.connect(now)));
    user.wait_for(|event| is_state(event, State::Disconnected));
    let Some(Event::State(change)) = user.events.last() else {
        panic!("{:?}", user.events.last())
    };
    assert_eq!(change.reason, Some(EndReason::Defect));
    assert!(!user.handle.with(|session, now| session.connect(now)));
    assert_eq!(user.state(), State::Disconnected);
}
