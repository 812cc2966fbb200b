// An inspected process that is controlled by messages: Baileys under register, or a NativeSession.

import { Buffer } from 'node:buffer';
import { trustTestRoot } from 'baileys-native/testing';
import * as baileys from 'baileys';
import { NativeSession, isActive } from 'baileys-native';
import { login, memoryAuth } from './baileys-client.mjs';
import { linkedCredentials } from './native-session.mjs';

const { SERVER_URL, ROOT_KEY, MODE } = process.env;
const server = { url: SERVER_URL };
const root = Buffer.from(ROOT_KEY, 'hex');

/** Connects. Resolves with a common interface for both kinds. */
async function connect() {
  if (MODE === 'session') {
    const open = async user => {
      const auth = { creds: linkedCredentials(user) };
      const opened = new NativeSession({ url: SERVER_URL, trustedRoot: root, auth });
      await opened.connect();
      return opened;
    };
    const session = await open();
    return {
      another: () => open('15550000002').then(() => undefined),
      query: node => session.query(node),
      send: node => session.sendNode(node),
      close: () => session.close()
    };
  }
  if (!isActive()) throw new Error('register is not active');
  trustTestRoot(baileys, root);
  const auth = memoryAuth(baileys, linkedCredentials());
  const sock = await login({ baileys, server, auth });
  return {
    query: node => sock.query(node),
    send: node => sock.sendNode(node),
    close: () => sock.end(undefined)
  };
}

const bot = await connect();
process.send('ready');
process.on('message', async ({ id, act, node }) => {
  const answer = await bot[act](node).catch(error => ({ error: error.message }));
  process.send({ id, answer: answer?.tag });
  // Timers of Baileys may be active for 30 seconds.
  if (act === 'close') process.exit();
});
