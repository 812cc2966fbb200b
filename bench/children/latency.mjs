// Round trips of queries: one after the other on an idle loop, then while a burst of stanzas arrives.

import assert from 'node:assert/strict';
import { performance } from 'node:perf_hooks';
import { askServer, floodEnd, logIn, ping, prepareBots } from '../lib/bot.mjs';
import { inTurn, runMeasurement } from '../lib/client.mjs';

async function idle(sock, count) {
  const times = [];
  for (let left = count; left > 0; left--) {
    const start = performance.now();
    const answer = await ping(sock);
    times.push(performance.now() - start);
    assert.equal(answer.attrs.type, 'result');
  }
  return times;
}

/**
 * Sends queries at fixed times from the first stanza of the burst to its last. A latency counts from the time at which
 * the query was due, so a late event loop counts too. The answer arrives after everything that the server has sent
 * before.
 */
async function duringBurst(sock, flood, intervalMs) {
  await askServer('prepare', flood);
  return inTurn(() => queriesDuring(sock, intervalMs));
}

async function queriesDuring(sock, intervalMs) {
  const queries = [];
  let start = 0;
  let timer;
  const ask = () => {
    const now = performance.now();
    for (let due; (due = start + queries.length * intervalMs) <= now;) {
      queries.push(ping(sock).then(() => performance.now() - due));
    }
  };
  sock.ws.prependOnceListener('message', () => {
    start = performance.now();
    timer = setInterval(ask, intervalMs);
    ask();
  });
  const ended = floodEnd(sock);
  const sent = askServer('flood');
  await ended;
  ask();
  clearInterval(timer);
  await sent;
  return Promise.all(queries);
}

await runMeasurement(async settings => {
  const agent = await prepareBots(settings);
  const sock = await logIn(settings, settings.firstUser, agent);
  await askServer('quiet');
  const { turns, pings, burst, bursts, intervalMs } = settings;
  await idle(sock, pings);
  const quiet = [];
  for (let left = turns; left > 0; left--) quiet.push(await inTurn(() => idle(sock, pings)));
  await duringBurst(sock, { ...burst, count: Math.ceil(burst.count / 4) }, intervalMs);
  const times = [];
  for (let left = bursts; left > 0; left--) {
    await askServer('quiet');
    times.push(await duringBurst(sock, burst, intervalMs));
  }
  return { idle: quiet, burst: times };
});
