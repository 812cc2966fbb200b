//! What can go wrong with a node.

/// Why bytes are not a node, and where that was noticed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{kind}")]
#[non_exhaustive]
pub struct DecodeError {
    /// The reason.
    pub kind: DecodeErrorKind,
    /// Bytes of the decompressed payload that had been read.
    pub offset: usize,
}

/// The reasons of a [`DecodeError`]. Where Baileys has a message for a reason, this is its text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DecodeErrorKind {
    /// The input ends within a value.
    #[error("end of stream")]
    EndOfStream,
    /// A node without a tag.
    #[error("invalid node")]
    InvalidNode,
    /// A node begins with a byte that does not introduce a list.
    #[error("invalid tag for list size: {0}")]
    InvalidListTag(u8),
    /// A string begins with a byte that does not introduce one.
    #[error("invalid string with tag: {0}")]
    InvalidStringTag(u8),
    /// A value that stands for no character in a packed decimal string.
    #[error("invalid nibble: {0}")]
    InvalidNibble(u8),
    /// A JID whose server is empty.
    #[error("invalid jid pair: {user}, ")]
    InvalidJidPair {
        /// The part before the `@`.
        user: String,
    },
    /// Nodes within nodes beyond [`MAX_DEPTH`](super::MAX_DEPTH).
    #[error("nodes are nested too deeply")]
    NodesTooDeep,
    /// JIDs within JIDs beyond [`MAX_JID_DEPTH`](super::MAX_JID_DEPTH).
    #[error("JIDs are nested too deeply")]
    JidsTooDeep,
    /// More bytes were read twice than the input has: JIDs without a server, nested for nothing but work.
    #[error("JIDs without a server take too long")]
    TooManyRetries,
    /// More nodes and attributes than [`MAX_ELEMENTS`](super::MAX_ELEMENTS).
    #[error("too many nodes and attributes")]
    TooManyElements,
    /// There is not enough memory for the result.
    #[error("out of memory")]
    OutOfMemory,
    /// Composed strings (JIDs, packed strings) of more than [`MAX_COMPOSED`](super::MAX_COMPOSED) bytes.
    #[error("JIDs and packed strings come to too much text")]
    TooMuchText,
}

/// Why a node cannot be encoded. Where Baileys has a message for a reason, this is its text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EncodeError {
    /// The source ended or contradicted itself.
    #[error("the node source is not a valid tree")]
    InvalidSource,
    /// A node's tag is the empty string.
    #[error("Invalid node: tag cannot be undefined")]
    EmptyTag,
    /// A string or bytes of 2^32 bytes or more.
    #[error("string too large to encode: {0}")]
    StringTooLarge(usize),
    /// A node with so many attributes, or a list with so many children, that its size does not fit 16 bits.
    #[error("list too large to encode: {0}")]
    ListTooLarge(usize),
    /// A token id that the dictionary does not have.
    #[error("unknown token: {0}")]
    UnknownToken(u16),
}

/// Why a payload cannot be unpacked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InflateError {
    /// There is not even the byte that says whether the rest is compressed.
    #[error("empty payload")]
    EmptyPayload,
    /// The compressed data end before they are complete.
    #[error("unexpected end of file")]
    Truncated,
    /// The compressed data are damaged. The message is zlib's.
    #[error("{message}")]
    BadData {
        /// What zlib says.
        message: String,
    },
    /// There is not enough memory for the decompressed data.
    #[error("out of memory")]
    OutOfMemory,
    /// The data inflate to more than the limit.
    #[error("payload inflates to more than {limit} bytes")]
    TooLarge {
        /// The limit, in bytes.
        limit: usize,
    },
}
