//! Stanzas that the server sends: their contents, malformed payloads, and the limits of the incoming queue.

use baileys_native::{
    binary::{Dialect, Node, NodeContent},
    session::{EndReason, QueryError, QueueLimits, SessionEvent, SessionState},
};

use super::{
    harness::{World, config, query_options, question},
    server::{bytes_node, node},
};

/// A connected session with these limits of its incoming queue. Its user takes no events.
fn with_waiting_user(incoming: QueueLimits) -> World {
    let mut config = config();
    config.incoming = incoming;
    let mut world = World::connected_with(config);
    world.takes_events = false;
    world
}

#[test]
fn a_full_incoming_queue_stops_reading_and_loses_no_stanza() {
    let mut world = with_waiting_user(QueueLimits {
        stanzas: 10,
        bytes: 1 << 20,
        limit: 1 << 20,
    });
    world.watch("CB:message");
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
    assert_eq!(world.session.state(), SessionState::Connected);
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
    assert_eq!(world.session.state(), SessionState::Connected);
    world.advance(1);
    assert_eq!(world.session.state(), SessionState::Reconnecting);
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
    assert_eq!((answers, world.session.state()), (1_000, SessionState::Connected));
}

#[test]
fn events_caused_by_the_server_have_the_bounds_of_stanzas() {
    let mut world = with_waiting_user(QueueLimits {
        stanzas: 10,
        bytes: 1 << 20,
        limit: 1 << 20,
    });
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
        with_waiting_user(QueueLimits {
            stanzas: 1_000,
            bytes: 1 << 20,
            limit: 64 << 20,
        })
    };
    // Texts of refusals.
    let mut world = bounded();
    for _ in 0..4 {
        let (_, id) = world.query(&question(), query_options(None, false));
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
        let (query, id) = world.query(&question(), query_options(None, false));
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
fn the_report_of_a_malformed_payload_contains_none_of_it() {
    let mut world = World::connected();
    // An attribute with a JID that has no server.
    let payload = [&[0, 248, 3, 25, 5, 250, 252, 11][..], b"15551234567", &[0]].concat();
    world.server().send_payload(&payload);
    world.pump();
    let [SessionEvent::Malformed(error)] = world.events.as_slice() else {
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
    assert!(world.stanzas().is_empty() && world.session.state() == SessionState::Connected);
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
        .filter(|event| matches!(event, SessionEvent::Malformed(_)))
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
    let SessionEvent::Stanzas(stanzas) = &world.events[0] else {
        panic!()
    };
    let (stanza, _) = stanzas.iter().next().unwrap();
    assert!(stanzas.footprint() > stanza.tapes().size() && stanza.footprint() > stanza.tapes().size());
    assert_eq!(stanza.to_node(Dialect::V7), all[0]);
}
