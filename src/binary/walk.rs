//! The interface between the codec and a tree of nodes.

use super::error::EncodeError;
use super::token_id::TokenId;
use super::tokens::Dictionary;

/// A string of a node: tag, attribute key or value, or textual content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Text<'a> {
    /// A dictionary token.
    Token(TokenId),
    /// Any other string. A source may give token strings in this form as well; the encoder looks them up.
    Str(&'a str),
    /// A string of ASCII characters alone, as its bytes. What a sink gets is checked; a source may give it as well.
    Ascii(&'a [u8]),
    /// A string that its source knows not to be a token, so that the encoder need not look it up.
    Literal(&'a str),
}

impl<'a> Text<'a> {
    /// The string. Empty for a token that the dictionary does not have.
    #[must_use]
    pub fn resolve(self, dictionary: Dictionary) -> &'a str {
        match self {
            Self::Token(token) => dictionary.token(token).unwrap_or_default(),
            Self::Str(text) | Self::Literal(text) => text,
            Self::Ascii(text) => str::from_utf8(text).unwrap_or_default(),
        }
    }
}

/// What a node holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Content<'a> {
    /// Nothing (`content` is `undefined` in JavaScript).
    None,
    /// A string.
    Text(Text<'a>),
    /// Bytes.
    Bytes(&'a [u8]),
    /// So many child nodes, which follow.
    List(usize),
}

/// The first part of a node, as a [`NodeSource`] gives it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NodeHead<'a> {
    /// The tag.
    pub tag: Text<'a>,
    /// The number of attributes that follow.
    pub attrs: usize,
    /// Whether the node has content; `false` exactly where [`NodeSource::content`] will give [`Content::None`].
    pub has_content: bool,
}

/// Receives a decoded tree in pre-order: for every node one [`node`](Self::node), then for every attribute
/// [`attr_key`](Self::attr_key) and [`attr_value`](Self::attr_value), then one [`content`](Self::content).
/// If the decoder returns an error, the received tree is incomplete and must be dropped.
pub trait NodeSink {
    /// A node begins; `attrs` attributes follow.
    fn node(&mut self, tag: Text<'_>, attrs: usize);
    /// An attribute's key. Keys may repeat; the last one counts.
    fn attr_key(&mut self, key: Text<'_>);
    /// The value that belongs to the key before.
    fn attr_value(&mut self, value: Text<'_>);
    /// The node's content. After [`Content::List`] its children follow, each as a node of its own.
    fn content(&mut self, content: Content<'_>);
    /// Whether memory was exhausted. The sink then ignores the rest of the tree, and the decoder reports the error.
    fn is_out_of_memory(&self) -> bool {
        false
    }
}

/// Gives a tree to the encoder in pre-order: for every node one [`node`](Self::node), then the number of
/// [attributes](Self::attr_key) that the head announced, then one [`content`](Self::content).
pub trait NodeSource {
    /// The next node in pre-order.
    ///
    /// # Errors
    /// Where the source is exhausted or not a valid tree.
    fn node(&mut self) -> Result<NodeHead<'_>, EncodeError>;
    /// The next attribute's key.
    ///
    /// # Errors
    /// As [`node`](Self::node).
    fn attr_key(&mut self) -> Result<Text<'_>, EncodeError>;
    /// The value that belongs to the key before.
    ///
    /// # Errors
    /// As [`node`](Self::node).
    fn attr_value(&mut self) -> Result<Text<'_>, EncodeError>;
    /// The node's content.
    ///
    /// # Errors
    /// As [`node`](Self::node).
    fn content(&mut self) -> Result<Content<'_>, EncodeError>;
}
