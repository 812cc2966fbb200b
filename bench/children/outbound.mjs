// Measures stanzas that one or more clients send to a server that only reads, for each kind of stanza and each pattern.
// A client is a `makeSocket` or a NativeSession.

import { askServer, inTurn, runMeasurement } from '../lib/client.mjs';
import { makeStanza } from '../lib/corpus.mjs';
import { stopwatch } from '../lib/cpu.mjs';
import { clientsOf } from '../lib/session-client.mjs';
import { writeCounter } from '../lib/writes.mjs';

/** The number of logins at the same time. */
const CONCURRENT_LOGINS = 16;

const BATCH = 100;

/** For each kind: the number of stanzas whose order and values are compared. Fewer for large stanzas. */
const CHECKED = { ack: 500, message: 500, fanout256: 20 };

/** The patterns of sends. With several clients, stanza n is sent by the client with the index n modulo their number. */
const PATTERNS = {
  /** Each client sends one stanza after another. */
  turn: (clients, nodes) =>
    Promise.all(
      clients.map(async (client, first) => {
        for (let index = first; index < nodes.length; index += clients.length) await client.send(nodes[index]);
      })
    ),

  /** All clients together send 100 at once, then the next 100. */
  hundred: async (clients, nodes) => {
    for (let start = 0; start < nodes.length; start += BATCH) {
      const sends = [];
      for (let index = start; index < Math.min(start + BATCH, nodes.length); index++) {
        sends.push(clients[index % clients.length].send(nodes[index]));
      }
      await Promise.all(sends);
    }
  },

  all: (clients, nodes) => Promise.all(nodes.map((node, index) => clients[index % clients.length].send(node)))
};

const stanzas = (stanza, count) => Array.from({ length: count }, (_, seed) => makeStanza(stanza, seed));

async function check(client, stanza) {
  const count = CHECKED[stanza];
  for (const send of Object.values(PATTERNS)) {
    await askServer('check', { stanza, count });
    await send([client], stanzas(stanza, count));
    await askServer('checked');
  }
}

const countWrites = writeCounter();

/** Measures in this process's turn, from the first send until every send has resolved and the server has read all. */
async function measure(clients, { stanza, pattern, count }) {
  await askServer('expect', { stanza, count });
  const nodes = stanzas(stanza, count);
  globalThis.gc?.();
  return inTurn(() => send(clients, pattern, nodes));
}

async function send(clients, pattern, nodes) {
  const count = nodes.length;
  const before = countWrites();
  const stop = stopwatch();
  await PATTERNS[pattern](clients, nodes);
  await askServer('arrived');
  const { ms, cpuUs, threadUs } = stop();
  const after = countWrites();
  return {
    perSecond: (count / ms) * 1000,
    cpuUs: cpuUs / count,
    threadUs: threadUs / count,
    writes: (after.writes - before.writes) / count,
    wakes: (after.wakes - before.wakes) / count
  };
}

await runMeasurement(async settings => {
  const { sockets, counts, warmUp, turns } = settings;
  const open = await clientsOf(settings);
  const clients = [await open(settings.firstUser)];
  await askServer('quiet');
  for (const stanza of Object.keys(counts)) await check(clients[0], stanza);

  const results = [];
  for (const number of sockets) {
    while (clients.length < number) {
      const missing = Math.min(CONCURRENT_LOGINS, number - clients.length);
      const users = Array.from({ length: missing }, (_, index) => settings.firstUser + clients.length + index);
      clients.push(...(await Promise.all(users.map(user => open(user)))));
    }
    await askServer('quiet');
    await askServer('sink');
    for (const [stanza, count] of Object.entries(counts)) {
      for (const pattern of Object.keys(PATTERNS)) {
        const cell = { sockets: number, stanza, pattern, count };
        await measure(clients, { ...cell, count: Math.ceil(count * warmUp) });
        const costs = [];
        for (let left = turns; left > 0; left--) costs.push(await measure(clients, cell));
        results.push({ ...cell, costs });
      }
    }
  }
  return { results };
});
