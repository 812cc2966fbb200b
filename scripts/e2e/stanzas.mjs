// Compares the stanzas that the server has sent with those that the socket layer of a client has delivered to Baileys.

/**
 * A name that is unique for each stanza of a connection.
 *
 * @param {{ tag: string, attrs: Record<string, string> }} stanza
 */
export const nameOf = ({ tag, attrs }) => [tag, attrs.id, attrs.class, attrs.type, attrs.from].join(' ');

/**
 * The faults of a socket layer for one connection. It must deliver each stanza once, in the order in which it was sent.
 *
 * @param {string[]} sent
 * @param {string[]} received
 * @param {number} due The number of sent stanzas that must have arrived. 0 if the connection was cut.
 * @returns {{ lost: string[], unexpected: string[] }} `unexpected`: repeated, out of order, or never sent.
 */
export function compareStanzas(sent, received, due) {
  /** @type {string[]} */
  const unexpected = [];
  /** @type {string[]} */
  const lost = [];
  let next = 0;
  for (const stanza of received) {
    const at = sent.indexOf(stanza, next);
    if (at === -1) {
      unexpected.push(stanza);
      continue;
    }
    lost.push(...sent.slice(next, at));
    next = at + 1;
  }
  lost.push(...sent.slice(next, due));
  return { lost, unexpected };
}
