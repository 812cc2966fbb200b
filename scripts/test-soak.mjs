// `npm run test:soak`: runs sessions and bots under traffic and cuts, for a given time. The number of every stanza is
// checked. Memory, descriptors, threads and listeners are printed.

import { fork } from 'node:child_process';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { forkOptions } from './shared/bot.mjs';
import { openChannel } from './shared/channel.mjs';
import { SoakServer } from './soak/server.mjs';

const CLIENT = fileURLToPath(new URL('soak/client.mjs', import.meta.url));
const ROOT = fileURLToPath(new URL('..', import.meta.url));

const USAGE = `Usage: npm run test:soak -- [options]

  --minutes N    how long (3)
  --sessions N   NativeSessions (200)
  --bots N       makeWASocket on JavaScript, and as many under register (100)
  --cut MS       time between two cuts of a connection (250)
`;

/** Time limit for the last stanzas, in milliseconds. */
const SETTLE_MS = 3000;

/** The slope of memory is only checked in runs of at least this many minutes. */
const SLOPE_MINUTES = 10;
/** A layer may grow faster than JavaScript by at most this, in MB per minute. */
const SLOPE_MB = 1;

const LAYERS = /** @type {const} */ (['js', 'native', 'session']);
const NAMES = { js: 'bots, JavaScript', native: 'bots, register', session: 'sessions' };

function readOptions() {
  const { values } = parseArgs({
    options: {
      minutes: { type: 'string', default: '3' },
      sessions: { type: 'string', default: '200' },
      bots: { type: 'string', default: '100' },
      cut: { type: 'string', default: '250' },
      help: { type: 'boolean', short: 'h', default: false }
    }
  });
  /** @param {'minutes' | 'sessions' | 'bots' | 'cut'} name */
  const number = name => {
    const value = Number(values[name]);
    if (!(value > 0)) throw new TypeError(`--${name} takes a number above 0`);
    return value;
  };
  const bots = number('bots');
  return {
    help: values.help,
    minutes: number('minutes'),
    cutMs: number('cut'),
    clients: { js: bots, native: bots, session: number('sessions') }
  };
}

/** @param {typeof LAYERS[number]} layer */
function start(layer) {
  const options = forkOptions(layer === 'native' ? 'native' : 'js', ['--expose-gc']);
  const env = layer === 'session' ? process.env : options.env;
  const child = fork(CLIENT, [], { ...options, env, cwd: ROOT, stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
  const channel = openChannel(child);
  child.once('exit', (code, signal) => channel.fail(new Error(`${NAMES[layer]}: ended by ${signal ?? code}`)));
  return { layer, child, ask: channel.ask };
}

/** The slope of `y` over `x` by least squares. @param {[number, number][]} points */
function slope(points) {
  const mean = (/** @type {number} */ axis) => points.reduce((sum, point) => sum + point[axis], 0) / points.length;
  const [mx, my] = [mean(0), mean(1)];
  const over = points.reduce((sum, [x, y]) => sum + (x - mx) * (y - my), 0);
  return over / points.reduce((sum, [x]) => sum + (x - mx) ** 2, 0);
}

/** @param {string[][]} rows The first column is text. */
function columns(rows) {
  const widths = rows[0].map((_, column) => Math.max(...rows.map(row => row[column].length)));
  return rows.map(row => row.map((cell, at) => (at ? cell.padStart(widths[at]) : cell.padEnd(widths[0]))).join('  '));
}

async function main() {
  const { help, minutes, cutMs, clients } = readOptions();
  if (help) {
    process.stdout.write(USAGE);
    return;
  }
  const server = await SoakServer.start();
  const children = LAYERS.map(start);
  /** @type {string[]} */
  const faults = [];
  try {
    await Promise.all(
      children.map(({ layer, ask }, index) =>
        ask('start', {
          backend: layer,
          count: clients[layer],
          firstUser: 15_550_300_000 + index * 10_000,
          ...server.address
        })
      )
    );
    console.log(`Logged in: ${LAYERS.map(layer => `${clients[layer]} ${NAMES[layer]}`).join(', ')}.`);
    server.cutEach(cutMs);
    const began = performance.now();
    const minute = () => (performance.now() - began) / 60_000;
    /** @type {Record<string, any[]>} */
    const samples = { js: [], native: [], session: [] };
    const every = Math.min(10_000, (minutes * 60_000) / 12);
    while (minute() < minutes) {
      await delay(every);
      for (const { layer, ask } of children) samples[layer].push({ minute: minute(), ...(await ask('sample')) });
    }
    server.settle();
    await delay(SETTLE_MS);
    const last = Object.fromEntries(
      await Promise.all(children.map(async ({ layer, ask }) => [layer, await ask('sample')]))
    );
    const ends = await Promise.all(children.map(({ ask }) => ask('stop')));

    faults.push(...server.faults);
    for (const { latest, faults: own, failedQueries } of ends) {
      faults.push(
        ...own,
        ...failedQueries.map(
          (/** @type {{ id: string, askedAt: number, text: string }} */ { id, askedAt, text }) =>
            `${text}; ${server.fateOf(id, askedAt)}`
        )
      );
      for (const [user, n] of Object.entries(latest)) {
        const answered = server.answered.get(user) ?? 0;
        if (n !== answered) faults.push(`${user} has seen ${n} stanzas, the server has had ${answered} answers`);
        if (n === 0) faults.push(`${user} has seen no stanza`);
      }
    }
    const grown = Object.fromEntries(
      LAYERS.map(layer => {
        const settled = samples[layer].slice(Math.floor(samples[layer].length / 3));
        return [layer, slope(settled.map(({ minute, rss }) => [minute, rss / 2 ** 20]))];
      })
    );
    const megabytes = (/** @type {number} */ bytes) => (bytes / 2 ** 20).toFixed(0);
    /** @param {string} layer @param {string} figure */
    const fromTo = (layer, figure) => `${samples[layer][0][figure]}-${last[layer][figure]}`;
    console.log(
      [
        '',
        ...columns([
          [
            '',
            'stanzas',
            'repeated',
            'queries',
            'cuts',
            'logins',
            'RSS MB',
            'MB/min',
            'descriptors',
            'threads',
            'listeners'
          ],
          ...LAYERS.map(layer => {
            const { received, repeated, answered, cut, logins, rss } = last[layer];
            return [
              `${clients[layer]} ${NAMES[layer]}`,
              ...[received, repeated, answered, cut, logins].map(String),
              megabytes(rss),
              grown[layer].toFixed(2),
              ...['descriptors', 'threads', 'listeners'].map(figure => fromTo(layer, figure))
            ];
          })
        ]),
        ''
      ].join('\n')
    );

    for (const layer of LAYERS) {
      const [first] = samples[layer];
      const now = last[layer];
      // One descriptor for each connection; some are reconnecting.
      if (now.descriptors > first.descriptors + clients[layer] / 10 + 10)
        faults.push(`${NAMES[layer]}: descriptors have grown`);
      if (now.threads > first.threads + 2) faults.push(`${NAMES[layer]}: threads have grown`);
      if (now.listeners > first.listeners) faults.push(`${NAMES[layer]}: listeners have grown`);
      if (minutes >= SLOPE_MINUTES && grown[layer] > grown.js + SLOPE_MB) faults.push(`${NAMES[layer]}: memory grows`);
    }
  } finally {
    for (const { child } of children) child.kill('SIGKILL');
    await server.stop();
  }
  for (const fault of faults.slice(0, 50)) console.log(fault);
  const total = [...server.answered.values()].reduce((sum, n) => sum + n, 0);
  console.log(
    faults.length === 0
      ? `${total} stanzas and their answers are accounted for; ${server.cuts} connections were cut.`
      : `${faults.length} faults.`
  );
  if (faults.length > 0) process.exitCode = 1;
}

try {
  await main();
} catch (error) {
  console.error(`The soak failed. ${error instanceof Error ? error.stack : error}`);
  process.exitCode = 1;
}
process.exit(); // timers of the server would keep the process alive
