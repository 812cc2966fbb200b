/** Certificates by options: what Node's TLS takes, and what ours does. Ours is equal, or stricter with a reason. */

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

/** What ours says where it cannot judge. Under register Baileys' own class connects then, and Node judges. */
const UNSUPPORTED = 'ERR_TLS_UNSUPPORTED';
/** What a server says that has no signature scheme in common with a client. */
const NO_SCHEME = 'ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE';

const root = issue({ subject: 'Root', isAuthority: true });
const rsaRoot = issue({ subject: 'RSA root', isAuthority: true, keyKind: 'rsa2048' });
const between = issue({ subject: 'Between', isAuthority: true, issuer: root });
const UNKNOWN_EXTENSION = ['1.3.6.1.4.1.99999.1', true, new Uint8Array([5, 0])];

/** An authority, and a server's certificate by it. */
const by = (authority, leaf = {}, ca = authority.cert) => ({ ...issue({ issuer: authority, ...leaf }), ca });
/** The same with certificates between them, which are sent. */
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
 * What a server shows, with the authority that an agent may name. `ours` has the codes that differ from Node's where the
 * chain is checked, by `trusted` and `untrusted`, or by host within.
 *
 * @type {Record<string, () => { cert: string, key: string, ca: string, ours?: Record<string, string | Record<string, string>> }>}
 */
const CERTIFICATES = {
  ordinary: () => by(root),
  'a chain': () => through([between], {}, root.cert),
  'self-signed': () => itself(),
  'self-signed, an authority': () => itself({ isAuthority: true, usage: null, names: ['localhost', '127.0.0.1'] }),
  'a server that is an authority': () => ({
    ...by(root, { isAuthority: true, usage: null, names: ['localhost', '127.0.0.1'] }),
    ours: { trusted: UNSUPPORTED, untrusted: UNSUPPORTED }
  }),
  'version 1': () => ({ ...by(root, { version: 1 }), ours: { trusted: UNSUPPORTED, untrusted: UNSUPPORTED } }),
  'version 1, self-signed': () => ({ ...itself({ version: 1 }), ours: { trusted: { localhost: UNSUPPORTED } } }),
  'an authority of version 1': () => by(issue({ subject: 'V1', version: 1, isAuthority: true })),
  'RSA-2048': () => by(root, { keyKind: 'rsa2048' }),
  'RSA-1024': () => ({ ...by(root, { keyKind: 'rsa1024' }), ours: { trusted: UNSUPPORTED } }),
  'an authority of RSA-1024': () => ({
    ...by(issue({ subject: 'Weak', isAuthority: true, keyKind: 'rsa1024' })),
    ours: { trusted: UNSUPPORTED }
  }),
  'P-384': () => by(root, { keyKind: 'p384' }),
  'P-521': () => ({ ...by(root, { keyKind: 'p521' }), ours: { trusted: NO_SCHEME, untrusted: NO_SCHEME } }),
  'an authority of P-521': () => ({
    ...by(issue({ subject: 'Large', isAuthority: true, keyKind: 'p521' }), { hash: 'sha512' }),
    ours: { trusted: UNSUPPORTED }
  }),
  Ed25519: () => by(root, { keyKind: 'ed25519' }),
  'an authority of Ed25519': () => by(issue({ subject: 'Edwards', isAuthority: true, keyKind: 'ed25519' })),
  'signed by PSS': () => by(rsaRoot, { isPss: true }),
  'a key for PSS alone': () => ({
    ...by(root, { keyKind: 'pss' }),
    ours: { trusted: NO_SCHEME, untrusted: NO_SCHEME }
  }),
  'an authority with a key for PSS alone': () => ({
    ...by(issue({ subject: 'PSS', isAuthority: true, keyKind: 'pss' })),
    ours: { trusted: UNSUPPORTED }
  }),
  'signed by SHA-1': () => ({ ...by(rsaRoot, { hash: 'sha1' }), ours: { trusted: UNSUPPORTED } }),
  'an unknown critical extension': () => ({
    ...by(root, { others: [UNKNOWN_EXTENSION] }),
    ours: { trusted: UNSUPPORTED, untrusted: UNSUPPORTED }
  }),
  'an authority with an unknown critical extension': () => ({
    ...through([sub({ others: [UNKNOWN_EXTENSION] })], {}, root.cert),
    ours: { trusted: UNSUPPORTED, untrusted: UNSUPPORTED }
  }),
  'an unknown extension': () => by(root, { others: [['1.3.6.1.4.1.99999.1', false, new Uint8Array([5, 0])]] }),
  'a common name alone': () => by(root, { names: [], subject: 'localhost' }),
  'a common name alone, another one': () => by(root, { names: [], subject: 'other.test' }),
  'a common name, and other names': () => by(root, { names: ['other.test'], subject: 'localhost' }),
  'an address alone, and the common name': () => by(root, { names: ['127.0.0.1'], subject: 'localhost' }),
  'an address alone, and another common name': () => by(root, { names: ['127.0.0.1'], subject: 'other.test' }),
  'another address': () => by(root, { names: ['192.0.2.7', 'localhost'] }),
  'a name with an asterisk': () => by(root, { names: ['local*', '*host', '*'] }),
  'a wrong name': () => by(root, { names: ['other.test', '*.more.test'] }),
  expired: () => by(root, { from: -30, to: -2 }),
  'of the future': () => by(root, { from: 2 }),
  'an expired authority': () => by(issue({ subject: 'Old', isAuthority: true, from: -30, to: -2 })),
  'an authority of the future': () => by(issue({ subject: 'Young', isAuthority: true, from: 2 })),
  'expired between': () => ({
    ...through([sub({ from: -30, to: -2 })], {}, root.cert),
    ours: { untrusted: 'CERT_HAS_EXPIRED' }
  }),
  'CA:FALSE as the authority': () => ({
    ...by(issue({ subject: 'No', isAuthority: false, usage: null })),
    ours: { trusted: 'INVALID_CA' }
  }),
  'CA:FALSE between': () => ({
    ...through([sub({ isAuthority: false, usage: null })], {}, root.cert),
    ours: { trusted: 'INVALID_CA', untrusted: 'INVALID_CA' }
  }),
  'an authority without basic constraints': () => ({
    ...by(issue({ subject: 'Bare', isAuthority: null, usage: null })),
    ours: { trusted: 'INVALID_CA' }
  }),
  'an authority without basic constraints, for signing': () =>
    by(issue({ subject: 'Bare', isAuthority: null, usage: KeyUsageFlags.keyCertSign })),
  'an authority whose key may not sign certificates': () => ({
    ...by(issue({ subject: 'Mute', isAuthority: true, usage: KeyUsageFlags.cRLSign })),
    ours: { trusted: 'INVALID_CA' }
  }),
  'an authority between as the root': () => through([between], {}, between.cert),
  'the server itself as the root, signed by another': () => {
    const made = by(root);
    return { ...made, ca: made.cert };
  },
  'an authority between that is named and not sent': () => by(between, {}, root.cert + between.cert),
  'a path that is too long': () => {
    const short = issue({ subject: 'Short', isAuthority: true, pathLength: 0 });
    return through([sub({}, short)], {}, short.cert);
  },
  'a path between that is too long': () => {
    const first = sub({ subject: 'First', pathLength: 0 });
    return through([sub({}, first), first], {}, root.cert);
  },
  'for clients alone': () => ({ ...by(root, { purposes: [PURPOSES.client] }), ours: { untrusted: 'INVALID_PURPOSE' } }),
  'for any purpose': () => ({ ...by(root, { purposes: [PURPOSES.any] }), ours: { untrusted: 'INVALID_PURPOSE' } }),
  'for servers and clients': () => by(root, { purposes: [PURPOSES.server, PURPOSES.client] }),
  'an authority for signing code': () =>
    by(issue({ subject: 'Coder', isAuthority: true, purposes: [PURPOSES.codeSigning] })),
  'a key that may only sign certificates': () => by(root, { usage: KeyUsageFlags.keyCertSign }),
  'a key without a stated use': () => by(root, { usage: null }),
  'a signature that is wrong': () => by(root, { isTampered: true }),
  'the name of a trusted authority': () => by(issue({ subject: 'Root', isAuthority: true }), {}, root.cert),
  'the subject of its authority': () => by(root, { subject: 'Root' })
};

/** How the chain is checked, by name. */
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

/** What Node's TLS says: `taken`, or the code of its error. */
function askNode(host, port, options) {
  return new Promise(resolve => {
    const socket = tls.connect({ host, port, servername: host === 'localhost' ? host : '', ...options }, () => {
      resolve('taken');
      socket.destroy();
    });
    socket.on('error', ({ code }) => resolve(code));
  });
}

/** What ours says. */
function askOurs(host, port, options) {
  const client = new NativeClient(`wss://${host}:${port}/`, {
    agent: new https.Agent(options),
    connectTimeoutMs: 10_000
  });
  return new Promise(resolve => {
    client.on('open', () => {
      resolve('taken');
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
    const told = {};
    const ownFaults = [];
    try {
      for (const [check, options] of Object.entries(CHECKS)) {
        for (const host of HOSTS) {
          const expected = await askNode(host, server.port, options(ca));
          const actual = await askOurs(host, server.port, options(ca));
          (told[check] ??= []).push(expected);
          // Refused where Node takes or refuses it: never the other way round.
          if (actual !== (ours[check]?.[host] ?? (typeof ours[check] === 'string' ? ours[check] : expected)))
            ownFaults.push(`${check}, ${host}: Node ${expected}, ours ${actual}`);
          if (actual === 'taken') assert.equal(expected, 'taken', `${check}, ${host}: Node refuses it`);
        }
      }
    } finally {
      server.close();
    }
    assert.deepEqual(ownFaults, []);
    const javascript = Object.entries(told)
      .map(([check, verdicts]) => `${check}: ${[...new Set(verdicts)].join(' / ')}`)
      .join(', ');
    // The codes of a refusal that both make are words.
    const isStricter = JSON.stringify(ours).includes(UNSUPPORTED) || JSON.stringify(ours).includes(NO_SCHEME);
    const id = isStricter ? 'certificates' : 'words-of-tls';
    const native = Object.keys(ours).length === 0 ? 'same' : `as registered: ${id}`;
    assert.ok(SOCKET_DIFFERENCES.some(known => known.id === id));
    for (const line of LINES) record({ section: 'tls', behaviour: name, line: line.name, javascript, native });
  });
}

// Baileys' client is one of Node's TLS; that its agent says the same is compared in websocket-tls.test.mjs.
before(() => {
  delete process.env.NODE_TLS_REJECT_UNAUTHORIZED;
});
after(() => https.globalAgent.destroy());
