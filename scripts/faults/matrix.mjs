// The rows of the fault matrix, and the outcomes that may differ between layers.

/**
 * @typedef {object} Row
 * @property {string} name
 * @property {'ends' | 'endsOpen' | 'lives'} scenario
 * @property {import('../../__test__/support/relay.mjs').Conditions} [conditions]
 * @property {import('../../__test__/support/relay.mjs').FaultKind} [strike] A fault after the login.
 * @property {number} [stopMs] Milliseconds for which the process of the client is stopped (SIGSTOP) after the login.
 * @property {string} [url] The URL to connect to. Default: the server's.
 * @property {boolean} [withoutDescriptors]
 * @property {number} [stanzas] The number of stanzas sent to the client.
 * @property {number} [sends] The number of stanzas sent by the client.
 * @property {number} [bytes] The length of the content of each stanza.
 */

const PHASES = /** @type {const} */ (['accept', 'upgrade', 'hello', 'success']);
const KINDS = /** @type {const} */ (['fin', 'reset', 'silence', 'corrupt']);

/** @type {Row[]} */
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
    scenario: /** @type {const} */ ('endsOpen'),
    strike: kind
  })),
  { name: 'logged in: stalled reads', scenario: 'lives', strike: 'stall', stanzas: 500, sends: 500, bytes: 8192 },
  { name: 'latency of 40 ms', scenario: 'lives', conditions: { latencyMs: 40 }, stanzas: 100, sends: 100, bytes: 64 },
  {
    name: '100 KB/s',
    scenario: 'lives',
    conditions: { bytesPerSecond: 100_000 },
    stanzas: 50,
    sends: 50,
    bytes: 2048
  },
  { name: 'no such host', scenario: 'ends', url: 'ws://no-such-host.invalid/ws/chat' }
];

/** Rows that need their own client process, because the fault affects the process. */
export const PROCESS_ROWS = /** @type {Row[]} */ ([
  { name: 'stopped for 8 s (SIGSTOP)', scenario: 'lives', stopMs: 8000, stanzas: 40, sends: 0, bytes: 64 },
  { name: 'no descriptors left (EMFILE)', scenario: 'ends', withoutDescriptors: true }
]);

const QUERY_ERROR = 'Baileys rejects with the close code, a number';

/**
 * Rows with other outcomes than on JavaScript, each with the outcome and the reason why it is as good or better. A row
 * without an entry must end as on JavaScript; a session must end with the same status code.
 *
 * @type {Record<string, { native?: [RegExp, string], session?: [RegExp, string] }>}
 */
export const DIFFERENCES = {
  'upgrade: reset': { native: [/^408 WebSocket Error/, 'the code is equal; the text names the errno'] },
  'upgrade: corrupt': {
    native: [/^500 WebSocket Error \(Parse Error: /, 'the text depends on the version of the HTTP parser in Node'],
    session: [/^408 transport: /, 'a session tries again']
  },
  'success: corrupt': {
    native: [/^408 WebSocket Error \(Unsupported state/, 'Baileys on JavaScript may stay connected and deaf'],
    session: [/^428 noise: /, 'a session connects again']
  },
  'logged in: fin': {
    session: [/^428 transportClosed: .*; query: 428 Connection Closed$/, QUERY_ERROR]
  },
  'logged in: reset': {
    session: [/^428 transportClosed: .*; query: 428 Connection Closed$/, QUERY_ERROR]
  },
  'logged in: silence': {
    session: [/^408 silence: .*; query: 408 Connection Closed$/, 'Baileys resolves with no answer after the timeout']
  },
  'logged in: corrupt': {
    native: [/^408 WebSocket Error \(Unsupported state/, 'Baileys on JavaScript may stay connected and deaf'],
    session: [/^428 noise: /, 'a session connects again']
  },
  'stopped for 8 s (SIGSTOP)': {
    native: [/^alive; 40 in/, 'Baileys on JavaScript may take the pause for silence'],
    session: [/^alive; 40 in/, 'as the drop-in']
  },
  'no descriptors left (EMFILE)': {
    native: [/^408 WebSocket Error \(connect EMFILE/, 'without the local address, which Node gives as undefined']
  }
};
