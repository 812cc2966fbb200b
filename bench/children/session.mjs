// Measures floods into one client that listens for the flooded stanza or for another one, and round trips. The client
// is a NativeSession or a `makeSocket`.

import assert from 'node:assert/strict';
import { performance } from 'node:perf_hooks';
import { askServer, inTurn, runMeasurement } from '../lib/client.mjs';
import { stopwatch } from '../lib/cpu.mjs';
import { floodList, withContent } from '../lib/flood-list.mjs';
import { clientsOf } from '../lib/session-client.mjs';

/** @returns {Promise<void>} Resolves when the stanza arrives that the server sends after a flood. */
const floodEnd = client =>
  new Promise(resolve => {
    const remove = client.listen('bench', () => {
      remove();
      resolve();
    });
  });

/**
 * Receives a flood in this process's turn. The time starts with the request for it, because JavaScript may not get its
 * first stanza. The time ends with the stanza that follows the flood.
 */
async function receive(client, flood) {
  await askServer('prepare', flood);
  globalThis.gc?.();
  return inTurn(() => receivePrepared(client));
}

async function receivePrepared(client) {
  const ended = floodEnd(client);
  const stop = stopwatch();
  const sent = askServer('flood');
  await ended;
  const cost = stop();
  await sent;
  return cost;
}

/** Checks every stanza of a flood: order, number and value. */
async function checkFlood(client, flood) {
  const expected = floodList(flood.stanza).map(withContent);
  let seen = 0;
  let failure;
  const remove = client.listen(expected[0].tag, node => {
    const index = seen++;
    try {
      // The first of each kind is compared completely, the others by their attributes.
      if (index < expected.length) assert.deepStrictEqual(node, expected[index]);
      else assert.equal(node.attrs.id, expected[index % expected.length].attrs.id);
    } catch (error) {
      failure ??= error;
    }
  });
  await receive(client, flood);
  remove();
  if (failure) throw failure;
  assert.equal(seen, flood.count, 'the number of stanzas of a flood');
}

async function measureFlood(client, flood) {
  const [{ tag }] = floodList(flood.stanza);
  let seen = 0;
  const remove = flood.asked ? client.listen(tag, () => seen++) : () => {};
  const { ms, cpuUs, threadUs } = await receive(client, flood);
  remove();
  assert.equal(seen, flood.asked ? flood.count : 0, 'the number of stanzas of a flood');
  const { count } = flood;
  return { perSecond: (count / ms) * 1000, cpuUs: cpuUs / count, threadUs: threadUs / count };
}

async function roundTrips(client, count) {
  const times = [];
  for (let left = count; left > 0; left--) {
    const start = performance.now();
    const answer = await client.ping();
    times.push(performance.now() - start);
    assert.equal(answer.attrs.type, 'result');
  }
  return times;
}

await runMeasurement(async settings => {
  const open = await clientsOf(settings);
  const client = await open(settings.firstUser);
  await askServer('quiet');
  const { floods = [], warmUp, turns, pings = 0 } = settings;
  for (const flood of floods) if (flood.asked) await checkFlood(client, { ...flood, count: warmUp });
  const results = [];
  for (const flood of floods) {
    await measureFlood(client, { ...flood, count: warmUp });
    const costs = [];
    for (let left = turns; left > 0; left--) costs.push(await measureFlood(client, flood));
    results.push(costs);
  }
  await roundTrips(client, Math.ceil(pings / 4));
  const times = [];
  for (let left = turns; left > 0; left--) times.push(await inTurn(() => roundTrips(client, pings)));
  return { results, pings: times };
});
