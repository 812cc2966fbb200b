// The parent's side of the child processes: the server, and whoever is being measured against it.

import { execFile, fork } from 'node:child_process';
import { promisify } from 'node:util';
import { fileURLToPath } from 'node:url';
import { forkOptions } from '../../scripts/shared/bot.mjs';
import { openChannel } from '../../scripts/shared/channel.mjs';

export const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const CHILDREN = new URL('../children/', import.meta.url);

/** Bound of one child, in milliseconds. */
const TIMEOUT_MS = 300_000;

const path = name => fileURLToPath(new URL(name, CHILDREN));

/** @param {import('node:child_process').ChildProcess} child */
function exitOf(child) {
  return new Promise(resolve => {
    child.once('error', error => resolve(error.message));
    child.once('exit', (code, signal) => resolve(code === 0 ? undefined : (signal ?? `exit code ${code}`)));
  });
}

/**
 * Starts a server in a process of its own. It answers to the questions in `children/server.mjs`.
 *
 * @param {{ tls: boolean }} options
 */
export async function startServer({ tls }) {
  const child = fork(path('server.mjs'), [], {
    cwd: ROOT,
    env: { ...process.env, BAILEYS_NATIVE: 'off' },
    stdio: ['ignore', process.stderr, process.stderr, 'ipc']
  });
  const channel = openChannel(child);
  const exited = exitOf(child);
  void exited.then(reason => channel.fail(new Error(`the server ended: ${reason ?? 'exit code 0'}`)));
  const address = await channel.ask('listen', { tls });
  return {
    address,
    ask: channel.ask,
    async stop() {
      child.kill('SIGKILL'); // nothing of it is kept
      await exited;
    }
  };
}

/** Users must differ from login to login, since each comes with a key of its own. */
let nextUser = 15_550_100_000;

/**
 * Runs a child that drives itself and hands back its measurements.
 *
 * @param {string} script In `children/`.
 * @param {object} settings
 * @param {object} options
 * @param {'js' | 'native'} options.backend
 * @param {Awaited<ReturnType<typeof startServer>>} options.server
 * @param {boolean} [options.register] Whether the backend comes by `--import baileys-native/register` (default), or the
 *   child loads it by itself.
 * @param {string[]} [options.flags] More flags for Node.
 * @param {Record<string, string>} [options.environment] More variables.
 * @returns {Promise<any>} What the child reports as its result.
 */
export async function runClient(script, settings, { backend, server, register = true, flags = [], environment }) {
  const { execArgv, env } = forkOptions(register ? backend : 'js', ['--expose-gc', ...flags]);
  const child = fork(path(script), [], {
    cwd: ROOT,
    execArgv,
    env: { ...(register ? env : process.env), ...environment },
    stdio: ['ignore', process.stderr, process.stderr, 'ipc']
  });
  const outcome = {};
  openChannel(child, {
    settings: () => ({ ...settings, ...server.address, backend, firstUser: (nextUser += 10_000) }),
    server: ({ what, data }) => server.ask(what, data),
    result: result => void (outcome.result = result),
    failed: stack => void (outcome.failure = stack)
  });
  const timer = setTimeout(() => child.kill('SIGKILL'), TIMEOUT_MS);
  const reason = await exitOf(child);
  clearTimeout(timer);
  if (outcome.failure !== undefined || reason !== undefined || outcome.result === undefined) {
    throw new Error(`${script} (${backend}): ${outcome.failure ?? reason ?? 'it ended without a result'}`);
  }
  return outcome.result;
}

/**
 * Runs a child that needs no server; it prints its result as JSON.
 *
 * @param {string} script In `children/`.
 * @param {object} settings
 */
export async function runAlone(script, settings) {
  const args = ['--expose-gc', path(script), JSON.stringify(settings)];
  const options = { cwd: ROOT, timeout: TIMEOUT_MS, maxBuffer: 64 * 1024 * 1024 };
  const { stdout } = await promisify(execFile)(process.execPath, args, options);
  return JSON.parse(stdout);
}

/**
 * The backends in turn; which comes first alternates from round to round.
 *
 * @template {string} Backend
 * @param {Backend[]} backends
 * @param {number} rounds
 * @param {(backend: Backend, round: number) => Promise<any>} run
 * @returns {Promise<Record<Backend, any[]>>} What the rounds gave, in order.
 */
export async function alternate(backends, rounds, run) {
  const results = Object.fromEntries(backends.map(backend => [backend, []]));
  for (let round = 0; round < rounds; round++) {
    const order = round % 2 === 0 ? backends : [...backends].reverse();
    for (const backend of order) results[backend].push(await run(backend, round));
  }
  return results;
}
