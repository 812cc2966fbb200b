/** Connects once and prints `open` or the error's code: `node tls-client.mjs baileys|native URL`. */

import { BaileysClient, NativeClient } from './socket-log.mjs';

const [kind, url] = process.argv.slice(2);
const client = new (kind === 'native' ? NativeClient : BaileysClient)(url, { connectTimeoutMs: 5000 });
client.on('open', async () => {
  console.log('open');
  await client.close();
});
client.on('error', error => console.log(error.code ?? error.message));
client.connect();
