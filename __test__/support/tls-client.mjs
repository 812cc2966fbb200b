/** Connects once and prints `open` or the error's code: `node tls-client.mjs baileys|native URL`. */

import { createRequire } from 'node:module';
import { urlOf } from '../../scripts/shared/baileys.mjs';

const require = createRequire(import.meta.url);
const [kind, url] = process.argv.slice(2);
const { WebSocketClient } =
  kind === 'native' ? require('../../js/index.cjs') : await import(urlOf('baileys', 'webSocketClient'));

const client = new WebSocketClient(url, { connectTimeoutMs: 30_000 });
client.on('open', async () => {
  console.log('open');
  await client.close();
});
client.on('error', error => console.log(error.code ?? error.message));
client.connect();
