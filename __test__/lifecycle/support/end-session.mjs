// Logs in and ends the session. Then nothing must keep the process alive.
import { isNative, logIn, printJson } from './client.mjs';

const sock = await logIn();
await sock.end(undefined);
// Messages of this turn of the loop are written at its end.
await new Promise(resolve => setImmediate(resolve));
printJson({ isNative, resources: process.getActiveResourcesInfo().filter(name => name !== 'PipeWrap') });
