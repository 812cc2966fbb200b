// What a flood consists of: so many different stanzas of one kind, over and over.

import { makeStanza } from './corpus.mjs';

const DIFFERENT = 256;
/** Of large stanzas fewer, since each is encoded ahead. */
const DIFFERENT_LARGE = 4;

/** @param {string} name */
export function floodList(name) {
  const first = makeStanza(name);
  const large = Array.isArray(first.content) && JSON.stringify(first).length > 4096;
  return Array.from({ length: large ? DIFFERENT_LARGE : DIFFERENT }, (_, index) => makeStanza(name, index));
}

/** A stanza as Baileys decodes it: `content` is always there. */
export const withContent = ({ tag, attrs, content }) => ({
  tag,
  attrs,
  content: Array.isArray(content) ? content.map(withContent) : content
});
