// A measured child's side of the channel to its parent.

import { openChannel } from '../../scripts/shared/channel.mjs';

const channel = openChannel(process);

/**
 * Asks the server, through the parent.
 *
 * @param {string} what One of the questions in `children/server.mjs`.
 * @param {object} [data]
 */
export const askServer = (what, data) => channel.ask('server', { what, data });

/**
 * Runs a child: from its settings to its result.
 *
 * @param {(settings: any) => Promise<object>} run
 */
export async function runChild(run) {
  process.on('disconnect', () => process.exit(1)); // nobody is left to report to
  try {
    await channel.ask('result', await run(await channel.ask('settings')));
    process.exit(0); // whatever timers are left
  } catch (error) {
    await channel.ask('failed', error instanceof Error ? error.stack : String(error));
    process.exit(1);
  }
}
