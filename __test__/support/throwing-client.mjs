/** Throws in a listener: `node throwing-client.mjs LINE baileys|native EVENT URL`. */

import { createRequire } from 'node:module';
import { urlOf } from '../../scripts/shared/baileys.mjs';
import { packageOf } from './baileys-lines.mjs';

const require = createRequire(import.meta.url);
const [line, kind, event, url] = process.argv.slice(2);
const { WebSocketClient } =
  kind === 'native'
    ? require('../../js/baileys/drop-in.cjs').createDropIn({ dialect: line })
    : await import(urlOf(packageOf(line), 'webSocketClient'));

const client = new WebSocketClient(url, { connectTimeoutMs: 30_000 });
client.on(event, () => {
  console.log(event);
  throw new Error('deliberate');
});
client.on('error', error => console.log(error.message));
client.connect();
// Ends the process if it does not end itself.
setTimeout(() => process.exit(7), 60_000).unref();
