// The server. It has its own process, so that its cost is not measured. Its parent calls its functions.

import assert from 'node:assert/strict';
import { setTimeout as delay } from 'node:timers/promises';
import { encodeBinaryNode } from 'baileys';
import { MockServer } from 'baileys-native/testing';
import { openChannel } from '../../scripts/shared/channel.mjs';
import { makeStanza } from '../lib/corpus.mjs';
import { floodList, withContent } from '../lib/flood-list.mjs';
import { FRAME_BYTES, Sink } from '../../scripts/shared/sink.mjs';
import { WholeBot } from '../lib/whole-bot.mjs';

const QUIET_MS = 40;

/** @type {MockServer} */
let server;
let flood;
let floods = [];

const openConnections = () => server.connections.filter(({ state }) => state !== 'closed');
const latest = () => server.connections[server.connections.length - 1];

const PEER = '15559990001@s.whatsapp.net';

/**
 * A bot on JavaScript that exchanges texts with the measured bots, and the number of texts that it had received when
 * the latest measured bot started.
 */
let peer;
let peerReceived = 0;

const sink = new Sink();
/** @type {Promise<void>} */
let checked;

/** For each kind of stanza: cumulative bytes of the frames of its first stanzas. */
const sizes = new Map();

/** Bytes of the frames of `count` stanzas of a kind, from seed 0. */
function bytesOf(stanza, count) {
  if (!sizes.has(stanza)) sizes.set(stanza, [0]);
  const sums = sizes.get(stanza);
  while (sums.length <= count) {
    sums.push(sums.at(-1) + encodeBinaryNode(makeStanza(stanza, sums.length - 1)).length + FRAME_BYTES);
  }
  return sums[count];
}

/** Sends a flood, and then one stanza that marks its end. */
async function send(connection, prepared) {
  const ended = connection.send({ tag: 'bench', attrs: { id: 'end' } });
  await prepared.start();
  await ended;
}

const offered = {
  async listen({ tls }) {
    const options = { tls, acceptUnknown: true, preKeyCount: 100, record: false, greetingDelayMs: 0 };
    server = await MockServer.start(options);
    server.on('failure', error => console.error(`server: ${error.stack}`));
    return { url: server.url, ca: server.ca, rootKey: server.rootKey.toString('hex') };
  },

  /** Resolves when no stanza was received or sent for 40 ms. */
  async quiet() {
    let stanzas = 0;
    let seen;
    const count = () => stanzas++;
    // The listener is removed again, because during floods it would change the measurement.
    server.on('stanza', count);
    do {
      seen = stanzas;
      await delay(QUIET_MS);
    } while (seen !== stanzas);
    server.off('stanza', count);
  },

  /** Encrypts a flood for the latest connection in advance. */
  prepare({ stanza, count, perMessage }) {
    flood = latest().prepareFlood(floodList(stanza), count, { perMessage });
    return { bytes: flood.bytes };
  },

  /** Sends the prepared flood. */
  flood: () => send(latest(), flood),

  /** Encrypts a flood of `count` stanzas for every connection in advance. */
  prepareAll({ stanza, count, perMessage }) {
    const stanzas = floodList(stanza);
    floods = openConnections().map(connection => [connection, connection.prepareFlood(stanzas, count, { perMessage })]);
  },

  async floodAll() {
    await Promise.all(floods.map(([connection, prepared]) => send(connection, prepared)));
  },

  /** Sends a WebSocket message of `bytes` bytes to some connections. Resolves with their number. */
  async message({ bytes, from, count }) {
    const payload = Buffer.alloc(bytes, 0x5a);
    const some = openConnections().slice(from, from + count);
    await Promise.all(some.map(connection => connection.sendRaw(payload, { layer: 'message' })));
    return some.length;
  },

  /** Compares the next received stanzas with those of a kind, from seed 0, in order; see `checked`. */
  check({ stanza, count }) {
    let seen = 0;
    checked = new Promise((resolve, reject) => {
      const remove = server.handle(
        () => true,
        node => {
          try {
            assert.deepStrictEqual(node, withContent(makeStanza(stanza, seen++)));
            if (seen < count) return [];
            resolve();
          } catch (error) {
            reject(error);
          }
          remove();
          return [];
        }
      );
    });
    checked.catch(() => {}); // reported by `checked`
  },

  /** Resolves when all compared stanzas have arrived. */
  checked: () => checked,

  /** From now on every connection is only read, and its bytes are counted. */
  sink: () => sink.add(openConnections().map(({ request }) => request.socket)),

  /** The sink will get `count` stanzas of a kind, from seed 0. Returns the bytes of their frames. */
  expect({ stanza, count }) {
    const bytes = bytesOf(stanza, count);
    sink.expect(bytes);
    return bytes;
  },

  /** Resolves when the sink has read everything. */
  arrived: () => sink.arrived(),

  /** Acts as the phone that scans the QR code. */
  scan: ({ qr, jid }) => server.scanQr(qr, { jid }).then(() => undefined),

  /** Starts the peer if it is not running. */
  async peer() {
    if (peer === undefined) {
      /** @type {import('../lib/whole-bot.mjs').BotSettings} */
      const settings = { backend: 'js', url: server.url, ca: server.ca, rootKey: server.rootKey.toString('hex') };
      peer = new WholeBot(settings, qr => server.scanQr(qr, { jid: PEER.replace('@', ':1@') }));
      await peer.start();
    }
    peerReceived = peer.received.size;
    return { jid: PEER };
  },

  /** The peer sends `count` texts at once. Resolves when they are delivered. */
  peerWave: ({ jid, count }) => peer.wave(jid, count),

  /** Resolves when the peer has received `count` texts from the latest bot. */
  peerArrived: ({ count }) => peer.arrived(peerReceived + count),

  connections: () => openConnections().length,

  /**
   * Pings all clients at the same time. Resolves with the number of answers within a time, and the time of the last
   * one.
   */
  async pingAll({ withinMs }) {
    const start = performance.now();
    let answered = 0;
    let ms = 0;
    const pings = openConnections().map(async connection => {
      await connection.wsPing(String(connection.id));
      answered++;
      ms = performance.now() - start;
    });
    const deadline = delay(withinMs, undefined, { ref: false });
    await Promise.race([Promise.allSettled(pings), deadline]);
    return { asked: pings.length, answered, ms };
  }
};

openChannel(process, offered);
process.on('disconnect', () => process.exit(0));
