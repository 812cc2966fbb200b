// The stanzas of a flood: a list of different stanzas of one kind, which is repeated.

import { makeStanza } from './corpus.mjs';

/** The number of different stanzas. */
const DIFFERENT = 256;
/** The number of different large stanzas. There are fewer of them, because each is encoded in advance. */
const DIFFERENT_LARGE = 4;

/** @param {string} name */
export function floodList(name) {
  const first = makeStanza(name);
  const large = Array.isArray(first.content) && JSON.stringify(first).length > 4096;
  return Array.from({ length: large ? DIFFERENT_LARGE : DIFFERENT }, (_, index) => makeStanza(name, index));
}

/**
 * A stanza in the form of Baileys' decoder: it always has `content`.
 *
 * @param {import('baileys-native').BinaryNode} node
 * @returns {any}
 */
export const withContent = ({ tag, attrs, content }) => ({
  tag,
  attrs,
  content: Array.isArray(content) ? content.map(withContent) : content
});
