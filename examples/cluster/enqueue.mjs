// Adds sessions and work to the cluster, and prints its events.
//
//   node examples/cluster/enqueue.mjs add FOLDER             adds a linked session: a folder of useMultiFileAuthState
//   node examples/cluster/enqueue.mjs send SESSION TO TEXT   sends a text; SESSION and TO are phone numbers
//   node examples/cluster/enqueue.mjs events                 prints events until it is stopped, as one consumer

import { randomBytes } from 'node:crypto';
import { basename } from 'node:path';
import { useMultiFileAuthState } from 'baileys';
import { Redis } from 'ioredis';
import { settings } from './settings.mjs';
import { addSession, addWork } from './store.mjs';

const USAGE = 'Usage: enqueue.mjs add FOLDER | send SESSION TO TEXT | events';
/** The consumer group that reads the events. Each event is given to one consumer of the group. */
const GROUP = 'readers';

const redis = new Redis(settings.redisUrl);
redis.on('error', error => console.error(`Redis: ${error.message}`));
const [command, ...words] = process.argv.slice(2);

const commands = {
  async add(folder) {
    if (folder === undefined) throw new Error(USAGE);
    const { state } = await useMultiFileAuthState(folder);
    const { me } = state.creds;
    if (me === undefined) throw new Error(`${basename(folder)} is not linked yet`);
    const session = me.id.split(':')[0];
    await addSession(redis, settings, session, state.creds);
    // Only the credentials are copied. The Signal keys in the folder are not used.
    console.log(`added ${session}; the node creates new Signal keys for it`);
  },
  async send(session, to, ...rest) {
    if (rest.length === 0) throw new Error(USAGE);
    const id = randomBytes(8).toString('hex').toUpperCase();
    await addWork(redis, settings, { session, to: `${to}@s.whatsapp.net`, message: rest.join(' '), id });
    console.log(`queued ${id}`);
  },
  async events() {
    const key = `${settings.prefix}events`;
    await redis.xgroup('CREATE', key, GROUP, '$', 'MKSTREAM').catch(error => {
      // The group exists already.
      if (!error.message.startsWith('BUSYGROUP')) throw error;
    });
    for (;;) {
      const streams =
        (await redis.xreadgroup('GROUP', GROUP, settings.name, 'COUNT', 100, 'BLOCK', 0, 'STREAMS', key, '>')) ?? [];
      for (const [id, [, event]] of /** @type {any} */ (streams).flatMap(([, entries]) => entries)) {
        console.log(event);
        await redis.xack(key, GROUP, id);
      }
    }
  }
};

try {
  if (!Object.hasOwn(commands, command ?? '')) throw new Error(USAGE);
  await commands[command](...words);
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
} finally {
  redis.disconnect();
}
