// Starts the child processes: the server, and the measured clients.

import { fileURLToPath } from 'node:url';
import { runChild, startChild } from '../../scripts/shared/child.mjs';
import { Turns } from './turns.mjs';

const CHILDREN = new URL('../children/', import.meta.url);

/** Time limit of one child, in milliseconds. It includes the turns of others. */
const TIMEOUT_MS = 900_000;

/** The path of a file in `children/`. */
export const childPath = name => fileURLToPath(new URL(name, CHILDREN));

/**
 * Starts a server in a child process. The functions of `children/server.mjs` can be called.
 *
 * @param {{ tls: boolean }} options
 */
export async function startServer({ tls }) {
  const { ask, stop } = startChild(childPath('server.mjs'), { layer: 'js', name: 'the server' });
  return { address: await ask('listen', { tls }), ask, stop };
}

/** Each login needs a new user, because it has a new key. */
let nextUser = 15_550_100_000;

/**
 * Runs a measured client and returns its measurements.
 *
 * @param {string} script A file in `children/`.
 * @param {object} settings
 * @param {object} options
 * @param {'js' | 'native'} options.backend
 * @param {Awaited<ReturnType<typeof startServer>>} options.server
 * @param {boolean} [options.register] True (default): the child runs with `--import baileys-native/register`. False: it
 *   loads the backend itself.
 * @param {string[]} [options.flags] More flags for Node.
 * @param {NodeJS.ProcessEnv} [options.environment] More variables.
 * @param {Record<string, () => Promise<unknown>>} [options.turns] Of {@link takeTurns}.
 * @returns {Promise<any>} The result of the child.
 */
export function runClient(script, settings, { backend, server, register = true, flags = [], environment, turns }) {
  return runChild(childPath(script), {
    layer: register ? backend : 'session',
    name: `${script} (${backend})`,
    flags: ['--expose-gc', ...flags],
    env: environment,
    services: { server: ({ what, data }) => server.ask(what, data), ...turns },
    settings: { ...settings, ...server.address, backend, firstUser: (nextUser += 10_000) },
    timeoutMs: TIMEOUT_MS
  });
}

/**
 * Runs the backends alternately. The first one alternates from round to round.
 *
 * @template {string} Backend
 * @param {Backend[]} backends
 * @param {number} rounds
 * @param {(backend: Backend, round: number) => Promise<any>} run
 * @returns {Promise<Record<Backend, any[]>>} The results of the rounds, in order.
 */
export async function alternate(backends, rounds, run) {
  /** @type {Record<string, any[]>} */
  const results = Object.fromEntries(backends.map(backend => [backend, []]));
  for (let round = 0; round < rounds; round++) {
    const order = round % 2 === 0 ? backends : [...backends].reverse();
    for (const backend of order) results[backend].push(await run(backend, round));
  }
  return results;
}

/**
 * Runs the backends at the same time, each with a server of its own. They measure in turn; see `turns.mjs`.
 *
 * @template {string} Backend
 * @param {Backend[]} backends
 * @param {{ rounds: number, tls: boolean }} options In each round there are new processes.
 * @param {(backend: Backend, options: { server: Awaited<ReturnType<typeof startServer>>, turns: any }) => Promise<any>}
 *   run Runs the client of a backend, and passes `server` and `turns` to {@link runClient}.
 * @returns {Promise<Record<Backend, any[]>>} The results of the rounds, in order.
 */
export async function takeTurns(backends, { rounds, tls }, run) {
  /** @type {Record<string, any[]>} */
  const results = Object.fromEntries(backends.map(backend => [backend, []]));
  for (let round = 0; round < rounds; round++) {
    const turns = new Turns(backends);
    const runs = backends.map(async backend => {
      const server = await startServer({ tls });
      try {
        results[backend].push(await run(backend, { server, turns: turns.servicesOf(backend) }));
      } finally {
        turns.leave(backend);
        await server.stop();
      }
    });
    const failed = (await Promise.allSettled(runs)).find(({ status }) => status === 'rejected');
    if (failed !== undefined) throw /** @type {PromiseRejectedResult} */ (failed).reason;
  }
  return results;
}
