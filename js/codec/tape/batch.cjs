'use strict';

/** Words before a tape in a batch (src/tape/tapes.rs), and their places. */
const FRAME_WORDS = 4;
const [TAPE_OPS, TAPE_UNITS, TAPE_BYTES, TAPE_WIDE] = [0, 1, 2, 3];

/**
 * The tree of the next tape of a batch; the cursor then stands behind it. `undefined` for a frame that is passed over.
 *
 * @param {{ words: Int32Array, wordAt: number, text: Buffer, textAt: number, memory: Buffer, bytesAt: number }} cursor
 * @param {Function} hydrateTape of the dialect's codec
 */
function takeTape(cursor, hydrateTape) {
  const { words, wordAt, text, textAt, memory, bytesAt } = cursor;
  const units = words[wordAt + TAPE_UNITS];
  const wide = words[wordAt + TAPE_WIDE];
  const first = wordAt + FRAME_WORDS;
  if (words[wordAt + TAPE_OPS] === 0) {
    cursor.wordAt = first;
    return undefined;
  }
  const tree = hydrateTape(words, first, '', units, wide, text, textAt, memory, bytesAt);
  // Texts are padded to whole 16-bit units.
  cursor.textAt = textAt + (wide ? 2 * units : units + (units & 1));
  cursor.bytesAt = bytesAt + words[wordAt + TAPE_BYTES];
  cursor.wordAt = first + words[wordAt + TAPE_OPS];
  return tree;
}

module.exports = { takeTape };
