// V8's sampling profiler for this process.

import { Session } from 'node:inspector/promises';

const SAMPLING_US = 200;

export async function profiler() {
  const session = new Session();
  session.connect();
  await session.post('Profiler.enable');
  await session.post('Profiler.setSamplingInterval', { interval: SAMPLING_US });
  return {
    start: () => session.post('Profiler.start'),
    /** @returns {Promise<import('node:inspector').Profiler.Profile>} */
    stop: async () => (await session.post('Profiler.stop')).profile
  };
}
