// Measures floods into one `makeSocket`, for each kind of stanza and each number of stanzas in a WebSocket message.

import assert from 'node:assert/strict';
import { askServer, floodEnd, logIn, prepareBots } from '../lib/bot.mjs';
import { inTurn, runMeasurement } from '../lib/client.mjs';
import { stopwatch } from '../lib/cpu.mjs';
import { floodList, withContent } from '../lib/flood-list.mjs';

/**
 * Checks every stanza of a flood: order, number and value.
 *
 * @param {any} sock
 * @param {{ stanza: string, count: number, perMessage: number }} flood
 */
async function checkFlood(sock, flood) {
  const expected = floodList(flood.stanza).map(withContent);
  let seen = 0;
  let failure;
  const onFrame = node => {
    if (node.tag === 'bench') return;
    const index = seen++;
    try {
      assert.ok(index < flood.count, 'more stanzas than were sent');
      // Every stanza is compared by its attributes, the first of each kind completely.
      if (index < expected.length) assert.deepStrictEqual(node, expected[index]);
      else assert.equal(node.attrs.id, expected[index % expected.length].attrs.id);
    } catch (error) {
      failure ??= error;
    }
  };
  sock.ws.on('frame', onFrame);
  await receive(sock, flood);
  sock.ws.off('frame', onFrame);
  if (failure) throw failure;
  assert.equal(seen, flood.count, 'the number of stanzas of a flood');
}

/**
 * Receives a flood in this process's turn. The time is measured from its first WebSocket message to the stanza that
 * follows it.
 */
async function receive(sock, flood) {
  await askServer('prepare', flood);
  globalThis.gc?.();
  return inTurn(() => receivePrepared(sock));
}

async function receivePrepared(sock) {
  let stop;
  sock.ws.prependOnceListener('message', () => {
    stop = stopwatch();
  });
  const ended = floodEnd(sock).then(() => stop());
  const sent = askServer('flood');
  const cost = await ended;
  await sent;
  return cost;
}

await runMeasurement(async settings => {
  const agent = await prepareBots(settings);
  const sock = await logIn(settings, settings.firstUser, agent);
  await askServer('quiet');
  const { stanzas, perMessage, count, warmUp, turns } = settings;
  const floods = stanzas.flatMap(stanza => perMessage.map(number => ({ stanza, perMessage: number })));
  for (const flood of floods) await checkFlood(sock, { ...flood, count: warmUp });
  const results = [];
  for (const flood of floods) {
    await receive(sock, { ...flood, count: warmUp });
    const costs = [];
    for (let left = turns; left > 0; left--) {
      const { ms, cpuUs, threadUs } = await receive(sock, { ...flood, count });
      costs.push({ perSecond: (count / ms) * 1000, cpuUs: cpuUs / count, threadUs: threadUs / count });
    }
    results.push({ ...flood, costs });
  }
  return { results };
});
