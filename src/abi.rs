//! The numbers that Rust and JavaScript share. `js/addon/abi.cjs` is generated from [`GROUPS`]; a test compares them, and
//! `UPDATE=1 cargo test --test core abi` writes the file.

/// Numbers of one kind, for the generator.
#[derive(Debug)]
pub struct Group {
    /// The name in JavaScript.
    pub name: &'static str,
    /// Its documentation, by line.
    pub doc: &'static [&'static str],
    /// The numbers.
    pub numbers: &'static [Number],
}

/// One number, for the generator.
#[derive(Debug)]
pub struct Number {
    /// The name in JavaScript.
    pub name: &'static str,
    /// The value.
    pub value: i64,
    /// Its documentation, by line.
    pub doc: &'static [&'static str],
}

/// Declares modules of constants, and [`GROUPS`], which has all of them.
macro_rules! groups {
    ($(
        $(#[doc = $group_doc:literal])+
        $group:ident: $type:ty {
            $($(#[doc = $doc:literal])+ $name:ident = $value:expr,)+
        }
    )+) => {
        $(
            $(#[doc = $group_doc])+
            pub mod $group {
                $($(#[doc = $doc])+ pub const $name: $type = $value;)+
            }
        )+

        /// All groups.
        pub const GROUPS: &[Group] = &[$(
            Group {
                name: stringify!($group),
                doc: &[$($group_doc),+],
                numbers: &[$(
                    Number { name: stringify!($name), value: $group::$name as i64, doc: &[$($doc),+] },
                )+],
            },
        )+];
    };
}

groups! {
    /// The kind of a node's content, in the head operation of a tape.
    content_kind: i32 {
        /// No content.
        NONE = 0,
        /// A string.
        TEXT = 1,
        /// Bytes.
        BYTES = 2,
        /// Children.
        LIST = 3,
    }

    /// Operations of a tape.
    op: i32 {
        /// The number of attributes is shifted by this in a head operation.
        HEAD_SHIFT = 2,
        /// Replaces the hash of a shape if one of its keys has no operation.
        NO_SHAPE = -1,
        /// The operation of the first of `KEYS`: the first number that is not the id of a token.
        FIRST_KEY = 1260,
    }

    /// Sizes in the text of a tape.
    text: usize {
        /// JavaScript writes shorter strings that its dictionary does not have as literals. A longer string can be a token:
        /// to look it up costs JavaScript the hash of a string that exists only for this, and Rust a tenth of that.
        LOOKUP_UNITS = 10,
        /// A text of at most this many units is handed over as one string. Of a longer text JavaScript takes windows of this
        /// size, because each string that a program keeps holds on to the string that it was sliced from.
        WINDOW = 1024,
    }

    /// Registers: the places of numbers at the start of the operations that JavaScript shares.
    register: usize {
        /// The number of operations of the tape.
        OPS = 0,
        /// The length of the text in units: bytes if it is latin1, 16-bit units if not.
        TEXT = 1,
        /// 1 if the text is UTF-16, 0 if it is latin1.
        WIDE = 2,
        /// The number of content bytes: to be copied to JavaScript, or shared by it.
        BYTES = 3,
        /// The number of bytes of its input that the decoder read.
        CONSUMED = 4,
        /// Where the payload begins in the buffer of a call, or the room for the output.
        AT = 5,
        /// Where the first operation of a tape is.
        FIRST_OP = 8,
    }

    /// The words before each tape of a batch.
    tape_head: usize {
        /// The number of operations; 0 for a frame that JavaScript must not see.
        OPS = 0,
        /// The length of the text in units.
        UNITS = 1,
        /// The number of content bytes.
        BYTES = 2,
        /// 1 if the text is UTF-16, 0 if it is latin1.
        WIDE = 3,
        /// The number of these words.
        WORDS = 4,
    }

    /// The words before the records of a batch.
    batch_head: usize {
        /// Missing room in the slab, in bytes.
        SLAB_NEEDED = 0,
        /// Missing room for words.
        WORDS_NEEDED = 1,
        /// Missing room for text, in bytes.
        TEXT_NEEDED = 2,
        /// 1 if more records wait.
        HAS_MORE = 3,
        /// The bytes written to the slab.
        SLAB_TAKEN = 4,
        /// For how many milliseconds the event loop was blocked; 0 if it was not.
        STALLED_MS = 5,
        /// The number of these words.
        WORDS = 6,
    }

    /// The words of a record. The words of its tapes follow.
    record: usize {
        /// A `socket_event` or `session_record`.
        KIND = 0,
        /// The number of the socket or session.
        SOURCE = 1,
        /// A number that depends on the kind.
        VALUE = 2,
        /// The length of the payload in bytes.
        LENGTH = 3,
        /// The number of tapes.
        FRAMES = 4,
        /// The counter of the first frame.
        COUNTER = 5,
        /// The number of words of the tapes.
        TAPE_WORDS = 6,
        /// The bytes of text of the tapes.
        TAPE_TEXT = 7,
        /// The content bytes of the tapes.
        TAPE_BYTES = 8,
        /// The number of these words.
        WORDS = 9,
    }

    /// The kinds of a socket's records.
    socket_event: u32 {
        /// Payload: a binary message.
        BINARY = 0,
        /// Payload: a text message.
        TEXT = 1,
        /// Payload: the ping's.
        PING = 2,
        /// Payload: the pong's.
        PONG = 3,
        /// Value: the status code; payload: the reason.
        CLOSE_FRAME = 4,
        /// Value: how many callbacks are due.
        WRITTEN = 5,
        /// Messages may be sent.
        OPEN = 6,
        /// Payload: a response head.
        UPGRADE = 7,
        /// Payload: a response head and the body; value: the length of the head.
        UNEXPECTED_RESPONSE = 8,
        /// Payload: the description of the error, JSON.
        ERROR = 9,
        /// The connection is gone.
        CLOSED = 10,
    }

    /// The kinds of a session's records.
    session_record: u32 {
        /// The answer to a query. Value: the number of the query.
        ANSWER = 1,
        /// A query without a good answer. Value: its number; payload: JSON.
        FAILED = 2,
        /// Payload: an event, JSON.
        EVENT = 3,
        /// As many stanzas as the record has tapes. Before each tape are the number of the patterns that the stanza matches,
        /// and these patterns. This is not a `socket_event`.
        STANZAS = 100,
    }

    /// Results of the codec and of the noise handler that are neither a text nor a length.
    signal: i32 {
        /// No frame.
        NONE = 0,
        /// A tape needs more shared memory, or room for content bytes: see the registers, then call `take`.
        MORE = 1,
        /// A frame of the handshake. Its length is in the registers; `takeOutput` gives it.
        RAW = 2,
        /// Only the beginning of a frame.
        PARTIAL = 3,
        /// A frame that JavaScript must not see.
        HIDDEN = 4,
    }

    /// Flags in the result of `noiseFinishInit`.
    finish_init: i32 {
        /// The I/O side opens frames ahead of JavaScript.
        READS_AHEAD = 1,
        /// The I/O side keeps the connection alive while JavaScript is blocked.
        KEEPS_ALIVE = 2,
    }

    /// Results of `send`.
    accepted: i32 {
        /// The message is not sent.
        NO = 0,
        /// The message is accepted.
        NOW = 1,
        /// The message counts as accepted when a `WRITTEN` record says so.
        LATER = 2,
    }

    /// The dialects of the codec, by the release of Baileys.
    dialect: u32 {
        /// Baileys 7.
        V7 = 0,
        /// Baileys 6.7.
        V6_7 = 1,
        /// Baileys 6.17.
        V6_17 = 2,
    }
}

/// The source of `js/addon/abi.cjs`. `limits` are numbers that other modules define.
#[must_use]
pub fn javascript(limits: &Group, keys: &[&str]) -> String {
    use std::fmt::Write as _;

    let mut source = String::from(
        "// Generated from src/abi.rs; `UPDATE=1 cargo test --test core abi` writes it.\n\n'use strict';\n\nmodule.exports = {\n",
    );
    let mut group = |Group { name, doc, numbers }: &Group| {
        let _ = writeln!(source, "{}  {}: {{", comment(doc, 2), camel_case(name));
        for Number { name, value, doc } in *numbers {
            let _ = writeln!(source, "{}    {name}: {value},", comment(doc, 4));
        }
        source.truncate(source.trim_end_matches(",\n").len());
        let _ = write!(source, "\n  }},\n\n");
    };
    GROUPS.iter().for_each(&mut group);
    group(limits);
    let _ = write!(
        source,
        "  /** Attribute keys that are not tokens, in the order of their operations. */\n  KEYS: [\n    '{}'\n  ]\n}};\n",
        keys.join("',\n    '")
    );
    source
}

fn camel_case(name: &str) -> String {
    let mut words = name.split('_');
    let first = words.next().unwrap_or_default().to_owned();
    words.fold(first, |name, word| {
        let (initial, rest) = word.split_at(1);
        name + &initial.to_ascii_uppercase() + rest
    })
}

/// A JSDoc comment.
fn comment(lines: &[&str], indent: usize) -> String {
    let pad = " ".repeat(indent);
    match lines {
        [line] => format!("{pad}/**{line} */\n"),
        lines => {
            let lines: String = lines.iter().map(|line| format!("{pad} *{line}\n")).collect();
            format!("{pad}/**\n{lines}{pad} */\n")
        }
    }
}
