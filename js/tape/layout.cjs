// Generated from src/tape/layout.rs; `UPDATE=1 cargo test --test core tape` writes it anew.

'use strict';

module.exports = {
  KIND_NONE: 0,
  KIND_TEXT: 1,
  KIND_BYTES: 2,
  KIND_LIST: 3,
  HEAD_SHIFT: 2,
  NO_SHAPE: -1,
  REG_OPS: 0,
  REG_TEXT: 1,
  REG_WIDE: 2,
  REG_BYTES: 3,
  REG_CONSUMED: 4,
  FIRST_OP: 8,
  TEXT_WINDOW: 1024
};
