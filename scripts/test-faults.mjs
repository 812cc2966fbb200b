// `npm run test:faults`: simulates faults of networks and processes on every layer. The native layers must have the
// same outcome as JavaScript, or an outcome that scripts/faults/matrix.mjs lists.

import { parseArgs } from 'node:util';
import { DIFFERENCES } from './faults/matrix.mjs';
import { runLayer } from './faults/run.mjs';
import { wholeNumber } from './shared/options.mjs';

const LAYERS = /** @type {const} */ (['js', 'native', 'session']);

const USAGE = `Usage: npm run test:faults -- [options] [part of a row's name]…

  --rounds N   how often the matrix is run (1)
`;

/** @typedef {Record<string, { outcome: string, ms: number }>} FaultOutcomes */

/**
 * The part of an outcome that must be equal on JavaScript and on a session, which has its own messages: whether the
 * connection was open, its code, and the result of the query. An outcome without a code must be equal as a whole.
 *
 * @param {string} outcome
 */
function comparablePart(outcome) {
  const [, opened = '', code] = /^(open, then )?(\d+)\b/.exec(outcome) ?? [];
  if (code === undefined) return outcome;
  const [, query = ''] = /; query: (\d+|\w+)/.exec(outcome) ?? [];
  return `${opened}${code} ${query}`;
}

/** The row took too long, or its client failed. */
const HAS_FAILED = /^(?:not over|threw)/;

/**
 * Describes why an outcome is wrong. Undefined if it is right.
 *
 * @param {string} name Name of the row.
 * @param {'native' | 'session'} layer
 * @param {string} outcome
 * @param {string} expected The outcome on JavaScript.
 */
function fault(name, layer, outcome, expected) {
  const [pattern] = DIFFERENCES[name]?.[layer] ?? [];
  if (pattern) return pattern.test(outcome) ? undefined : `does not match ${pattern}`;
  if (HAS_FAILED.test(outcome)) return 'has failed';
  const equal = layer === 'native' ? outcome === expected : comparablePart(outcome) === comparablePart(expected);
  return equal ? undefined : 'differs from JavaScript';
}

async function main() {
  const { values, positionals } = parseArgs({
    options: { rounds: { type: 'string', default: '1' }, help: { type: 'boolean', short: 'h', default: false } },
    allowPositionals: true
  });
  if (values.help) {
    process.stdout.write(USAGE);
    return;
  }
  const rounds = wholeNumber(values, 'rounds', 1);
  for (let round = 1; round <= rounds; round++) {
    /** @type {Record<string, FaultOutcomes>} */
    const results = {};
    for (const layer of LAYERS) results[layer] = await runLayer(layer, positionals);
    if (Object.keys(results.js).length === 0) throw new TypeError(`no row has ${positionals.join(' or ')} in its name`);
    let faults = 0;
    for (const [name, { outcome: expected, ms }] of Object.entries(results.js)) {
      console.log(`${name}\n  ${'JavaScript'.padEnd(12)}${expected} (${(ms / 1000).toFixed(1)} s)`);
      for (const layer of /** @type {const} */ (['native', 'session'])) {
        const { outcome, ms: own } = results[layer][name];
        const wrong = fault(name, layer, outcome, expected);
        if (wrong) faults++;
        const reason = DIFFERENCES[name]?.[layer]?.[1];
        const note = wrong ? `  <-- ${wrong}` : reason ? `  [${reason}]` : '';
        console.log(
          `  ${(layer === 'native' ? 'drop-in' : 'session').padEnd(12)}${outcome} (${(own / 1000).toFixed(1)} s)${note}`
        );
      }
    }
    const rows = Object.keys(results.js).length;
    console.log(
      `\n${rows} faults on 3 layers; ${faults === 0 ? 'all outcomes are the same as on JavaScript, or listed' : `${faults} outcomes are wrong`}.`
    );
    if (faults > 0) process.exitCode = 1;
  }
}

await main();
process.exit(); // timers of the servers would keep the process alive
