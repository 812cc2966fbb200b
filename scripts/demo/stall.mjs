// `npm run demo -- stall`: an unmodified Baileys with a blocked event loop, on both socket layers.

import { parseArgs } from 'node:util';
import { PACKAGES } from '../shared/baileys.mjs';
import { positiveNumber, wholeNumber } from '../shared/options.mjs';
import { rounded } from '../shared/text.mjs';
import { stall } from '../stall/run.mjs';

const USAGE = `Usage: npm run demo -- stall [options]

  --line L      release line of Baileys: 7, 6.7, 6.17 or all (7)
  --stanzas N   stanzas that arrive while the event loop is blocked (10000)
  --blocked S   seconds for which the event loop is blocked (20)
  --interval MS keep-alive interval of Baileys (2000)
`;

/** @typedef {import('../stall/run.mjs').ClientResult & import('../stall/run.mjs').ServerResult} StallResult */
/** @typedef {{ lines: string[], stanzas: number, blockedMs: number, intervalMs: number }} StallDemoOptions */

const LAYERS = /** @type {const} */ ({ js: 'JavaScript', native: 'native' });

/**
 * @param {string[]} args
 * @returns {StallDemoOptions | undefined}
 */
function readOptions(args) {
  const { values } = parseArgs({
    args,
    options: {
      line: { type: 'string', default: '7' },
      stanzas: { type: 'string', default: '10000' },
      blocked: { type: 'string', default: '20' },
      interval: { type: 'string', default: '2000' },
      help: { type: 'boolean', short: 'h', default: false }
    }
  });
  if (values.help) return undefined;
  const lines = values.line === 'all' ? Object.keys(PACKAGES) : [values.line];
  if (!lines.every(line => Object.hasOwn(PACKAGES, line))) throw new TypeError('--line takes 7, 6.7, 6.17 or all');
  return {
    lines,
    stanzas: wholeNumber(values, 'stanzas', 1),
    blockedMs: positiveNumber(values, 'blocked') * 1000,
    intervalMs: positiveNumber(values, 'interval')
  };
}

/**
 * Whether the connection is open, all stanzas have arrived, and both sides can send queries.
 *
 * @param {StallResult} result
 * @param {StallDemoOptions} options
 */
function isHealthy({ code, inOrder, clientQueryAnswered, serverQueryAnswered, unsolicited }, { stanzas }) {
  const answersAreRight = clientQueryAnswered === true && serverQueryAnswered === true && unsolicited === 0;
  return code === undefined && inOrder === stanzas && answersAreRight;
}

/**
 * @param {string} name
 * @param {StallResult} result
 * @param {StallDemoOptions} options
 */
function report(name, result, options) {
  const { code, received, inOrder, keepAlives, pongs, unsolicited } = result;
  /** @param {boolean | undefined} isAnswered */
  const words = isAnswered => (isAnswered ? 'was answered' : 'was not answered');
  const lines = [
    `${name}: ${code === undefined ? 'the connection is open' : `the connection was lost, code ${code}`}`,
    `  stanzas       ${rounded(received)} of ${rounded(options.stanzas)} delivered, ${rounded(inOrder)} of them in order`,
    `  during block  ${keepAlives} keep-alive queries and ${pongs} pongs reached the server`
  ];
  if (code === undefined) {
    const { stalls, blockedMs } = result.keptAlive ?? { stalls: 0, blockedMs: 0 };
    lines.push(
      `  after block   a query of Baileys ${words(result.clientQueryAnswered)}, a query of the server ${words(result.serverQueryAnswered)}`,
      `  answers       Baileys got ${unsolicited} answers for which it had sent no query`,
      `  addon         kept connections open during ${stalls} block of ${(blockedMs / 1000).toFixed(1)} s`
    );
  }
  return lines.join('\n');
}

/** @param {string[]} args */
export async function stallDemo(args) {
  const options = readOptions(args);
  if (options === undefined) {
    process.stdout.write(USAGE);
    return;
  }
  const { lines, stanzas, blockedMs, intervalMs } = options;
  console.log(
    `The event loop is blocked for ${blockedMs / 1000} s. The keep-alive interval of Baileys is ${intervalMs} ms. The server closes a\n` +
      `connection that sends nothing for ${1.5 * intervalMs} ms. During the block it sends ${rounded(stanzas)} stanzas, and pings.\n`
  );
  for (const line of lines) {
    for (const layer of /** @type {(keyof typeof LAYERS)[]} */ (Object.keys(LAYERS))) {
      const name = `Baileys ${line}, ${LAYERS[layer]}`;
      if (process.stdout.isTTY) process.stdout.write(`${name} …\r`);
      const scenario = { layer, packageName: PACKAGES[line], pings: true };
      const result = await stall({ ...scenario, stanzas, blockedMs, intervalMs });
      console.log(`${report(name, result, options)}\n`);
      if (isHealthy(result, options) !== (layer === 'native')) throw new Error(`unexpected result of ${name}`);
    }
  }
}
