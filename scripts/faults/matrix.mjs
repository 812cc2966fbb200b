// The rows of the fault matrix, and the outcomes that may differ between layers.

/**
 * @typedef {object} FaultRow
 * @property {string} name
 * @property {'ends' | 'endsAfterLogin' | 'endsWithoutMemory' | 'staysOpen' | 'clockJumps'} scenario See client.mjs.
 * @property {import('../../__test__/support/relay.mjs').Conditions} [conditions]
 * @property {import('../../__test__/support/relay.mjs').FaultKind} [faultAfterLogin]
 * @property {number} [stopMs] Milliseconds for which the process of the client is stopped (SIGSTOP) after the login.
 * @property {string} [url] The URL to connect to. Default: the server's.
 * @property {'descriptors' | 'memory'} [without] What the process of the client has used up.
 * @property {boolean} [tls] Whether the server uses TLS. Then the place of a fault is the index of a byte.
 * @property {number} [jumpMs] By how many milliseconds the clock of the client jumps.
 * @property {number} [messageBytes] The server only sends a WebSocket message of this length.
 * @property {number} [stanzas] The number of stanzas sent to the client.
 * @property {number} [sends] The number of stanzas sent by the client.
 * @property {number} [bytes] The length of the content of each stanza.
 */

const PHASES = /** @type {const} */ (['accept', 'upgrade', 'hello', 'success']);
const KINDS = /** @type {const} */ (['fin', 'reset', 'silence', 'corrupt']);

/** For a server with TLS 1.3: the index of a byte of its ServerHello, and of one of its certificate. */
const TLS_PLACES = { ServerHello: 50, 'the certificate': 600 };

/** @type {FaultRow[]} */
export const ROWS = [
  ...PHASES.flatMap(phase =>
    KINDS.filter(kind => kind !== 'corrupt' || phase !== 'accept').map(kind => ({
      name: `${phase}: ${kind}`,
      scenario: /** @type {const} */ ('ends'),
      conditions: { fault: { kind, phase } }
    }))
  ),
  ...KINDS.map(kind => ({
    name: `logged in: ${kind}`,
    scenario: /** @type {const} */ ('endsAfterLogin'),
    faultAfterLogin: kind
  })),
  ...Object.entries(TLS_PLACES).flatMap(([place, at]) =>
    KINDS.map(kind => ({
      name: `TLS, ${place}: ${kind}`,
      scenario: /** @type {const} */ ('ends'),
      tls: true,
      conditions: { fault: { kind, at } }
    }))
  ),
  ...Object.entries(TLS_PLACES).map(([place, at]) => ({
    name: `TLS, ${place}: reads that stall for a second`,
    scenario: /** @type {const} */ ('staysOpen'),
    tls: true,
    conditions: { fault: { kind: /** @type {const} */ ('stall'), at } },
    stanzas: 20,
    sends: 20,
    bytes: 64
  })),
  ...PHASES.map(phase => ({
    name: `${phase}: reads that stall for a second`,
    scenario: /** @type {const} */ ('staysOpen'),
    conditions: { fault: { kind: /** @type {const} */ ('stall'), phase } },
    stanzas: 20,
    sends: 20,
    bytes: 64
  })),
  {
    name: 'logged in: reads that stall until all buffers are full',
    scenario: 'staysOpen',
    faultAfterLogin: 'stall',
    stanzas: 250,
    sends: 250,
    bytes: 32 * 1024
  },
  {
    name: 'latency of 40 ms',
    scenario: 'staysOpen',
    conditions: { latencyMs: 40 },
    stanzas: 100,
    sends: 100,
    bytes: 64
  },
  {
    name: '100 KB/s',
    scenario: 'staysOpen',
    conditions: { bytesPerSecond: 100_000 },
    stanzas: 50,
    sends: 50,
    bytes: 2048
  },
  { name: 'no such host', scenario: 'ends', url: 'ws://no-such-host.invalid/ws/chat' }
];

/** Rows that need their own client process, because the fault affects the process. */
export const PROCESS_ROWS = /** @type {FaultRow[]} */ ([
  { name: 'stopped for 8 s (SIGSTOP)', scenario: 'staysOpen', stopMs: 8000, stanzas: 40, sends: 0, bytes: 64 },
  { name: 'the clock jumps forward by an hour', scenario: 'clockJumps', jumpMs: 3_600_000 },
  { name: 'the clock jumps back by an hour', scenario: 'clockJumps', jumpMs: -3_600_000 },
  { name: 'no descriptors left (EMFILE)', scenario: 'ends', without: 'descriptors' },
  { name: 'no memory left for a message', scenario: 'endsWithoutMemory', without: 'memory', messageBytes: 100 << 20 }
]);

const QUERY_ERROR = 'Baileys rejects the query with the close code, a number';

/**
 * The rows in which an outcome differs from that on JavaScript: the outcome, and the reason why it is accepted. In all
 * other rows the outcome is the same; that of a session has the same status code.
 *
 * @type {Record<string, { native?: [RegExp, string], session?: [RegExp, string] }>}
 */
export const DIFFERENCES = {
  // The RST arrives before or after the client knows that it is connected, on every layer.
  'accept: reset': {
    native: [
      /^408 WebSocket Error \((?:read ECONNRESET|connect ECONNRESET 127\.0\.0\.1:<port>)\)$/,
      'the code is the same; the message depends on the time at which the RST arrives'
    ]
  },
  'upgrade: reset': {
    native: [/^408 WebSocket Error/, 'the code is the same; the message names the error of the system']
  },
  'upgrade: corrupt': {
    native: [/^500 WebSocket Error \(Parse Error: /, 'the message depends on the version of the HTTP parser in Node'],
    session: [/^408 transport: /, 'a session connects again after this code']
  },
  ...Object.fromEntries(
    Object.keys(TLS_PLACES).map(place => [
      `TLS, ${place}: reset`,
      {
        native: [
          /^408 WebSocket Error/,
          'the code is the same; the message depends on the time at which the RST arrives'
        ]
      }
    ])
  ),
  ...Object.fromEntries(
    Object.keys(TLS_PLACES).map(place => [
      `TLS, ${place}: corrupt`,
      {
        native: [
          /^408 WebSocket Error \(SSL routines: cannot decrypt peer's message\)$/,
          'the code is the same; the message of OpenSSL has an address and its source line'
        ]
      }
    ])
  ),
  'success: corrupt': {
    native: [
      /^408 WebSocket Error \(Unsupported state/,
      'Baileys on JavaScript may stay connected and receive nothing'
    ],
    session: [/^428 noise: /, 'a session connects again after this code']
  },
  'logged in: fin': {
    session: [/^428 transportClosed: .*; query: 428 Connection Closed$/, QUERY_ERROR]
  },
  'logged in: reset': {
    session: [/^428 transportClosed: .*; query: 428 Connection Closed$/, QUERY_ERROR]
  },
  'logged in: silence': {
    session: [
      /^408 silence: .*; query: 408 Connection Closed$/,
      'the query of Baileys resolves without an answer after its timeout'
    ]
  },
  'logged in: corrupt': {
    native: [
      /^408 WebSocket Error \(Unsupported state/,
      'Baileys on JavaScript may stay connected and receive nothing'
    ],
    session: [/^428 noise: /, 'a session connects again after this code']
  },
  'stopped for 8 s (SIGSTOP)': {
    native: [
      /^alive; 40 in/,
      'Baileys on JavaScript may close the connection, because it received nothing during the pause'
    ],
    session: [/^alive; 40 in/, 'the same as on the drop-in']
  },
  'the clock jumps forward by an hour': {
    session: [/^alive$/, 'a session measures silence by a clock that does not jump']
  },
  'no descriptors left (EMFILE)': {
    native: [
      /^408 WebSocket Error \(connect EMFILE/,
      'the message of Node also has the local address, which is undefined'
    ]
  },
  'no memory left for a message': {
    native: [/^408 WebSocket Error \(Out of memory for received messages\)$/, 'on JavaScript the process ends'],
    session: [/^408 transport: .*Out of memory for received messages/, 'the same as on the drop-in']
  }
};
