//! Errors of decoding and encoding nodes.

/// Why bytes could not be decoded, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{kind}")]
#[non_exhaustive]
pub struct DecodeError {
    /// The reason.
    pub kind: DecodeErrorKind,
    /// Number of bytes of the decompressed payload that were read before the error.
    pub offset: usize,
}

/// The reason of a [`DecodeError`]. If Baileys has a message for the reason, the text is the same.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DecodeErrorKind {
    /// The input ends within a value.
    #[error("end of stream")]
    EndOfStream,
    /// A node has no tag.
    #[error("invalid node")]
    InvalidNode,
    /// The first byte of a node is not a list tag.
    #[error("invalid tag for list size: {0}")]
    InvalidListTag(u8),
    /// The first byte of a string is not a string tag.
    #[error("invalid string with tag: {0}")]
    InvalidStringTag(u8),
    /// A packed decimal string contains an unused value.
    #[error("invalid nibble: {0}")]
    InvalidNibble(u8),
    /// A JID has an empty server.
    #[error("invalid jid pair: {user}, ")]
    InvalidJidPair {
        /// The part before `@`.
        user: String,
    },
    /// The nesting of nodes is deeper than [`MAX_DEPTH`](super::MAX_DEPTH).
    #[error("nodes are nested too deeply")]
    NodesTooDeep,
    /// The nesting of JIDs is deeper than [`MAX_JID_DEPTH`](super::MAX_JID_DEPTH).
    #[error("JIDs are nested too deeply")]
    JidsTooDeep,
    /// More bytes were read twice than the input has. Only malicious input does this: it nests interop JIDs without a
    /// server.
    #[error("too many JIDs without a server")]
    TooManyRetries,
    /// The stanza has more nodes and attributes than [`MAX_ELEMENTS`](super::MAX_ELEMENTS).
    #[error("too many nodes and attributes")]
    TooManyElements,
    /// There is not enough memory for the result.
    #[error("out of memory")]
    OutOfMemory,
    /// The composed strings (JIDs and packed strings) are longer than [`MAX_COMPOSED`](super::MAX_COMPOSED) in total.
    #[error("JIDs and packed strings are too long in total")]
    TooMuchText,
}

/// Why a node cannot be encoded. If Baileys has a message for the reason, the text is the same.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EncodeError {
    /// The source ended early or is inconsistent.
    #[error("internal error: the node source is not a valid tree")]
    InvalidSource,
    /// The tag of a node is empty.
    #[error("Invalid node: tag cannot be undefined")]
    EmptyTag,
    /// A string or byte content has 2^32 bytes or more.
    #[error("string too large to encode: {0}")]
    StringTooLarge(usize),
    /// The size of a node (from its attributes) or of a list of children does not fit in 16 bits.
    #[error("list too large to encode: {0}")]
    ListTooLarge(usize),
    /// The dictionary has no token with this id.
    #[error("internal error: unknown token {0}")]
    UnknownToken(u16),
}

/// Why a payload cannot be decompressed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InflateError {
    /// The payload is empty: it has no flag byte.
    #[error("empty payload")]
    EmptyPayload,
    /// The compressed data are incomplete.
    #[error("unexpected end of file")]
    Truncated,
    /// The compressed data need a preset dictionary. WhatsApp has none. The text is that of Node's zlib.
    #[error("Missing dictionary")]
    NeedsDictionary,
    /// The compressed data are invalid.
    #[error("{message}")]
    BadData {
        /// zlib's message.
        message: String,
    },
    /// There is not enough memory for the decompressed data.
    #[error("out of memory")]
    OutOfMemory,
    /// The decompressed data are larger than the limit.
    #[error("payload inflates to more than {limit} bytes")]
    TooLarge {
        /// The limit in bytes.
        limit: usize,
    },
}
