// Calls process.exit() during a flood, in a listener that the native layer has called.
import { logIn, ready } from './client.mjs';

const sock = await logIn();
let count = 0;
sock.ws.on('CB:relay', () => {
  if (++count === 100) process.exit(7);
});
await ready(sock);
