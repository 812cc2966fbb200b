//! [`Answers`].

use crate::binary::{Dialect, Node};
use crate::tape::TapeWriter;

/// Knows the answers to queries of which JavaScript does not know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answers {
    id_prefix: String,
}

impl Answers {
    /// Those to queries whose ids begin like this.
    #[must_use]
    pub const fn new(id_prefix: String) -> Self {
        Self { id_prefix }
    }

    /// Whether a stanza, of which there is the tape and the payload that it was made from, is one.
    #[must_use]
    pub fn has(&self, tape: &TapeWriter, payload: &[u8], dialect: Dialect) -> bool {
        // An answer is small, and its text is little more than the id.
        const MOST_TEXT: usize = 1024;
        let prefix = self.id_prefix.as_bytes();
        let may_be = tape.latin1().is_some_and(|text| {
            text.len() <= MOST_TEXT && text.windows(prefix.len().max(1)).any(|window| window == prefix)
        });
        may_be && Node::decode(payload, dialect).is_ok_and(|node| self.is_answer(&node))
    }

    fn is_answer(&self, node: &Node) -> bool {
        node.tag == "iq"
            && matches!(node.attr("type"), Some("result" | "error"))
            && node.attr("id").is_some_and(|id| id.starts_with(&self.id_prefix))
    }
}
