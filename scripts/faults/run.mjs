// Runs the fault matrix on one layer: the servers and relays are in this process, the clients in a child.

import { fork } from 'node:child_process';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Curve } from 'baileys';
import { MockServer } from 'baileys-native/testing';
import { Relay } from '../../__test__/support/relay.mjs';
import { forkOptions } from '../shared/bot.mjs';
import { openChannel } from '../shared/channel.mjs';
import { PROCESS_ROWS, ROWS } from './matrix.mjs';

const CLIENT = fileURLToPath(new URL('client.mjs', import.meta.url));
const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** The number of rows that run at the same time. */
const AT_ONCE = 5;
/** Time limit of one row, in milliseconds. */
const ROW_MS = 60_000;
/** The limit of file descriptors for the child of `withoutDescriptors`. */
const DESCRIPTORS = 128;

/** @typedef {'js' | 'native' | 'session'} Layer */
/** @typedef {import('./matrix.mjs').Row} Row */

/**
 * One row: its server, its relay, and the answers to its client.
 */
class Stage {
  #row;
  #relay;
  #server;
  #arrived = 0;
  #all;
  #allArrived = () => {};

  /** @param {Row} row @param {MockServer} server @param {Relay} relay @param {import('node:child_process').ChildProcess} child */
  constructor(row, server, relay, child) {
    this.#row = row;
    this.#server = server;
    this.#relay = relay;
    this.child = child;
    relay.conditions = row.conditions ?? {};
    server.handle({ xmlns: 'held' }, () => []);
    this.#all = new Promise(resolve => (this.#allArrived = () => resolve(undefined)));
    server.handle(
      ({ tag, attrs }) => tag === 'message' && attrs.id === `OUT${this.#arrived}`,
      () => {
        if (++this.#arrived === row.sends) this.#allArrived();
        return [];
      }
    );
  }

  get url() {
    return this.#row.url ?? this.#relay.url(this.#server.url);
  }

  get #connection() {
    return this.#server.connections[this.#server.connections.length - 1];
  }

  /** Resolves when the client's query has reached the server, which does not answer it. */
  held = () => this.#server.waitFor(({ node }) => node.attrs.xmlns === 'held').then(() => undefined);

  strike() {
    const { strike, stopMs } = this.#row;
    if (strike) this.#relay.latest.strike(strike);
    if (stopMs) this.#stop(stopMs);
    this.#sendStanzas().catch(() => {}); // the fault may end the connection
  }

  expected() {
    const { stanzas = 0, sends = 0, bytes = 0 } = this.#row;
    return { stanzas, sends, bytes };
  }

  /** The client has sent all of its stanzas. */
  async sent() {
    if (this.#row.strike !== 'stall') return;
    // Data that a stalled relay does not read fills the buffers of both sides.
    await delay(200);
    this.#relay.latest.release();
  }

  async arrived() {
    if (this.#row.sends) await this.#all;
    return this.#arrived;
  }

  async close() {
    await this.#relay.stop();
    await this.#server.stop();
  }

  /** @param {number} ms */
  #stop(ms) {
    process.kill(/** @type {number} */ (this.child.pid), 'SIGSTOP');
    setTimeout(() => process.kill(/** @type {number} */ (this.child.pid), 'SIGCONT'), ms);
  }

  async #sendStanzas() {
    const { stanzas = 1, bytes = 16, stopMs = 0 } = this.#row;
    for (let n = 0; n < stanzas; n++) {
      void this.#connection
        .send({ tag: 'relay', attrs: { n: String(n) }, content: Buffer.alloc(bytes, n) })
        .catch(() => {});
      if (stopMs) await delay(stopMs / stanzas / 2);
    }
  }
}

/** @param {Layer} layer @param {Row} row */
function forkClient(layer, row) {
  const options = forkOptions(layer === 'native' ? 'native' : 'js');
  const env = layer === 'session' ? process.env : options.env;
  /** @type {import('node:child_process').ForkOptions} */
  const child = { ...options, env, cwd: ROOT, stdio: ['ignore', 'ignore', 'inherit', 'ipc'] };
  if (!row.withoutDescriptors) return fork(CLIENT, [], child);
  // The shell lowers the limit; `exec` then replaces it by Node.
  const script = `ulimit -n ${DESCRIPTORS}; exec "$0" "$@"`;
  return fork('-c', [script, process.execPath, ...(options.execArgv ?? []), CLIENT], {
    ...child,
    execArgv: [],
    execPath: '/bin/sh'
  });
}

/**
 * Runs some rows at the same time in one child.
 *
 * @param {Layer} layer
 * @param {Row[]} rows
 * @returns {Promise<Record<string, { outcome: string, ms: number }>>}
 */
async function runRows(layer, rows) {
  const child = forkClient(layer, rows[0]);
  /** @type {Map<string, Stage>} */
  const stages = new Map();
  /** @type {(what: 'held' | 'strike' | 'expected' | 'sent' | 'arrived') => (data: { name: string }) => unknown} */
  const onStage =
    what =>
    ({ name }) =>
      /** @type {Stage} */ (stages.get(name))[what]();
  const channel = openChannel(child, {
    held: onStage('held'),
    strike: onStage('strike'),
    expected: onStage('expected'),
    sent: onStage('sent'),
    arrived: onStage('arrived')
  });
  let over = false;
  const ended = new Promise((_, reject) =>
    child.once('exit', (code, signal) => over || reject(new Error(`${layer}: the clients ended by ${signal ?? code}`)))
  );
  ended.catch(() => {});
  try {
    const root = Curve.generateKeyPair();
    const backend = layer;
    const rootKey = Buffer.from(root.public).toString('hex');
    await channel.ask('prepare', { backend, rootKey });
    /** @type {Record<string, { outcome: string, ms: number }>} */
    const outcomes = {};
    const waiting = [...rows];
    const worker = async () => {
      for (let row = waiting.shift(); row !== undefined; row = waiting.shift()) {
        const server = await MockServer.start({ tls: false, acceptUnknown: true, root });
        const relay = await Relay.start(Number(server.port));
        const stage = new Stage(row, server, relay, child);
        stages.set(row.name, stage);
        const settings = { backend, url: stage.url, user: 15_550_200_000 + waiting.length, rootKey };
        if (row.withoutDescriptors) {
          // Files that a process opens only once are open after this run.
          await channel.ask('run', { ...row, name: row.name, ...settings, scenario: 'lives', url: server.url });
          await channel.ask('takeDescriptors');
        }
        const asked = channel.ask('run', { ...row, ...settings });
        const late = delay(ROW_MS, { outcome: `not over after ${ROW_MS / 1000} s`, ms: ROW_MS }, { ref: false });
        outcomes[row.name] = await Promise.race([asked, late]);
        stages.delete(row.name);
        await stage.close();
      }
    };
    await Promise.race([ended, Promise.all(Array.from({ length: AT_ONCE }, worker))]);
    return Object.fromEntries(rows.map(({ name }) => [name, outcomes[name]]));
  } finally {
    over = true;
    child.kill('SIGKILL');
    await Promise.all([...stages.values()].map(stage => stage.close()));
  }
}

/**
 * The outcomes of a layer, by row.
 *
 * @param {Layer} layer
 * @param {string[]} parts Only rows with one of these in their names; all if empty.
 */
export async function runLayer(layer, parts) {
  /** @param {Row} row */
  const isWanted = ({ name }) => parts.length === 0 || parts.some(part => name.includes(part));
  const rows = ROWS.filter(isWanted);
  const results = rows.length > 0 ? await runRows(layer, rows) : {};
  for (const row of PROCESS_ROWS.filter(isWanted)) Object.assign(results, await runRows(layer, [row]));
  return results;
}
