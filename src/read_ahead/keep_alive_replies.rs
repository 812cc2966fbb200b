//! Defines [`KeepAliveReplies`].

use crate::binary::{Dialect, NodeSource};
use crate::tape::Tape;

/// Maximum length of a text that is searched for an id, in bytes. The text of a reply is only slightly longer than its
/// id.
const MAX_TEXT: usize = 1024;

/// Recognizes the replies to keep-alive queries of the I/O thread. JavaScript must not see the replies, because it did
/// not send the queries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeepAliveReplies {
    id_prefix: String,
}

impl KeepAliveReplies {
    /// Recognizes replies with ids that start with `id_prefix`.
    #[must_use]
    pub const fn new(id_prefix: String) -> Self {
        Self { id_prefix }
    }

    /// Whether the stanza on a tape is such a reply.
    #[must_use]
    pub fn contains(&self, tape: Tape<'_>, dialect: Dialect) -> bool {
        let prefix = self.id_prefix.as_bytes();
        let text = tape.text;
        let has_prefix =
            !tape.is_wide && text.len() <= MAX_TEXT && text.windows(prefix.len().max(1)).any(|window| window == prefix);
        has_prefix && self.is_reply(tape, dialect).unwrap_or(false)
    }

    /// Reads the tag and attributes of the root. Returns `None` if the tape is not a complete stanza.
    fn is_reply(&self, tape: Tape<'_>, dialect: Dialect) -> Option<bool> {
        let dictionary = dialect.dictionary();
        let mut source = tape.source();
        let head = source.node().ok()?;
        let attrs = head.attrs;
        if head.tag.resolve(dictionary) != "iq" {
            return Some(false);
        }
        let (mut is_result, mut is_ours) = (false, false);
        for _ in 0..attrs {
            let key = source.attr_key().ok()?.resolve(dictionary).to_owned();
            let value = source.attr_value().ok()?.resolve(dictionary);
            // If a key is repeated, the last value is used.
            match key.as_str() {
                "type" => is_result = matches!(value, "result" | "error"),
                "id" => is_ours = value.starts_with(&self.id_prefix),
                _ => {}
            }
        }
        Some(is_result && is_ours)
    }
}
