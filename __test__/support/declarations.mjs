/**
 * What is claimed of the exports of index.d.ts beside each line's own declarations, and what of ours Baileys does not have.
 * A new export fails the tests until it is in one of the two.
 */

import { FILES } from '../../scripts/shared/baileys.mjs';

/** Where our declarations differ from a line's: all intended. */
export const DECLARATION_DIFFERENCES = [
  {
    id: 'promises-of-6.x',
    reason:
      'The declarations are those of Baileys 7. In 6.x `mixIntoKey`, `processHandshake` and `connect` return promises; ours ' +
      'are declared with the values themselves, which can be awaited as well. Under `register` a 6.x gets promises.',
    test: 'declarations.test.mjs'
  }
];

/** Assignable, but for promises of which ours gives the values. */
const AWAITED = `
  type Awaitable<T> = {
    [K in keyof T]: T[K] extends (...args: infer A) => Promise<infer R> ? (...args: A) => R | Promise<R> : T[K];
  };`;

/**
 * @typedef {object} Claim
 * @property {(own: string) => string} theirs the type that Baileys has, `own` being its package as a type of a module
 * @property {string} ours the type of ours, of the module `baileys-native`
 * @property {'out' | 'in' | 'both'} goes `out`: ours is assigned where Baileys' is expected; `in`: the other way round
 * @property {{ id: string, lines: string[], theirs: (own: string) => string }} [differs] what ours is assignable to instead
 */

/** @type {(name: string) => Claim} */
const exported = name => ({
  theirs: own => `typeof ${own}.${name}`,
  ours: `typeof ours.${name}`,
  goes: 'out'
});

/** @type {(name: string) => Claim} */
const alike = name => ({ theirs: own => `${own}.${name}`, ours: `ours.${name}`, goes: 'both' });

/** @type {Record<string, Claim>} By export. */
export const CLAIMS = {
  encodeBinaryNode: exported('encodeBinaryNode'),
  decodeBinaryNode: exported('decodeBinaryNode'),
  decodeDecompressedBinaryNode: exported('decodeDecompressedBinaryNode'),
  decompressingIfRequired: exported('decompressingIfRequired'),
  makeNoiseHandler: {
    ...exported('makeNoiseHandler'),
    differs: {
      id: 'promises-of-6.x',
      lines: ['6.7', '6.17'],
      theirs: own =>
        `(...args: Parameters<typeof ${own}.makeNoiseHandler>) => Awaitable<ReturnType<typeof ${own}.makeNoiseHandler>>`
    }
  },
  NoiseHandler: {
    theirs: own => `ReturnType<typeof ${own}.makeNoiseHandler>`,
    ours: 'ours.NoiseHandler',
    goes: 'out',
    differs: {
      id: 'promises-of-6.x',
      lines: ['6.7', '6.17'],
      theirs: own => `Awaitable<ReturnType<typeof ${own}.makeNoiseHandler>>`
    }
  },
  // Baileys' class itself has a protected member, which makes it nominal: what it has in public, and its abstract class.
  WebSocketClient: {
    theirs: own => `new (url: URL, config: ${own}.SocketConfig) => client.AbstractSocketClient & Own`,
    ours: 'typeof ours.WebSocketClient',
    goes: 'out',
    differs: {
      id: 'promises-of-6.x',
      lines: ['6.7', '6.17'],
      theirs: own => `new (url: URL, config: ${own}.SocketConfig) => EventEmitter & Awaitable<Own>`
    }
  },
  BinaryNode: alike('BinaryNode'),
  BinaryNodeAttributes: alike('BinaryNodeAttributes'),
  BinaryNodeData: alike('BinaryNodeData'),
  KeyPair: alike('KeyPair'),
  BinaryNodeCodingOptions: {
    theirs: own => `${own}.BinaryNodeCodingOptions`,
    ours: 'ours.BinaryNodeCodingOptions',
    goes: 'in'
  },
  NoiseHandlerOptions: {
    theirs: own => `Parameters<typeof ${own}.makeNoiseHandler>[0]`,
    ours: 'ours.NoiseHandlerOptions',
    goes: 'in'
  },
  NoiseLogger: { theirs: own => `${own}.SocketConfig['logger']`, ours: 'ours.NoiseLogger', goes: 'in' },
  ServerHandshake: { theirs: own => `${own}.proto.HandshakeMessage`, ours: 'ours.ServerHandshake', goes: 'in' },
  WebSocketClientConfig: { theirs: own => `${own}.SocketConfig`, ours: 'ours.WebSocketClientConfig', goes: 'in' }
};

/** Exports of ours that no line of Baileys has a type for. */
export const OF_OURS_ALONE = [
  'DiagnosticsMessages',
  'HandshakeKind',
  'Inspection',
  'LocalBuffer',
  'WebSocketClientEvent',
  'WebSocketClientEvents',
  'WebSocketClientSocket',
  'isActive',
  'replaced',
  'ReplacedCopy',
  'metrics',
  'NativeSession',
  'NativeSessionEvents',
  'NativeSessionOptions',
  'NativeTcpSocket',
  'SessionCredentials',
  'SessionError',
  'SessionFigures',
  'SessionLogger',
  'SessionMetrics',
  'SessionState',
  'SessionStateChange',
  'StanzaError',
  'ConnectLimiter',
  'Lease',
  'SessionStore',
  'StoredSession',
  'UnsentStanza',
  'StanzaPattern',
  'QueueBounds',
  'QueueMetrics',
  'DurationHistogram',
  'EndReason',
  'ProcessMetrics',
  'ReconnectClass',
  'KnownServer',
  'LoopStalls',
  'SocketFigures',
  'SocketMessage',
  'InspectOptions',
  'inspect'
];

/**
 * A module that compiles where a claim holds.
 *
 * @param {Claim} claim
 * @param {object} of
 * @param {string} of.packageName the line's
 * @param {string} of.subject whose type is claimed to fit: `baileys-native`, or the line's own package
 * @param {(own: string) => string} [of.theirs] what it has to fit, where that is not Baileys' type itself
 */
export function moduleOf({ theirs, ours, goes }, { packageName, subject, theirs: expected = theirs }) {
  const isOwn = subject === packageName;
  const lines = [
    `import type * as theirs from '${packageName}';`,
    `import type * as client from '${packageName}/${FILES.client}';`,
    "import type * as ours from 'baileys-native';",
    "import type { EventEmitter } from 'node:events';",
    'type Own = Pick<client.WebSocketClient, Exclude<keyof client.WebSocketClient, keyof EventEmitter>>;',
    AWAITED,
    `type Theirs = ${expected('theirs')};`,
    `type Subject = ${isOwn ? theirs('theirs') : ours};`,
    'declare const subject: Subject, their: Theirs;'
  ];
  if (goes !== 'in') lines.push('export const out: Theirs = subject;');
  if (goes !== 'out') lines.push('export const into: Subject = their;');
  return `${lines.join('\n')}\nexport type { theirs, client, ours, Awaitable, Own };\n`;
}
