//! Owned nodes.

use std::collections::HashMap;

use super::dialect::Dialect;
use super::error::{DecodeError, EncodeError};
use super::open_nodes::OpenNodes;
use super::tokens::Dictionary;
use super::{Content, NodeHead, NodeSink, NodeSource, Text, decode, encode};

/// A node that owns its strings, bytes and children. It uses many times the memory of the encoded stanza, so it is only
/// for tests and small stanzas.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Node {
    /// The tag. It must not be empty for encoding.
    pub tag: String,
    /// Keys and values, in the order of the wire.
    pub attrs: Vec<(String, String)>,
    /// The content.
    pub content: NodeContent,
}

/// The content of a [`Node`].
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum NodeContent {
    /// No content.
    #[default]
    None,
    /// A string. It is decoded as [`Bytes`](Self::Bytes), unless it is a token, a JID or packed.
    Text(String),
    /// Bytes.
    Bytes(Vec<u8>),
    /// Child nodes.
    List(Vec<Node>),
}

impl Node {
    /// Decodes the node at the start of `input`.
    ///
    /// # Errors
    /// Same errors as [`decode()`].
    pub fn decode(input: &[u8], dialect: Dialect) -> Result<Node, DecodeError> {
        let mut builder = NodeBuilder::new(dialect.dictionary());
        decode(input, dialect, &mut builder)?;
        Ok(builder.finish())
    }

    /// Decodes the node at the start of `input`, with at most `budget` bytes of memory. Nodes, attributes and contents
    /// after this limit are omitted without an error.
    ///
    /// # Errors
    /// Same errors as [`decode()`].
    pub fn decode_within(input: &[u8], dialect: Dialect, budget: usize) -> Result<Node, DecodeError> {
        let mut builder = NodeBuilder::within(dialect.dictionary(), budget);
        decode(input, dialect, &mut builder)?;
        Ok(builder.finish())
    }

    /// Reads the node of `source`.
    ///
    /// # Errors
    /// Fails with [`EncodeError::InvalidSource`] if the source is not a complete node.
    pub fn read(source: &mut impl NodeSource, dictionary: Dictionary) -> Result<Node, EncodeError> {
        let mut builder = NodeBuilder::new(dictionary);
        let mut open = OpenNodes::new();
        loop {
            let head = source.node()?;
            let attrs = head.attrs;
            builder.node(head.tag, attrs);
            for _ in 0..attrs {
                builder.attr_key(source.attr_key()?);
                builder.attr_value(source.attr_value()?);
            }
            let content = source.content()?;
            builder.content(content);
            match content {
                Content::List(children) if children > 0 => {
                    open.push(u16::try_from(children).map_err(|_| EncodeError::InvalidSource)?);
                }
                _ if open.complete() => {}
                _ => return Ok(builder.finish()),
            }
        }
    }

    /// Encodes the node and appends it to `out`.
    ///
    /// # Errors
    /// Same errors as [`encode()`].
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

    /// The value of an attribute. If a key is repeated, the last value is used.
    #[must_use]
    pub fn attr(&self, key: &str) -> Option<&str> {
        self.attrs
            .iter()
            .rev()
            .find(|(name, _)| name == key)
            .map(|(_, value)| value.as_str())
    }
}

/// A [`NodeSink`] that builds a [`Node`].
#[derive(Debug)]
pub struct NodeBuilder {
    dictionary: Dictionary,
    /// The ancestors of the current node. Each has the number of its children that are not complete yet, including the
    /// current one.
    open: Vec<(Node, usize)>,
    /// The current node. At the end it is the root.
    root: Node,
    /// Remaining memory budget in bytes.
    budget: usize,
    /// Whether the budget was exceeded. The rest is omitted.
    is_full: bool,
}

impl NodeBuilder {
    /// Maximum number of elements to reserve for an announced number, because the number can be false.
    const RESERVED: usize = 16;
    /// Memory of a node without its strings, in bytes: the node and the reserved space in vectors.
    const NODE_COST: usize = 2 * size_of::<Node>();

    /// A builder that resolves tokens with this dictionary.
    #[must_use]
    pub fn new(dictionary: Dictionary) -> Self {
        Self::within(dictionary, usize::MAX)
    }

    /// A builder that omits the data that does not fit in `budget` bytes of memory.
    #[must_use]
    pub fn within(dictionary: Dictionary, budget: usize) -> Self {
        NodeBuilder {
            dictionary,
            open: Vec::new(),
            root: Node::default(),
            budget,
            is_full: false,
        }
    }

    /// The built node. The decoder must have succeeded.
    #[must_use]
    pub fn finish(mut self) -> Node {
        // Only a full builder has open nodes. The current node is then incomplete.
        while let Some((mut parent, _)) = self.open.pop() {
            if let NodeContent::List(children) = &mut parent.content
                && !self.root.tag.is_empty()
            {
                children.push(self.root);
            }
            self.root = parent;
        }
        self.root
    }

    /// Subtracts bytes from the budget. Returns false if they do not fit. After that, it always returns false.
    fn spend(&mut self, bytes: usize) -> bool {
        match self.budget.checked_sub(bytes) {
            Some(left) if !self.is_full => {
                self.budget = left;
                true
            }
            _ => {
                self.is_full = true;
                false
            }
        }
    }

    /// A copy of a string. Empty if it does not fit.
    fn string(&mut self, text: Text<'_>) -> String {
        let text = text.resolve(self.dictionary);
        if self.spend(text.len()) {
            text.to_owned()
        } else {
            String::new()
        }
    }

    /// Adds the current node to its parent, and does the same for each ancestor that is complete.
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
        if self.spend(Self::NODE_COST) {
            self.root.tag = self.string(tag);
            self.root.attrs.reserve(attrs.min(Self::RESERVED));
        }
    }

    fn attr_key(&mut self, key: Text<'_>) {
        if self.spend(size_of::<(String, String)>()) {
            let key = self.string(key);
            self.root.attrs.push((key, String::new()));
        }
    }

    fn attr_value(&mut self, value: Text<'_>) {
        if self.is_full {
            return;
        }
        let value = self.string(value);
        if let Some((_, place)) = self.root.attrs.last_mut() {
            *place = value;
        }
    }

    fn content(&mut self, content: Content<'_>) {
        if self.is_full {
            return;
        }
        last_values(&mut self.root.attrs);
        self.root.content = match content {
            Content::None => NodeContent::None,
            Content::Text(text) => NodeContent::Text(self.string(text)),
            Content::Bytes(bytes) if self.spend(bytes.len()) => NodeContent::Bytes(bytes.to_vec()),
            Content::Bytes(_) => NodeContent::None,
            Content::List(children) => NodeContent::List(Vec::with_capacity(children.min(Self::RESERVED))),
        };
        match content {
            Content::List(children) if children > 0 => self.open.push((std::mem::take(&mut self.root), children)),
            _ => self.complete(),
        }
    }
}

/// Removes repeated keys: each key keeps its first position and gets its last value, as in a JavaScript object.
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

/// A [`NodeSource`] that reads a [`Node`]. [`Node::source`] creates it.
#[derive(Debug)]
pub struct NodeReader<'a> {
    root: Option<&'a Node>,
    /// The current node.
    node: Option<&'a Node>,
    attrs: std::slice::Iter<'a, (String, String)>,
    /// The value of the last returned key.
    value: Option<&'a str>,
    /// Remaining children of the current node and its ancestors, innermost last.
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
