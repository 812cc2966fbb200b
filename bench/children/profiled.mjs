// A bot under floods for as long as it is told to, with V8's sampling profiler on.

import { Session } from 'node:inspector/promises';
import { askServer, floodEnd, logIn, prepareBots } from '../lib/bot.mjs';
import { runChild } from '../lib/client.mjs';
import { stopwatch } from '../lib/cpu.mjs';

const SAMPLING_US = 200;

async function receive(sock, flood, session) {
  await askServer('prepare', flood);
  globalThis.gc?.();
  let stop;
  sock.ws.prependOnceListener('message', () => {
    stop = stopwatch();
  });
  const ended = floodEnd(sock);
  if (session) await session.post('Profiler.start');
  const sent = askServer('flood');
  await ended;
  const cost = stop();
  const profile = session ? (await session.post('Profiler.stop')).profile : undefined;
  await sent;
  return { cost, profile };
}

await runChild(async settings => {
  const agent = await prepareBots(settings);
  const sock = await logIn(settings, settings.firstUser, agent);
  await askServer('quiet');
  const { floods, ...flood } = settings.flood;
  await receive(sock, flood);
  const session = new Session();
  session.connect();
  await session.post('Profiler.enable');
  await session.post('Profiler.setSamplingInterval', { interval: SAMPLING_US });
  const profiles = [];
  const costs = [];
  for (let left = floods; left > 0; left--) {
    const { cost, profile } = await receive(sock, flood, session);
    costs.push(cost);
    profiles.push(profile);
  }
  session.disconnect();
  return { costs, profiles };
});
