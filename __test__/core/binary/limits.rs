//! Limits of this codec, and input that it refuses and Baileys accepts.

use std::io::Write as _;

use baileys_native::binary::{
    self, Content, DecodeErrorKind, Dialect, EncodeError, InflateError, MAX_COMPOSED, MAX_DEPTH, MAX_ELEMENTS,
    MAX_INFLATED, MAX_JID_DEPTH, Node, NodeContent, NodeHead, NodeSink, NodeSource, Text, TokenId, encode, unpack,
};
use flate2::Compression;
use flate2::write::ZlibEncoder;

fn decode(bytes: &[u8]) -> Result<Node, DecodeErrorKind> {
    Node::decode(bytes, Dialect::V7).map_err(|error| error.kind)
}

/// A node `t` with one attribute, which has this encoded value.
fn with_value(value: &[u8]) -> Vec<u8> {
    [&[0xf8, 3, 25, 4], value].concat()
}

#[test]
fn nodes_are_nested_up_to_the_limit() {
    let nested = |levels: usize| [[0xf8, 2, 25, 0xf8, 1].repeat(levels - 1), vec![0xf8, 1, 25]].concat();
    let mut node = &decode(&nested(MAX_DEPTH)).unwrap();
    let mut depth = 1;
    while let NodeContent::List(children) = &node.content {
        node = &children[0];
        depth += 1;
    }
    assert_eq!(depth, MAX_DEPTH);
    assert_eq!(decode(&nested(MAX_DEPTH + 1)), Err(DecodeErrorKind::NodesTooDeep));
    assert_eq!(decode(&nested(2_000_000)), Err(DecodeErrorKind::NodesTooDeep));
}

#[test]
fn the_total_size_of_joined_strings_is_bounded() {
    struct Count(usize);
    impl NodeSink for Count {
        fn node(&mut self, _: Text<'_>, _: usize) {}
        fn attr_key(&mut self, _: Text<'_>) {}
        fn attr_value(&mut self, value: Text<'_>) {
            if let Text::Str(text) = value {
                self.0 += text.len();
            }
        }
        fn content(&mut self, _: Content<'_>) {}
    }
    // Nodes with 30,000 attributes each. The values are JIDs of two long tokens.
    let jid = [25, 0xfa, 0xec, 224, 0xec, 224];
    let node = [&[0xf9, 0xea, 0x61, 25][..], &jid.repeat(30_000)].concat();
    let payload = |nodes: u8| [&[0xf8, 2, 25, 0xf8, nodes][..], &node.repeat(usize::from(nodes))].concat();
    let mut one = Count(0);
    binary::decode(&payload(1), Dialect::V7, &mut one).unwrap();
    assert!(one.0 > 10 * node.len(), "{}", one.0);
    let fits = u8::try_from(MAX_COMPOSED / one.0).unwrap();
    let mut sink = Count(0);
    binary::decode(&payload(fits), Dialect::V7, &mut sink).unwrap();
    let error = binary::decode(&payload(fits + 1), Dialect::V7, &mut Count(0)).unwrap_err();
    assert_eq!(
        (sink.0, error.kind),
        (one.0 * usize::from(fits), DecodeErrorKind::TooMuchText)
    );
}

#[test]
fn nodes_and_attributes_are_bounded_together() {
    // A root with 16 lists of leaves. Some leaves have an attribute. The tree has `count` nodes and attributes.
    let tree = |count: usize| {
        let (lists, leaf, with_attribute) = (17, [0xf8, 1, 25], [0xf8, 3, 25, 4, 25]);
        let mut left = count - 1 - lists;
        let mut tree = vec![0xf8, 2, 25, 0xf8, lists as u8];
        for _ in 0..lists {
            let leaves = left.min(65_000);
            tree.extend_from_slice(&[0xf8, 2, 25, 0xf9]);
            let pairs = leaves / 4;
            let nodes = leaves - pairs;
            tree.extend_from_slice(&(nodes as u16).to_be_bytes());
            tree.extend(with_attribute.repeat(pairs));
            tree.extend(leaf.repeat(nodes - pairs));
            left -= leaves;
        }
        assert_eq!(left, 0);
        tree
    };
    struct Ignore;
    impl NodeSink for Ignore {
        fn node(&mut self, _: Text<'_>, _: usize) {}
        fn attr_key(&mut self, _: Text<'_>) {}
        fn attr_value(&mut self, _: Text<'_>) {}
        fn content(&mut self, _: Content<'_>) {}
    }
    let decode = |tree: &[u8]| binary::decode(tree, Dialect::V7, &mut Ignore).map_err(|error| error.kind);
    let most = tree(MAX_ELEMENTS);
    assert_eq!(decode(&most), Ok(most.len()));
    assert_eq!(decode(&tree(MAX_ELEMENTS + 1)), Err(DecodeErrorKind::TooManyElements));
}

#[test]
fn an_owned_node_is_truncated_to_its_budget() {
    let leaf = |n: usize| Node {
        tag: format!("leaf-{n}"),
        attrs: vec![("n".into(), n.to_string())],
        content: NodeContent::Bytes(vec![7; 100]),
    };
    let whole = Node {
        tag: "root".into(),
        attrs: vec![("id".into(), "1".into())],
        content: NodeContent::List((0..100).map(leaf).collect()),
    };
    let mut encoded = Vec::new();
    whole.encode(Dialect::V7, &mut encoded).unwrap();
    let within = |budget| Node::decode_within(&encoded, Dialect::V7, budget).unwrap();
    assert_eq!(within(1 << 20), whole);
    assert_eq!(within(0), Node::default());
    let mut kept = 0;
    for budget in (0..64 * 1024).step_by(512) {
        let cut = within(budget);
        let NodeContent::List(children) = &cut.content else {
            continue;
        };
        assert_eq!((&cut.tag, &cut.attrs), (&whole.tag, &whole.attrs));
        assert!(children.len() >= kept);
        kept = children.len();
        // All children except the last one are complete.
        let complete = children.len().saturating_sub(1);
        assert_eq!(children[..complete], (0..complete).map(leaf).collect::<Vec<_>>());
    }
    assert_eq!(kept, 100);
}

#[test]
fn a_copied_source_equals_its_node() {
    let node = Node {
        tag: "root".into(),
        attrs: vec![("id".into(), "1".into())],
        content: NodeContent::List(vec![
            Node {
                tag: "text".into(),
                content: NodeContent::Text("a".into()),
                ..Node::default()
            },
            Node {
                tag: "empty".into(),
                content: NodeContent::List(Vec::new()),
                ..Node::default()
            },
            Node {
                tag: "list".into(),
                content: NodeContent::List(vec![Node {
                    tag: "leaf".into(),
                    ..Node::default()
                }]),
                ..Node::default()
            },
        ]),
    };
    let dictionary = Dialect::V7.dictionary();
    assert_eq!(Node::read(&mut node.source(), dictionary), Ok(node.clone()));
    let mut source = node.source();
    source.node().unwrap();
    assert!(Node::read(&mut source, dictionary).is_err());
}

#[test]
fn jids_are_nested_up_to_the_limit() {
    let chain = |levels: usize| with_value(&[[0xfa, 0xff, 1, 0x12].repeat(levels), vec![3]].concat());
    let node = decode(&chain(MAX_JID_DEPTH)).unwrap();
    assert_eq!(
        node.attr("type"),
        Some(&*("12@".repeat(MAX_JID_DEPTH) + "s.whatsapp.net"))
    );
    assert_eq!(decode(&chain(MAX_JID_DEPTH + 1)), Err(DecodeErrorKind::JidsTooDeep));
    for tag in [&[0xfa][..], &[0xf7, 0, 0], &[0xf6], &[0xf5]] {
        assert_eq!(
            decode(&with_value(&tag.repeat(1_000_000))),
            Err(DecodeErrorKind::JidsTooDeep)
        );
    }
    // The encoder has no limit for nested JIDs.
    let text = "a@".repeat(100_000);
    let node = Node {
        tag: "iq".to_owned(),
        content: NodeContent::Text(text),
        ..Node::default()
    };
    node.encode(Dialect::V7, &mut Vec::new()).unwrap();
}

#[test]
fn jids_without_a_server_are_decoded_in_linear_time() {
    // A pair of an interop JID and a server. Reading the server of the interop JID fails, so the bytes are read twice.
    let doubling = [0xfa, 0xf5, 10, 0, 0, 0, 0].repeat(MAX_JID_DEPTH);
    assert_eq!(decode(&with_value(&doubling)), Err(DecodeErrorKind::TooManyRetries));
}

#[test]
fn a_claimed_length_reserves_no_memory() {
    // 65535 children. The first child also has 65535 children, and so on.
    let lists = [0xf8, 2, 25, 0xf9, 0xff, 0xff].repeat(MAX_DEPTH - 1);
    assert_eq!(decode(&lists), Err(DecodeErrorKind::EndOfStream));
    assert_eq!(decode(&[0xf9, 0xff, 0xff, 25]), Err(DecodeErrorKind::EndOfStream));
}

#[test]
fn a_negative_length_is_the_end_of_the_stream() {
    // Baileys reads the 32 bits as a signed number and moves backwards in its input.
    for length in [0x80, 0xff] {
        assert_eq!(
            decode(&with_value(&[0xfe, length, 0xff, 0xff, 0xfc])),
            Err(DecodeErrorKind::EndOfStream)
        );
        assert_eq!(
            decode(&[0xf8, 2, 25, 0xfe, length, 0, 0, 0, 1]),
            Err(DecodeErrorKind::EndOfStream)
        );
    }
}

#[test]
fn inflated_payloads_are_bounded() {
    // `second` is compressed data for one mebibyte of zeros. It can be repeated any number of times.
    static MEBIBYTE: [u8; 1 << 20] = [0; 1 << 20];
    let mut encoder = ZlibEncoder::new(vec![2], Compression::fast());
    encoder.write_all(&MEBIBYTE).unwrap();
    encoder.flush().unwrap();
    let first = encoder.get_ref().len();
    encoder.write_all(&MEBIBYTE).unwrap();
    encoder.flush().unwrap();
    let (head, second) = encoder.get_ref().split_at(first);
    let mebibytes = |count: usize| [head, &second.repeat(count - 1)].concat();

    let mut scratch = Vec::new();
    let within = MAX_INFLATED >> 20;
    assert_eq!(unpack(&mebibytes(within), &mut scratch), Err(InflateError::Truncated));
    assert_eq!(scratch.len(), MAX_INFLATED);
    assert_eq!(
        unpack(&mebibytes(1000), &mut scratch),
        Err(InflateError::TooLarge { limit: MAX_INFLATED })
    );
    assert!(scratch.capacity() <= MAX_INFLATED + 1);
}

#[test]
fn inherited_names_are_strings() {
    // Baileys looks names up in its token map, a plain object. It finds inherited properties and writes an empty
    // string.
    for dialect in [Dialect::V7, Dialect::V6_7, Dialect::V6_17] {
        for name in [
            "constructor",
            "toString",
            "valueOf",
            "hasOwnProperty",
            "__proto__",
            "__defineGetter__",
        ] {
            let attrs = vec![(name.to_owned(), name.to_owned())];
            let node = Node {
                tag: name.to_owned(),
                attrs,
                content: NodeContent::None,
            };
            let mut out = Vec::new();
            node.encode(dialect, &mut out).unwrap();
            assert_eq!(Node::decode(&out, dialect), Ok(node));
        }
    }
}

#[test]
fn lengths_above_the_format_are_refused() {
    let child = Node {
        tag: "iq".to_owned(),
        ..Node::default()
    };
    let with = |attrs: usize, content| Node {
        tag: "iq".to_owned(),
        attrs: vec![("a".to_owned(), String::new()); attrs],
        content,
    };
    let mut out = b"kept".to_vec();
    let lists = |children| NodeContent::List(vec![child.clone(); children]);
    let refused = [
        (with(0, lists(65_536)), 65_536),
        (with(32_768, NodeContent::None), 65_537),
        (with(32_767, lists(0)), 65_536),
        (
            with(0, NodeContent::List(vec![child.clone(), with(0, lists(70_000))])),
            70_000,
        ),
    ];
    for (node, size) in refused {
        assert_eq!(node.encode(Dialect::V7, &mut out), Err(EncodeError::ListTooLarge(size)));
        assert_eq!(out, b"kept");
    }
    with(0, lists(65_535)).encode(Dialect::V7, &mut out).unwrap();
    assert_eq!(Node::decode(&out[4..], Dialect::V7), Ok(with(0, lists(65_535))));
    out.clear();
    with(32_767, NodeContent::None).encode(Dialect::V7, &mut out).unwrap();
    assert_eq!(Node::decode(&out, Dialect::V7).unwrap().attrs.len(), 1);
}

#[test]
fn empty_tags_are_refused() {
    let empty = Node::default();
    let parent = Node {
        tag: "iq".to_owned(),
        content: NodeContent::List(vec![empty.clone()]),
        ..Node::default()
    };
    for dialect in [Dialect::V7, Dialect::V6_7, Dialect::V6_17] {
        for node in [&empty, &parent] {
            assert_eq!(node.encode(dialect, &mut Vec::new()), Err(EncodeError::EmptyTag));
        }
    }
}

/// A source of a single node, which can be inconsistent.
struct One<'a> {
    head: NodeHead<'a>,
    content: Content<'a>,
}

impl NodeSource for One<'_> {
    fn node(&mut self) -> Result<NodeHead<'_>, EncodeError> {
        Ok(self.head)
    }

    fn attr_key(&mut self) -> Result<Text<'_>, EncodeError> {
        Err(EncodeError::InvalidSource)
    }

    fn attr_value(&mut self) -> Result<Text<'_>, EncodeError> {
        Err(EncodeError::InvalidSource)
    }

    fn content(&mut self) -> Result<Content<'_>, EncodeError> {
        Ok(self.content)
    }
}

#[test]
fn invalid_sources_are_refused() {
    let tag = Text::Str("iq");
    let encode = |head, content| {
        let mut out = Vec::new();
        let result = encode(&mut One { head, content }, Dialect::V7, &mut out);
        assert!(result.is_ok() || out.is_empty());
        result.map(|()| out)
    };
    let head = |tag, attrs, has_content| NodeHead {
        tag,
        attrs,
        has_content,
    };
    assert_eq!(
        encode(head(tag, 0, true), Content::None),
        Err(EncodeError::InvalidSource)
    );
    assert_eq!(
        encode(head(tag, 0, false), Content::List(0)),
        Err(EncodeError::InvalidSource)
    );
    assert_eq!(
        encode(head(tag, 1, false), Content::None),
        Err(EncodeError::InvalidSource)
    );
    assert_eq!(
        encode(head(tag, usize::MAX, false), Content::None),
        Err(EncodeError::ListTooLarge(usize::MAX))
    );
    assert_eq!(
        encode(head(tag, 0, true), Content::List(usize::MAX)),
        Err(EncodeError::ListTooLarge(usize::MAX))
    );
    let unknown = Text::Token(TokenId(1260));
    assert_eq!(
        encode(head(unknown, 0, false), Content::None),
        Err(EncodeError::UnknownToken(1260))
    );
    assert_eq!(
        encode(head(Text::Token(TokenId(0)), 0, false), Content::None),
        Err(EncodeError::EmptyTag)
    );
    assert_eq!(
        encode(head(Text::Token(TokenId(1259)), 0, false), Content::None),
        Ok(vec![0xf8, 1, 0xef, 0xff])
    );
    assert_eq!(
        encode(head(tag, 0, true), Content::Text(Text::Token(TokenId(0)))),
        Ok(vec![0xf8, 2, 25, 0xfc, 0])
    );
    let literal = Content::Text(Text::Literal("9.9@g.us"));
    assert_eq!(
        encode(head(Text::Literal("a"), 0, true), literal),
        Ok(vec![0xf8, 2, 0xfc, 1, b'a', 0xfa, 0xff, 0x82, 0x9b, 0x9f, 28])
    );
}
