// Measures idle connections: their memory, and the CPU time to create them.

import { Agent } from 'node:https';
import { performance } from 'node:perf_hooks';
import { setTimeout as delay } from 'node:timers/promises';
import { askServer, logIn, prepareBots } from '../lib/bot.mjs';
import { runMeasurement } from '../lib/client.mjs';
import { stopwatch } from '../lib/cpu.mjs';
import { residentBytes } from '../lib/resident.mjs';
import { clientsOf } from '../lib/session-client.mjs';

/** The number of connections that are created at the same time. */
const CONCURRENCY = 32;

/** Returns a function that opens a bare client: only a WebSocket, of `ws` or of this package. */
async function bareClient({ backend, url, ca }) {
  const agent = new Agent({ ca });
  if (backend === 'js') {
    const { WebSocket } = await import('ws');
    return () => new WebSocket(url, { agent });
  }
  const { WebSocketClient } = await import('baileys-native');
  const config = { agent, connectTimeoutMs: 20_000, options: {} };
  return () => {
    const client = new WebSocketClient(url, config);
    client.connect();
    return client;
  };
}

/** Opens bare connections. Each counts the bytes that it gets and keeps none of them. */
class BareConnections {
  received = 0;
  #open;
  clients = [];

  constructor(open) {
    this.#open = open;
  }

  /** @returns {Promise<void>} */
  add() {
    const client = this.#open();
    this.clients.push(client);
    client.on('message', data => {
      this.received += data.length;
    });
    return new Promise((resolve, reject) => {
      client.once('open', resolve);
      client.once('error', reject);
      client.once('close', () => reject(new Error('a connection closed')));
    });
  }
}

/** Opens clients that log in. */
class Users {
  clients = [];
  #open;
  #next;

  /** @param {(user: number) => Promise<any>} open @param {number} first */
  constructor(open, first) {
    this.#open = open;
    this.#next = first;
  }

  async add() {
    this.clients.push(await this.#open(this.#next++));
  }
}

async function connectionsOf(settings) {
  if (settings.layer === 'bare') return new BareConnections(await bareClient(settings));
  if (settings.layer === 'sessions') {
    return new Users(await clientsOf({ ...settings, layer: 'session' }), settings.firstUser);
  }
  const agent = await prepareBots(settings);
  return new Users(user => logIn(settings, user, agent), settings.firstUser);
}

async function grow(connections, count) {
  let left = count - connections.clients.length;
  const worker = async () => {
    while (left-- > 0) await connections.add();
  };
  await Promise.all(Array.from({ length: CONCURRENCY }, worker));
}

/**
 * Sends one message to every connection, as large as a group of 1,024. Only a few are sent at the same time: the memory
 * that connections keep is measured, not the memory of a queue.
 */
async function messageToAll(connections, bytes) {
  const deadline = performance.now() + 60_000;
  for (let from = 0; from < connections.clients.length; from += CONCURRENCY) {
    const expected = connections.received;
    const sent = await askServer('message', { bytes, from, count: CONCURRENCY });
    while (connections.received < expected + sent * bytes) {
      if (performance.now() > deadline) throw new Error('not every connection has received its message');
      await delay(1);
    }
  }
  if (connections.received !== bytes * connections.clients.length) {
    throw new Error('the connections have received other messages than they were sent');
  }
}

await runMeasurement(async settings => {
  const { base, steps, messageBytes, pingWithinMs } = settings;
  const connections = await connectionsOf(settings);
  // The memory that all connections share belongs to the first connections.
  await grow(connections, base);
  if (settings.settleBytes && connections instanceof BareConnections) {
    // Frees memory that was not used since the start of the process. Otherwise new connections would use it first.
    await messageToAll(connections, settings.settleBytes);
    connections.received = 0;
  }
  await askServer('quiet');
  const baseRss = await residentBytes();
  const results = [];
  let before = { count: base, rss: baseRss };
  for (const count of steps) {
    const stop = stopwatch();
    await grow(connections, count);
    const { ms, cpuUs } = stop();
    await askServer('quiet');
    const rss = await residentBytes();
    const added = count - before.count;
    results.push({
      count,
      rssEach: (rss - baseRss) / (count - base),
      rssEachAdded: (rss - before.rss) / added,
      connectMs: ms / added,
      connectCpuUs: cpuUs / added,
      connectedPerSecond: (added / ms) * 1000
    });
    before = { count, rss };
  }
  const result = { steps: results, open: await askServer('connections') };
  if (messageBytes) {
    await messageToAll(connections, messageBytes);
    const kept = (await residentBytes()) - before.rss;
    const { rssEach } = results[results.length - 1];
    result.message = { grownEach: kept / before.count, keptEach: rssEach + kept / before.count };
  }
  if (pingWithinMs) result.ping = await askServer('pingAll', { withinMs: pingWithinMs });
  return result;
});
