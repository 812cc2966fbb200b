// `npm run test:soak`: runs sessions and bots with traffic for a given time and cuts their connections. Stanzas are
// numbered, and each number is checked. Prints memory, descriptors, threads and listeners.

import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { startChild } from './shared/child.mjs';
import { positiveNumber, wholeNumber } from './shared/options.mjs';
import { LAYERS, NAMES, resourceFaults, tableOf } from './soak/figures.mjs';
import { SoakServer } from './soak/server.mjs';

/** @import { Samples } from './soak/figures.mjs' */

const CLIENT = fileURLToPath(new URL('soak/client.mjs', import.meta.url));

const USAGE = `Usage: npm run test:soak -- [options]

  --minutes N    duration (3)
  --sessions N   number of NativeSessions (200)
  --bots N       number of bots on JavaScript, and of bots under register (100)
  --cut MS       time between two cuts of a random connection (250)
`;

/** Time between two looks at the clients after the traffic has ended, and the time limit for its end. */
const SETTLE_STEP_MS = 500;
const SETTLE_MS = 120_000;

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
  const bots = wholeNumber(values, 'bots', 1);
  return {
    help: values.help,
    minutes: positiveNumber(values, 'minutes'),
    cutMs: positiveNumber(values, 'cut'),
    clients: { js: bots, native: bots, session: wholeNumber(values, 'sessions', 1) }
  };
}

/** @param {typeof LAYERS[number]} layer */
function start(layer) {
  const { ask, stop } = startChild(CLIENT, { layer, name: `the process of ${NAMES[layer]}`, flags: ['--expose-gc'] });
  return { layer, ask, stop };
}

/**
 * Waits until all stanzas and answers have arrived and every client has again as many listeners as at the start: a
 * pending query has some.
 *
 * @param {() => Promise<Samples>} sampleAll
 * @param {Samples} first
 * @param {SoakServer} server
 */
async function settle(sampleAll, first, server) {
  const deadline = performance.now() + SETTLE_MS;
  for (;;) {
    await delay(SETTLE_STEP_MS);
    const { isSettled } = server;
    const samples = await sampleAll();
    const areFree = LAYERS.every(layer => samples[layer].listeners <= first[layer].listeners);
    if ((isSettled && areFree) || performance.now() > deadline) return samples;
  }
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
          layer,
          count: clients[layer],
          firstUser: 15_550_300_000 + index * 10_000,
          ...server.address
        })
      )
    );
    console.log(`Logged in: ${LAYERS.map(layer => `${clients[layer]} ${NAMES[layer]}`).join(', ')}.`);
    server.startCutting(cutMs);
    const startedAt = performance.now();
    const minute = () => (performance.now() - startedAt) / 60_000;
    /** @type {Record<string, any[]>} */
    const samples = { js: [], native: [], session: [] };
    const sampleMs = Math.min(10_000, (minutes * 60_000) / 12);
    const sampleAll = async () =>
      Object.fromEntries(await Promise.all(children.map(async ({ layer, ask }) => [layer, await ask('sample')])));
    while (minute() < minutes) {
      await delay(sampleMs);
      const now = await sampleAll();
      for (const layer of LAYERS) samples[layer].push({ minute: minute(), ...now[layer] });
    }
    server.stopTraffic();
    await Promise.all(children.map(({ ask }) => ask('stopQueries')));
    const first = Object.fromEntries(LAYERS.map(layer => [layer, samples[layer][0]]));
    const last = await settle(sampleAll, first, server);
    for (const { layer, ask } of children)
      if (last[layer].listeners > first[layer].listeners)
        faults.push(
          `${NAMES[layer]}: more listeners than at the start: ${(await ask('describeListeners')).join(', ')}`
        );
    const ends = await Promise.all(children.map(({ ask }) => ask('stop')));

    faults.push(...server.faults);
    for (const { latest, faults: ofClients, failedQueries } of ends) {
      faults.push(
        ...ofClients,
        ...failedQueries.map(
          (/** @type {{ id: string, sentAt: number, text: string }} */ { id, sentAt, text }) =>
            `${text}; ${server.describeQuery(id, sentAt)}`
        )
      );
      for (const [user, n] of Object.entries(latest)) {
        const answered = server.answered.get(user) ?? 0;
        if (n !== answered) faults.push(`${user} has received ${n} stanzas, the server ${answered} answers`);
        if (n === 0) faults.push(`${user} has received no stanza`);
      }
    }
    const figures = { samples, first, last };
    console.log(tableOf(figures, clients).join('\n'));
    faults.push(...resourceFaults(figures, clients, minutes));
  } finally {
    await Promise.all(children.map(({ stop }) => stop()));
    await server.stop();
  }
  for (const fault of faults.slice(0, 50)) console.log(fault);
  console.log(
    faults.length === 0
      ? `All ${server.answers} stanzas and their answers have arrived in order; ${server.cuts} connections were cut.`
      : `${faults.length} faults.`
  );
  if (faults.length > 0) process.exitCode = 1;
}

try {
  await main();
} catch (error) {
  console.error(`The soak test failed. ${error instanceof Error ? error.stack : error}`);
  process.exitCode = 1;
}
process.exit(); // timers of the server would keep the process alive
