//! Patterns, compared with the event names of Baileys' socket.

use baileys_native::{
    binary::{Node, NodeContent},
    session::Pattern,
};
use proptest::prelude::*;

use super::{harness::World, server::node};

/// The names of the events that Baileys emits for a stanza, in order (source: 7.0.0-rc14, `socket`).
fn event_names(stanza: &Node) -> Vec<String> {
    let tag = &stanza.tag;
    let child = match &stanza.content {
        NodeContent::List(children) => children.first().map_or("undefined", |child| &child.tag),
        _ => "",
    };
    let mut names = vec![
        "frame".to_owned(),
        format!("TAG:{}", stanza.attr("id").unwrap_or("undefined")),
    ];
    for (key, value) in &stanza.attrs {
        names.push(format!("CB:{tag},{key}:{value},{child}"));
        names.push(format!("CB:{tag},{key}:{value}"));
        names.push(format!("CB:{tag},{key}"));
    }
    names.push(format!("CB:{tag},,{child}"));
    names.push(format!("CB:{tag}"));
    names
}

fn word() -> impl Strategy<Value = String> {
    prop::sample::select(vec![
        "iq",
        "set",
        "type",
        "id",
        "from",
        "a",
        "b,c",
        "x:y",
        "123@s.whatsapp.net",
        "zz",
    ])
    .prop_map(str::to_owned)
}

fn plain() -> impl Strategy<Value = String> {
    prop::sample::select(vec!["iq", "type", "id", "from", "a", "pair-device", "zz"]).prop_map(str::to_owned)
}

fn stanza() -> impl Strategy<Value = Node> {
    let content = prop_oneof![
        Just(NodeContent::None),
        Just(NodeContent::List(Vec::new())),
        Just(NodeContent::Bytes(vec![1])),
        prop::collection::vec(plain(), 1..3)
            .prop_map(|tags| NodeContent::List(tags.iter().map(|tag| node(tag, &[], Vec::new())).collect())),
    ];
    (plain(), prop::collection::btree_map(plain(), word(), 0..4), content).prop_map(|(tag, attrs, content)| Node {
        tag,
        attrs: attrs.into_iter().collect(),
        content,
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn match_exactly_what_baileys_emits(stanzas in prop::collection::vec(stanza(), 1..5)) {
        let mut world = World::connected();
        let mut names: Vec<String> = stanzas.iter().flat_map(event_names).collect();
        names.sort();
        names.dedup();
        let watched: Vec<_> = names.iter().map(|name| (world.watch(name), name.clone())).collect();
        for stanza in stanzas {
            // The generated ids never equal the ids of the session's own queries.
            world.events.clear();
            world.serve(&stanza);
            let (got, matched) = world.stanzas().remove(0);
            prop_assert_eq!(&got, &stanza);
            let matched: Vec<&String> = matched
                .iter()
                .map(|id| &watched.iter().find(|(watched, _)| watched == id).unwrap().1)
                .collect();
            let expected = event_names(&stanza);
            // A missing id does not match `TAG:undefined`; Baileys does emit this event.
            let mut expected: Vec<&String> = expected.iter().filter(|name| *name != "TAG:undefined").collect();
            let mut seen = std::collections::HashSet::new();
            expected.retain(|name| seen.insert(*name));
            let mut sorted = (matched.clone(), expected.clone());
            sorted.0.sort();
            sorted.1.sort();
            prop_assert_eq!(sorted.0, sorted.1);
            if stanza.attrs.iter().all(|(_, value)| !value.contains([',', ':'])) {
                prop_assert_eq!(matched, expected);
            }
        }
    }
}

#[test]
fn invalid_patterns_are_refused() {
    for text in ["", "CB", "CB:", "TAG", "message", "frames"] {
        assert!(Pattern::parse(text).is_err(), "{text}");
    }
}

#[test]
fn structured_patterns_match_only_if_all_parts_match() {
    let mut world = World::connected();
    let pattern = Pattern {
        tag: Some("iq".into()),
        attrs: vec![("type".into(), Some("set".into())), ("xmlns".into(), None)],
        child: Some("pair-device".into()),
        ..Default::default()
    };
    let id = world.session.watch(vec![pattern]);
    let wanted = node(
        "iq",
        &[("xmlns", "md"), ("type", "set")],
        vec![node("pair-device", &[], Vec::new())],
    );
    let mut others = vec![wanted.clone(); 3];
    others[0].attrs.remove(0);
    others[1].content = NodeContent::None;
    others[2].attrs[1].1 = "get".into();
    for other in &others {
        world.serve(other);
    }
    assert!(world.stanzas().is_empty());
    world.serve(&wanted);
    assert_eq!(world.stanzas(), [(wanted.clone(), vec![id])]);
    assert!(world.session.unwatch(id) && !world.session.unwatch(id));
    world.serve(&wanted);
    assert_eq!(world.stanzas().len(), 1);
}

#[test]
fn stanzas_without_a_matching_pattern_cause_no_event() {
    let mut world = World::connected();
    world.watch("CB:message");
    for _ in 0..10 {
        world.serve(&node("ack", &[("class", "message")], Vec::new()));
    }
    assert!(world.events.is_empty());
    let metrics = world.session.metrics();
    assert_eq!((metrics.stanzas_in - 1, metrics.stanzas_delivered), (10, 0));
}
