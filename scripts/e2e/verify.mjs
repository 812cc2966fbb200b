// Checks the result of a run.

/** @typedef {import('./types.js').RunResult} RunResult */

/** @param {RunResult} result */
const name = ({ backends }) => `${backends.a} with ${backends.b}`;

/**
 * @typedef {object} Tolerance
 * @property {boolean} [mayLoseInFlight] Whether messages may be lost that are being sent to a client when its
 *   connection is cut. This happens with Baileys 6: the server repeats such a message. If the client has already
 *   decrypted it, the repetition cannot be decrypted, and Baileys 6 neither requests it again nor acknowledges it.
 */

/**
 * The faults of a run.
 *
 * After a cut connection Baileys may deliver a message twice in two cases. First: the client has decrypted the message
 * but its receipt was lost; the server repeats the message, it cannot be decrypted again, and the client requests a
 * retry. Second: the sender does not know whether its message has arrived, and sends it again. No other message may be
 * repeated. Only messages of the first case may arrive out of order or lose their receipt.
 *
 * @param {RunResult} result
 * @param {Tolerance} [tolerance]
 * @returns {string[]}
 */
export function problems(result, { mayLoseInFlight = false } = {}) {
  const { flows, histories, inFlight, resent, stanzas, undecrypted, retries, logins, layers, backends } = result;
  /** @param {string} item */
  const explained = item => `${item} (${histories[item] || 'the server has no stanza with this id'})`;
  const mayBeRepeated = new Set([...inFlight, ...resent]);
  const mayBeLost = new Set(mayLoseInFlight ? inFlight : []);
  /** @type {string[]} */
  const found = [];
  for (const { phase, from, sent, received, lost, duplicated, inOrder, undelivered, read } of flows) {
    const flow = `${phase} from ${from}`;
    const missing = lost.filter(item => !mayBeLost.has(item));
    if (missing.length > 0) found.push(`${flow}: lost ${missing.map(explained).join('; ')}`);
    const repeated = duplicated.filter(item => !mayBeRepeated.has(item));
    if (repeated.length > 0) found.push(`${flow}: repeated ${repeated.join(', ')}`);
    if (!inOrder) found.push(`${flow}: out of order`);
    const unconfirmed = undelivered.filter(item => !mayBeLost.has(item));
    if (unconfirmed.length > 0) found.push(`${flow}: ${sent - unconfirmed.length} of ${sent} delivery receipts`);
    if (read !== received) found.push(`${flow}: ${read} of ${received} read receipts`);
  }
  if (undecrypted > inFlight.length) found.push(`${undecrypted} messages were not decrypted at first`);
  if (retries > inFlight.length) found.push(`${retries} retry receipts were sent`);
  if (logins.a !== 1 || logins.b !== 4) found.push(`${logins.a} and ${logins.b} logins instead of 1 and 4`);
  for (const side of /** @type {const} */ (['a', 'b'])) {
    const wrong = layers[side].filter(layer => layer !== backends[side]);
    if (wrong.length > 0) found.push(`client ${side} ran on the wrong socket layer`);
    const { lost, unexpected } = stanzas[side];
    if (lost.length > 0) found.push(`client ${side}: its socket layer did not deliver ${lost.join(', ')}`);
    if (unexpected.length > 0)
      found.push(
        `client ${side}: its socket layer delivered twice, out of order or without cause: ${unexpected.join(', ')}`
      );
  }
  return found.map(text => `${name(result)}: ${text}`);
}

/**
 * Differences from the run on JavaScript: messages that only this run has lost, and behaviours that differ.
 *
 * @param {RunResult} baseline
 * @param {RunResult} result
 * @param {Tolerance} [tolerance]
 */
export function compare(baseline, result, { mayLoseInFlight = false } = {}) {
  /** @param {RunResult} of @param {number} index */
  const lostOf = ({ flows, inFlight }, index) =>
    flows[index].lost.filter(item => !mayLoseInFlight || !inFlight.includes(item)).length;
  const losses = result.flows.flatMap(({ phase, from }, index) => {
    const [before, now] = [lostOf(baseline, index), lostOf(result, index)];
    return now > before ? [`${name(result)}: ${phase} from ${from}: ${now} lost, on JavaScript ${before}`] : [];
  });
  const behaviours = Object.entries(baseline.behaviours).flatMap(([behaviour, before]) => {
    const now = result.behaviours[behaviour];
    return now === before ? [] : [`${name(result)}: ${behaviour}: ${now}; on JavaScript: ${before}`];
  });
  return [...losses, ...behaviours];
}
