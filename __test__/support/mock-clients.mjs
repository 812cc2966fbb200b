// Clients with an unmodified Baileys 7 on its own JavaScript socket layer, for the tests of the mock server.

import * as baileys from 'baileys';
import { after, before } from 'node:test';
import { trustTestRoot } from '../../js/testing/index.mjs';
import { login, pair } from './baileys-client.mjs';
import { startMockServer } from './mock-server.mjs';

export const root = baileys.Curve.generateKeyPair();

/** Makes Baileys trust `root` during the tests of a file. */
export function trustRoot() {
  let undo;
  before(() => {
    undo = trustTestRoot(baileys, root.public);
  });
  after(() => undo());
}

/** Starts a server with a linked device. It is stopped with its owner. */
export async function linkDevice(owner, options = {}) {
  const server = await startMockServer(owner, { root, preKeyCount: 100, ...options });
  const auth = await pair({ baileys, server, scan: qr => server.scanQr(qr) });
  return { server, auth };
}

/** Starts a server with a linked device that is logged in. `connection` is the server's side. */
export async function logInDevice(owner, options) {
  const { server, auth } = await linkDevice(owner, options);
  const sock = await login({ baileys, server, auth });
  return { server, auth, sock, connection: server.connections.at(-1) };
}

export const statusOf = error => error?.output?.statusCode;
