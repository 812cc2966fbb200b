/** Certificates that Node's TLS and ours accept or refuse. Ours has the same result, or refuses for a listed reason. */

import assert from 'node:assert/strict';
import { once } from 'node:events';
import https from 'node:https';
import { after, before, test } from 'node:test';
import tls from 'node:tls';
import { WebSocketServer } from 'ws';
import { record } from '../support/record.mjs';
import { LINES, NativeClient } from '../support/socket-log.mjs';
import { SOCKET_DIFFERENCES } from '../support/socket-differences.mjs';
import { KeyUsageFlags, PURPOSES, issue } from '../support/x509.mjs';

/** Our error code for a certificate that cannot be verified. Under register Baileys' own class makes the connection then. */
const UNSUPPORTED = 'ERR_TLS_UNSUPPORTED';
/** The error code for a server that has no signature scheme in common with the client. */
const NO_SCHEME = 'ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE';

const root = issue({ subject: 'Root', isAuthority: true });
const rsaRoot = issue({ subject: 'RSA root', isAuthority: true, keyKind: 'rsa2048' });
const between = issue({ subject: 'Between', isAuthority: true, issuer: root });
const UNKNOWN_EXTENSION = ['1.3.6.1.4.1.99999.1', true, new Uint8Array([5, 0])];

/** A server certificate of an authority. */
const by = (authority, leaf = {}, ca = authority.cert) => ({ ...issue({ issuer: authority, ...leaf }), ca });
/** A server certificate with intermediate certificates, which the server sends. */
const through = (authorities, leaf, ca) => {
  const made = by(authorities[0], leaf, ca);
  return { ...made, cert: [made, ...authorities].map(({ cert }) => cert).join('') };
};
const itself = options => {
  const made = issue(options);
  return { ...made, ca: made.cert };
};
const sub = (options, issuer = root) => issue({ subject: 'Sub', isAuthority: true, issuer, ...options });

/**
 * The certificates of servers, with the authority that an agent may trust (`ca`). `ours` has our error codes that differ
 * from those of Node, by the name of a check, and by host if they depend on it.
 *
 * @type {Record<string, () => { cert: string, key: string, ca: string, ours?: Record<string, string | Record<string, string>> }>}
 */
const CERTIFICATES = {
  'a certificate of a trusted authority': () => by(root),
  'a chain with an intermediate certificate': () => through([between], {}, root.cert),
  'a self-signed certificate': () => itself(),
  'a self-signed certificate with CA:TRUE': () =>
    itself({ isAuthority: true, usage: null, names: ['localhost', '127.0.0.1'] }),
  'a server certificate with CA:TRUE': () => ({
    ...by(root, { isAuthority: true, usage: null, names: ['localhost', '127.0.0.1'] }),
    ours: { trusted: UNSUPPORTED, untrusted: UNSUPPORTED }
  }),
  'a certificate of X.509 version 1': () => ({
    ...by(root, { version: 1 }),
    ours: { trusted: UNSUPPORTED, untrusted: UNSUPPORTED }
  }),
  'a self-signed certificate of X.509 version 1': () => ({
    ...itself({ version: 1 }),
    ours: { trusted: { localhost: UNSUPPORTED } }
  }),
  'an authority with a certificate of X.509 version 1': () =>
    by(issue({ subject: 'V1', version: 1, isAuthority: true })),
  'an RSA key of 2048 bits': () => by(root, { keyKind: 'rsa2048' }),
  'an RSA key of 1024 bits': () => ({ ...by(root, { keyKind: 'rsa1024' }), ours: { trusted: UNSUPPORTED } }),
  'an authority with an RSA key of 1024 bits': () => ({
    ...by(issue({ subject: 'Weak', isAuthority: true, keyKind: 'rsa1024' })),
    ours: { trusted: UNSUPPORTED }
  }),
  'a P-384 key': () => by(root, { keyKind: 'p384' }),
  'a P-521 key': () => ({ ...by(root, { keyKind: 'p521' }), ours: { trusted: NO_SCHEME, untrusted: NO_SCHEME } }),
  'an authority with a P-521 key': () => ({
    ...by(issue({ subject: 'Large', isAuthority: true, keyKind: 'p521' }), { hash: 'sha512' }),
    ours: { trusted: UNSUPPORTED }
  }),
  'an Ed25519 key': () => by(root, { keyKind: 'ed25519' }),
  'an authority with an Ed25519 key': () => by(issue({ subject: 'Edwards', isAuthority: true, keyKind: 'ed25519' })),
  'a signature by RSA-PSS': () => by(rsaRoot, { isPss: true }),
  'a key only for RSA-PSS': () => ({
    ...by(root, { keyKind: 'pss' }),
    ours: { trusted: NO_SCHEME, untrusted: NO_SCHEME }
  }),
  'an authority with a key only for RSA-PSS': () => ({
    ...by(issue({ subject: 'PSS', isAuthority: true, keyKind: 'pss' })),
    ours: { trusted: UNSUPPORTED }
  }),
  'a signature by RSA with SHA-1': () => ({ ...by(rsaRoot, { hash: 'sha1' }), ours: { trusted: UNSUPPORTED } }),
  'an unknown critical extension': () => ({
    ...by(root, { others: [UNKNOWN_EXTENSION] }),
    ours: { trusted: UNSUPPORTED, untrusted: UNSUPPORTED }
  }),
  'an intermediate certificate with an unknown critical extension': () => ({
    ...through([sub({ others: [UNKNOWN_EXTENSION] })], {}, root.cert),
    ours: { trusted: UNSUPPORTED, untrusted: UNSUPPORTED }
  }),
  'an unknown extension that is not critical': () =>
    by(root, { others: [['1.3.6.1.4.1.99999.1', false, new Uint8Array([5, 0])]] }),
  'no alternative names, and a common name that matches': () => by(root, { names: [], subject: 'localhost' }),
  'no alternative names, and a common name that does not match': () => by(root, { names: [], subject: 'other.test' }),
  'alternative names that do not match, and a common name that matches': () =>
    by(root, { names: ['other.test'], subject: 'localhost' }),
  'only an address, and a common name that matches': () => by(root, { names: ['127.0.0.1'], subject: 'localhost' }),
  'only an address, and a common name that does not match': () =>
    by(root, { names: ['127.0.0.1'], subject: 'other.test' }),
  'an address that does not match': () => by(root, { names: ['192.0.2.7', 'localhost'] }),
  'names with a wildcard': () => by(root, { names: ['local*', '*host', '*'] }),
  'names that do not match': () => by(root, { names: ['other.test', '*.more.test'] }),
  'an expired certificate': () => by(root, { from: -30, to: -2 }),
  'a certificate that is not valid yet': () => by(root, { from: 2 }),
  'an expired authority': () => by(issue({ subject: 'Old', isAuthority: true, from: -30, to: -2 })),
  'an authority that is not valid yet': () => by(issue({ subject: 'Young', isAuthority: true, from: 2 })),
  'an expired intermediate certificate': () => ({
    ...through([sub({ from: -30, to: -2 })], {}, root.cert),
    ours: { untrusted: 'CERT_HAS_EXPIRED' }
  }),
  'an authority with CA:FALSE': () => ({
    ...by(issue({ subject: 'No', isAuthority: false, usage: null })),
    ours: { trusted: 'INVALID_CA' }
  }),
  'an intermediate certificate with CA:FALSE': () => ({
    ...through([sub({ isAuthority: false, usage: null })], {}, root.cert),
    ours: { trusted: 'INVALID_CA', untrusted: 'INVALID_CA' }
  }),
  'an authority without basic constraints': () => ({
    ...by(issue({ subject: 'Bare', isAuthority: null, usage: null })),
    ours: { trusted: 'INVALID_CA' }
  }),
  'an authority without basic constraints, with a key usage for signing': () =>
    by(issue({ subject: 'Bare', isAuthority: null, usage: KeyUsageFlags.keyCertSign })),
  'an authority whose key may not sign certificates': () => ({
    ...by(issue({ subject: 'Mute', isAuthority: true, usage: KeyUsageFlags.cRLSign })),
    ours: { trusted: 'INVALID_CA' }
  }),
  'an intermediate certificate as the trusted root': () => through([between], {}, between.cert),
  'a server certificate as the trusted root, signed by another authority': () => {
    const made = by(root);
    return { ...made, ca: made.cert };
  },
  'an intermediate certificate that is trusted and not sent': () => by(between, {}, root.cert + between.cert),
  'a chain that is longer than its root allows': () => {
    const short = issue({ subject: 'Short', isAuthority: true, pathLength: 0 });
    return through([sub({}, short)], {}, short.cert);
  },
  'a chain that is longer than an intermediate certificate allows': () => {
    const first = sub({ subject: 'First', pathLength: 0 });
    return through([sub({}, first), first], {}, root.cert);
  },
  'a certificate only for clients': () => ({
    ...by(root, { purposes: [PURPOSES.client] }),
    ours: { untrusted: 'INVALID_PURPOSE' }
  }),
  'a certificate for any purpose': () => ({
    ...by(root, { purposes: [PURPOSES.any] }),
    ours: { untrusted: 'INVALID_PURPOSE' }
  }),
  'a certificate for servers and clients': () => by(root, { purposes: [PURPOSES.server, PURPOSES.client] }),
  'an authority only for code signing': () =>
    by(issue({ subject: 'Coder', isAuthority: true, purposes: [PURPOSES.codeSigning] })),
  'a key that may only sign certificates': () => by(root, { usage: KeyUsageFlags.keyCertSign }),
  'a certificate without a key usage': () => by(root, { usage: null }),
  'an invalid signature': () => by(root, { isTampered: true }),
  'an unknown authority with the name of a trusted one': () =>
    by(issue({ subject: 'Root', isAuthority: true }), {}, root.cert),
  'a certificate with the subject of its authority': () => by(root, { subject: 'Root' })
};

/** The options of the agent, by the name of the check. */
const CHECKS = {
  trusted: ca => ({ ca }),
  untrusted: () => ({}),
  unchecked: ca => ({ ca, rejectUnauthorized: false })
};
const HOSTS = ['localhost', '127.0.0.1'];

async function start({ cert, key }) {
  const server = https.createServer({ cert, key, ciphers: 'DEFAULT:@SECLEVEL=0' });
  const wss = new WebSocketServer({ server });
  wss.on('connection', socket => socket.on('error', () => {}));
  server.on('tlsClientError', () => {});
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: server.address().port,
    close() {
      for (const socket of wss.clients) socket.terminate();
      server.close();
      server.closeAllConnections();
    }
  };
}

/** Resolves with `accepted`, or with the error code of Node's TLS. */
function askNode(host, port, options) {
  return new Promise(resolve => {
    const socket = tls.connect({ host, port, servername: host === 'localhost' ? host : '', ...options }, () => {
      resolve('accepted');
      socket.destroy();
    });
    socket.on('error', ({ code }) => resolve(code));
  });
}

/** Resolves with `accepted`, or with our error code. */
function askOurs(host, port, options) {
  const client = new NativeClient(`wss://${host}:${port}/`, {
    agent: new https.Agent(options),
    connectTimeoutMs: 10_000
  });
  return new Promise(resolve => {
    client.on('open', () => {
      resolve('accepted');
      client.socket.terminate();
    });
    client.on('error', ({ code, message }) => resolve(code ?? message));
    client.connect();
  });
}

for (const [name, make] of Object.entries(CERTIFICATES)) {
  test(`certificate: ${name}`, { timeout: 60_000 }, async () => {
    const { ours = {}, ca, ...shown } = make();
    const server = await start(shown);
    const results = {};
    const differences = [];
    try {
      for (const [check, options] of Object.entries(CHECKS)) {
        for (const host of HOSTS) {
          const expected = await askNode(host, server.port, options(ca));
          const actual = await askOurs(host, server.port, options(ca));
          (results[check] ??= []).push(expected);
          // Ours may refuse what Node accepts, but never the reverse.
          if (actual !== (ours[check]?.[host] ?? (typeof ours[check] === 'string' ? ours[check] : expected)))
            differences.push(`${check}, ${host}: Node ${expected}, ours ${actual}`);
          if (actual === 'accepted') assert.equal(expected, 'accepted', `${check}, ${host}: Node refuses it`);
        }
      }
    } finally {
      server.close();
    }
    assert.deepEqual(differences, []);
    const javascript = Object.entries(results)
      .map(([check, verdicts]) => `${check}: ${[...new Set(verdicts)].join(' / ')}`)
      .join(', ');
    // Both refuse, with different codes.
    const isStricter = JSON.stringify(ours).includes(UNSUPPORTED) || JSON.stringify(ours).includes(NO_SCHEME);
    const id = isStricter ? 'certificates' : 'texts-of-tls-errors';
    const native = Object.keys(ours).length === 0 ? 'same' : `as registered: ${id}`;
    assert.ok(SOCKET_DIFFERENCES.some(known => known.id === id));
    for (const line of LINES) record({ section: 'tls', behaviour: name, line: line.name, javascript, native });
  });
}

// Baileys' client uses Node's TLS. websocket-tls.test.mjs compares both clients.
before(() => {
  delete process.env.NODE_TLS_REJECT_UNAUTHORIZED;
});
after(() => https.globalAgent.destroy());
