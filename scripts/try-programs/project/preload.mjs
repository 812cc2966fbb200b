// Loaded before a program, after `baileys-native/register`: lets the program's own Baileys connect to the mock server.

import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';
import { trustTestRoot } from 'baileys-native/testing';

const { TRY_BAILEYS = '', TRY_PACKAGE = '', TRY_ROOT = '', TRY_URL = '' } = process.env;

const program = new URL(`node_modules/${TRY_PACKAGE}/package.json`, import.meta.url);
const file = createRequire(program).resolve(TRY_BAILEYS);
const baileys = await import(pathToFileURL(file).href);
baileys.DEFAULT_CONNECTION_CONFIG.waWebSocketUrl = TRY_URL;
trustTestRoot(baileys, Buffer.from(TRY_ROOT, 'hex'));

// The programs ask GitHub for the latest version of WhatsApp Web. Without an answer, Baileys uses its own.
globalThis.fetch = async () => {
  throw new TypeError('fetch failed: only loopback is allowed here');
};
