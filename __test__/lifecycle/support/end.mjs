// Logs in and ends the session; nothing is left then that would keep the process.
import { isNative, logIn, tell } from './client.mjs';

const sock = await logIn();
await sock.end(undefined);
tell({ isNative, resources: process.getActiveResourcesInfo().filter(name => name !== 'PipeWrap') });
