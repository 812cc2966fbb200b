// What the server sent on a connection, held against what the client's socket layer handed to Baileys.

/**
 * A stanza, told apart from every other one on its connection.
 *
 * @param {{ tag: string, attrs: Record<string, string> }} stanza
 */
export const nameOf = ({ tag, attrs }) => [tag, attrs.id, attrs.class, attrs.type, attrs.from].join(' ');

/**
 * What a socket layer did wrong with the stanzas of one connection: each is handed out once, in the order of the wire.
 *
 * @param {string[]} sent
 * @param {string[]} received
 * @param {number} due how many of those sent have to have arrived: none where the connection was cut
 * @returns {{ lost: string[], strange: string[] }} `strange`: repeated, out of order, or never sent
 */
export function compareStanzas(sent, received, due) {
  /** @type {string[]} */
  const strange = [];
  /** @type {string[]} */
  const lost = [];
  let next = 0;
  for (const stanza of received) {
    const at = sent.indexOf(stanza, next);
    if (at === -1) {
      strange.push(stanza);
      continue;
    }
    lost.push(...sent.slice(next, at));
    next = at + 1;
  }
  lost.push(...sent.slice(next, due));
  return { lost, strange };
}
