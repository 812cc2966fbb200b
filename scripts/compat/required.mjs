/** The rows that docs/compatibility.md must have, and texts that explain its sections. */

import { CLAIMS } from '../../__test__/support/declarations.mjs';

/**
 * A row of a section.
 *
 * @param {string} text
 * @param {RegExp} pattern for the name of the row
 * @returns {[string, RegExp]}
 */
const row = (text, pattern) => [text, pattern];

/**
 * For each option of an agent: a pattern for the name of its row.
 *
 * @type {Record<string, RegExp>}
 */
const AGENT_OPTIONS = {
  ca: /TLS: a self-signed certificate that is trusted/,
  rejectUnauthorized: /TLS: rejectUnauthorized: false, at/,
  servername: /TLS: servername, at/,
  keepAlive: /TLS: .*keepAlive/
};

/**
 * The rows that each section of the document must have: a description, and a pattern for the name of the row. `--check`
 * fails if a row is missing.
 *
 * @type {Record<string, [string, RegExp][]>}
 */
export const REQUIRED = {
  clients: [
    ...['a', 'b'].flatMap(side => [
      row(`texts from ${side}, decrypted and in order`, new RegExp(`^texts from ${side}`)),
      row(`messages to a group from ${side}`, new RegExp(`^group from ${side}`))
    ]),
    ['pre-key bundles', /^pre-keys and key bundles/],
    ['usync device queries', /^usync: numbers and devices/],
    ['usync LID queries', /^usync: LIDs/],
    ['groups, created and looked up', /^group: created/],
    ['presence and chat state', /^presence/],
    ['media connection refused', /^media connection/],
    ['retry receipts', /^retry receipt/],
    ['offline queue', /^away/],
    ['delivery and read receipts', /^delivery receipts/],
    ['a connection that is cut, and saved credentials', /^the connection of b is cut/],
    ['nothing lost or repeated by the socket layer', /^stanzas of all connections/]
  ],
  lines: [
    ['register by --import', /register: an ES module, by --import/],
    ['register by --require', /register: an ES module, by --require/],
    ['register for CommonJS', /register: a CommonJS module/],
    ['@whiskeysockets/baileys', /@whiskeysockets/],
    ['nested copies', /copy below another package/],
    ['pnpm', /pnpm/],
    ['TypeScript runners', /tsx/],
    ['module mocks', /mock/],
    ['patched files', /register: a patched file/],
    ['forks', /register: a fork/],
    ['connect and pair', /pairs/],
    ['log in', /logs in/],
    ['messages', /receives stanzas/]
  ],
  socket: [
    ['open and close, by us', /^connect\(\) opens the connection/],
    ...[1000, 1001, 1011, 3000, 4999, undefined].map(code =>
      row(`the server closes with ${code}`, new RegExp(`server closes with ${code}`))
    ),
    ['refused port', /a refused port/],
    ['unresolvable host', /^a host name that cannot be resolved/],
    ['unresolvable host, by the lookup of an agent', /^the lookup function of an agent/],
    ...['ca', 'rejectUnauthorized', 'servername', 'keepAlive'].map(name =>
      row(`https.Agent: ${name}`, AGENT_OPTIONS[name])
    ),
    ['https.Agent: cert and key', /TLS: a client certificate/],
    ['https.Agent: lookup and localAddress', /^lookup, family and localAddress of an agent/],
    ['TLS: self-signed', /TLS: a self-signed certificate, /],
    ['TLS: wrong name', /TLS: a wrong name/],
    ['TLS: expired', /TLS: an expired/],
    ['TLS: handshake garbage', /TLS: a server without TLS/],
    ...[301, 400, 401, 403, 405, 429, 500, 503].map(status =>
      row(`HTTP ${status}`, new RegExp(`status ${status} instead of 101`))
    ),
    ['bad Sec-WebSocket-Accept', /a wrong Sec-WebSocket-Accept/],
    ['connect timeout', /accepts no connection: the timeout/],
    ['server that never answers', /^a server that never answers/],
    ['drop mid-handshake', /ends in the middle of its answer/],
    ['reset mid-handshake', /reset during the handshake/],
    ['drop mid-frame', /ends in the middle of a payload/],
    ['reset', /resets an open connection/],
    ['close() while connecting', /close\(\) while connecting/],
    ['close() twice', /close\(\) twice/],
    ['close() before connect', /close\(\) before connect/],
    ...['upgrade', 'open', 'message', 'ping', 'pong', 'error', 'close', 'unexpected-response'].map(name =>
      row(`close() inside ${name}`, new RegExp(`close\\(\\) in an? (listener of ${name}|${name} listener)`))
    ),
    ['connect() twice', /connect\(\) twice/],
    ['reconnect on the same object', /^a client connects again after close/],
    ['send in every state', /send\(\) in every state/],
    ['values of each type', /send\(\) with values of each type/],
    ['0 to 16 MiB', /messages of all sizes/],
    ['fragments, text, control frames between', /text, fragments, and control frames/],
    ['masked server frame', /a masked frame/],
    ['reserved bits', /RSV1/],
    ['oversize frame', /longer than 100 MiB/],
    ['invalid UTF-8', /text that is not UTF-8/],
    ['auto-pong', /each ping is answered/],
    ['perMessageDeflate', /without compression/],
    ['listeners added and removed', /listeners that are added and removed/],
    ['1,000 listeners', /1,000 listeners/],
    ['an exception in a listener', /an exception in a listener ends the process/]
  ],
  proxies: [
    ['https-proxy-agent', /https-proxy-agent/],
    ['http-proxy-agent', /http-proxy-agent/],
    ['proxy-agent', /(^|\s)proxy-agent/],
    ...['socks4', 'socks4a', 'socks5', 'socks5h'].map(name => row(name, new RegExp(`${name} with socks-proxy-agent`))),
    ['TLS to the proxy', /TLS to the proxy/],
    ['user and password', /credentials/i],
    ['IPv6', /IPv6/],
    ...[403, 407, 502].map(status => row(`proxy error ${status}`, new RegExp(`${status}`))),
    ['https.Agent options', /localAddress/],
    ['an unsupported agent', /createConnection|unsupported agent/]
  ],
  codec: [
    ...[
      'random nodes, encoded',
      'damaged bytes, decoded',
      'streams of frames',
      'random handshakes',
      'random interleavings',
      'hosted domains',
      'FB JIDs',
      'interop JIDs',
      'empty strings'
    ].map(name => row(name, new RegExp(name))),
    ['promiseTimeout', /^promiseTimeout/]
  ],
  declarations: Object.keys(CLAIMS).map(name => row(name, new RegExp(`^declarations: ${name}$`)))
};

/** A text after the table of a section, which explains it. @type {Record<string, string>} */
export const NOTES = {
  declarations:
    "For each export of index.d.ts and each release line, tsc compiles an assignment of our type to Baileys' type; for types of " +
    "arguments, of Baileys' type to ours. `assignable` under JavaScript: the same assignment with the type of Baileys on both " +
    'sides. `__test__/support/declarations.mjs` lists the exports for which no release line has a type.',
  clients:
    'Each row was measured with a on the native layer and b on JavaScript, and the reverse, and compared with a run with both ' +
    'on JavaScript. The connection of b is cut twice while texts are sent, and b is offline once. The server repeats a text ' +
    'that was in flight at a cut. If Baileys 7 cannot decrypt the repeated text, it requests it from the sender again. ' +
    'Baileys 6 sometimes neither delivers nor acknowledges it, on both layers. The row of the stanzas shows that the socket ' +
    'layer delivers every stanza in all of these cases.'
};
