// Logs in and ends the session. Then nothing must keep the process alive.
import { isNative, logIn, tell } from './client.mjs';

const sock = await logIn();
await sock.end(undefined);
// Messages of this turn of the loop are written at its end.
await new Promise(resolve => setImmediate(resolve));
tell({ isNative, resources: process.getActiveResourcesInfo().filter(name => name !== 'PipeWrap') });
