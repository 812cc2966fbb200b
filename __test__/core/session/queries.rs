//! Queries: numbers, answers, errors, timeouts, and what happens to them when a connection ends.

use baileys_native::{
    binary::Node,
    session::{QueryError, SendError},
};

use super::{
    harness::{World, config, query_options, question},
    server::node,
};

#[test]
fn queries_get_ids_and_answers_once() {
    let mut world = World::connected();
    let (query, id) = world.query(&question(), query_options(None, false));
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
    assert_eq!(world.query(&named, query_options(None, false)).1, "mine");
    assert_eq!(world.server().received.last(), Some(&named));
    let again = world
        .session
        .query(world.now, &mut named.source(), query_options(None, false));
    assert_eq!(again, Err(SendError::DuplicateId("mine".into())));
    let empty = node("iq", &[("id", ""), ("type", "get")], Vec::new());
    let (_, id) = world.query(&empty, query_options(None, false));
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
        let (query, id) = world.query(&question(), query_options(None, false));
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
    let (first, id) = world.query(&question(), query_options(Some(500), false));
    let (second, _) = world.query(&question(), query_options(Some(200), false));
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
    let (query, id) = world.query(&question(), query_options(None, false));
    assert!(world.session.cancel(world.now, query) && !world.session.cancel(world.now, query));
    world.serve(&node("iq", &[("type", "result"), ("id", &id)], Vec::new()));
    assert_eq!(world.answers(), [(query, Err(QueryError::Cancelled))]);
}

#[test]
fn an_end_rejects_queries_unless_they_are_idempotent() {
    let mut world = World::connected();
    let (once, _) = world.query(&question(), query_options(None, false));
    let (again, id) = world.query(&question(), query_options(None, true));
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

    let (last, _) = world.query(&question(), query_options(None, true));
    world.serve(&node("stream:error", &[], vec![node("conflict", &[], Vec::new())]));
    assert_eq!(
        world.answers().last(),
        Some(&(last, Err(QueryError::Closed { code: 440 })))
    );
}

#[test]
fn an_idempotent_query_that_was_asked_before_the_login_is_sent_once() {
    let mut world = World::paired();
    world.connect();
    let (_, id) = world.query(&question(), query_options(None, true));
    world.log_in();
    let is_asked = |stanza: &&Node| stanza.attr("id") == Some(&id);
    assert_eq!(world.server().received.iter().filter(is_asked).count(), 1);
}

#[test]
fn an_idempotent_query_still_times_out_while_nothing_is_connected() {
    let mut world = World::connected();
    let (query, _) = world.query(&question(), query_options(Some(100), true));
    world.opens = false;
    world.drop_link();
    world.advance(100);
    assert_eq!(world.answers(), [(query, Err(QueryError::TimedOut))]);
}

#[test]
fn queries_are_limited() {
    let mut config = config();
    config.max_queries = 3;
    let mut world = World::connected_with(config);
    // Unanswered keep-alive queries and the query that activates the session do not count.
    for _ in 0..3 {
        world.advance(30_000);
        world.serve(&node("message", &[], Vec::new()));
    }
    assert_eq!(world.session.metrics().pings, 3);
    for _ in 0..3 {
        world.query(&question(), query_options(None, false));
    }
    let refused = world
        .session
        .query(world.now, &mut question().source(), query_options(None, false));
    assert_eq!(refused, Err(SendError::TooManyQueries(3)));
}
