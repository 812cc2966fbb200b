/**
 * The claims about exports of index.d.ts: how the type of each compares with the type that Baileys declares. Exports that
 * Baileys does not have are in a second list. A new export fails the tests until it is in one of them.
 */

import { FILES } from '../../scripts/shared/baileys.mjs';

/** The deliberate differences between our declarations and those of a release line. */
export const DECLARATION_DIFFERENCES = [
  {
    id: 'promises-of-6.x',
    reason:
      'The declarations are those of Baileys 7. In 6.x `mixIntoKey`, `processHandshake` and `connect` return promises. Ours ' +
      'declare the values themselves, which can also be awaited. Under `register`, Baileys 6.x gets promises.',
    test: 'declarations.test.mjs'
  }
];

/** A type in which methods may return the values instead of the promises. */
const AWAITED = `
  type Awaitable<T> = {
    [K in keyof T]: T[K] extends (...args: infer A) => Promise<infer R> ? (...args: A) => R | Promise<R> : T[K];
  };`;

/**
 * @typedef {object} Claim
 * @property {(own: string) => string} theirs the type of Baileys; `own` is the name of its imported module
 * @property {string} ours our type, from the module `baileys-native`
 * @property {'out' | 'in' | 'both'} direction `out`: our type is assignable to Baileys' type; `in`: Baileys' type is
 *   assignable to ours
 * @property {{ id: string, lines: string[], theirs: (own: string) => string }} [differs] the type to which ours is
 *   assignable instead, for these release lines
 */

/** @type {(name: string) => Claim} */
const exported = name => ({
  theirs: own => `typeof ${own}.${name}`,
  ours: `typeof ours.${name}`,
  direction: 'out'
});

/** @type {(name: string) => Claim} */
const sameType = name => ({ theirs: own => `${own}.${name}`, ours: `ours.${name}`, direction: 'both' });

/** The claims by the name of the export. @type {Record<string, Claim>} */
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
    direction: 'out',
    differs: {
      id: 'promises-of-6.x',
      lines: ['6.7', '6.17'],
      theirs: own => `Awaitable<ReturnType<typeof ${own}.makeNoiseHandler>>`
    }
  },
  // A class with a protected member is a nominal type. So its public members and its abstract class are compared.
  WebSocketClient: {
    theirs: own => `new (url: URL, config: ${own}.SocketConfig) => client.AbstractSocketClient & Own`,
    ours: 'typeof ours.WebSocketClient',
    direction: 'out',
    differs: {
      id: 'promises-of-6.x',
      lines: ['6.7', '6.17'],
      theirs: own => `new (url: URL, config: ${own}.SocketConfig) => EventEmitter & Awaitable<Own>`
    }
  },
  BinaryNode: sameType('BinaryNode'),
  BinaryNodeAttributes: sameType('BinaryNodeAttributes'),
  BinaryNodeData: sameType('BinaryNodeData'),
  KeyPair: sameType('KeyPair'),
  BinaryNodeCodingOptions: {
    theirs: own => `${own}.BinaryNodeCodingOptions`,
    ours: 'ours.BinaryNodeCodingOptions',
    direction: 'in'
  },
  NoiseHandlerOptions: {
    theirs: own => `Parameters<typeof ${own}.makeNoiseHandler>[0]`,
    ours: 'ours.NoiseHandlerOptions',
    direction: 'in'
  },
  NoiseLogger: { theirs: own => `${own}.SocketConfig['logger']`, ours: 'ours.NoiseLogger', direction: 'in' },
  ServerHandshake: { theirs: own => `${own}.proto.HandshakeMessage`, ours: 'ours.ServerHandshake', direction: 'in' },
  WebSocketClientConfig: { theirs: own => `${own}.SocketConfig`, ours: 'ours.WebSocketClientConfig', direction: 'in' }
};

/** Exports for which no release line of Baileys has a type. */
export const ONLY_OURS = [
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
 * The source of a module that compiles if a claim is true.
 *
 * @param {Claim} claim
 * @param {object} of
 * @param {string} of.packageName the package of the release line
 * @param {string} of.subject the package with the tested type: `baileys-native`, or that of the release line
 * @param {(own: string) => string} [of.theirs] the expected type; default: the type of Baileys
 */
export function moduleOf({ theirs, ours, direction }, { packageName, subject, theirs: expected = theirs }) {
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
  if (direction !== 'in') lines.push('export const out: Theirs = subject;');
  if (direction !== 'out') lines.push('export const into: Subject = their;');
  return `${lines.join('\n')}\nexport type { theirs, client, ours, Awaitable, Own };\n`;
}
