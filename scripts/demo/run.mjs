// Runs the scenario once, with a new server in this process and the bot in a child process. Returns the measurements and
// both logs.

import { fork } from 'node:child_process';
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { encodeBinaryNode } from 'baileys';
import { MockServer } from 'baileys-native/testing';
import { forkOptions } from '../shared/bot.mjs';
import { describeError, openChannel } from '../shared/channel.mjs';
import { FRAME_BYTES, Sink } from '../shared/sink.mjs';
import { describeStanza } from './log.mjs';
import { acknowledged, inboundStanza, outboundStanza } from './traffic.mjs';

/**
 * @typedef {import('./types.js').Settings} Settings
 * @typedef {{ measured?: import('./types.js').Measured, failure?: string }} Outcome
 */

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const CLIENT = fileURLToPath(new URL('client.mjs', import.meta.url));
const QUIET_MS = 25;
const QUIET_TURNS = 4;
const JID = '15550000001:1@s.whatsapp.net';

/**
 * Waits for a number of turns of the event loop in which the server neither sends nor receives a stanza. Resolves with
 * the number of stanzas so far.
 *
 * @param {MockServer} server
 */
async function quiet(server) {
  let seen = -1;
  for (let turn = 0; turn < QUIET_TURNS; turn++) {
    if (server.stanzas.length !== seen) turn = 0;
    seen = server.stanzas.length;
    await delay(QUIET_MS);
  }
  return seen;
}

/**
 * Bytes of the frames of some stanzas.
 *
 * @param {any[]} nodes
 */
const frameBytes = nodes => nodes.reduce((sum, node) => sum + encodeBinaryNode(node).length + FRAME_BYTES, 0);

/** Counts arriving stanzas by tag. */
class Counter {
  /** @type {Map<string, number>} */
  #counts = new Map();
  /** @type {{ tag: string, total: number, resolve: () => void }[]} */
  #waiting = [];

  /** @param {MockServer} server */
  constructor(server) {
    server.on('stanza', ({ direction, node }) => {
      if (direction !== 'in') return;
      this.#counts.set(node.tag, this.of(node.tag) + 1);
      const reached = this.#waiting.filter(({ tag, total }) => this.of(tag) >= total);
      this.#waiting = this.#waiting.filter(waiter => !reached.includes(waiter));
      for (const { resolve } of reached) resolve();
    });
  }

  /** @param {string} tag */
  of(tag) {
    return this.#counts.get(tag) ?? 0;
  }

  /**
   * Resolves when this total number of stanzas with this tag has arrived.
   *
   * @param {string} tag
   * @param {number} total
   * @returns {Promise<void>}
   */
  reaches(tag, total) {
    if (this.of(tag) >= total) return Promise.resolve();
    return new Promise(resolve => this.#waiting.push({ tag, total, resolve }));
  }
}

/**
 * The functions that the child may call.
 *
 * @param {{ server: MockServer, settings: Omit<Settings, 'url' | 'ca' | 'rootKey'>, outcome: Outcome, onProgress:
 *   (step: import('./types.js').Step) => void }} run
 * @returns {import('./types.js').Services}
 */
function services({ server, settings, outcome, onProgress }) {
  const counter = new Counter(server);
  /** @type {Sink | undefined} */
  let sink;
  /** Bytes of the acks that the client sends for one flood. */
  let ackBytes = 0;
  /** @type {import('baileys-native/testing').Flood | undefined} */
  let flood;
  const connection = () => server.connections[server.connections.length - 1];
  return {
    settings: () => ({ ...settings, url: server.url, ca: String(server.ca), rootKey: server.rootKey.toString('hex') }),
    scan: ({ qr }) => server.scanQr(qr, { jid: JID }).then(() => undefined),
    settle: () => quiet(server),
    prepareFlood: ({ count }) => {
      flood = connection().prepareFlood(inboundStanza, count);
    },
    startFlood: async () => {
      if (!flood) throw new Error('no flood is prepared');
      sink?.expect(ackBytes);
      const acks = sink ? undefined : counter.reaches('ack', counter.of('ack') + acknowledged(flood.count));
      await flood.start();
      await (acks ?? sink?.arrived());
    },
    messages: ({ total }) => counter.reaches('message', total),
    sink: () => {
      const { received, request } = connection();
      // The recorded flood and its acks. All later floods are the same.
      const acks = received.filter(({ node }) => node.tag === 'ack' && node.attrs.class === 'receipt');
      ackBytes = frameBytes(acks.map(({ node }) => node));
      server.options.record = false;
      sink = new Sink();
      sink.add([request.socket]);
    },
    expectMessages: ({ count }) => sink?.expect(frameBytes(Array.from({ length: count }, (_, n) => outboundStanza(n)))),
    arrived: () => sink?.arrived(),
    progress: onProgress,
    result: measured => void Object.assign(outcome, { measured }),
    failed: ({ stack }) => void (outcome.failure ??= stack)
  };
}

/**
 * Resolves when the child has ended with exit code 0.
 *
 * @param {import('node:child_process').ChildProcess} child
 * @param {number} timeoutMs
 * @returns {Promise<void>}
 */
function exited(child, timeoutMs) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      child.kill('SIGKILL');
      reject(new Error(`the run did not end within ${timeoutMs / 1000} s`));
    }, timeoutMs);
    child.once('error', reject);
    child.once('exit', (code, signal) => {
      clearTimeout(timer);
      if (code === 0) resolve();
      else reject(new Error(`the run ended with ${signal ?? `exit code ${code}`}`));
    });
  });
}

/**
 * The stanzas that the server has received, by connection, each after the header and login of the connection.
 *
 * @param {MockServer} server
 */
function outboundLog(server) {
  return server.connections.flatMap(({ header, routingInfo, payload, received }) => [
    `header ${header?.toString('hex')} routing ${routingInfo?.toString('hex') ?? 'none'} login ${JSON.stringify(payload)}`,
    ...received.map(({ node }) => describeStanza(node))
  ]);
}

/** @param {string} path */
const lines = path => readFileSync(path, 'utf8').split('\n').slice(0, -1);

/**
 * Runs the scenario once.
 *
 * @param {object} options
 * @param {import('./types.js').Backend} options.backend
 * @param {import('./types.js').Counts} options.counts
 * @param {string} options.creds JSON of Baileys' credentials for a new device.
 * @param {string} options.directory Directory for the logs of the child.
 * @param {number} options.timeoutMs
 * @param {(step: import('./types.js').Step) => void} options.onProgress
 * @returns {Promise<import('./types.js').Run>}
 */
export async function runOnce({ backend, counts, creds, directory, timeoutMs, onProgress }) {
  mkdirSync(directory, { recursive: true });
  const server = await MockServer.start();
  try {
    server.handle('message', () => []);
    /** @type {Outcome} */
    const outcome = {};
    server.on('failure', error => (outcome.failure ??= `the server: ${describeError(error)}`));
    const child = fork(CLIENT, {
      cwd: ROOT,
      stdio: ['ignore', process.stderr, process.stderr, 'ipc'],
      ...forkOptions(backend)
    });
    const settings = { backend, counts, creds, directory };
    openChannel(child, services({ server, settings, outcome, onProgress }));
    await exited(child, timeoutMs).catch(error => (outcome.failure ??= error.message));
    const { measured, failure } = outcome;
    if (failure || !measured) throw new Error(failure ?? 'the run ended without a result');
    const logs = {
      connection: lines(join(directory, 'connection.log')),
      inbound: lines(join(directory, 'inbound.log')),
      outbound: outboundLog(server)
    };
    return { measured, logs };
  } finally {
    await server.stop();
  }
}
