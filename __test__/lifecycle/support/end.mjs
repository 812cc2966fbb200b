// Logs in and ends the session; nothing is left then that would keep the process.
import { isNative, logIn, tell } from './client.mjs';

const sock = await logIn();
await sock.end(undefined);
// What was sent in this turn of the loop is written at its end.
await new Promise(resolve => setImmediate(resolve));
tell({ isNative, resources: process.getActiveResourcesInfo().filter(name => name !== 'PipeWrap') });
