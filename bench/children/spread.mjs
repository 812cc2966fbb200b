// Measures floods into a growing number of bots at the same time. The total number of stanzas is always the same.

import assert from 'node:assert/strict';
import { askServer, floodEnd, logIn, prepareBots } from '../lib/bot.mjs';
import { inTurn, runMeasurement } from '../lib/client.mjs';
import { stopwatch } from '../lib/cpu.mjs';

/** The number of logins at the same time. */
const CONCURRENT_LOGINS = 8;

/** Receives a flood in this process's turn. */
async function receive(bots, { stanza, count }) {
  await askServer('prepareAll', { stanza, count: Math.floor(count / bots.length), perMessage: 1 });
  globalThis.gc?.();
  return inTurn(() => receivePrepared(bots));
}

async function receivePrepared(bots) {
  let stop;
  const onMessage = () => {
    stop ??= stopwatch();
  };
  for (const { ws } of bots) ws.prependOnceListener('message', onMessage);
  const ended = Promise.all(bots.map(floodEnd)).then(() => stop());
  const sent = askServer('floodAll');
  const cost = await ended;
  await sent;
  return cost;
}

/** Counts the stanzas that listeners get, for each bot. */
async function check(bots, flood) {
  const seen = new Map(bots.map(({ ws }) => [ws, 0]));
  const listeners = bots.map(({ ws }) => [ws, node => node.tag !== 'bench' && seen.set(ws, seen.get(ws) + 1)]);
  for (const [ws, listener] of listeners) ws.on('frame', listener);
  await receive(bots, flood);
  for (const [ws, listener] of listeners) ws.off('frame', listener);
  for (const count of seen.values()) assert.equal(count, Math.floor(flood.count / bots.length), 'stanzas of a bot');
}

await runMeasurement(async settings => {
  const agent = await prepareBots(settings);
  const bots = [];
  const results = [];
  let user = settings.firstUser;
  for (const wanted of settings.bots) {
    while (bots.length < wanted) {
      const more = Math.min(CONCURRENT_LOGINS, wanted - bots.length);
      bots.push(...(await Promise.all(Array.from({ length: more }, () => logIn(settings, user++, agent)))));
    }
    await askServer('quiet');
    await check(bots, { ...settings, count: settings.count / 4 });
    // The first flood is not measured: V8 compiles the functions of each bot.
    await receive(bots, settings);
    const stanzas = Math.floor(settings.count / bots.length) * bots.length;
    const costs = [];
    for (let left = settings.turns; left > 0; left--) {
      const { ms, cpuUs } = await receive(bots, settings);
      costs.push({ perSecond: (stanzas / ms) * 1000, cpuUs: cpuUs / stanzas });
    }
    results.push({ bots: wanted, costs });
  }
  return { results };
});
