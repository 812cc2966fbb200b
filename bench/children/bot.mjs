// A whole bot that exchanges encrypted texts with another bot. The other bot runs in the server's process on
// JavaScript.

import { monitorEventLoopDelay } from 'node:perf_hooks';
import { checkBackend } from '../../scripts/shared/bot.mjs';
import { askServer, inTurn, runMeasurement } from '../lib/client.mjs';
import { stopwatch } from '../lib/cpu.mjs';
import { WholeBot } from '../lib/whole-bot.mjs';
import { profiler } from '../lib/profiler.mjs';

const WAVE = 10;

await runMeasurement(async ({ turns, waves, exchanges, warmUp, profile, ...settings }) => {
  await checkBackend(settings.backend);
  const jid = `${settings.firstUser}@s.whatsapp.net`;
  const bot = new WholeBot(settings, qr => askServer('scan', { qr, jid: `${settings.firstUser}:1@s.whatsapp.net` }));
  const peer = await askServer('peer');
  await bot.start();

  const waveOut = () => bot.wave(peer.jid, WAVE);
  const waveIn = () => askServer('peerWave', { jid, count: WAVE });
  const exchange = async () => {
    await bot.wave(peer.jid, 1);
    await askServer('peerWave', { jid, count: 1 });
  };
  const repeat = async (times, act) => {
    for (let left = times; left > 0; left--) await act();
  };
  /** Measures in each turn `times` repetitions, each with `texts` texts. */
  const costsOf = async (times, texts, act) => {
    const costs = [];
    for (let left = turns; left > 0; left--) {
      globalThis.gc?.();
      const { ms, cpuUs, threadUs } = await inTurn(async () => {
        const stop = stopwatch();
        await repeat(times, act);
        return stop();
      });
      const count = times * texts;
      costs.push({ ms: ms / count, cpuUs: cpuUs / count, threadUs: threadUs / count });
    }
    return costs;
  };

  await repeat(warmUp, exchange);
  await repeat(warmUp, waveOut);
  await repeat(warmUp, waveIn);
  let sent = warmUp * (1 + WAVE);
  if (profile) {
    const { start, stop } = await profiler();
    const profiles = {};
    for (const [name, act] of Object.entries({ out: waveOut, in: waveIn })) {
      await start();
      await repeat(turns * waves, act);
      profiles[name] = await stop();
    }
    return { profiles };
  }
  const out = await costsOf(waves, WAVE, waveOut);
  const into = await costsOf(waves, WAVE, waveIn);
  const alternate = await costsOf(exchanges, 1, exchange);
  sent += turns * (waves * WAVE + exchanges);

  const delays = { out: [], in: [] };
  for (const [name, act] of Object.entries({ out: waveOut, in: waveIn })) {
    for (let left = turns; left > 0; left--) {
      await inTurn(async () => {
        // It wakes the loop every millisecond, so it does not run while CPU time is measured.
        const histogram = monitorEventLoopDelay({ resolution: 1 });
        histogram.enable();
        await repeat(waves, act);
        histogram.disable();
        delays[name].push(histogram.percentile(99) / 1e6);
      });
    }
  }
  sent += turns * waves * WAVE;
  await bot.arrived(sent);
  await askServer('peerArrived', { count: sent });
  const peakRss = process.resourceUsage().maxRSS * 1024;
  return { out, in: into, alternate, delays, peakRss, rss: process.memoryUsage.rss() };
});
