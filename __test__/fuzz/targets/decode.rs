//! The decoder of binary nodes, for each Baileys release.
//!
//! - The decoded tree and the decoded tape are the same node.
//! - After a decoded node was encoded and decoded once, further round trips do not change it.
//! - Compressed data never inflates above the limit.

use baileys_native::{
    binary::{DecodeErrorKind, Dialect, MAX_INFLATED, Node, decode, unpack},
    tape::{TapeWriter, Tapes},
};

const DIALECTS: [Dialect; 3] = [Dialect::V7, Dialect::V6_7, Dialect::V6_17];

/// `data` is a payload: a flag byte and a node, compressed or not.
pub fn run(data: &[u8]) {
    let mut inflated = Vec::new();
    let Ok(node) = unpack(data, &mut inflated) else {
        return;
    };
    assert!(node.len() <= MAX_INFLATED.max(data.len()));
    for dialect in DIALECTS {
        check(node, dialect);
    }
}

fn check(bytes: &[u8], dialect: Dialect) {
    let mut tapes = Tapes::default();
    let walked = decode(bytes, dialect, &mut TapeWriter::new(&mut tapes));
    let decoded = Node::decode(bytes, dialect);
    assert_eq!(walked.is_ok(), decoded.is_ok(), "the tape and the tree disagree");
    let Ok(node) = decoded else { return };
    let Some(once) = round_trip(&node, dialect) else { return };
    let twice = round_trip(&once, dialect).expect("what was read back can be written");
    assert_eq!(once, twice, "a second round trip changes the node");
}

/// Encodes and decodes a node. Returns `None` if it cannot be encoded, because a decoded node can have an empty tag. Also
/// returns `None` for a string that is written as a JID, as in Baileys, but is not accepted as one: `@` without a server,
/// or more `@` than JIDs may be nested.
fn round_trip(node: &Node, dialect: Dialect) -> Option<Node> {
    let mut encoded = Vec::new();
    node.encode(dialect, &mut encoded).ok()?;
    match Node::decode(&encoded, dialect) {
        Ok(node) => Some(node),
        Err(error) => match error.kind {
            DecodeErrorKind::InvalidJidPair { .. } | DecodeErrorKind::JidsTooDeep => None,
            _ => panic!("what was encoded does not decode: {error}"),
        },
    }
}
