// What a run has to have done.

/** @typedef {import('./types.js').Result} Result */

/** @param {Result} result */
const name = ({ backends }) => `${backends.a} with ${backends.b}`;

/**
 * Whatever is wrong with a run by itself.
 *
 * A cut connection makes Baileys hand out a message twice in two cases: when the client had decrypted it but its receipt did
 * not get through, the server repeats it, the repetition cannot be decrypted, and the client asks for it again; and when
 * the sender does not know whether its message got through, and sends it again. No other message may be repeated, and
 * only those of the first kind may be overtaken or lost their receipt.
 *
 * @param {Result} result
 * @returns {string[]}
 */
export function problems(result) {
  const { flows, inFlight, resent, undecrypted, retries, logins, layers, backends } = result;
  const excused = new Set([...inFlight, ...resent]);
  /** @type {string[]} */
  const found = [];
  for (const { phase, from, sent, received, lost, duplicated, inOrder, delivered, read } of flows) {
    const flow = `${phase} from ${from}`;
    if (lost.length > 0) found.push(`${flow}: lost ${lost.join(', ')}`);
    const repeated = duplicated.filter(item => !excused.has(item));
    if (repeated.length > 0) found.push(`${flow}: repeated ${repeated.join(', ')}`);
    if (!inOrder) found.push(`${flow}: out of order`);
    if (delivered !== sent) found.push(`${flow}: ${delivered} of ${sent} receipts of delivery`);
    if (read !== received) found.push(`${flow}: ${read} of ${received} receipts of reading`);
  }
  if (undecrypted > inFlight.length) found.push(`${undecrypted} messages were not decrypted at first`);
  if (retries > inFlight.length) found.push(`${retries} messages were asked for again`);
  if (logins.a !== 1 || logins.b !== 4) found.push(`${logins.a} and ${logins.b} logins instead of 1 and 4`);
  for (const side of /** @type {const} */ (['a', 'b'])) {
    const wrong = layers[side].filter(layer => layer !== backends[side]);
    if (wrong.length > 0) found.push(`client ${side} ran on the wrong socket layer`);
  }
  return found.map(text => `${name(result)}: ${text}`);
}

/**
 * What a run lost that the run on JavaScript alone did not lose.
 *
 * @param {Result} baseline
 * @param {Result} result
 */
export function compare(baseline, result) {
  return result.flows.flatMap(({ phase, from, lost }, index) =>
    lost.length > baseline.flows[index].lost.length
      ? [
          `${name(result)}: ${phase} from ${from}: ${lost.length} lost, on JavaScript ${baseline.flows[index].lost.length}`
        ]
      : []
  );
}
