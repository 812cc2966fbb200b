// What goes wrong, where, and in which outcomes the layers may differ.

/**
 * @typedef {object} Row
 * @property {string} name
 * @property {'ends' | 'endsOpen' | 'lives'} scenario
 * @property {import('../../__test__/support/relay.mjs').Conditions} [conditions]
 * @property {import('../../__test__/support/relay.mjs').FaultKind} [strike] Once the client is logged in.
 * @property {number} [stopMs] The process of the client is stopped (SIGSTOP) for so long once it is logged in.
 * @property {string} [url] In place of the server's.
 * @property {boolean} [withoutDescriptors]
 * @property {number} [stanzas] Sent to the client.
 * @property {number} [sends] Sent by the client.
 * @property {number} [bytes] Content of each of both.
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

/** In a process of their own: they are about the process. */
export const PROCESS_ROWS = /** @type {Row[]} */ ([
  { name: 'stopped for 8 s (SIGSTOP)', scenario: 'lives', stopMs: 8000, stanzas: 40, sends: 0, bytes: 64 },
  { name: 'no descriptors left (EMFILE)', scenario: 'ends', withoutDescriptors: true }
]);

/**
 * Outcomes of the drop-in and of the session that are not those of JavaScript, by row: what they are, and why that is better or
 * as good. A row without an entry has to end as on JavaScript; for a session by the same status code.
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
    native: [/^500 WebSocket Error \(Unsupported state/, 'Baileys on JavaScript may stay connected and deaf'],
    session: [/^428 noise: /, 'a session connects again']
  },
  'logged in: corrupt': {
    native: [/^500 WebSocket Error \(Unsupported state/, 'Baileys on JavaScript may stay connected and deaf'],
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
