//! Properties of generated nodes.
//!
//! A decoded node is equal to the encoded one, with these exceptions:
//! - Text content is decoded as bytes, unless it is a token, packed or a JID.
//! - Empty text content is decoded as empty bytes (dialect 7) or as an empty list (other dialects).
//! - Some JIDs change their form. The server of a JID with a device is only kept if it has a domain byte. A device 0 is
//!   omitted. Other texts are decoded as `user[:device]@server`. The recorded vectors test such JIDs; the JIDs in this
//!   file keep their form.

use baileys_native::binary::{Dialect, Node, NodeContent, unpack};
use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use proptest::sample::select;

const DIALECTS: [Dialect; 3] = [Dialect::V7, Dialect::V6_7, Dialect::V6_17];
const TOKENS: [&str; 10] = [
    "iq",
    "type",
    "s.whatsapp.net",
    "read-self",
    "404",
    "message",
    "t",
    "xmlns",
    "contact_blacklist",
    "fwd_ui_start_ts",
];

fn jid() -> impl Strategy<Value = String> {
    let user = prop_oneof!["[0-9]{1,20}", "[0-9]{5,15}-[0-9]{10}", "[A-F0-9]{4,9}", "[a-z ]{1,12}"];
    const SERVERS: [&str; 8] = [
        "s.whatsapp.net",
        "lid",
        "g.us",
        "hosted",
        "example.org",
        "broadcast",
        "123",
        "x@y",
    ];
    prop_oneof![
        (user.clone(), select(&SERVERS)).prop_map(|(user, server)| format!("{user}@{server}")),
        (user, 1u8.., select(&["s.whatsapp.net", "lid"]))
            .prop_map(|(user, device, server)| format!("{user}:{device}@{server}")),
        Just("@s.whatsapp.net".to_owned()),
    ]
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        select(&TOKENS).prop_map(str::to_owned),
        "[0-9.-]{1,130}",
        "[0-9A-F]{1,130}",
        jid(),
        "[^@]{1,40}",
        Just(String::new()),
        (250usize..260).prop_map(|length| "x".repeat(length)),
    ]
}

fn node() -> impl Strategy<Value = Node> {
    let head = || {
        (
            text().prop_filter("a tag is not empty", |tag| !tag.is_empty()),
            btree_map(text(), text(), 0..5),
        )
    };
    let make = |((tag, attrs), content): ((String, _), NodeContent)| Node {
        tag,
        attrs: std::collections::BTreeMap::into_iter(attrs).collect(),
        content,
    };
    let leaf = prop_oneof![
        Just(NodeContent::None),
        text().prop_map(NodeContent::Text),
        vec(any::<u8>(), 0..300).prop_map(NodeContent::Bytes),
        Just(NodeContent::List(Vec::new())),
    ];
    (head(), leaf).prop_map(make).prop_recursive(4, 40, 6, move |inner| {
        (head(), vec(inner, 0..6).prop_map(NodeContent::List)).prop_map(make)
    })
}

/// The node after a round trip; see the documentation of this file.
fn returned(node: &Node, dialect: Dialect) -> Node {
    let content = match &node.content {
        NodeContent::Text(text) if text.is_empty() && dialect == Dialect::V7 => NodeContent::Bytes(Vec::new()),
        NodeContent::Text(text) if text.is_empty() => NodeContent::List(Vec::new()),
        NodeContent::Text(text) => {
            let packed = |alphabet: &str| text.len() <= 127 && text.chars().all(|char| alphabet.contains(char));
            let short = dialect.dictionary().find(text).is_some()
                || packed("0123456789-.")
                || packed("0123456789ABCDEF")
                || text.contains('@');
            if short {
                node.content.clone()
            } else {
                NodeContent::Bytes(text.clone().into_bytes())
            }
        }
        NodeContent::List(children) => {
            NodeContent::List(children.iter().map(|child| returned(child, dialect)).collect())
        }
        other => other.clone(),
    };
    Node {
        content,
        ..node.clone()
    }
}

fn encoded(node: &Node, dialect: Dialect) -> Vec<u8> {
    let mut out = Vec::new();
    node.encode(dialect, &mut out).unwrap();
    out
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn round_trip(node in node(), dialect in select(&DIALECTS)) {
        let bytes = encoded(&node, dialect);
        let back = Node::decode(&bytes, dialect).unwrap();
        prop_assert_eq!(&back, &returned(&node, dialect));
        // A second round trip does not change the node.
        let again = Node::decode(&encoded(&back, dialect), dialect).unwrap();
        prop_assert_eq!(again, back);
    }

    #[test]
    fn any_text_can_be_written(text in any::<String>(), dialect in select(&DIALECTS)) {
        let node = Node { tag: "iq".to_owned(), attrs: vec![("id".to_owned(), text.clone())], ..Node::default() };
        let back = Node::decode(&encoded(&node, dialect), dialect);
        if !text.contains('@') {
            prop_assert_eq!(back, Ok(node));
        }
    }

    #[test]
    fn any_bytes_can_be_read(bytes in vec(any::<u8>(), 0..200), dialect in select(&DIALECTS)) {
        let _ = Node::decode(&bytes, dialect);
        let _ = unpack(&bytes, &mut Vec::new());
    }

    #[test]
    fn likely_bytes_can_be_read(
        bytes in vec(prop_oneof![4 => 244u8.., 2 => 0u8..8, 1 => any::<u8>()], 0..120),
        dialect in select(&DIALECTS),
    ) {
        let _ = Node::decode(&[&[0xf8, 3, 25, 4], &bytes[..]].concat(), dialect);
        let _ = Node::decode(&[&[0xf8, 2, 25], &bytes[..]].concat(), dialect);
    }

    #[test]
    fn damaged_nodes_can_be_read(
        node in node(),
        dialect in select(&DIALECTS),
        damage in vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
        cut in any::<prop::sample::Index>(),
    ) {
        let mut bytes = encoded(&node, dialect);
        for (at, byte) in damage {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        let _ = Node::decode(&bytes, dialect);
        bytes.truncate(cut.index(bytes.len()));
        let _ = Node::decode(&bytes, dialect);
    }

    #[test]
    fn what_is_read_does_not_depend_on_what_follows(node in node(), after in vec(any::<u8>(), 0..9)) {
        let bytes = encoded(&node, Dialect::V7);
        let extended = [&bytes[..], &after].concat();
        prop_assert_eq!(Node::decode(&extended, Dialect::V7), Node::decode(&bytes, Dialect::V7));
    }
}
