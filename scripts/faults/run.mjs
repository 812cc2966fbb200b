// Runs the fault matrix on one layer. The servers and relays are in this process, the clients in a child process.

import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Curve } from 'baileys';
import { MockServer } from 'baileys-native/testing';
import { Relay } from '../../__test__/support/relay.mjs';
import { afterUpgrade, tcpPeer, webSocketFrame } from '../hostile/peers.mjs';
import { startChild } from '../shared/child.mjs';
import { PROCESS_ROWS, ROWS } from './matrix.mjs';

const CLIENT = fileURLToPath(new URL('client.mjs', import.meta.url));

/** The number of rows that run at the same time. */
const CONCURRENT_ROWS = 5;
/** Time limit of one row, in milliseconds. */
const ROW_MS = 60_000;
/** The time for which a stall in a phase lasts, in milliseconds. */
const STALL_MS = 1000;
/** Reads stall until nothing was forwarded for this time, in milliseconds. */
const FULL_MS = 200;
/** The number of keep-alive queries after which a connection counts as alive. */
const KEPT_ALIVE = 4;
/** The limits of the child of a row, as options of `ulimit`: 128 open files, 1 GiB of data. */
const LIMITS = { descriptors: '-n 128', memory: '-d 1048576' };

/** @typedef {import('../shared/child.mjs').Layer} Layer */
/** @typedef {import('./matrix.mjs').FaultRow} FaultRow */

/** A row that is being run: its server, its relay, and the functions that its client calls. */
class RunningRow {
  #row;
  #relay;
  #server;
  #arrived = 0;
  /** The number of stanzas that the server has not written yet. */
  #unsent = 0;
  #all;
  #allArrived = () => {};

  /**
   * @param {FaultRow} row
   * @param {MockServer} server
   * @param {Relay} relay
   * @param {import('node:child_process').ChildProcess} child
   */
  constructor(row, server, relay, child) {
    this.#row = row;
    this.#server = server;
    this.#relay = relay;
    this.child = child;
    // The connection of a stall in a phase goes on after some time.
    const onFault = (/** @type {{ release(): void }} */ connection) => setTimeout(() => connection.release(), STALL_MS);
    relay.conditions = { ...row.conditions, ...(row.conditions?.fault?.kind === 'stall' && { onFault }) };
    server.handle({ xmlns: 'unanswered' }, () => []);
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

  /** Resolves when the server has received the query that it does not answer. */
  queryReceived = () => this.#server.waitFor(({ node }) => node.attrs.xmlns === 'unanswered').then(() => undefined);

  /** Causes the fault after the login, and sends the stanzas. */
  injectFault() {
    const { faultAfterLogin, stopMs } = this.#row;
    if (faultAfterLogin) this.#relay.latest.injectFault(faultAfterLogin);
    if (stopMs) this.#stop(stopMs);
    this.#sendStanzas().catch(() => {}); // the fault may end the connection
  }

  counts() {
    const { stanzas = 0, sends = 0, bytes = 0, jumpMs = 0 } = this.#row;
    return { stanzas, sends, bytes, jumpMs };
  }

  /** Resolves when the server has read some further keep-alive queries. */
  keptAlive() {
    let count = 0;
    return new Promise(resolve =>
      this.#server.on('stanza', ({ direction, node }) => {
        if (direction === 'in' && node.attrs.xmlns === 'w:p' && ++count === KEPT_ALIVE) resolve(undefined);
      })
    );
  }

  /** Called when the client has sent all of its stanzas. Ends a stall after the buffers of both sides are full. */
  async allSent() {
    if (this.#row.faultAfterLogin !== 'stall') return;
    const { latest } = this.#relay;
    let seen;
    do {
      seen = [latest.down, latest.up, this.#unsent, this.#arrived].join();
      await delay(FULL_MS);
    } while (seen !== [latest.down, latest.up, this.#unsent, this.#arrived].join());
    if (this.#unsent === 0) throw new Error('the server has written all stanzas although the relay does not read');
    latest.release();
  }

  /** Resolves with the number of stanzas of the client when all have arrived. */
  async allArrived() {
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
      this.#unsent++;
      void this.#connection
        .send({ tag: 'relay', attrs: { n: String(n) }, content: Buffer.alloc(bytes, n) })
        .catch(() => {})
        .finally(() => this.#unsent--);
      if (stopMs) await delay(stopMs / stanzas / 2);
    }
  }
}

/** A server that sends one binary message to each client. @param {number} bytes */
const messagePeer = bytes => tcpPeer(afterUpgrade(socket => socket.write(webSocketFrame(0x82, Buffer.alloc(bytes)))));

/** The methods of a {@link RunningRow} that its client calls. */
const CALLS = /** @type {const} */ (['queryReceived', 'injectFault', 'counts', 'keptAlive', 'allSent', 'allArrived']);

/**
 * Runs some rows at the same time in one child.
 *
 * @param {Layer} layer
 * @param {FaultRow[]} rows
 * @returns {Promise<Record<string, { outcome: string, ms: number }>>}
 */
async function runRows(layer, rows) {
  /** @type {Map<string, RunningRow>} */
  const running = new Map();
  const services = Object.fromEntries(
    CALLS.map(what => [what, (/** @type {FaultRow} */ { name }) => running.get(name)?.[what]()])
  );
  const child = startChild(CLIENT, {
    layer,
    name: `the clients (${layer})`,
    limits: rows[0].without && LIMITS[rows[0].without],
    services
  });
  try {
    const root = Curve.generateKeyPair();
    const rootKey = Buffer.from(root.public).toString('hex');
    await child.ask('prepare', { layer, rootKey });
    /** @type {Record<string, { outcome: string, ms: number }>} */
    const outcomes = {};
    const waiting = [...rows];
    const worker = async () => {
      for (let row = waiting.shift(); row !== undefined; row = waiting.shift()) {
        const server = await MockServer.start({ tls: row.tls ?? false, acceptUnknown: true, root });
        const relay = await Relay.start(Number(server.port));
        const peer = row.messageBytes ? await messagePeer(row.messageBytes)() : undefined;
        const current = new RunningRow(row, server, relay, child.process);
        running.set(row.name, current);
        const settings = {
          layer,
          url: peer?.url ?? current.url,
          user: 15_550_200_000 + waiting.length,
          rootKey,
          ca: server.ca
        };
        if (row.without === 'descriptors') {
          // Opens the files that a process opens only once.
          await child.ask('run', { ...row, ...settings, scenario: 'staysOpen', url: server.url });
          await child.ask('takeDescriptors');
        }
        // The client may end its process.
        const ended = child.exited.then(reason => ({ outcome: `the process ended (${reason})`, ms: 0 }));
        const result = child.ask('run', { ...row, ...settings }).catch(() => ended);
        const late = delay(ROW_MS, { outcome: `not over after ${ROW_MS / 1000} s`, ms: ROW_MS }, { ref: false });
        outcomes[row.name] = await Promise.race([result, late]);
        running.delete(row.name);
        await current.close();
        await peer?.close();
      }
    };
    await Promise.all(Array.from({ length: CONCURRENT_ROWS }, worker));
    return Object.fromEntries(rows.map(({ name }) => [name, outcomes[name]]));
  } finally {
    await child.stop();
    await Promise.all([...running.values()].map(row => row.close()));
  }
}

/**
 * The outcomes of a layer, by row.
 *
 * @param {Layer} layer
 * @param {string[]} parts Only rows with one of these in their names; all if empty.
 */
export async function runLayer(layer, parts) {
  /** @param {FaultRow} row */
  const isWanted = ({ name }) => parts.length === 0 || parts.some(part => name.includes(part));
  const rows = ROWS.filter(isWanted);
  const results = rows.length > 0 ? await runRows(layer, rows) : {};
  for (const row of PROCESS_ROWS.filter(isWanted)) Object.assign(results, await runRows(layer, [row]));
  return results;
}
