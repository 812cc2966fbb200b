// Adds sessions to the cluster, and work for them.
//
//   node examples/cluster/enqueue.mjs add FOLDER          a session that was linked before, from useMultiFileAuthState's folder
//   node examples/cluster/enqueue.mjs send SESSION TO TEXT
//   node examples/cluster/enqueue.mjs events              prints what comes in, as one consumer of a group

import { randomBytes } from 'node:crypto';
import { basename } from 'node:path';
import { useMultiFileAuthState } from 'baileys';
import { Redis } from 'ioredis';
import { settings } from './settings.mjs';
import { addSession, addWork } from './store.mjs';

const redis = new Redis(settings.redisUrl);
const [command, ...words] = process.argv.slice(2);

const commands = {
  async add(folder) {
    const { state } = await useMultiFileAuthState(folder);
    const { me } = state.creds;
    if (me === undefined) throw new Error(`${basename(folder)} is not linked yet`);
    const session = me.id.split(':')[0];
    await addSession(redis, settings, session, state.creds);
    console.log(`added ${session}; its keys are made anew`);
  },
  async send(session, to, ...rest) {
    const id = randomBytes(8).toString('hex').toUpperCase();
    await addWork(redis, settings, { session, to: `${to}@s.whatsapp.net`, message: rest.join(' '), id });
    console.log(`queued ${id}`);
  },
  async events() {
    const key = `${settings.prefix}events`;
    await redis.xgroup('CREATE', key, 'readers', '$', 'MKSTREAM').catch(() => {});
    for (;;) {
      const streams =
        (await redis.xreadgroup('GROUP', 'readers', settings.name, 'COUNT', 100, 'BLOCK', 0, 'STREAMS', key, '>')) ??
        [];
      for (const [id, [, event]] of /** @type {any} */ (streams).flatMap(([, entries]) => entries)) {
        console.log(event);
        await redis.xack(key, 'readers', id);
      }
    }
  }
};

if (!Object.hasOwn(commands, command)) {
  console.error('add FOLDER, send SESSION TO TEXT, or events');
  process.exitCode = 1;
} else {
  await commands[command](...words);
}
redis.disconnect();
