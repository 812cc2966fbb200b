'use strict';

const {
  tapeHead: { BYTES: TAPE_BYTES, OPS: TAPE_OPS, UNITS: TAPE_UNITS, WIDE: TAPE_WIDE, WORDS: TAPE_HEAD_WORDS }
} = require('../../addon/abi.cjs');

/**
 * Builds the node of the next tape of a batch and moves the cursor behind it. Returns undefined for a frame that
 * JavaScript must not see.
 *
 * @param {Omit<typeof import('../../addon/event-pump.cjs').tapeCursor, 'buffer' | 'frames' | 'counter'>} cursor
 * @param {ReturnType<typeof import('./hydrate.cjs').createHydrator>} hydrateTape the hydrator of the dialect
 */
function takeTape(cursor, hydrateTape) {
  const { words, wordAt, text, textAt, textEnd, batch, memory, bytesAt } = cursor;
  const units = words[wordAt + TAPE_UNITS];
  const wide = words[wordAt + TAPE_WIDE];
  const first = wordAt + TAPE_HEAD_WORDS;
  if (words[wordAt + TAPE_OPS] === 0) {
    cursor.wordAt = first;
    return undefined;
  }
  const tree = hydrateTape(words, first, '', units, wide, text, textAt, memory, bytesAt, textEnd, batch);
  // Texts are padded to whole 16-bit units.
  cursor.textAt = textAt + (wide ? 2 * units : units + (units & 1));
  cursor.bytesAt = bytesAt + words[wordAt + TAPE_BYTES];
  cursor.wordAt = first + words[wordAt + TAPE_OPS];
  return tree;
}

module.exports = { takeTape };
