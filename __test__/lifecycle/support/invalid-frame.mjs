// Gets a frame that cannot be opened. If that does not end the process, it logs in again.
import { closed, ping } from '../../support/baileys-client.mjs';
import { isNative, logIn, ready, printJson } from './client.mjs';

const sock = await logIn();
const end = closed(sock);
await ready(sock);
const error = await end;
const again = await logIn();
await ping(again);
await again.end(undefined);
printJson({ isNative, message: error.message, statusCode: error.output?.statusCode });
