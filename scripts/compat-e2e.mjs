/**
 * Two unmodified Baileys clients send messages to each other through the mock server, on every pair of socket layers.
 * The results are compared with those of the pair in which both run on JavaScript.
 */

import { parseArgs } from 'node:util';
import { BURST, runPair } from './e2e/run.mjs';
import { compare, problems } from './e2e/verify.mjs';
import { PACKAGES, isVersion7 } from './shared/baileys.mjs';
import { describeError } from './shared/channel.mjs';
import { wholeNumber } from './shared/options.mjs';

/**
 * @typedef {import('./e2e/types.js').Backends} Backends
 * @typedef {import('./e2e/types.js').RunResult} RunResult
 */

const USAGE = `Usage: npm run compat:e2e -- [--texts 500] [--group 100] [--away 50] [--line 7 | --package <name>]
                                [--runs 1] [--pair a,b] [--json]

  --texts    texts in each direction, in bursts that alternate; the connection of client b is cut twice
  --group    messages to a group, half of them from each side
  --away     texts to a client that is not connected
  --line     release line of Baileys: 7, 6.7 or 6.17
  --package  another installed package of Baileys
  --runs     how often each pair runs; a run that fails is reported, and the next one starts
  --pair     only this pair of layers, such as native,native; default: all four pairs
  --json     prints the results as JSON instead of the table
`;
const LEGEND = `For each flow: received messages / sent messages. The connection of b was cut twice, and b was not connected once.
repeated: messages that were in flight or not acknowledged when a connection was cut. Any other repeated message is a fault.
retries: retry receipts for messages that could not be decrypted. delivered, read: messages with such a receipt.
`;
/** @typedef {{ round: number, backends: Backends, result?: RunResult, faults: string[] }} FinishedRun */

/** @type {Backends[]} */
const PAIRS = [
  { a: 'js', b: 'js' },
  { a: 'native', b: 'js' },
  { a: 'js', b: 'native' },
  { a: 'native', b: 'native' }
];

/** @param {string[]} args */
function readOptions(args) {
  const { values } = parseArgs({
    args,
    options: {
      texts: { type: 'string', default: '500' },
      group: { type: 'string', default: '100' },
      away: { type: 'string', default: '50' },
      line: { type: 'string', default: '7' },
      package: { type: 'string' },
      runs: { type: 'string', default: '1' },
      pair: { type: 'string' },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false }
    }
  });
  /**
   * @param {'texts' | 'group' | 'away'} name
   * @param {number} least
   */
  const number = (name, least) => {
    const value = Number(values[name]);
    if (!Number.isSafeInteger(value) || value < least || value % 2 === 1) {
      throw new TypeError(`--${name} takes an even number from ${least}`);
    }
    return value;
  };
  // Both must have sent texts before a connection is cut: Baileys does not decrypt a repeated pre-key message.
  const counts = { texts: number('texts', 2 * BURST), group: number('group', 2), away: number('away', 2) };
  const packageName = values.package ?? PACKAGES[values.line];
  if (packageName === undefined) throw new TypeError(`--line is one of ${Object.keys(PACKAGES).join(', ')}`);
  const pairs = PAIRS.filter(({ a, b }) => values.pair === undefined || values.pair === `${a},${b}`);
  if (pairs.length === 0) throw new TypeError('--pair is one of js,js native,js js,native native,native');
  return { counts, packageName, pairs, runs: wholeNumber(values, 'runs', 1), json: values.json, help: values.help };
}

/** @param {(string | number)[]} cells */
const row = cells =>
  cells.map((cell, index) => (index < 2 ? String(cell).padEnd(8) : String(cell).padStart(13))).join('');

/** @param {RunResult} result */
function rows({ backends, flows, retries, logins, ms }) {
  /** @param {import('./e2e/types.js').Phase} phase */
  const of = phase => flows.filter(flow => flow.phase === phase);
  /** @param {import('./e2e/types.js').Phase} phase */
  const arrived = phase => of(phase).map(({ received, sent }) => `${received}/${sent}`);
  /** @param {(flow: import('./e2e/types.js').Flow) => number} pick */
  const total = pick => flows.reduce((sum, flow) => sum + pick(flow), 0);
  const [textsA, textsB] = arrived('texts');
  const [groupA, groupB] = arrived('group');
  return row([
    backends.a,
    backends.b,
    textsA,
    textsB,
    groupA,
    groupB,
    ...arrived('away'),
    total(({ lost }) => lost.length),
    total(({ duplicated }) => duplicated.length),
    flows.every(({ inOrder }) => inOrder) ? 'yes' : 'NO',
    total(({ delivered }) => delivered),
    total(({ read }) => read),
    retries,
    logins.a + logins.b,
    (ms / 1000).toFixed(1)
  ]);
}

const HEAD = row([
  'a',
  'b',
  'a to b',
  'b to a',
  'a to group',
  'b to group',
  'a to offline',
  'lost',
  'repeated',
  'in order',
  'delivered',
  'read',
  'retries',
  'logins',
  'seconds'
]);

/**
 * Runs pairs in turn. A run that fails has a fault and no result.
 *
 * @param {ReturnType<typeof readOptions>} options
 * @returns {AsyncGenerator<FinishedRun>}
 */
async function* runAll({ counts, packageName, pairs, runs }) {
  const tolerance = { mayLoseInFlight: !isVersion7(packageName) };
  for (let round = 1; round <= runs; round++) {
    /** @type {RunResult | undefined} */
    let javascript;
    for (const backends of pairs) {
      try {
        const result = await runPair({ packageName, backends, counts });
        if (backends.a === 'js' && backends.b === 'js') javascript = result;
        const differences = javascript ? compare(javascript, result, tolerance) : [];
        yield { round, backends, result, faults: [...problems(result, tolerance), ...differences] };
      } catch (error) {
        yield { round, backends, faults: [describeError(error)] };
      }
    }
  }
}

async function main() {
  const options = readOptions(process.argv.slice(2));
  const { counts, json, help, runs } = options;
  if (help) {
    process.stdout.write(USAGE);
    return;
  }
  /** @type {FinishedRun[]} */
  const all = [];
  if (!json) process.stdout.write(`${HEAD}\n`);
  for await (const run of runAll(options)) {
    all.push(run);
    const { round, backends, result, faults } = run;
    if (!json) process.stdout.write(`${result ? rows(result) : `${backends.a} with ${backends.b}: failed`}\n`);
    for (const fault of faults) console.error(runs > 1 ? `run ${round}: ${fault}` : fault);
  }
  const faults = all.flatMap(run => run.faults);
  const results = all.flatMap(({ result }) => result ?? []);
  if (json) process.stdout.write(`${JSON.stringify({ counts, results, faults }, null, 2)}\n`);
  else process.stdout.write(`\n${LEGEND}`);
  if (runs > 1 && !json) {
    const good = all.filter(run => run.faults.length === 0).length;
    process.stdout.write(
      `${all.length} runs; ${good} without a fault${good < all.length ? '; see the faults above' : ''}.\n`
    );
  }
  if (faults.length > 0) process.exitCode = 1;
}

try {
  await main();
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
