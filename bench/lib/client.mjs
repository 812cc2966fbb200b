// The channel of a measured child to its parent.

import { openChannel } from '../../scripts/shared/channel.mjs';

const channel = openChannel(process);

/**
 * Calls the server through the parent.
 *
 * @param {string} what The name of a function in `children/server.mjs`.
 * @param {object} [data]
 */
export const askServer = (what, data) => channel.ask('server', { what, data });

/**
 * Runs a child: from its settings to its result.
 *
 * @param {(settings: any) => Promise<object>} run
 */
export async function runChild(run) {
  process.on('disconnect', () => process.exit(1)); // the parent has ended
  try {
    await channel.ask('result', await run(await channel.ask('settings')));
    process.exit(0); // timers would keep the process alive
  } catch (error) {
    await channel.ask('failed', error instanceof Error ? error.stack : String(error));
    process.exit(1);
  }
}
