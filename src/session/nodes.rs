//! Stanzas of the session itself: functions that build and read them.

use crate::binary::{Node, NodeContent};
use crate::wire::SERVER;

/// A node with children. Without children it has no content.
pub(super) fn node(tag: &str, attrs: &[(&str, &str)], children: Vec<Node>) -> Node {
    Node {
        tag: tag.to_owned(),
        attrs: attrs
            .iter()
            .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
            .collect(),
        content: if children.is_empty() {
            NodeContent::None
        } else {
            NodeContent::List(children)
        },
    }
}

/// A node with bytes as content.
pub(super) fn bytes_node(tag: &str, bytes: Vec<u8>) -> Node {
    Node {
        content: NodeContent::Bytes(bytes),
        ..node(tag, &[], Vec::new())
    }
}

/// A node with a string as content.
pub(super) fn text_node(tag: &str, text: String) -> Node {
    Node {
        content: NodeContent::Text(text),
        ..node(tag, &[], Vec::new())
    }
}

/// The first child with a tag.
pub(super) fn child<'a>(node: &'a Node, tag: &str) -> Option<&'a Node> {
    children(node, tag).next()
}

/// All children with a tag.
pub(super) fn children<'a, 't>(node: &'a Node, tag: &'t str) -> impl Iterator<Item = &'a Node> + use<'a, 't> {
    let children = match &node.content {
        NodeContent::List(children) => children.as_slice(),
        _ => &[],
    };
    children.iter().filter(move |child| child.tag == tag)
}

/// The content as bytes. A string is given in UTF-8.
pub(super) fn content_bytes(node: &Node) -> Option<&[u8]> {
    match &node.content {
        NodeContent::Bytes(bytes) => Some(bytes),
        NodeContent::Text(text) => Some(text.as_bytes()),
        NodeContent::None | NodeContent::List(_) => None,
    }
}

/// The query that makes the server deliver stanzas (source: Baileys 7.0.0-rc14, `socket`).
pub(super) fn activate(id: &str) -> Node {
    let attrs = [("to", SERVER), ("xmlns", "passive"), ("type", "set"), ("id", id)];
    node("iq", &attrs, vec![node("active", &[], Vec::new())])
}

/// The request for stored stanzas (source: Baileys 7.0.0-rc14, `socket`).
pub(super) fn offline_batch(count: u32) -> Node {
    node(
        "ib",
        &[],
        vec![node("offline_batch", &[("count", &count.to_string())], Vec::new())],
    )
}

/// The empty result for a query of the server.
pub(super) fn result(id: &str) -> Node {
    node("iq", &[("to", SERVER), ("type", "result"), ("id", id)], Vec::new())
}

/// The query that logs a device out (source: Baileys 7.0.0-rc14, `socket`).
pub(super) fn remove_device(id: &str, jid: &str) -> Node {
    let attrs = [("to", SERVER), ("type", "set"), ("id", id), ("xmlns", "md")];
    let remove = node(
        "remove-companion-device",
        &[("jid", jid), ("reason", "user_initiated")],
        Vec::new(),
    );
    node("iq", &attrs, vec![remove])
}

/// The acknowledgement of a stanza (source: Baileys 7.0.0-rc14, `stanza-ack`).
pub(super) fn acknowledgement(stanza: &Node) -> Node {
    let mut attrs = vec![
        ("id", stanza.attr("id").unwrap_or_default()),
        ("to", stanza.attr("from").unwrap_or_default()),
        ("class", stanza.tag.as_str()),
    ];
    attrs.extend(
        ["participant", "recipient", "type"]
            .into_iter()
            .filter_map(|key| Some((key, stanza.attr(key)?))),
    );
    node("ack", &attrs, Vec::new())
}
