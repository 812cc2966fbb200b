// Tests a bot with Vitest and the mock server. One client is the bot, the other one writes to it. Run:
// npx vitest run --root examples/vitest

import * as baileys from 'baileys';
import { replaced } from 'baileys-native';
import { MockServer, trustTestRoot } from 'baileys-native/testing';
import pino from 'pino';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { echo } from './echo.mjs';

const logger = pino({ level: 'silent' });
let server;

/** Logs in a client. The server accepts every user, because of `acceptUnknown`. */
async function client(user) {
  const creds = {
    ...baileys.initAuthCreds(),
    me: { id: `${user}:1@s.whatsapp.net`, name: user },
    accountSyncCounter: 1
  };
  const store = new Map();
  const keys = {
    get: async (type, ids) =>
      Object.fromEntries(ids.flatMap(id => (store.has(`${type}.${id}`) ? [[id, store.get(`${type}.${id}`)]] : []))),
    set: async data => {
      for (const [type, values] of Object.entries(data))
        for (const [id, value] of Object.entries(values))
          if (value) store.set(`${type}.${id}`, value);
          else store.delete(`${type}.${id}`);
    }
  };
  const sock = baileys.makeWASocket({ auth: { creds, keys }, waWebSocketUrl: server.url, logger });
  sock.ev.on('creds.update', update => Object.assign(creds, update));
  await new Promise((resolve, reject) =>
    sock.ev.on('connection.update', ({ connection, lastDisconnect }) => {
      if (connection === 'open') resolve();
      if (connection === 'close') reject(lastDisconnect?.error);
    })
  );
  return sock;
}

beforeAll(async () => {
  server = await MockServer.start({ tls: false, acceptUnknown: true });
  trustTestRoot(baileys, server.rootKey);
});
afterAll(() => server.stop());

test('the bot answers with the same text', async () => {
  expect(replaced()).toHaveLength(1); // Baileys runs natively in this test
  const [bot, friend] = [await client('15550000001'), await client('15550000002')];
  echo(bot);
  const answer = new Promise(resolve =>
    friend.ev.on('messages.upsert', ({ messages: [{ key, message }] }) => {
      if (!key.fromMe) resolve(message?.conversation ?? message?.extendedTextMessage?.text);
    })
  );
  await friend.sendMessage('15550000001@s.whatsapp.net', { text: 'hello' });
  expect(await answer).toBe('You said: hello');
  await Promise.all([bot.end(undefined), friend.end(undefined)]);
});
