// Logs in and does nothing more: the open socket keeps the process alive.
import { logIn, ready } from './client.mjs';

await ready(await logIn());
