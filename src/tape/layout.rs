//! The numbers that Rust and JavaScript share. `js/codec/tape/layout.cjs` is made from [`CONSTANTS`]; a test compares them.

pub use super::keys::KEYS;

/// A node without content.
pub const KIND_NONE: i32 = 0;
/// A node with textual content.
pub const KIND_TEXT: i32 = 1;
/// A node with bytes.
pub const KIND_BYTES: i32 = 2;
/// A node with children.
pub const KIND_LIST: i32 = 3;
/// By how much the attribute count is shifted in a head operation.
pub const HEAD_SHIFT: i32 = 2;
/// In place of a shape's hash where the keys have none.
pub const NO_SHAPE: i32 = -1;

/// The operation of the first of [`KEYS`]: the first number that is no token's id.
pub const FIRST_KEY: i32 = 1260;

/// A string from JavaScript that is not in its dictionary is no token if it has fewer units than this. A longer one may be:
/// finding that out costs JavaScript the hash of a string that is put together only for this, and Rust a tenth of that.
pub const LOOKUP_UNITS: usize = 10;

/// Registers, at the start of the operations in memory shared with JavaScript: the number of operations of the tape.
pub const REG_OPS: usize = 0;
/// The text's length in units (bytes where it is latin1, 16-bit units where it is not).
pub const REG_TEXT: usize = 1;
/// 1 where the text is UTF-16, 0 where it is latin1.
pub const REG_WIDE: usize = 2;
/// The number of content bytes: those that want room in a buffer of JavaScript's, or those that it has shared.
pub const REG_BYTES: usize = 3;
/// How many bytes of its input the decoder consumed.
pub const REG_CONSUMED: usize = 4;
/// Where in the buffer of a call the payload begins, or the room for the output.
pub const REG_AT: usize = 5;
/// Where the first operation of a tape stands.
pub const FIRST_OP: usize = 8;

/// A text of at most so many units is handed over as one string. Of a longer one JavaScript takes windows of this
/// size, since each string that a program keeps holds on to the whole text it was sliced from.
pub const TEXT_WINDOW: usize = 1024;

/// Everything above, that is a number, by the names JavaScript uses.
pub const CONSTANTS: &[(&str, i64)] = &[
    ("KIND_NONE", KIND_NONE as i64),
    ("KIND_TEXT", KIND_TEXT as i64),
    ("KIND_BYTES", KIND_BYTES as i64),
    ("KIND_LIST", KIND_LIST as i64),
    ("HEAD_SHIFT", HEAD_SHIFT as i64),
    ("NO_SHAPE", NO_SHAPE as i64),
    ("FIRST_KEY", FIRST_KEY as i64),
    ("LOOKUP_UNITS", LOOKUP_UNITS as i64),
    ("REG_OPS", REG_OPS as i64),
    ("REG_TEXT", REG_TEXT as i64),
    ("REG_WIDE", REG_WIDE as i64),
    ("REG_BYTES", REG_BYTES as i64),
    ("REG_CONSUMED", REG_CONSUMED as i64),
    ("REG_AT", REG_AT as i64),
    ("FIRST_OP", FIRST_OP as i64),
    ("TEXT_WINDOW", TEXT_WINDOW as i64),
];

/// The source of `js/codec/tape/layout.cjs`.
#[must_use]
pub fn javascript() -> String {
    let constants = CONSTANTS
        .iter()
        .map(|(name, value)| format!("  {name}: {value}"))
        .collect::<Vec<_>>()
        .join(",\n");
    let keys = KEYS
        .iter()
        .map(|key| format!("    '{key}'"))
        .collect::<Vec<_>>()
        .join(",\n");
    format!(
        "// Generated from src/tape/layout.rs; `UPDATE=1 cargo test --test core tape` writes it anew.\n\n'use strict';\n\nmodule.exports = {{\n{constants},\n  KEYS: [\n{keys}\n  ]\n}};\n"
    )
}
