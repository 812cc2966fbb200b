// Clients with an unmodified Baileys 7 on its own JavaScript socket layer, for the tests of the mock server.

import * as baileys from 'baileys';
import { after, before } from 'node:test';
import { MockServer, trustTestRoot } from '../../js/testing/index.mjs';
import { login, pair } from './baileys-client.mjs';

export const root = baileys.Curve.generateKeyPair();

/** Makes Baileys trust `root` during the tests of a file. */
export function trustRoot() {
  let distrust;
  before(() => {
    distrust = trustTestRoot(baileys, root.public);
  });
  after(() => distrust());
}

/** A linked device. It is paired once, because most tests only need to log in. */
export async function linked(options = {}) {
  const server = await MockServer.start({ root, preKeyCount: 100, ...options });
  const auth = await pair({ baileys, server, scan: qr => server.scanQr(qr) });
  return { server, auth };
}

/** A logged-in client and its connection on the server. */
export async function online(options) {
  const { server, auth } = await linked(options);
  const sock = await login({ baileys, server, auth });
  const connection = server.connections.at(-1);
  const stop = async () => {
    await sock.end(undefined);
    await server.stop();
  };
  return { server, auth, sock, connection, stop };
}

export const statusOf = error => error?.output?.statusCode;
