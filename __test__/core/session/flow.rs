//! An open connection: login, routing information, keep-alive, its end, and the next connection.

use std::num::NonZero;

use baileys_native::{
    binary::{Dialect, Node},
    failure::Failure,
    session::{EndReason, ReconnectClass, SessionEvent, SessionState},
};

use super::{
    harness::{World, config, new_device, paired_device, query_options, question},
    server::{bytes_node, node},
};

#[test]
fn a_login_activates_and_tells_lid_and_time() {
    let mut world = World::paired();
    world.connect();
    let payload = world.server().payload.clone().unwrap();
    assert_eq!((payload.username, payload.device), (Some(15_551_234_567), Some(3)));
    world.log_in();
    let active = &world.server().received[0];
    assert_eq!(
        (active.attr("xmlns"), active.attr("type")),
        (Some("passive"), Some("set"))
    );
    assert_eq!(
        world.session.credentials().me.as_ref().unwrap().lid.as_deref(),
        Some("77@lid")
    );
    assert_eq!(world.session.server_time_offset(), Some(5_000));
    let stored = world
        .events
        .iter()
        .any(|event| matches!(event, SessionEvent::Credentials(update) if update.me.is_some()));
    assert!(stored);

    let mut config = config();
    config.activate = false;
    let mut world = World::connected_with(config);
    assert!(world.server().received.is_empty());
}

#[test]
fn a_device_without_an_account_registers() {
    let mut world = World::new(config(), new_device(2));
    world.connect();
    let payload = world.server().payload.clone().unwrap();
    assert!(payload.device_pairing_data.is_some() && payload.username.is_none());
}

#[test]
fn routing_and_offline_stanzas_are_reported_and_routing_is_used_at_the_next_login() {
    let mut world = World::connected();
    let routing = node("edge_routing", &[], vec![bytes_node("routing_info", &[8, 2, 8, 5])]);
    world.serve(&node("ib", &[("from", "s.whatsapp.net")], vec![routing]));
    world.serve(&node(
        "ib",
        &[],
        vec![node("offline_preview", &[("count", "31")], Vec::new())],
    ));
    world.serve(&node("ib", &[], vec![node("offline", &[("count", "31")], Vec::new())]));
    assert!(world.events.contains(&SessionEvent::Offline { count: 31 }));
    let batch = world.server().received.last().unwrap().clone();
    assert_eq!(
        batch,
        node("ib", &[], vec![node("offline_batch", &[("count", "100")], Vec::new())])
    );
    assert_eq!(
        world.session.credentials().routing_info.as_deref(),
        Some(&[8, 2, 8, 5][..])
    );
    world.drop_link();
    world.advance(1_000);
    assert_eq!(world.server().routing_info.as_deref(), Some(&[8, 2, 8, 5][..]));
    assert_eq!(world.session.server_time_offset(), Some(5_000));
    assert!(world.session.known_server().is_some());
}

#[test]
fn the_end_of_a_lease_ends_every_state_without_another_connection() {
    let mut connected = World::connected();
    connected.link = None;
    connected.session.handle_lease_end(connected.now);
    let mut waiting = World::connected();
    waiting.drop_link();
    assert_eq!(waiting.session.state(), SessionState::Reconnecting);
    waiting.session.handle_lease_end(waiting.now);
    let mut opening = World::paired();
    opening.opens = false;
    opening.connect();
    opening.wanted = None;
    opening.session.handle_lease_end(opening.now);
    for mut world in [connected, waiting, opening] {
        world.pump();
        assert_eq!(world.session.state(), SessionState::Disconnected);
        assert_eq!(world.last_reason(), EndReason::LeaseEnded);
        let links = world.links;
        world.advance(1_000_000);
        assert_eq!((world.links, world.wanted), (links, None));
        world.opens = true;
        world.connect();
        assert_eq!(world.links, links + 1);
    }
    let mut idle = World::paired();
    idle.session.handle_lease_end(idle.now);
    assert!(!idle.session.has_events());
}

#[test]
fn the_connect_timeout_starts_after_a_delay() {
    let mut world = World::paired();
    world.opens = false;
    world.connect();
    let id = world.session.connection().unwrap();
    world.session.handle_delayed(world.now, id, 100_000);
    world.advance(110_000);
    assert_eq!(world.session.state(), SessionState::Connecting);
    world.open();
    world.pump();
    assert_eq!(world.session.state(), SessionState::Authenticating);

    let mut late = World::paired();
    late.opens = false;
    late.connect();
    let id = late.session.connection().unwrap();
    late.session.handle_delayed(late.now, id, 100_000);
    late.advance(130_000);
    assert_eq!(late.reconnecting().map(|(attempt, _)| attempt), Some(1));
}

#[test]
fn routing_info_that_is_too_long_is_ignored() {
    let mut world = World::connected();
    for length in [4096, 4097] {
        let routing = node("edge_routing", &[], vec![bytes_node("routing_info", &vec![1; length])]);
        world.serve(&node("ib", &[], vec![routing]));
        let kept = world.session.credentials().routing_info.as_ref().map(Vec::len);
        assert_eq!((kept, world.events.len()), (Some(4096), 1));
    }
}

#[test]
fn keep_alive_queries_are_sent_and_their_answers_hidden() {
    let mut world = World::connected();
    world.watch("frame");
    world.advance(30_000);
    let ping = world.server().received.last().unwrap().clone();
    let attrs: Vec<&str> = ping.attrs.iter().map(|(key, _)| key.as_str()).collect();
    assert_eq!(attrs, ["id", "to", "type", "xmlns"]);
    assert_eq!(
        (ping.attr("to"), ping.attr("type"), ping.attr("xmlns")),
        (Some("@s.whatsapp.net"), Some("get"), Some("w:p"))
    );
    world.advance(40);
    let answer = node(
        "iq",
        &[("id", ping.attr("id").unwrap()), ("type", "result")],
        Vec::new(),
    );
    world.serve(&answer);
    world.serve(&answer);
    assert!(world.events.is_empty(), "{:?}", world.events);
    let metrics = world.session.metrics();
    assert_eq!((metrics.pings, metrics.last_ping_rtt), (1, Some(40)));
    world.advance(29_960);
    assert_eq!(world.session.metrics().pings, 2);
    assert_eq!(world.session.state(), SessionState::Connected);
}

#[test]
fn own_stanzas_and_their_answers_are_reported_on_request() {
    let mut world = World::paired();
    world.session.report_own_stanzas(true);
    world.connect();
    world.log_in();
    world.advance(30_000);
    let sent = world.server().received.clone();
    assert_eq!(sent.len(), 2, "the activation and a keep-alive query");
    let answers: Vec<Node> = sent
        .iter()
        .map(|own| node("iq", &[("id", own.attr("id").unwrap()), ("type", "result")], Vec::new()))
        .collect();
    for answer in &answers {
        world.serve(answer);
    }
    // A query of the user and its answer have events of their own.
    let (_, id) = world.query(&question(), query_options(None, false));
    world.serve(&node("iq", &[("id", &id), ("type", "result")], Vec::new()));
    // An answer of this length is not reported: the server could make the queue large.
    let long = bytes_node("x", &[0; 16 << 10]);
    let id = answers[1].attr("id").unwrap();
    world.serve(&node("iq", &[("id", id), ("type", "result")], vec![long]));
    let reported = |world: &World| -> Vec<(bool, Node)> {
        let own = world.events.iter().filter_map(|event| match event {
            SessionEvent::Own { is_answer, payload } => {
                Some((*is_answer, Node::decode(&payload[1..], Dialect::V7).unwrap()))
            }
            _ => None,
        });
        own.collect()
    };
    let sent = sent.into_iter().map(|own| (false, own));
    let expected: Vec<_> = sent.chain(answers.into_iter().map(|own| (true, own))).collect();
    assert_eq!(reported(&world), expected);

    world.session.report_own_stanzas(false);
    world.advance(30_000);
    assert_eq!(world.session.metrics().pings, 2);
    assert_eq!(reported(&world), expected);
}

#[test]
fn websocket_pings_are_optional_and_pongs_reset_the_silence_timer() {
    let mut config = config();
    config.socket_ping_interval = NonZero::new(10_000);
    let mut world = World::connected_with(config);
    world.advance(30_000);
    assert_eq!(world.pings, 3);
    let id = world.link.as_ref().unwrap().id;
    world.session.handle_pong(world.now, id);
    world.advance(34_999);
    assert_eq!(world.session.state(), SessionState::Connected);
}

#[test]
fn reconnect_classes_can_be_configured() {
    let mut config = config();
    config.reconnect.as_mut().unwrap().classes = vec![(440, ReconnectClass::Immediate)];
    let mut world = World::new(config, paired_device(1));
    world.connect();
    world.log_in();
    world.serve(&node("stream:error", &[], vec![node("conflict", &[], Vec::new())]));
    assert_eq!(world.reconnecting(), Some((1, world.now)));
}

#[test]
fn a_restart_is_immediate() {
    let mut world = World::connected();
    world.serve(&node("stream:error", &[("code", "515")], Vec::new()));
    assert_eq!(world.reconnecting(), Some((1, world.now)));
    world.advance(0);
    assert_eq!(world.session.state(), SessionState::Authenticating);
    assert_eq!(world.links, 2);
}

/// A connection after a stop of the process (SIGSTOP or a suspended machine): the keep-alive and silence timers are
/// long overdue.
fn after_a_suspension() -> World {
    let mut world = World::connected();
    world.now += 600_000;
    world.session.handle_timeout(world.now);
    assert_eq!(
        world.session.state(),
        SessionState::Connected,
        "the silence check ran before the read"
    );
    let again = world.session.poll_timeout().unwrap();
    assert_eq!(again, world.now + 1_000);
    world
}

#[test]
fn after_a_suspension_received_data_is_read_before_the_silence_check() {
    let mut world = after_a_suspension();
    world.serve(&node("message", &[("n", "1")], Vec::new()));
    world.advance(1_000);
    assert_eq!(world.session.state(), SessionState::Connected);
    // Silence counts from here.
    world.advance(33_999);
    assert_eq!(world.session.state(), SessionState::Connected);
    world.advance(1);
    assert_eq!(world.last_reason(), EndReason::Silence);
}

#[test]
fn after_a_suspension_a_server_that_sent_nothing_is_silent() {
    let mut world = after_a_suspension();
    world.advance(1_000);
    assert_eq!(world.last_reason(), EndReason::Silence);
}

#[test]
fn a_permanent_failure_ends_the_session() {
    for (failure, code, next) in [
        (Failure::from("refused"), 408, SessionState::Reconnecting),
        (Failure::from("untrusted").permanent(), 400, SessionState::Disconnected),
    ] {
        let mut world = World::paired();
        world.connect();
        let id = world.session.connection().unwrap();
        world.session.handle_failed(world.now, id, failure, None);
        world.pump();
        assert_eq!((world.last_reason().code(), world.session.state()), (code, next));
    }
}
