// The faults of the mock server, with an unmodified Baileys 7.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { after, before, describe, test } from 'node:test';
import * as baileys from 'baileys';
import { MockServer, parseQr } from '../../js/testing/index.mjs';
import { NoiseAuthority } from '../../js/testing/certificate.mjs';
import { verifySignature } from '../../js/testing/xeddsa.mjs';
import { closed, connectionUpdate, openSocket, ping } from '../support/baileys-client.mjs';
import { logInDevice, root, trustRoot } from '../support/mock-clients.mjs';

trustRoot();

describe('faults of the mock server', () => {
  let server;
  before(async () => {
    server = await MockServer.start({ root });
  });
  after(() => server.stop());

  for (const [name, faults, message] of [
    ['a certificate of another issuer', { certificate: 'wrong-issuer' }, /certification match failed/],
    ['a chain without a leaf certificate', { certificate: 'no-leaf' }, /invalid noise leaf certificate/],
    ['an invalid handshake', { garbageHandshake: true }, /^(?!.*timed out)./i]
  ]) {
    test(`Baileys ends the connection for ${name}`, async () => {
      server.faults = faults;
      const error = await closed(openSocket({ baileys, server }));
      assert.match(error.message, message);
    });
  }

  for (const [name, faults, message, connectTimeoutMs] of [
    [
      'HTTP 503 on a connection that stays open',
      { httpStatus: 503, httpHeaders: { Connection: 'keep-alive' } },
      /timed out/,
      500
    ],
    ['no answer to the upgrade', { stallUpgrade: true }, /timed out/, 500],
    // The WebSocket must be open before this time.
    ['no answer to the handshake', { stallHandshake: true }, /Timed Out/, 8_000]
  ]) {
    test(`the connection of Baileys times out for ${name}`, async () => {
      server.faults = faults;
      const error = await closed(openSocket({ baileys, server, config: { connectTimeoutMs } }));
      assert.match(error.message, message);
    });
  }

  test('an HTTP status instead of the upgrade reaches the socket', async t => {
    // Baileys has a listener for `unexpected-response`, so `ws` leaves the request open. Baileys does not end it, so the
    // test does.
    server.faults = { httpStatus: 429, httpHeaders: { 'Retry-After': '1' } };
    const sock = openSocket({ baileys, server });
    t.after(async () => {
      sock.ws.socket.terminate();
      await sock.end(undefined);
    });
    const [, response] = await once(sock.ws, 'unexpected-response');
    assert.equal(response.statusCode, 429);
    assert.equal(response.headers['retry-after'], '1');
  });

  test('Baileys accepts certificates if it does not check their fault', async () => {
    for (const certificate of ['wrong-root', 'tampered-leaf', 'tampered-intermediate', 'wrong-leaf-key', 'expired']) {
      server.faults = { certificate };
      const sock = openSocket({ baileys, server });
      const { qr } = await connectionUpdate(sock, update => update.qr);
      assert.ok(parseQr(qr).ref.startsWith('2@'));
      // Not awaited: Baileys waits for the `close` event, also if it was emitted before.
      sock.end(undefined).catch(() => {});
    }
  });

  test('the certificate chain is valid; each fault changes only the part in its name', () => {
    const authority = new NoiseAuthority({ curve: baileys.Curve, proto: baileys.proto }, root);
    const { CertChain } = baileys.proto;
    const inspect = fault => {
      const { leaf, intermediate } = CertChain.decode(authority.chain(fault));
      const [issuer, subject] = [intermediate, leaf].map(({ details }) =>
        CertChain.NoiseCertificate.Details.toObject(CertChain.NoiseCertificate.Details.decode(details), {
          longs: Number
        })
      );
      return {
        root: verifySignature(root.public, intermediate.details, intermediate.signature),
        leaf: verifySignature(issuer.key, leaf.details, leaf.signature),
        issuer: issuer.issuerSerial === 0 && subject.issuerSerial === issuer.serial,
        key: authority.staticKeyPair.public.equals(subject.key),
        dates: [issuer, subject].every(({ notBefore, notAfter }) => {
          const now = Date.now() / 1000;
          return notBefore < now && now < notAfter;
        })
      };
    };
    const good = { root: true, leaf: true, issuer: true, key: true, dates: true };
    assert.deepEqual(inspect(), good);
    assert.deepEqual(inspect('wrong-root'), { ...good, root: false });
    assert.deepEqual(inspect('wrong-issuer'), { ...good, issuer: false });
    assert.deepEqual(inspect('wrong-leaf-key'), { ...good, key: false });
    assert.deepEqual(inspect('tampered-leaf'), { ...good, leaf: false });
    assert.deepEqual(inspect('tampered-intermediate'), { ...good, root: false });
    assert.deepEqual(inspect('expired'), { ...good, dates: false });
  });

  test('the mock server verifies signatures', () => {
    for (let round = 0; round < 20; round++) {
      const pair = baileys.Curve.generateKeyPair();
      const message = Buffer.from(`message ${round}`);
      const signature = baileys.Curve.sign(pair.private, message);
      assert.ok(verifySignature(pair.public, message, signature));
      assert.ok(!verifySignature(root.public, message, signature));
      assert.ok(!verifySignature(pair.public, Buffer.from('another'), signature));
      assert.ok(!verifySignature(pair.public, message, signature.subarray(1)));
    }
  });

  test('the mock server can delay answers', async t => {
    const delayed = await logInDevice(t);
    delayed.connection.faults.delayMs = 60;
    const started = performance.now();
    await ping(delayed.sock);
    assert.ok(performance.now() - started >= 55);
  });

  test('the mock server refuses an unknown fault', async () => {
    assert.throws(() => (server.faults = { certificate: 'none' }), /no such certificate fault/);
    await assert.rejects(MockServer.start({ faults: { certificate: 'none' } }), /no such certificate fault/);
    assert.throws(() => (server.faults = { stallLogins: true }), /no such fault: stallLogins/);
    assert.throws(() => (server.faults = 'stallLogin'), /faults must be an object/);
    server.faults = undefined;
    assert.deepEqual(server.faults, {});
  });

  test('a client that does not trust the TLS certificate cannot connect', async () => {
    server.faults = {};
    const error = await closed(openSocket({ baileys, server: { url: server.url } }));
    assert.match(error.message, /self.signed certificate|unable to verify|unable to get local issuer/);
  });

  test('a client with a wrong first message is disconnected and reported', async () => {
    server.faults = {};
    const { default: WebSocket } = await import('ws');
    const socket = new WebSocket(server.url, { ca: server.ca });
    const failed = new Promise(resolve => server.once('failure', error => resolve(error)));
    const dropped = new Promise(resolve => socket.on('close', resolve));
    socket.on('open', () => socket.send(Buffer.from('hello there')));
    assert.match((await failed).message, /not with a WA header/);
    await dropped;
  });
});
