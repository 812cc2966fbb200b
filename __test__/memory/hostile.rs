//! Payloads with the maximum memory use that a peer can cause.

use std::io::Write as _;

use baileys_native::binary::{MAX_COMPOSED, MAX_ELEMENTS, MAX_INFLATED};
use flate2::{Compression, write::ZlibEncoder};

pub(crate) struct Payload {
    pub(crate) name: &'static str,
    /// The payload with its flag byte.
    pub(crate) bytes: Vec<u8>,
    /// Whether the payload is within all limits.
    pub(crate) fits: bool,
    /// Whether the layers above the opener are also measured with it.
    pub(crate) is_worst: bool,
}

const LIST_8: u8 = 248;
const LIST_16: u8 = 249;
/// The token `success` of dictionary 3.
const SUCCESS: u8 = 76;

pub(crate) fn compressed(node: &[u8]) -> Vec<u8> {
    let mut deflated = ZlibEncoder::new(vec![2], Compression::best());
    deflated.write_all(node).unwrap();
    deflated.finish().unwrap()
}

/// A `success` with `count` nodes of 3 bytes each, in lists.
pub(crate) fn most_nodes(count: usize) -> Vec<u8> {
    const LEAF: [u8; 3] = [LIST_8, 1, 25];
    let lists: Vec<usize> = std::iter::successors(Some(count), |left| left.checked_sub(60_000))
        .map(|left| left.min(60_000))
        .filter(|size| *size > 0)
        .collect();
    let mut node = vec![LIST_8, 2, SUCCESS, LIST_8, u8::try_from(lists.len()).unwrap()];
    for size in lists {
        let [high, low] = u16::try_from(size).unwrap().to_be_bytes();
        node.extend([LIST_8, 2, 25, LIST_16, high, low]);
        node.extend(LEAF.repeat(size));
    }
    node
}

/// A `success` with nodes of 30,000 attributes. Each attribute has two bytes.
fn most_attributes(nodes: u8) -> Vec<u8> {
    let attributes = [&[LIST_16, 0xea, 0x61, 25][..], &[4, 25].repeat(30_000)].concat();
    [
        &[LIST_8, 2, SUCCESS, LIST_8, nodes][..],
        &attributes.repeat(usize::from(nodes)),
    ]
    .concat()
}

/// A `success` with attribute values that are JIDs of two long tokens, after one character that is not Latin-1.
fn most_composed(bytes: usize) -> Vec<u8> {
    // `mms4_media_retry_notification_encryption_enabled` is on both sides of the `@`.
    let jid = [25, 0xfa, 0xec, 224, 0xec, 224];
    let node = [&[LIST_16, 0xea, 0x61, 25][..], &jid.repeat(30_000)].concat();
    let each = 30_000 * composed_len(&jid[1..]);
    let nodes = u8::try_from(bytes / each).unwrap();
    let text = "\u{20ac}".as_bytes();
    let first = [&[LIST_8, 3, 25, 4, 252, u8::try_from(text.len()).unwrap()][..], text].concat();
    [
        &[LIST_8, 2, SUCCESS, LIST_8, nodes + 1][..],
        &first,
        &node.repeat(usize::from(nodes)),
    ]
    .concat()
}

/// The length of a composed string.
fn composed_len(encoded: &[u8]) -> usize {
    let node = [&[LIST_8, 3, 25, 4][..], encoded].concat();
    let node = baileys_native::binary::Node::decode(&node, baileys_native::binary::Dialect::V7).unwrap();
    node.attrs[0].1.len()
}

/// A `success` with an attribute of this length in bytes.
pub(crate) fn long_text(bytes: usize) -> Vec<u8> {
    attribute(&vec![b'x'; bytes])
}

fn attribute(text: &[u8]) -> Vec<u8> {
    let length = u32::try_from(text.len()).unwrap().to_be_bytes();
    [&[LIST_8, 3, SUCCESS, 4, 254][..], &length, text].concat()
}

fn content(bytes: usize) -> Vec<u8> {
    let length = u32::try_from(bytes).unwrap().to_be_bytes();
    [&[LIST_8, 2, SUCCESS, 254][..], &length, &vec![0; bytes]].concat()
}

pub(crate) fn payloads() -> Vec<Payload> {
    let almost = MAX_INFLATED - 100;
    let wide = [&b"\xe2\x82\xac"[..], &vec![b'x'; almost - 3]].concat();
    let rows = [
        ("most nodes", most_nodes(MAX_ELEMENTS - 20), true),
        ("more nodes than allowed", most_nodes(MAX_ELEMENTS), false),
        ("nodes up to the inflated bound", most_nodes(almost / 3 - 1000), false),
        ("most attributes", most_attributes(34), true),
        ("more attributes than allowed", most_attributes(35), false),
        ("most composed text, wide", most_composed(MAX_COMPOSED), true),
        ("long text", long_text(almost), true),
        ("long text, wide", attribute(&wide), true),
        ("long text, not UTF-8", attribute(&vec![0xff; almost]), true),
        ("long content", content(almost), true),
    ];
    const WORST: [&str; 3] = ["most nodes", "most composed text, wide", "long text, not UTF-8"];
    rows.map(|(name, node, fits)| Payload {
        name,
        bytes: compressed(&node),
        fits,
        is_worst: WORST.contains(&name),
    })
    .into()
}
