//! The interface between the codec and a tree of nodes.

use super::error::EncodeError;
use super::token_id::TokenId;
use super::tokens::Dictionary;

/// A string of a node: a tag, an attribute key or value, or text content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Text<'a> {
    /// A dictionary token.
    Token(TokenId),
    /// Any other string. A source may also use it for tokens, because the encoder looks the string up.
    Str(&'a str),
    /// A string of ASCII characters, as bytes. The decoder has checked that they are ASCII. A source may also use it.
    Ascii(&'a [u8]),
    /// A string that is not a token. The source knows this, so the encoder does not look it up.
    Literal(&'a str),
}

impl<'a> Text<'a> {
    /// The string. Empty if the dictionary has no such token.
    #[must_use]
    pub fn resolve(self, dictionary: Dictionary) -> &'a str {
        match self {
            Self::Token(token) => dictionary.token(token).unwrap_or_default(),
            Self::Str(text) | Self::Literal(text) => text,
            Self::Ascii(text) => str::from_utf8(text).unwrap_or_default(),
        }
    }
}

/// The content of a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Content<'a> {
    /// No content. `content` is `undefined` in JavaScript.
    None,
    /// A string.
    Text(Text<'a>),
    /// Bytes.
    Bytes(&'a [u8]),
    /// The number of child nodes. The children follow.
    List(usize),
}

/// The head of a node, from a [`NodeSource`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NodeHead<'a> {
    /// The tag.
    pub tag: Text<'a>,
    /// The number of attributes that follow.
    pub attrs: usize,
    /// Whether the node has content. It must be `false` exactly if [`NodeSource::content`] returns [`Content::None`].
    pub has_content: bool,
}

/// Receives a decoded tree in pre-order. Each node is one call of [`node`](Self::node), then
/// [`attr_key`](Self::attr_key) and [`attr_value`](Self::attr_value) for each attribute, then one call of
/// [`content`](Self::content). If the decoder returns an error, the received tree is incomplete and must be dropped.
pub trait NodeSink {
    /// Starts a node with `attrs` attributes.
    fn node(&mut self, tag: Text<'_>, attrs: usize);
    /// The key of an attribute. Keys can be repeated; the last value counts.
    fn attr_key(&mut self, key: Text<'_>);
    /// The value for the last key.
    fn attr_value(&mut self, value: Text<'_>);
    /// The content of the node. After [`Content::List`], the children follow as nodes.
    fn content(&mut self, content: Content<'_>);
    /// Whether an allocation has failed. The sink then ignores the rest of the tree, and the decoder returns an error.
    fn is_out_of_memory(&self) -> bool {
        false
    }
}

/// Provides a tree to the encoder in pre-order. Each node is one call of [`node`](Self::node), then the announced
/// number of [attributes](Self::attr_key), then one call of [`content`](Self::content).
pub trait NodeSource {
    /// The next node in pre-order.
    ///
    /// # Errors
    /// Fails if the source has ended or is not a valid tree.
    fn node(&mut self) -> Result<NodeHead<'_>, EncodeError>;
    /// The next attribute's key.
    ///
    /// # Errors
    /// Same errors as [`node`](Self::node).
    fn attr_key(&mut self) -> Result<Text<'_>, EncodeError>;
    /// The value for the last key.
    ///
    /// # Errors
    /// Same errors as [`node`](Self::node).
    fn attr_value(&mut self) -> Result<Text<'_>, EncodeError>;
    /// The node's content.
    ///
    /// # Errors
    /// Same errors as [`node`](Self::node).
    fn content(&mut self) -> Result<Content<'_>, EncodeError>;
}
