//! An open connection: login, queries, queues, keep-alive, and data that survives a reconnection.

use std::num::NonZero;

use baileys_native::{
    binary::{Dialect, Node, NodeContent},
    failure::Failure,
    session::{
        EndReason, Event, QueryError, QueryOptions, QueueLimits, ReconnectClass, SendError, SendReadiness, State,
        Transmit,
    },
};

use super::{
    harness::{World, config, new_device, paired_device},
    server::{bytes_node, node},
};

fn options(timeout: Option<u64>, idempotent: bool) -> QueryOptions {
    QueryOptions { timeout, idempotent }
}

fn question() -> baileys_native::binary::Node {
    node(
        "iq",
        &[("type", "get"), ("xmlns", "w")],
        vec![node("props", &[], Vec::new())],
    )
}

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
        .any(|event| matches!(event, Event::Credentials(update) if update.me.is_some()));
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
    assert!(world.events.contains(&Event::Offline { count: 31 }));
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
fn queries_get_ids_and_answers_once() {
    let mut world = World::connected();
    let (query, id) = world.query(&question(), options(None, false));
    let asked = world.server().received.last().unwrap().clone();
    assert_eq!(asked.attr("id"), Some(id.as_str()));
    assert_eq!(asked.attrs.last().unwrap().0, "id");
    let answer = node(
        "iq",
        &[("type", "result"), ("id", &id)],
        vec![node("props", &[("v", "1")], Vec::new())],
    );
    world.serve(&answer);
    // Duplicate answers and answers without a query have no effect.
    world.serve(&answer);
    world.serve(&node("iq", &[("type", "result"), ("id", "other")], Vec::new()));
    assert_eq!(world.answers(), [(query, Ok(answer))]);
    assert!(world.stanzas().is_empty());
    let metrics = world.session.metrics();
    assert_eq!((metrics.queries, metrics.query_latency.count), (1, 1));
    assert_eq!(metrics.queries_pending, 1, "the session's own query, without an answer");
}

#[test]
fn ids_of_the_user_are_kept_and_empty_ids_replaced() {
    let mut world = World::connected();
    let named = node("iq", &[("id", "mine"), ("type", "get")], Vec::new());
    assert_eq!(world.query(&named, options(None, false)).1, "mine");
    assert_eq!(world.server().received.last(), Some(&named));
    let again = world
        .session
        .query(world.now, &mut named.source(), options(None, false));
    assert_eq!(again, Err(SendError::DuplicateId("mine".into())));
    let empty = node("iq", &[("id", ""), ("type", "get")], Vec::new());
    let (_, id) = world.query(&empty, options(None, false));
    assert_eq!(world.server().received.last().unwrap().attrs[0], ("id".into(), id));
}

#[test]
fn error_stanzas_are_typed() {
    let mut world = World::connected();
    let errors = [
        (
            vec![node(
                "error",
                &[("code", "404"), ("text", "item-not-found")],
                Vec::new(),
            )],
            "error",
            Some((Some(404), "item-not-found")),
        ),
        (
            vec![
                node("query", &[], Vec::new()),
                node("error", &[("code", "x")], Vec::new()),
            ],
            "error",
            Some((None, "Unknown error")),
        ),
        (
            vec![node("error", &[("code", "503")], Vec::new())],
            "result",
            Some((Some(503), "Unknown error")),
        ),
        // As in Baileys, a stanza without an error child is not an error.
        (Vec::new(), "error", None),
    ];
    for (children, kind, expected) in errors {
        world.events.clear();
        let (query, id) = world.query(&question(), options(None, false));
        let answer = node("iq", &[("type", kind), ("id", &id)], children);
        world.serve(&answer);
        let result = match expected {
            Some((code, text)) => Err(QueryError::Refused {
                code,
                text: text.into(),
            }),
            None => Ok(answer),
        };
        assert_eq!(world.answers(), [(query, result)]);
    }
    assert_eq!(world.session.metrics().queries_refused, 3);
}

#[test]
fn queries_time_out_and_late_answers_are_harmless() {
    let mut world = World::connected();
    let (first, id) = world.query(&question(), options(Some(500), false));
    let (second, _) = world.query(&question(), options(Some(200), false));
    world.advance(200);
    assert_eq!(world.answers(), [(second, Err(QueryError::TimedOut))]);
    world.advance(300);
    assert_eq!(world.answers().last(), Some(&(first, Err(QueryError::TimedOut))));
    world.serve(&node("iq", &[("type", "result"), ("id", &id)], Vec::new()));
    assert_eq!(world.answers().len(), 2);
    assert!(!world.session.cancel(world.now, first));
}

#[test]
fn queries_can_be_cancelled() {
    let mut world = World::connected();
    let (query, id) = world.query(&question(), options(None, false));
    assert!(world.session.cancel(world.now, query) && !world.session.cancel(world.now, query));
    world.serve(&node("iq", &[("type", "result"), ("id", &id)], Vec::new()));
    assert_eq!(world.answers(), [(query, Err(QueryError::Cancelled))]);
}

#[test]
fn an_end_rejects_queries_unless_they_are_idempotent() {
    let mut world = World::connected();
    let (once, _) = world.query(&question(), options(None, false));
    let (again, id) = world.query(&question(), options(None, true));
    world.drop_link();
    assert_eq!(world.answers(), [(once, Err(QueryError::Closed { code: 428 }))]);
    world.advance(1_000);
    assert!(world.server().received.is_empty(), "not before the login");
    world.log_in();
    let repeated = world.server().received.last().unwrap();
    assert_eq!(repeated.attr("id"), Some(id.as_str()));
    world.serve(&node("iq", &[("type", "result"), ("id", &id)], Vec::new()));
    assert_eq!(world.answers().len(), 2);
    assert!(world.answers()[1].1.is_ok() && world.answers()[1].0 == again);

    let (last, _) = world.query(&question(), options(None, true));
    world.serve(&node("stream:error", &[], vec![node("conflict", &[], Vec::new())]));
    assert_eq!(
        world.answers().last(),
        Some(&(last, Err(QueryError::Closed { code: 440 })))
    );
}

#[test]
fn an_idempotent_query_still_times_out_while_nothing_is_connected() {
    let mut world = World::connected();
    let (query, _) = world.query(&question(), options(Some(100), true));
    world.opens = false;
    world.drop_link();
    world.advance(100);
    assert_eq!(world.answers(), [(query, Err(QueryError::TimedOut))]);
}

#[test]
fn nothing_is_accepted_without_a_connection() {
    let mut world = World::paired();
    let stanza = question();
    let refused = |world: &mut World| {
        let sent = world.session.send(world.now, &mut stanza.source()).unwrap_err();
        let asked = world
            .session
            .query(world.now, &mut stanza.source(), options(None, true))
            .unwrap_err();
        assert_eq!((&sent, sent.code()), (&SendError::NotConnected, Some(428)));
        assert_eq!(asked, SendError::NotConnected);
    };
    refused(&mut world);
    world.opens = false;
    world.connect();
    refused(&mut world);
    world.open();
    world.pump();
    assert!(world.session.can_send());
    world.drop_link();
    refused(&mut world);
}

#[test]
fn queries_are_limited() {
    let mut config = config();
    config.max_queries = 3;
    config.activate = false;
    let mut world = World::connected_with(config);
    for _ in 0..3 {
        world.query(&question(), options(None, false));
    }
    let refused = world
        .session
        .query(world.now, &mut question().source(), options(None, false));
    assert_eq!(refused, Err(SendError::TooManyQueries(3)));
}

#[test]
fn the_outgoing_queue_reports_full_and_drained() {
    let mut config = config();
    config.outgoing = QueueLimits {
        stanzas: 4,
        bytes: 1 << 20,
        limit: 4_000,
    };
    let mut world = World::connected_with(config);
    let stanza = bytes_node("message", &[1; 500]);
    let mut readinesses = Vec::new();
    let refused = loop {
        match world.session.send(world.now, &mut stanza.source()) {
            Ok(sent) => readinesses.push(sent.readiness),
            Err(error) => break error,
        }
    };
    assert_eq!(refused, SendError::Full);
    assert_eq!(
        readinesses[..4],
        [
            SendReadiness::Ready,
            SendReadiness::Ready,
            SendReadiness::Ready,
            SendReadiness::Wait
        ]
    );
    assert_eq!(readinesses.len(), 7);
    let depth = world.session.metrics().outgoing;
    assert_eq!((depth.stanzas, depth.most_stanzas), (7, 7));
    world.pump();
    assert_eq!(world.server().received.len(), 8);
    assert_eq!(world.events.iter().filter(|event| **event == Event::Drain).count(), 1);
}

#[test]
fn accepted_stanzas_that_were_not_sent_are_reported() {
    let mut world = World::connected();
    let ids: Vec<_> = (0..3)
        .map(|_| world.session.send(world.now, &mut question().source()).unwrap().id)
        .collect();
    let first = world.session.poll_transmit(world.now);
    assert!(matches!(first, Some(Transmit::Message(..))));
    let id = world.link.take().unwrap().id;
    world.session.handle_failed(world.now, id, "reset".into(), None);
    world.pump();
    assert!(world.events.contains(&Event::Unsent(ids[1..].to_vec())));
}

#[test]
fn a_hand_over_returns_the_queued_stanzas_and_sends_the_polled_ones() {
    let mut config = config();
    config.outgoing.stanzas = 3;
    let mut world = World::connected_with(config);
    let stanza = |number: u64| node("message", &[("n", &number.to_string())], Vec::new());
    let sent: Vec<_> = (0..4)
        .map(|number| world.session.send(world.now, &mut stanza(number).source()).unwrap())
        .collect();
    assert_eq!(sent[3].readiness, SendReadiness::Wait);
    let query = world
        .session
        .query(world.now, &mut question().source(), options(None, true))
        .unwrap();
    let Some(Transmit::Message(_, first)) = world.session.poll_transmit(world.now) else {
        panic!("the first stanza goes out");
    };
    world.server().receive(&first);

    let unsent = world.session.hand_over(world.now);
    assert_eq!(world.session.state(), State::Closing);
    let ids: Vec<_> = unsent.iter().map(|(id, _)| *id).collect();
    assert_eq!(ids, sent[1..].iter().map(|sent| sent.id).collect::<Vec<_>>());
    for ((_, payload), number) in unsent.iter().zip(1..) {
        assert_eq!(Node::decode(&payload[1..], Dialect::V7).unwrap(), stanza(number));
    }
    assert_eq!(world.session.metrics().outgoing.stanzas, 1, "the query stays");
    let received = {
        world.closes = false;
        let Some(Transmit::Message(_, message)) = world.session.poll_transmit(world.now) else {
            panic!("the query goes out");
        };
        let server = world.server();
        server.receive(&message);
        server
            .received
            .iter()
            .map(|stanza| stanza.tag.clone())
            .collect::<Vec<_>>()
    };
    assert_eq!(received[received.len() - 2..], ["message", "iq"]);
    world.closes = true;
    world.pump();
    assert_eq!(world.last_reason(), EndReason::Requested);
    assert_eq!(world.answers(), [(query.query, Err(QueryError::Closed { code: 428 }))]);
    assert!(world.events.contains(&Event::Drain));
    assert!(!world.events.iter().any(|event| matches!(event, Event::Unsent(_))));
    assert!(world.session.hand_over(world.now).is_empty());
}

#[test]
fn the_end_of_a_lease_ends_every_state_without_another_connection() {
    let mut connected = World::connected();
    connected.link = None;
    connected.session.handle_lease_end(connected.now);
    let mut waiting = World::connected();
    waiting.drop_link();
    assert_eq!(waiting.session.state(), State::Reconnecting);
    waiting.session.handle_lease_end(waiting.now);
    let mut opening = World::paired();
    opening.opens = false;
    opening.connect();
    opening.wanted = None;
    opening.session.handle_lease_end(opening.now);
    for mut world in [connected, waiting, opening] {
        world.pump();
        assert_eq!(world.session.state(), State::Disconnected);
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
    assert_eq!(world.session.state(), State::Connecting);
    world.open();
    world.pump();
    assert_eq!(world.session.state(), State::Authenticating);

    let mut late = World::paired();
    late.opens = false;
    late.connect();
    let id = late.session.connection().unwrap();
    late.session.handle_delayed(late.now, id, 100_000);
    late.advance(130_000);
    assert_eq!(late.reconnecting().map(|(attempt, _)| attempt), Some(1));
}

#[test]
fn stanzas_that_cannot_be_encoded_or_framed_are_refused() {
    let mut world = World::connected();
    let sent = world.session.send(world.now, &mut node("", &[], Vec::new()).source());
    assert!(matches!(sent, Err(SendError::Encode(_))));
    let huge = bytes_node("message", &vec![0; 1 << 24]);
    assert!(matches!(
        world.session.send(world.now, &mut huge.source()),
        Err(SendError::TooLarge(_))
    ));
    let fits = bytes_node("message", &vec![0; (1 << 24) - 100]);
    let _ = world.session.send(world.now, &mut fits.source()).unwrap();
    world.pump();
    assert_eq!(world.server().received.last(), Some(&fits));
}

#[test]
fn a_full_incoming_queue_stops_reading_and_loses_no_stanza() {
    let mut config = config();
    config.incoming = QueueLimits {
        stanzas: 10,
        bytes: 1 << 20,
        limit: 1 << 20,
    };
    let mut world = World::connected_with(config);
    world.watch("CB:message");
    world.takes_events = false;
    for number in 0..100 {
        world
            .server()
            .send(&node("message", &[("n", &number.to_string())], Vec::new()));
    }
    world.pump();
    assert!(!world.session.wants_data());
    assert_eq!(world.session.metrics().incoming.stanzas, 10);
    // The session does not read, so the silence is not the server's fault. Keep-alive queries continue, and the
    // connection is not closed.
    world.advance(200_000);
    assert_eq!(world.session.state(), State::Connected);
    let pings = world
        .server()
        .received
        .iter()
        .filter(|stanza| stanza.attr("xmlns") == Some("w:p"))
        .count();
    assert_eq!(pings, 6);
    world.takes_events = true;
    world.pump();
    let numbers: Vec<String> = world
        .stanzas()
        .iter()
        .map(|(stanza, _)| stanza.attr("n").unwrap().to_owned())
        .collect();
    assert_eq!(numbers, (0..100).map(|number| number.to_string()).collect::<Vec<_>>());
    assert_eq!(world.session.metrics().incoming.most_stanzas, 10);
    // The session reads again, and silence counts from here.
    world.advance(34_999);
    assert_eq!(world.session.state(), State::Connected);
    world.advance(1);
    assert_eq!(world.session.state(), State::Reconnecting);
}

#[test]
fn reading_stops_while_the_server_reads_no_answers() {
    let mut config = config();
    config.outgoing = QueueLimits {
        stanzas: 4,
        bytes: 100,
        limit: 200,
    };
    let mut world = World::connected_with(config);
    let preview = node("ib", &[], vec![node("offline_preview", &[("count", "1")], Vec::new())]);
    for _ in 0..1_000 {
        world.server().send(&preview);
    }
    let link = world.link.as_mut().unwrap();
    let data = std::mem::take(&mut link.server.out);
    world.session.handle_data(world.now, link.id, &data);
    assert!(!world.session.wants_data());
    let queued = world.session.metrics().outgoing;
    assert!(queued.bytes <= 250, "{queued:?}");
    world.advance(40_000);
    world.pump();
    let answers = world
        .server()
        .received
        .iter()
        .filter(|stanza| stanza.tag == "ib")
        .count();
    assert_eq!((answers, world.session.state()), (1_000, State::Connected));
}

#[test]
fn events_caused_by_the_server_have_the_bounds_of_stanzas() {
    let mut config = config();
    config.incoming = QueueLimits {
        stanzas: 10,
        bytes: 1 << 20,
        limit: 1 << 20,
    };
    let mut world = World::connected_with(config);
    world.takes_events = false;
    let routing = node("edge_routing", &[], vec![bytes_node("routing_info", &[1])]);
    for _ in 0..50 {
        world.server().send(&node("ib", &[], vec![routing.clone()]));
        world.server().send_payload(&[0, 0xff]);
    }
    world.pump();
    assert!(!world.session.wants_data() && world.session.metrics().incoming.stanzas == 10);
    world.takes_events = true;
    world.pump();
    assert_eq!(world.events.len(), 100);
}

#[test]
fn events_count_by_the_length_of_their_texts() {
    let text = "x".repeat(300_000);
    let bounded = || {
        let mut config = config();
        config.incoming = QueueLimits {
            stanzas: 1_000,
            bytes: 1 << 20,
            limit: 64 << 20,
        };
        let mut world = World::connected_with(config);
        world.takes_events = false;
        world
    };
    // Texts of refusals.
    let mut world = bounded();
    for _ in 0..4 {
        let (_, id) = world.query(&question(), options(None, false));
        let error = node("error", &[("text", &text)], Vec::new());
        world.serve(&node("iq", &[("type", "error"), ("id", &id)], vec![error]));
    }
    assert!(!world.session.wants_data() && world.session.metrics().incoming.bytes > 4 * text.len());
    // Changes of credentials.
    let mut world = bounded();
    let routing = node("edge_routing", &[], vec![bytes_node("routing_info", &[1; 4096])]);
    for _ in 0..300 {
        world.server().send(&node("ib", &[], vec![routing.clone()]));
    }
    world.pump();
    assert!(!world.session.wants_data() && world.session.metrics().incoming.stanzas < 260);
    // A failed login: its attributes are in two events.
    let mut world = bounded();
    world.serve(&node("failure", &[("reason", "503"), ("text", &text)], Vec::new()));
    assert!(world.session.metrics().incoming.bytes > 2 * text.len());
    world.takes_events = true;
    world.pump();
    assert_eq!(world.session.metrics().incoming.bytes, 0);
}

#[test]
fn stanzas_of_a_lost_connection_are_bounded_and_its_end_is_reported() {
    let mut config = config();
    config.incoming = QueueLimits {
        stanzas: 1_000,
        bytes: 10_000,
        limit: 100_000,
    };
    for ends in [false, true] {
        let mut world = World::connected_with(config.clone());
        world.watch("CB:message");
        let (query, id) = world.query(&question(), options(None, false));
        world.takes_events = false;
        let text = "x".repeat(1_000);
        for number in 0..500 {
            let number = number.to_string();
            world
                .server()
                .send(&node("message", &[("n", &number), ("x", &text)], Vec::new()));
        }
        world.server().send_payload(&[0, 0xff]);
        let routing = node("edge_routing", &[], vec![bytes_node("routing_info", &[1])]);
        world.server().send(&node("ib", &[], vec![routing]));
        world
            .server()
            .send(&node("iq", &[("type", "result"), ("id", &id)], Vec::new()));
        if ends {
            world.server().send(&node("failure", &[("reason", "401")], Vec::new()));
        }
        world.pump();
        assert!(!world.session.wants_data());
        // After the connection is lost, only data that was received before is handled.
        world.drop_link();
        let most = world.session.metrics().incoming.most_bytes;
        assert!((100_000..102_000).contains(&most), "{most}");
        world.takes_events = true;
        world.pump();
        let told: Vec<_> = world
            .stanzas()
            .into_iter()
            .map(|(stanza, _)| stanza.attr("n").unwrap().to_owned())
            .collect();
        let expected: Vec<_> = (0..told.len()).map(|number| number.to_string()).collect();
        assert!((80..100).contains(&told.len()) && told == expected, "{told:?}");
        let code = if ends { 401 } else { 428 };
        assert_eq!(world.last_reason().code(), code);
        assert_eq!(world.answers(), [(query, Err(QueryError::Closed { code }))]);
        assert_eq!(world.session.credentials().routing_info, None);
    }
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
fn the_report_of_a_malformed_payload_contains_none_of_it() {
    let mut world = World::connected();
    // An attribute with a JID that has no server.
    let payload = [&[0, 248, 3, 25, 5, 250, 252, 11][..], b"15551234567", &[0]].concat();
    world.server().send_payload(&payload);
    world.pump();
    let [Event::Malformed(error)] = world.events.as_slice() else {
        panic!("{:?}", world.events)
    };
    assert_eq!(error.to_string(), "invalid jid pair: …, ");
    assert_eq!(error.offset(), Some(payload.len() - 1));
    assert!(!format!("{error:?}").contains("1555"));
}

#[test]
fn every_stanza_that_decodes_becomes_a_node() {
    let mut world = World::connected();
    world.watch("frame");
    // The text is sent as bytes. The encoder would write it as 100 nested JIDs, which the decoder refuses. The second
    // payload is a list of the maximum size.
    let text = "1@".repeat(100);
    let nested = [&[0, 248, 3, 25, 4, 252, 200][..], text.as_bytes()].concat();
    let mut large = vec![0, 248, 2, 25, 249, 255, 255];
    large.extend([248, 1, 25].repeat(65_535));
    for payload in [&nested, &large] {
        world.server().send_payload(payload);
    }
    world.pump();
    let nodes: Vec<Node> = world.stanzas().into_iter().map(|(node, _)| node).collect();
    assert_eq!(nodes.len(), 2);
    assert_eq!(nodes[0].attrs[0].1, text);
    assert!(matches!(&nodes[1].content, NodeContent::List(children) if children.len() == 65_535));
}

#[test]
fn a_session_reacts_to_a_stanza_of_a_million_nodes_without_building_it() {
    let mut world = World::connected();
    let (mut failure, leaves) = (vec![0], [248, 1, 25].repeat(60_000));
    node("failure", &[("reason", "503")], Vec::new())
        .encode(Dialect::V7, &mut failure)
        .unwrap();
    // Content is added to the node.
    failure[2] += 1;
    failure.extend([248, 16]);
    for _ in 0..16 {
        failure.extend([&[248, 2, 25, 249, 0xea, 0x60][..], &leaves].concat());
    }
    world.server().send_payload(&failure);
    world.pump();
    assert!(
        matches!(world.last_reason(), EndReason::Failure { code: 503, .. }),
        "{:?}",
        world.last_reason()
    );
}

#[test]
fn reading_can_be_paused() {
    let mut world = World::connected();
    world.watch("frame");
    world.session.pause_reading(world.now);
    assert!(!world.session.wants_data());
    world.serve(&node("message", &[], Vec::new()));
    world.advance(100_000);
    assert!(world.stanzas().is_empty() && world.session.state() == State::Connected);
    world.session.resume_reading(world.now);
    world.pump();
    assert_eq!(world.stanzas().len(), 1);
    // A pause does not prevent a handshake.
    world.session.pause_reading(world.now);
    world.drop_link();
    world.advance(1_000);
    assert!(world.server().is_open());
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
    assert_eq!(world.session.state(), State::Connected);
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
    let (_, id) = world.query(&question(), options(None, false));
    world.serve(&node("iq", &[("id", &id), ("type", "result")], Vec::new()));
    // An answer of this length is not reported: the server could make the queue large.
    let long = bytes_node("x", &[0; 16 << 10]);
    let id = answers[1].attr("id").unwrap();
    world.serve(&node("iq", &[("id", id), ("type", "result")], vec![long]));
    let reported = |world: &World| -> Vec<(bool, Node)> {
        let own = world.events.iter().filter_map(|event| match event {
            Event::Own { is_answer, payload } => Some((*is_answer, Node::decode(&payload[1..], Dialect::V7).unwrap())),
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
    assert_eq!(world.session.state(), State::Connected);
}

#[test]
fn the_memory_of_a_large_stanza_is_freed_with_it() {
    let mut world = World::connected();
    world.watch("CB:large");
    let text = "x".repeat(1 << 20);
    let many: Vec<_> = (0..2_000).map(|number| format!("key{number}")).collect();
    let attrs: Vec<_> = many.iter().map(|key| (key.as_str(), "value")).collect();
    let wide = "\u{263A}".repeat(1 << 18);
    let large = [
        node("large", &[("notify", &text)], Vec::new()),
        node("large", &[("notify", &wide)], Vec::new()),
        node("large", &attrs, Vec::new()),
        node("large", &[], vec![bytes_node("a", text.as_bytes())]),
    ];
    for stanza in &large {
        world.serve(stanza);
        let buffers = world.session.metrics().buffers;
        assert!(buffers > 0 && buffers < 160 * 1024, "{buffers}");
    }
    assert_eq!(world.stanzas().len(), large.len());
}

#[test]
fn invalid_payloads_are_reported_and_have_no_other_effect() {
    let mut world = World::connected();
    world.watch("frame");
    for payload in [&[0, 0xff][..], &[2, 1, 2, 3], &[]] {
        world.server().send_payload(payload);
    }
    world.serve(&node("message", &[], Vec::new()));
    let malformed = world
        .events
        .iter()
        .filter(|event| matches!(event, Event::Malformed(_)))
        .count();
    assert_eq!((malformed, world.stanzas().len()), (3, 1));
    assert_eq!(world.session.metrics().malformed, 3);
}

#[test]
fn stanzas_are_received_unchanged() {
    let mut world = World::connected();
    world.watch("CB:message");
    let mut all = vec![
        node(
            "message",
            &[
                ("from", "15551234567:3@s.whatsapp.net"),
                ("id", "3EB0ABCD"),
                ("notify", "Zoë ☃"),
            ],
            vec![
                bytes_node("enc", &[0, 1, 2, 255]),
                node(
                    "unknown-tag",
                    &[("", "x")],
                    vec![node("inner", &[], vec![bytes_node("b", &[])])],
                ),
            ],
        ),
        bytes_node("message", "naïve".as_bytes()),
    ];
    all.push(node("message", &[("n", "12345")], vec![all[0].clone(), all[1].clone()]));
    for stanza in &all {
        world.serve(stanza);
    }
    let stanzas: Vec<_> = world.stanzas().into_iter().map(|(stanza, _)| stanza).collect();
    assert_eq!(stanzas, all);
    let Event::Stanzas(stanzas) = &world.events[0] else {
        panic!()
    };
    let (stanza, _) = stanzas.iter().next().unwrap();
    assert!(stanzas.footprint() > stanza.tapes().size() && stanza.footprint() > stanza.tapes().size());
    assert_eq!(stanza.to_node(Dialect::V7), all[0]);
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
    assert_eq!(world.session.state(), State::Authenticating);
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
        State::Connected,
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
    assert_eq!(world.session.state(), State::Connected);
    // Silence counts from here.
    world.advance(33_999);
    assert_eq!(world.session.state(), State::Connected);
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
        (Failure::from("refused"), 408, State::Reconnecting),
        (Failure::from("untrusted").permanent(), 400, State::Disconnected),
    ] {
        let mut world = World::paired();
        world.connect();
        let id = world.session.connection().unwrap();
        world.session.handle_failed(world.now, id, failure, None);
        world.pump();
        assert_eq!((world.last_reason().code(), world.session.state()), (code, next));
    }
}
