// A bot that receives floods for a given time, with V8's sampling profiler.

import { askServer, floodEnd, logIn, prepareBots } from '../lib/bot.mjs';
import { runMeasurement } from '../lib/client.mjs';
import { stopwatch } from '../lib/cpu.mjs';
import { profiler } from '../lib/profiler.mjs';

async function receive(sock, flood, profiling) {
  await askServer('prepare', flood);
  globalThis.gc?.();
  let stop = stopwatch();
  sock.ws.prependOnceListener('message', () => {
    stop = stopwatch();
  });
  const ended = floodEnd(sock);
  if (profiling) await profiling.start();
  const sent = askServer('flood');
  await ended;
  const cost = stop();
  const profile = await profiling?.stop();
  await sent;
  return { cost, profile };
}

await runMeasurement(async settings => {
  const agent = await prepareBots(settings);
  const sock = await logIn(settings, settings.firstUser, agent);
  await askServer('quiet');
  const { floods, ...flood } = settings.flood;
  await receive(sock, flood);
  const profiling = await profiler();
  const profiles = [];
  const costs = [];
  for (let left = floods; left > 0; left--) {
    const { cost, profile } = await receive(sock, flood, profiling);
    costs.push(cost);
    profiles.push(profile);
  }
  return { costs, profiles };
});
