// `npm run demo -- stall`: an unmodified Baileys with a blocked event loop, on both socket layers.

import { parseArgs } from 'node:util';
import { PACKAGES } from '../shared/baileys.mjs';
import { stall } from '../stall/run.mjs';

const USAGE = `Usage: npm run demo -- stall [options]

  --line L      line of Baileys: 7, 6.7, 6.17 or all (7)
  --stanzas N   stanzas that arrive while the loop is blocked (10000)
  --blocked S   seconds for which the loop is blocked (20)
  --interval MS keep-alive interval (2000)
`;

/** @typedef {import('../stall/run.mjs').Result} Result */
/** @typedef {{ lines: string[], stanzas: number, blockedMs: number, intervalMs: number }} Options */

const BACKENDS = /** @type {const} */ ({ js: 'JavaScript', 'drop-in': 'native' });

/** @param {number} value */
const whole = value => Math.round(value).toLocaleString('en-US');

/**
 * @param {string[]} args
 * @returns {Options | undefined}
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
  /** @param {'stanzas' | 'blocked' | 'interval'} name */
  const number = name => {
    const value = Number(values[name]);
    if (!(value > 0)) throw new TypeError(`--${name} takes a number above 0`);
    return value;
  };
  const lines = values.line === 'all' ? Object.keys(PACKAGES) : [values.line];
  if (!lines.every(line => Object.hasOwn(PACKAGES, line))) throw new TypeError('--line takes 7, 6.7, 6.17 or all');
  return { lines, stanzas: number('stanzas'), blockedMs: number('blocked') * 1000, intervalMs: number('interval') };
}

/**
 * @param {Result} result
 * @param {Options} options
 */
function isHealthy({ code, inOrder, asked, answered, strays }, { stanzas }) {
  return code === undefined && inOrder === stanzas && asked && answered && strays === 0;
}

/**
 * @param {string} name
 * @param {Result} result
 * @param {Options} options
 */
function report(name, result, options) {
  const { code, received, inOrder, keepAlives, pongs, asked, answered, strays } = result;
  const lines = [
    `${name}: ${code === undefined ? 'alive' : `lost, code ${code}`}`,
    `  stanzas     ${whole(received)} of ${whole(options.stanzas)} delivered, ${whole(inOrder)} of them in order`,
    `  meanwhile   ${keepAlives} keep-alive queries and ${pongs} pongs reached the server`
  ];
  if (code === undefined) {
    const { stalls, blockedMs } = result.keptAlive ?? { stalls: 0, blockedMs: 0 };
    lines.push(
      `  afterwards  Baileys ${asked ? 'asked' : 'could not ask'} the server, the server ${answered ? 'asked' : 'could not ask'} Baileys`,
      `  seen of it  ${strays} answers that Baileys never asked for`,
      `  kept alive  during ${stalls} block of ${(blockedMs / 1000).toFixed(1)} s`
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
    `The event loop is blocked for ${blockedMs / 1000} s, Baileys' keep-alive interval is ${intervalMs} ms, and the server\n` +
      `cuts a connection that says nothing for ${1.5 * intervalMs} ms. Meanwhile it sends ${whole(stanzas)} stanzas, and pings.\n`
  );
  for (const line of lines) {
    for (const backend of /** @type {(keyof typeof BACKENDS)[]} */ (Object.keys(BACKENDS))) {
      const name = `Baileys ${line}, ${BACKENDS[backend]}`;
      if (process.stdout.isTTY) process.stdout.write(`${name} …\r`);
      const scenario = { backend, line: PACKAGES[line], pings: true };
      const result = await stall({ ...scenario, stanzas, blockedMs, intervalMs });
      console.log(`${report(name, result, options)}\n`);
      if (isHealthy(result, options) !== (backend === 'drop-in')) throw new Error(`unexpected result of ${name}`);
    }
  }
}
