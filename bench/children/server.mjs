// The server, by itself in a process, so that what it costs is not counted as anybody else's. Its parent asks it.

import { setTimeout as delay } from 'node:timers/promises';
import { MockServer } from 'baileys-native/testing';
import { openChannel } from '../../scripts/shared/channel.mjs';
import { floodList } from '../lib/flood-list.mjs';

const QUIET_MS = 40;

/** @type {MockServer} */
let server;
let flood;
let floods = [];

const live = () => server.connections.filter(({ state }) => state !== 'closed');
const latest = () => server.connections.at(-1);

/** Sends a flood, and after it one stanza by which the client knows the end. */
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

  /** Resolves when no stanza has come or gone for a while. */
  async quiet() {
    let stanzas = 0;
    let seen;
    const count = () => stanzas++;
    // Only now: during a flood, counting would be what is measured.
    server.on('stanza', count);
    do {
      seen = stanzas;
      await delay(QUIET_MS);
    } while (seen !== stanzas);
    server.off('stanza', count);
  },

  /** Encrypts a flood for the latest connection, all of it ahead. */
  prepare({ stanza, count, perMessage }) {
    flood = latest().prepareFlood(floodList(stanza), count, { perMessage });
    return { bytes: flood.bytes };
  },

  /** Sends the prepared flood. */
  flood: () => send(latest(), flood),

  /** The same for every connection, `count` stanzas each. */
  prepareAll({ stanza, count, perMessage }) {
    const stanzas = floodList(stanza);
    floods = live().map(connection => [connection, connection.prepareFlood(stanzas, count, { perMessage })]);
  },

  async floodAll() {
    await Promise.all(floods.map(([connection, prepared]) => send(connection, prepared)));
  },

  /** Sends some connections a WebSocket message of so many bytes each; answers with how many they were. */
  async message({ bytes, from, count }) {
    const payload = Buffer.alloc(bytes, 0x5a);
    const some = live().slice(from, from + count);
    await Promise.all(some.map(connection => connection.sendRaw(payload, { layer: 'message' })));
    return some.length;
  },

  connections: () => live().length,

  /** Pings everyone at the same time; resolves with how many have answered in that time, and when the last did. */
  async pingAll({ withinMs }) {
    const start = performance.now();
    let answered = 0;
    let ms = 0;
    const pings = live().map(async connection => {
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
