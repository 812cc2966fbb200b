//! The keep-alive query, which a session and a shared sender send.

use crate::binary::{Node, NodeContent};

/// The JID of the server. The JID of a phone number ends with it.
pub const SERVER: &str = "@s.whatsapp.net";

/// The keep-alive query (source: Baileys 7.0.0-rc14, `socket`).
#[must_use]
pub fn keep_alive_query(id: &str) -> Node {
    let attrs = [("id", id), ("to", SERVER), ("type", "get"), ("xmlns", "w:p")];
    let ping = Node {
        tag: "ping".to_owned(),
        ..Node::default()
    };
    Node {
        tag: "iq".to_owned(),
        attrs: attrs.map(|(key, value)| (key.to_owned(), value.to_owned())).into(),
        content: NodeContent::List(vec![ping]),
    }
}
