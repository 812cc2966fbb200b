/** Servers whose TLS parameters rustls does not have. Baileys' class connects to them under register; otherwise it is an error. */

import assert from 'node:assert/strict';
import { once } from 'node:events';
import https from 'node:https';
import { createRequire } from 'node:module';
import { test } from 'node:test';
import tls from 'node:tls';
import { WebSocketServer } from 'ws';
import { LINES, nextEvent } from '../support/socket-log.mjs';
import { closeEvent } from '../support/socket-scenarios.mjs';
import { issue } from '../support/x509.mjs';

const { createDropIn } = createRequire(import.meta.url)('../../js/baileys/drop-in.cjs');

const root = issue({ subject: 'Root', isAuthority: true });
const ec = issue({ issuer: root });
const rsa = issue({ issuer: root, keyKind: 'rsa2048', usage: null });
const old = { minVersion: 'TLSv1.2', maxVersion: 'TLSv1.2' };
const group = ecdhCurve => ({ ...ec, minVersion: 'TLSv1.3', ecdhCurve });

/** The only TLS parameters of a server. */
const SERVERS = {
  'TLS 1.2 with CBC': { ...ec, ...old, ciphers: 'ECDHE-ECDSA-AES128-SHA256' },
  'TLS 1.2 with static RSA': { ...rsa, ...old, ciphers: 'AES128-GCM-SHA256' },
  'TLS 1.2 with static RSA and CBC': { ...rsa, ...old, ciphers: 'AES128-SHA' },
  'TLS 1.2 with DHE': { ...rsa, ...old, ciphers: 'DHE-RSA-AES128-GCM-SHA256', dhparam: 'auto' },
  'TLS 1.2 with CCM': { ...ec, ...old, ciphers: 'ECDHE-ECDSA-AES128-CCM' },
  'the group P-521': group('P-521'),
  'the group X448': group('X448'),
  'a group of ffdhe': group('ffdhe2048'),
  'a key of P-521': issue({ issuer: root, keyKind: 'p521' }),
  'a certificate of version 1': issue({ issuer: root, version: 1, subject: 'localhost' })
};

/** Whether Node's TLS can connect with its default options. */
const canConnect = options =>
  new Promise(resolve => {
    const { port } = options;
    const socket = tls.connect({ port, host: 'localhost', ca: root.cert }, () => resolve(socket.destroy() && true));
    socket.on('error', () => resolve(false));
  });

for (const [name, options] of Object.entries(SERVERS)) {
  test(`a server with ${name}`, { timeout: 60_000 }, async t => {
    const server = https.createServer(options);
    const wss = new WebSocketServer({ server });
    wss.on('connection', socket => {
      socket.on('error', () => {});
      socket.send('hello');
    });
    server.on('tlsClientError', () => {});
    server.listen(0, 'localhost');
    await once(server, 'listening');
    t.after(() => {
      for (const socket of wss.clients) socket.terminate();
      server.close();
      server.closeAllConnections();
    });
    const { port } = server.address();
    if (!(await canConnect({ port }))) return t.skip('Node cannot connect either');
    const url = `wss://localhost:${port}/`;
    const config = () => ({ agent: new https.Agent({ ca: root.cert }), connectTimeoutMs: 10_000 });

    const warnings = [];
    const onWarning = ({ code, message }) => warnings.push([code, message]);
    process.on('warning', onWarning);
    t.after(() => process.off('warning', onWarning));
    for (const { name: dialect, Baileys, Native } of LINES) {
      const bare = new Native(url, config());
      const failed = new Promise(resolve => bare.once('error', resolve));
      bare.connect();
      const error = await failed;
      assert.match(error.code, /^(?:ERR_TLS_UNSUPPORTED|ERR_SSL_|EPROTO)/, error.message);
      assert.match(error.message, /baileys-native (?:cannot verify|does not support)/);

      const { WebSocketClient } = createDropIn({ dialect, webSocketClient: () => Baileys });
      const client = new WebSocketClient(url, config());
      const seen = [];
      client.on('error', ({ message }) => seen.push(message));
      const greeted = nextEvent(client, 'message');
      client.connect();
      // A listener on the socket also gets the events of the other class.
      const onSocket = new Promise(resolve => client.socket.once('open', resolve));
      await onSocket;
      assert.equal(String((await greeted)[0]), 'hello');
      assert.deepEqual(seen, []);
      const gone = closeEvent(client);
      client.socket.terminate();
      await gone;
    }
    // There is one warning for each reason.
    for (const [code, message] of warnings.filter(([code]) => String(code).startsWith('BAILEYS'))) {
      assert.equal(code, 'BAILEYS_NATIVE_TLS');
      assert.match(message, /Baileys' own WebSocketClient/);
    }
  });
}
