// Child processes of scripts and benches: a parent starts them on a socket layer, calls them over a channel, limits
// their time and ends them.

import { fork } from 'node:child_process';
import { setTimeout as delay } from 'node:timers/promises';
import { describeError, openChannel } from './channel.mjs';
import { ROOT } from './root.mjs';

/**
 * `js`: Baileys on its own socket layer. `native`: Baileys under `baileys-native/register`. `session`: a NativeSession,
 * without `register`.
 *
 * @typedef {'js' | 'native' | 'session'} Layer
 */

/**
 * @typedef {object} StartOptions
 * @property {Layer} layer
 * @property {string} name The name of the child in errors.
 * @property {string[]} [args]
 * @property {string[]} [flags] More flags for Node.
 * @property {NodeJS.ProcessEnv} [env] More environment variables.
 * @property {string} [limits] Options for `ulimit`, for example `-n 128`. Only on systems with `/bin/sh`.
 * @property {Record<string, (data: any) => unknown>} [services] Functions that the child may call.
 */

/**
 * @typedef {object} Child
 * @property {import('node:child_process').ChildProcess} process
 * @property {(what: string, data?: any) => Promise<any>} ask Calls a function of the child. Rejects if the child ends.
 * @property {Promise<string | undefined>} exited Resolves when the child has ended: with undefined for exit code 0,
 *   otherwise with the exit code, the signal or the error as text.
 * @property {Promise<never>} failed Rejects when the child reports a failure or ends.
 * @property {() => Promise<void>} stop Kills the child and waits for its end.
 */

/** @param {Layer} layer */
const registerFlags = layer => (layer === 'native' ? ['--import', 'baileys-native/register'] : []);

/**
 * Starts a script in a child process. Its standard output is written to standard error.
 *
 * @param {string} script
 * @param {StartOptions} options
 * @returns {Child}
 */
export function startChild(script, { layer, name, args = [], flags = [], env = {}, limits, services = {} }) {
  /** @type {import('node:child_process').ForkOptions} */
  const options = {
    cwd: ROOT,
    env: { ...process.env, ...(layer === 'js' && { BAILEYS_NATIVE: 'off' }), ...env },
    stdio: ['ignore', process.stderr, process.stderr, 'ipc']
  };
  const execArgv = [...flags, ...registerFlags(layer)];
  const child =
    limits === undefined
      ? fork(script, args, { ...options, execArgv })
      : fork(
          '-c',
          // The shell sets the limits, then `exec` replaces the shell by Node.
          [`ulimit ${limits}; exec "$0" "$@"`, process.execPath, ...execArgv, script, ...args],
          { ...options, execArgv: [], execPath: '/bin/sh' }
        );
  /** @type {(error: Error) => void} */
  let fail = () => {};
  /** @type {Promise<never>} */
  const failed = new Promise((_, reject) => {
    fail = error => {
      reject(error);
      channel.fail(error);
    };
  });
  failed.catch(() => {}); // handled by those who wait for it
  const channel = openChannel(child, {
    ...services,
    failed: ({ stack }) => fail(new Error(`${name}: ${stack}`))
  });
  /** @type {Promise<string | undefined>} */
  const exited = new Promise(resolve => {
    child.once('error', error => resolve(error.message));
    child.once('exit', (code, signal) => resolve(code === 0 ? undefined : (signal ?? `exit code ${code}`)));
  });
  void exited.then(reason => fail(new Error(`${name} ended with ${reason ?? 'exit code 0'}`)));
  return {
    process: child,
    ask: channel.ask,
    exited,
    failed,
    async stop() {
      child.kill('SIGKILL');
      await exited;
    }
  };
}

/**
 * Runs a script that uses {@link childMain}, from its settings to its result.
 *
 * @param {string} script
 * @param {StartOptions & { settings: object, timeoutMs: number }} options
 * @returns {Promise<any>} The result. Rejects if the child fails, ends without a result or does not end in time.
 */
export async function runChild(script, { settings, timeoutMs, ...options }) {
  /** @type {unknown} */
  let result;
  const child = startChild(script, {
    ...options,
    services: { ...options.services, settings: () => settings, result: value => void (result = value) }
  });
  try {
    const reason = await within(
      timeoutMs,
      child.exited,
      () => `${options.name} did not end within ${timeoutMs / 1000} s`
    );
    return reason === undefined && result !== undefined ? result : await child.failed;
  } finally {
    await child.stop();
  }
}

/**
 * The main function of a child that {@link runChild} has started. Ends the process.
 *
 * @param {(settings: any, ask: (what: string, data?: any) => Promise<any>) => Promise<object>} run Gets the settings
 *   and returns the result. `ask` calls a service of the parent.
 */
export async function childMain(run) {
  process.on('disconnect', () => process.exit(1)); // the parent has ended
  const { ask } = openChannel(process);
  try {
    await ask('result', await run(await ask('settings'), ask));
    process.exit(0); // timers would keep the process alive
  } catch (error) {
    await ask('failed', { stack: describeError(error) });
    process.exit(1);
  }
}

/**
 * Waits for a promise for a limited time.
 *
 * @template Value
 * @param {number} ms
 * @param {Promise<Value>} promise
 * @param {() => string} describe The message of the error after that time.
 * @returns {Promise<Value>}
 */
export async function within(ms, promise, describe) {
  const timer = new AbortController();
  const late = delay(ms, undefined, { signal: timer.signal }).then(() => {
    throw new Error(describe());
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    timer.abort();
  }
}
