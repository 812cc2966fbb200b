//! Nodes that own what they hold.

use std::collections::HashMap;

use super::dialect::Dialect;
use super::error::{DecodeError, EncodeError};
use super::tokens::Dictionary;
use super::{Content, NodeHead, NodeSink, NodeSource, Text, decode, encode};

/// A node that owns its strings, bytes and children. For tests and for small stanzas; large ones had better stay
/// what they are.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Node {
    /// The tag. Not empty in a node that can be encoded.
    pub tag: String,
    /// Keys and values in the order of the wire.
    pub attrs: Vec<(String, String)>,
    /// What the node holds.
    pub content: NodeContent,
}

/// The content of a [`Node`].
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum NodeContent {
    /// Nothing.
    #[default]
    None,
    /// A string. Most strings come back from the wire as [`Bytes`](Self::Bytes).
    Text(String),
    /// Bytes.
    Bytes(Vec<u8>),
    /// Children.
    List(Vec<Node>),
}

impl Node {
    /// Decodes the node at the front of `input`, as [`decode()`] does.
    ///
    /// # Errors
    /// As [`decode()`].
    pub fn decode(input: &[u8], dialect: Dialect) -> Result<Node, DecodeError> {
        let mut builder = NodeBuilder::new(dialect.dictionary());
        decode(input, dialect, &mut builder)?;
        Ok(builder.root)
    }

    /// Appends the node to `out`, as [`encode()`] does.
    ///
    /// # Errors
    /// As [`encode()`].
    pub fn encode(&self, dialect: Dialect, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        encode(&mut self.source(), dialect, out)
    }

    /// The node as a source for [`encode()`].
    #[must_use]
    pub fn source(&self) -> NodeReader<'_> {
        NodeReader {
            node: None,
            attrs: [].iter(),
            value: None,
            root: Some(self),
            lists: Vec::new(),
        }
    }

    /// The value of an attribute.
    #[must_use]
    pub fn attr(&self, key: &str) -> Option<&str> {
        self.attrs
            .iter()
            .rev()
            .find(|(name, _)| name == key)
            .map(|(_, value)| value.as_str())
    }
}

/// Builds a [`Node`] from what a decoder reports.
#[derive(Debug)]
pub struct NodeBuilder {
    dictionary: Dictionary,
    /// The nodes around the present one, each with the number of its children still to come, the present one included.
    open: Vec<(Node, usize)>,
    /// The present node, at the end the root.
    root: Node,
}

impl NodeBuilder {
    /// What a claimed number reserves at most; a claim is not a fact.
    const RESERVED: usize = 16;

    /// A builder for nodes in this dictionary.
    #[must_use]
    pub fn new(dictionary: Dictionary) -> Self {
        NodeBuilder {
            dictionary,
            open: Vec::new(),
            root: Node::default(),
        }
    }

    /// The node, after the decoder has ended without an error.
    #[must_use]
    pub fn finish(self) -> Node {
        self.root
    }

    fn string(&self, text: Text<'_>) -> String {
        text.resolve(self.dictionary).to_owned()
    }

    /// Puts the present node into its parent, and so on for every node that has become complete.
    fn complete(&mut self) {
        while let Some((mut parent, left)) = self.open.pop() {
            if let NodeContent::List(children) = &mut parent.content {
                children.push(std::mem::take(&mut self.root));
            }
            if left > 1 {
                self.open.push((parent, left - 1));
                return;
            }
            self.root = parent;
        }
    }
}

impl NodeSink for NodeBuilder {
    fn node(&mut self, tag: Text<'_>, attrs: usize) {
        self.root.tag = self.string(tag);
        self.root.attrs.reserve(attrs.min(Self::RESERVED));
    }

    fn attr_key(&mut self, key: Text<'_>) {
        let key = self.string(key);
        self.root.attrs.push((key, String::new()));
    }

    fn attr_value(&mut self, value: Text<'_>) {
        let value = self.string(value);
        if let Some((_, place)) = self.root.attrs.last_mut() {
            *place = value;
        }
    }

    fn content(&mut self, content: Content<'_>) {
        last_values(&mut self.root.attrs);
        self.root.content = match content {
            Content::None => NodeContent::None,
            Content::Text(text) => NodeContent::Text(self.string(text)),
            Content::Bytes(bytes) => NodeContent::Bytes(bytes.to_vec()),
            Content::List(children) => NodeContent::List(Vec::with_capacity(children.min(Self::RESERVED))),
        };
        match content {
            Content::List(children) if children > 0 => self.open.push((std::mem::take(&mut self.root), children)),
            _ => self.complete(),
        }
    }
}

/// Leaves every key once: where it was first, with the value that it had last, as assigning to an object does.
fn last_values(attrs: &mut Vec<(String, String)>) {
    let unique = |(at, (key, _)): (usize, &(String, String))| attrs.iter().take(at).all(|(other, _)| other != key);
    if attrs.len() <= NodeBuilder::RESERVED && attrs.iter().enumerate().all(unique) {
        return;
    }
    let mut places: HashMap<String, usize> = HashMap::with_capacity(attrs.len());
    let mut kept: Vec<(String, String)> = Vec::with_capacity(attrs.len());
    for (key, value) in attrs.drain(..) {
        match places.get(&key).and_then(|place| kept.get_mut(*place)) {
            Some((_, place)) => *place = value,
            None => {
                places.insert(key.clone(), kept.len());
                kept.push((key, value));
            }
        }
    }
    *attrs = kept;
}

/// Gives a [`Node`] to an encoder. Made by [`Node::source`].
#[derive(Debug)]
pub struct NodeReader<'a> {
    root: Option<&'a Node>,
    /// The present node.
    node: Option<&'a Node>,
    attrs: std::slice::Iter<'a, (String, String)>,
    /// The value of the key that was given last.
    value: Option<&'a str>,
    /// Children still to come, innermost last.
    lists: Vec<std::slice::Iter<'a, Node>>,
}

impl<'a> NodeReader<'a> {
    fn next(&mut self) -> Option<&'a Node> {
        if let Some(root) = self.root.take() {
            return Some(root);
        }
        while let Some(list) = self.lists.last_mut() {
            if let Some(node) = list.next() {
                return Some(node);
            }
            self.lists.pop();
        }
        None
    }
}

impl NodeSource for NodeReader<'_> {
    fn node(&mut self) -> Result<NodeHead<'_>, EncodeError> {
        let node = self.next().ok_or(EncodeError::InvalidSource)?;
        self.node = Some(node);
        self.attrs = node.attrs.iter();
        let has_content = node.content != NodeContent::None;
        Ok(NodeHead {
            tag: Text::Str(&node.tag),
            attrs: node.attrs.len(),
            has_content,
        })
    }

    #[inline(always)]
    fn attr_key(&mut self) -> Result<Text<'_>, EncodeError> {
        let (key, value) = self.attrs.next().ok_or(EncodeError::InvalidSource)?;
        self.value = Some(value);
        Ok(Text::Str(key))
    }

    #[inline(always)]
    fn attr_value(&mut self) -> Result<Text<'_>, EncodeError> {
        self.value.take().map(Text::Str).ok_or(EncodeError::InvalidSource)
    }

    fn content(&mut self) -> Result<Content<'_>, EncodeError> {
        let node = self.node.take().ok_or(EncodeError::InvalidSource)?;
        Ok(match &node.content {
            NodeContent::None => Content::None,
            NodeContent::Text(text) => Content::Text(Text::Str(text)),
            NodeContent::Bytes(bytes) => Content::Bytes(bytes),
            NodeContent::List(children) => {
                if !children.is_empty() {
                    self.lists.push(children.iter());
                }
                Content::List(children.len())
            }
        })
    }
}
