// A listener that throws. Baileys' async message listener turns the exception into an unhandled rejection.
import { once } from 'node:events';
import { ping } from '../../support/baileys-client.mjs';
import { logIn, ready, printJson } from './client.mjs';

const survive = process.argv.includes('--survive');
const sock = await logIn();
let count = 0;
sock.ws.on('CB:relay', () => {
  if (++count === 3) throw new Error('of a listener');
});
const thrown = survive ? once(process, 'unhandledRejection') : undefined;
await ready(sock);
if (thrown) {
  const [error] = await thrown;
  await ping(sock);
  printJson({ message: error.message, count, isOpen: sock.ws.isOpen });
  await sock.end(undefined);
}
