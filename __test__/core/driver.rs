//! Sessions on real sockets, with a server on loopback and the system's clock. In some tests the user does not take
//! events.

mod logs;
mod loopback;
#[cfg(feature = "seams")]
mod revoked;
#[cfg(feature = "seams")]
mod schedules;
pub(crate) mod user;

use std::{
    net::SocketAddr,
    num::NonZero,
    sync::{Arc, atomic::Ordering, mpsc},
    time::{Duration, Instant, SystemTime},
};

use baileys_native::{
    driver::Lease,
    session::{
        EndReason, Pattern, QueryError, QueryOptions, QueueLimits, ReconnectConfig, SessionEvent, SessionState, code,
    },
};

use socket2::{Domain, Socket, Type};

use crate::session::{harness::config, server::node};
use loopback::{Behaviour, Loopback};
use user::{User, WAIT_LIMIT, is_state, numbers_of, question};

#[test]
fn connects_asks_and_closes() {
    let server = Loopback::new(&[Behaviour::Answer]);
    let mut user = User::connected(&server, config());
    let query = user
        .handle
        .with(|session, now| session.query(now, &mut question().source(), QueryOptions::default()))
        .unwrap();
    user.wait_for(|event| matches!(event, SessionEvent::Answer { query: of, result: Ok(_) } if *of == query.query));
    assert!(user.handle.with(|session, now| session.close(now)));
    user.wait_for(|event| is_state(event, SessionState::Disconnected));
    let metrics = user.handle.with(|session, _| session.metrics());
    assert_eq!((metrics.logins, metrics.queries), (1, 1));
    assert!(user.handle.busy() > Duration::ZERO);
    // The same session can connect again.
    assert!(user.handle.with(|session, now| session.connect(now)));
    user.wait_for(|event| is_state(event, SessionState::Connected));
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
        // The delays range from before the TCP connection to the middle of the handshake.
        std::thread::sleep(Duration::from_micros(round * 100));
        user.handle.with(|session, now| session.close(now));
        user.wait_for(|event| is_state(event, SessionState::Disconnected));
    }
    assert_eq!(user.state(), SessionState::Disconnected);
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
    // Longer than a busy machine pauses a thread.
    config.keep_alive_grace = 7_900;
    let mut user = User::new(server.address, config);
    user.handle.with(|session, now| {
        session.watch(Pattern::parse("CB:message").unwrap());
        session.connect(now);
    });
    user.wait_for(|event| is_state(event, SessionState::Connected));
    // The user is away for longer than the allowed silence, like a blocked JavaScript thread.
    let start = Instant::now();
    while start.elapsed() < Duration::from_millis(9_000) || server.pings.load(Ordering::SeqCst) < 3 {
        assert!(
            start.elapsed() < WAIT_LIMIT,
            "no keep-alive query while the user takes no events"
        );
        std::thread::sleep(Duration::from_millis(20));
    }
    assert_eq!(user.state(), SessionState::Connected);
    let incoming = user.handle.with(|session, _| session.metrics()).incoming;
    assert!(incoming.stanzas <= 501 && incoming.most_stanzas <= 501, "{incoming:?}");
    user.wait_for(|event| numbers_of(event).contains(&(COUNT - 1)));
    assert_eq!(user.numbers(), (0..COUNT).collect::<Vec<_>>());
    assert_eq!(user.state(), SessionState::Connected);
    assert_eq!(server.connections.load(Ordering::SeqCst), 1);
}

#[test]
fn a_flood_of_pings_does_not_hold_up_the_connect_timeout() {
    let server = Loopback::new(&[Behaviour::EndlessPings]);
    let mut config = config();
    config.connect_timeout = 500;
    config.reconnect = None;
    let mut user = User::new(server.address, config);
    assert!(user.handle.with(|session, now| session.connect(now)));
    user.wait_for(|event| matches!(event, SessionEvent::State(change) if change.reason == Some(EndReason::TimedOut)));
}

#[test]
fn a_flood_of_stanzas_holds_up_neither_keep_alive_queries_nor_queries_nor_the_end() {
    let server = Loopback::new(&[Behaviour::EndlessFlood]);
    let mut config = config();
    config.keep_alive_interval = NonZero::new(50).unwrap();
    config.close_timeout = 500;
    let mut user = User::connected(&server, config);
    let start = Instant::now();
    while server.pings.load(Ordering::SeqCst) < 3 {
        assert!(start.elapsed() < WAIT_LIMIT, "no keep-alive query during a flood");
        std::thread::sleep(Duration::from_millis(5));
    }
    // The server only answers `iq` stanzas.
    let stanza = node("message", &[], Vec::new());
    let options = QueryOptions {
        timeout: Some(50),
        idempotent: false,
    };
    let asked = user
        .handle
        .with(|session, now| session.query(now, &mut stanza.source(), options));
    let _ = asked.unwrap();
    user.wait_for(|event| {
        matches!(
            event,
            SessionEvent::Answer {
                result: Err(QueryError::TimedOut),
                ..
            }
        )
    });
    assert_eq!(user.state(), SessionState::Connected);
    assert!(user.handle.with(|session, now| session.close(now)));
    user.wait_for(|event| is_state(event, SessionState::Disconnected));
}

/// Makes attempts until one succeeds. For conditions that never occur with the fault, but can be missed if the system
/// pauses a thread of the test.
fn succeeds_once(what: &str, attempt: impl FnMut() -> bool) {
    let mut attempts = std::iter::repeat_with(attempt).take(3);
    assert!(attempts.any(|has_succeeded| has_succeeded), "{what}");
}

#[test]
fn a_message_with_many_frames_does_not_hold_up_other_sessions() {
    /// The message takes seconds; each part of it takes some milliseconds. The test ends long before.
    const COUNT: u64 = 2_000;
    succeeds_once("the other session waited for the end of the message", || {
        let slow = Loopback::new(&[Behaviour::LargeMessage {
            count: COUNT,
            text: 6_000,
        }]);
        let busy = User::new(slow.address, config());
        assert!(busy.handle.with(|session, now| session.connect(now)));
        let received = || busy.handle.inspect(|session| session.metrics().stanzas_in);
        let start = Instant::now();
        while received() < 2 {
            assert!(start.elapsed() < WAIT_LIMIT);
            std::thread::yield_now();
        }
        let server = Loopback::new(&[Behaviour::Answer]);
        let mut other = User::new(server.address, config());
        assert!(other.handle.with(|session, now| session.connect(now)));
        other.wait_for(|event| is_state(event, SessionState::Connected));
        received() < COUNT
    });
}

#[test]
fn a_message_with_many_slow_frames_does_not_lock_the_session_until_its_end() {
    /// The message takes seconds. The test ends long before.
    const COUNT: u64 = 1_000;
    succeeds_once("the message was handled at once", || {
        let server = Loopback::new(&[Behaviour::LargeMessage {
            count: COUNT,
            text: 60_000,
        }]);
        let user = User::new(server.address, config());
        assert!(user.handle.with(|session, now| session.connect(now)));
        let start = Instant::now();
        let mut seen = std::collections::BTreeSet::new();
        // The stanza of the login is counted too.
        while seen.range(2..).count() < 3 {
            assert!(start.elapsed() < WAIT_LIMIT, "{seen:?}");
            let count = user.handle.inspect(|session| session.metrics().stanzas_in);
            if count >= COUNT {
                return false;
            }
            seen.insert(count);
        }
        user.state() == SessionState::Connected
    });
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
    user.wait_for(|event| matches!(event, SessionEvent::Answer { query, .. } if *query == last));
    let answered: Vec<_> = user
        .events
        .iter()
        .filter_map(|event| match event {
            SessionEvent::Answer { query, result: Ok(_) } => Some(*query),
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
        |event| matches!(event, SessionEvent::Reconnecting { reason, .. } if reason.code() == code::RESTART_REQUIRED),
    );
    user.wait_for(|event| {
        matches!(
            event,
            SessionEvent::Reconnecting {
                reason: EndReason::TransportClosed,
                ..
            }
        )
    });
    user.wait_for(|event| is_state(event, SessionState::Connected));
    // The first connection had also logged in.
    assert!(server.connections.load(Ordering::SeqCst) >= 3);
    assert!(
        user.handle
            .with(|session, now| session.query(now, &mut question().source(), QueryOptions::default()))
            .is_ok()
    );
    user.wait_for(|event| matches!(event, SessionEvent::Answer { result: Ok(_), .. }));
}

#[test]
fn a_close_frame_is_answered_at_once() {
    let server = Loopback::new(&[Behaviour::Close, Behaviour::Answer]);
    let mut config = config();
    config.reconnect.as_mut().unwrap().base = 20;
    let mut user = User::new(server.address, config);
    user.handle.with(|session, now| session.connect(now));
    let start = Instant::now();
    user.wait_for(|event| matches!(event, SessionEvent::Reconnecting { .. }));
    // Without an answer this would take 30 seconds in the transport.
    assert!(start.elapsed() < Duration::from_secs(25));
    user.wait_for(|event| is_state(event, SessionState::Connected));
}

/// A port that refuses connections. Nothing else can get it until the socket is dropped.
fn refusing() -> (Socket, SocketAddr) {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    let any = SocketAddr::from(([127, 0, 0, 1], 0));
    socket.bind(&any.into()).unwrap();
    let address = socket.local_addr().unwrap().as_socket().unwrap();
    (socket, address)
}

#[test]
fn a_refused_connection_is_reported_and_retried() {
    let (_port, address) = refusing();
    let mut config = config();
    let reconnect = config.reconnect.as_mut().unwrap();
    (reconnect.base, reconnect.attempts) = (5, Some(2));
    let mut user = User::new(address, config);
    user.handle.with(|session, now| session.connect(now));
    user.wait_for(|event| is_state(event, SessionState::Disconnected));
    let lost = user
        .events
        .iter()
        .filter(|event| matches!(event, SessionEvent::Reconnecting { .. }))
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
    user.wait_for(|event| is_state(event, SessionState::Disconnected));
    let reasons: Vec<u16> = user
        .events
        .iter()
        .filter_map(|event| match event {
            SessionEvent::State(change) => change.reason.as_ref().map(EndReason::code),
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
            SessionEvent::Answer {
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
    let ended = |event: &SessionEvent| matches!(event, SessionEvent::State(change) if change.reason == Some(EndReason::LeaseEnded));
    let until = |time| Some(Arc::new(Lease::until(time)));
    user.handle
        .set_lease(until(SystemTime::now() + Duration::from_millis(100)));
    user.wait_for(ended);
    assert_eq!(user.state(), SessionState::Disconnected);
    assert!(user.handle.with(|session, now| session.connect(now)));
    user.wait_for(ended);
    assert_eq!(server.connections.load(Ordering::SeqCst), 1);
    user.handle.set_lease(None);
    assert!(user.handle.with(|session, now| session.connect(now)));
    user.wait_for(|event| is_state(event, SessionState::Connected));
    // A lease that has ended closes the connection at once, also if stanzas wait to be sent.
    let sent = user.handle.with(|session, now| {
        let sent = session.send(now, &mut question().source());
        assert!(sent.is_ok());
        session.send(now, &mut question().source())
    });
    assert!(sent.is_ok());
    user.handle.set_lease(until(SystemTime::UNIX_EPOCH));
    assert_eq!(user.state(), SessionState::Disconnected);
}

#[test]
fn sessions_share_a_lease_that_is_renewed_without_them() {
    let server = Loopback::new(&[Behaviour::Answer, Behaviour::Answer]);
    let mut users = [User::connected(&server, config()), User::connected(&server, config())];
    let start = SystemTime::now();
    // Longer than a busy machine pauses this thread.
    let lease = Arc::new(Lease::until(start + Duration::from_millis(6_000)));
    for user in &users {
        user.handle.set_lease(Some(Arc::clone(&lease)));
    }
    assert!(lease.renew(start + Duration::from_millis(6_400)));
    for user in &mut users {
        user.wait_for(
            |event| matches!(event, SessionEvent::State(change) if change.reason == Some(EndReason::LeaseEnded)),
        );
        assert!(
            start
                .elapsed()
                .is_ok_and(|elapsed| elapsed >= Duration::from_millis(6_399))
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
        assert_eq!(other.with(|session, _| session.state()), SessionState::Connected);
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

#[test]
fn a_session_with_repeated_internal_errors_ends_and_reports_it() {
    let (_port, address) = refusing();
    let mut config = config();
    let mut reconnect = ReconnectConfig::default();
    (reconnect.base, reconnect.max) = (1, 1);
    config.reconnect = Some(reconnect);
    let mut user = User::with_notify(address, config, None, || {
        let on_the_io_thread = std::thread::current().name() == Some("baileys-net");
        assert!(!on_the_io_thread, "deliberate");
    });
    assert!(user.handle.with(|session, now| session.connect(now)));
    user.wait_for(|event| is_state(event, SessionState::Disconnected));
    let Some(SessionEvent::State(change)) = user.events.last() else {
        panic!("{:?}", user.events.last())
    };
    assert_eq!(change.reason, Some(EndReason::Defect));
    assert!(!user.handle.with(|session, now| session.connect(now)));
    assert_eq!(user.state(), SessionState::Disconnected);
}
