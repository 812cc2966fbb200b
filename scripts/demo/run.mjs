// Runs the scenario once, with a new server in this process and the bot in a child process. Returns the measurements
// and both logs.

import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { encodeBinaryNode } from 'baileys';
import { MockServer } from 'baileys-native/testing';
import { describeError } from '../shared/channel.mjs';
import { runChild } from '../shared/child.mjs';
import { FRAME_BYTES, Sink } from '../shared/sink.mjs';
import { describeStanza } from './log.mjs';
import { countReceipts, inboundStanza, outboundStanza } from './traffic.mjs';

const CLIENT = fileURLToPath(new URL('client.mjs', import.meta.url));
/** The server is idle if it has no traffic for this number of intervals of this length, in milliseconds. */
const IDLE_INTERVALS = 4;
const INTERVAL_MS = 25;
const JID = '15550000001:1@s.whatsapp.net';

/**
 * Waits until the server neither sends nor receives a stanza. Resolves with the number of stanzas so far.
 *
 * @param {MockServer} server
 */
async function untilIdle(server) {
  let seen = -1;
  for (let interval = 0; interval < IDLE_INTERVALS; interval++) {
    if (server.stanzas.length !== seen) interval = 0;
    seen = server.stanzas.length;
    await delay(INTERVAL_MS);
  }
  return seen;
}

/**
 * The total length of the frames of stanzas, in bytes.
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
 * @param {MockServer} server
 * @param {(step: import('./types.js').Step) => void} onProgress
 * @returns {import('./types.js').DemoParentServices}
 */
function servicesOf(server, onProgress) {
  const counter = new Counter(server);
  /** @type {Sink | undefined} */
  let sink;
  /** Bytes of the acks that the client sends for one flood. */
  let ackBytes = 0;
  /** @type {import('baileys-native/testing').Flood | undefined} */
  let flood;
  const connection = () => server.connections[server.connections.length - 1];
  return {
    scan: ({ qr }) => server.scanQr(qr, { jid: JID }).then(() => undefined),
    settle: () => untilIdle(server),
    prepareFlood: ({ count }) => {
      flood = connection().prepareFlood(inboundStanza, count);
    },
    startFlood: async () => {
      if (!flood) throw new Error('no flood is prepared');
      sink?.expect(ackBytes);
      const acks = sink ? undefined : counter.reaches('ack', counter.of('ack') + countReceipts(flood.count));
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
    progress: onProgress
  };
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
 * @param {import('../shared/bot.mjs').Backend} options.backend
 * @param {import('./types.js').TrafficCounts} options.counts
 * @param {string} options.creds JSON of Baileys' credentials for a new device.
 * @param {string} options.directory Directory for the logs of the child.
 * @param {number} options.timeoutMs
 * @param {(step: import('./types.js').Step) => void} options.onProgress
 * @returns {Promise<import('./types.js').DemoRun>}
 */
export async function runOnce({ backend, counts, creds, directory, timeoutMs, onProgress }) {
  mkdirSync(directory, { recursive: true });
  const server = await MockServer.start();
  try {
    server.handle('message', () => []);
    /** @type {string | undefined} */
    let failure;
    server.on('failure', error => (failure ??= `the server: ${describeError(error)}`));
    const { url, ca, rootKey } = server;
    const address = { url, ca: String(ca), rootKey: rootKey.toString('hex') };
    /** @type {import('./types.js').Measured} */
    const measured = await runChild(CLIENT, {
      layer: backend,
      name: 'the bot',
      services: servicesOf(server, onProgress),
      settings: { backend, counts, creds, directory, ...address },
      timeoutMs
    }).catch(error => {
      throw failure === undefined ? error : new Error(failure);
    });
    if (failure !== undefined) throw new Error(failure);
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
