import type { EventEmitter } from 'node:events';
import type { IncomingMessage } from 'node:http';
import type { BinaryNode, KeyPair } from '../../index.js';

export type { BinaryNode, KeyPair };

/** A certificate for TLS, PEM. */
export interface TlsCertificate {
  /** The authority that clients have to trust. */
  ca: string;
  /** The server's certificate, followed by the authority's. */
  cert: string;
  /** The server's private key, PKCS #8. */
  key: string;
}

/**
 * Ways to present a Noise certificate chain that is not right. WhatsApp Web checks all of it. Baileys 7.0.0-rc14 over
 * libsignal 6 refuses only `wrong-issuer` and `no-leaf`: its `Curve.verify` takes any signature of 64 bytes.
 *
 * - `wrong-root`: the intermediate certificate is signed by a key that nobody trusts.
 * - `wrong-issuer`: the intermediate certificate names another issuer than serial 0.
 * - `wrong-leaf-key`: the leaf vouches for another key than the handshake's static key.
 * - `tampered-leaf`, `tampered-intermediate`: one bit of the signed details is flipped.
 * - `expired`: both certificates ended a month ago.
 * - `no-leaf`: the chain holds the intermediate certificate alone.
 */
export type CertificateFault =
  'wrong-root' | 'wrong-issuer' | 'wrong-leaf-key' | 'tampered-leaf' | 'tampered-intermediate' | 'expired' | 'no-leaf';

/** What goes wrong, for every connection that is made while it is set. */
export interface Faults {
  /** Answer the WebSocket request with this HTTP status instead of 101. */
  httpStatus?: number;
  /** Headers for that answer; it closes the connection unless `Connection` is something other than `close`. */
  httpHeaders?: Record<string, string>;
  /** Never answer the WebSocket request. */
  stallUpgrade?: boolean;
  /** Open the WebSocket and never answer the Noise handshake. */
  stallHandshake?: boolean;
  /** Answer the Noise handshake with bytes that are no handshake message. */
  garbageHandshake?: boolean;
  /** Present a broken certificate chain. */
  certificate?: CertificateFault;
  /** Hold every answer of the server back for this long, in milliseconds. */
  delayMs?: number;
}

/** What a client is told when it logs in. */
export interface LoginOptions {
  /** More attributes, or other ones, for `success`. */
  attrs?: Record<string, string>;
  /**
   * Attributes of `ib/offline`, which ends the offline queue; default `{ count }`, the number of stanzas that had waited.
   * `false` to leave it out.
   */
  offline?: Record<string, string | number> | false;
  /** Attributes of `ib/offline_preview`; by default it announces what has waited, and is left out when nothing has. */
  offlinePreview?: Record<string, string | number>;
  /** Routing info that the client has to present on its next connection. */
  edgeRouting?: Uint8Array;
  /** `ib/dirty` stanzas, one for each set of attributes: `{ type: 'groups', timestamp: '…' }`. */
  dirty?: Record<string, string | number>[];
}

export interface MockServerOptions {
  /**
   * `true` (default): TLS with a certificate made now; `false`: plain `ws://`; or a certificate of your own, see
   * {@link createTlsCertificate}.
   */
  tls?: boolean | TlsCertificate;
  /**
   * The Baileys whose codec, protobuf definitions and curve the server speaks with: a package name, a path or file URL
   * of its main module, or its module namespace. Default: `baileys` or `@whiskeysockets/baileys`, as the working
   * directory resolves it. Name the line under test when it is another one: 6.17 has another dictionary.
   *
   * Under `baileys-native/register` pass no namespace, since its codec is the native one; by name, the server loads
   * Baileys' own.
   */
  baileys?: string | URL | object;
  /** The root key pair of the Noise certificates, to keep it over several servers. Default: a new one. */
  root?: KeyPair;
  /** Default `127.0.0.1`. The TLS certificate made at start is for loopback names only. */
  host?: string;
  /** Default 0, a free port. */
  port?: number;
  /** Let in devices that were never linked to this server; default: they get `failure` 401. */
  acceptUnknown?: boolean;
  /** The number of pre-keys to report. Default: as many as the device uploaded, so that Baileys uploads 812 at its first login. */
  preKeyCount?: number;
  /**
   * The pause between the end of a handshake and the first stanza, in milliseconds; default 20. With 0 the stanza may
   * follow at once, which Baileys 7 copes with and Baileys 6 now and then does not.
   */
  greetingDelayMs?: number;
  /** How many pairing codes a client may show before it gives up; default 6. */
  refCount?: number;
  /**
   * Pass messages, receipts, presence and chat states on to the clients that they are for; default true. When false they
   * are acknowledged and go nowhere.
   */
  routing?: boolean;
  /** How participants of new groups are named: by LID (default), as on WhatsApp, or by phone number. */
  groupAddressing?: 'lid' | 'pn';
  /**
   * What becomes of a client's wish to resume with the server's known static key (Noise IK). `accept` (default): it is
   * granted, unless the client knows another key; then, and with `decline`, the handshake goes on as XXfallback. `ignore`:
   * it is answered like any other hello, as by a server that knows XX alone. May be changed in `options` at any time.
   */
  resumption?: 'accept' | 'decline' | 'ignore';
  login?: LoginOptions;
  faults?: Faults;
  /** Keep every stanza in `stanzas`, `received` and `sent`; default true. Events and `waitFor` work either way. */
  record?: boolean;
}

/** A linked device, as the server knows it. */
export interface Device {
  user: string;
  device: number;
  /** `15550000001:1@s.whatsapp.net` */
  jid: string;
  /** `100000000000001:1@lid` */
  lid: string;
  pushName: string;
  platform: string;
  noiseKey: Buffer;
  identityKey?: Buffer;
  registrationId?: number;
  signedPreKey?: { id: number; key: Buffer; signature: Buffer };
  /** The one-time pre-keys that it uploaded and nobody has fetched, by id. */
  preKeys: Map<number, Buffer>;
}

/** A group, as the server knows it. */
export interface Group {
  /** `120363000000000001@g.us` */
  readonly id: string;
  readonly subject: string;
  /** Phone numbers, each with its role; undefined for those who have none. */
  readonly participants: Map<string, 'superadmin' | 'admin' | undefined>;
  readonly addressingMode: 'lid' | 'pn';
  readonly settings: { announcement: boolean; locked: boolean };
}

export interface GroupOptions {
  subject: string;
  /** Any form of JID, or a phone number. */
  creator: string;
  participants: string[];
  /** Default: the server's `groupAddressing`. */
  addressingMode?: 'lid' | 'pn';
}

export interface ScanOptions {
  /** The account, as a JID or a phone number, with or without a device number. Default: a new account. */
  jid?: string;
  /** The account's LID. Default: a made-up one. */
  lid?: string;
  /** Default `Mock user`. */
  pushName?: string;
  /** Default `android`. */
  platform?: string;
  /** How long the client may take to answer; default 10,000. */
  timeoutMs?: number;
}

export interface PairingCodeOptions extends Omit<ScanOptions, 'jid'> {
  /** The number that the client has asked for. Needed where several clients ask. */
  phoneNumber?: string;
}

export interface StanzaRecord {
  /** `id` of the connection. */
  connection: number;
  /** `in` came from the client, `out` went to it. */
  direction: 'in' | 'out';
  node: BinaryNode;
  /** Milliseconds since the epoch, with a fraction. */
  time: number;
}

/** A function, a tag, or attributes that must be equal; `tag` and `child` stand for the stanza's tag and one child's. */
export type Matcher =
  | string
  | ({ tag?: string; child?: string } & Record<string, string | undefined>)
  | ((node: BinaryNode, connection: Connection) => boolean);

/** What a handler answers: stanzas, `null` for nothing at all, `undefined` to let the next handler or the server answer. */
export type Answer = BinaryNode | BinaryNode[] | null | undefined;

export interface FloodOptions {
  /** Stanzas in one WebSocket message; default 1. */
  perMessage?: number;
  /** Send every stanza zlib-compressed. */
  compress?: boolean;
}

export interface Flood {
  readonly count: number;
  /** WebSocket messages. */
  readonly messages: number;
  /** Size on the wire below TLS. */
  readonly bytes: number;
  readonly state: 'prepared' | 'sending' | 'sent' | 'cancelled' | 'failed';
  /** Writes everything, as fast as the client takes it. Rejects when the connection closes before the end. */
  start(): Promise<void>;
  /** Gives up a flood that was not started. */
  cancel(): void;
}

export interface ConnectionEvents {
  close: [code: number, reason: string];
}

/** One client. */
export interface Connection extends EventEmitter<ConnectionEvents> {
  /** Its index in `server.connections`. */
  readonly id: number;
  /** The WebSocket request: headers, path. */
  readonly request: IncomingMessage;
  readonly state: 'handshake' | 'pairing' | 'login' | 'open' | 'closed';
  /** The four bytes `WA`, protocol, dictionary that the client started with. */
  readonly header: Buffer | undefined;
  /** What the client presented of an earlier `edgeRouting`. */
  readonly routingInfo: Buffer | undefined;
  /** How the handshake went, once it is done. */
  readonly handshake: 'XX' | 'IK' | 'XXfallback' | undefined;
  /** Whether the client's first message asked to resume, granted or not. */
  readonly askedToResume: boolean;
  /** The client's ClientPayload, decoded by Baileys' protobuf. */
  readonly payload: Record<string, any> | undefined;
  /** The same as the client encoded it. */
  readonly payloadBytes: Buffer | undefined;
  /** The client's static Noise key. */
  readonly noiseKey: Buffer | undefined;
  readonly device: Device | undefined;
  /** False once the connection is closed or cut, which `state` tells a little later. */
  readonly isWritable: boolean;
  /** Why the server gave up: a broken frame, a handshake that failed. */
  readonly error: Error | undefined;
  /** The pairing refs that it was offered. */
  readonly pairingRefs: string[] | undefined;
  readonly received: StanzaRecord[];
  readonly sent: StanzaRecord[];

  /** An id for a stanza of the server's. */
  nextId(): string;
  /** Sends a stanza; resolves when it was written. Behind a prepared flood, it waits for the flood's end. */
  send(node: BinaryNode, options?: { compress?: boolean }): Promise<void>;
  /**
   * Sends bytes of your own. `plaintext` (default): sealed and framed, as an encoded stanza would be; `frame`: framed
   * only, so that the client cannot open them; `message`: a WebSocket message as it is.
   */
  sendRaw(bytes: Uint8Array, options?: { layer?: 'plaintext' | 'frame' | 'message' }): Promise<void>;
  /** Sends an iq, with an id of its own where it has none; resolves with the client's `result` or `error`. */
  query(node: BinaryNode, options?: { timeoutMs?: number }): Promise<BinaryNode>;
  /**
   * Encodes and seals a burst now, so that sending it costs the server next to nothing. A list is repeated up to
   * `count`. Everything else that is sent meanwhile waits until the flood was written or cancelled; a second flood
   * before that is refused.
   */
  prepareFlood(
    nodes: BinaryNode | BinaryNode[] | ((index: number) => BinaryNode),
    count: number,
    options?: FloodOptions
  ): Flood;
  /** Sends `stream:error` and closes, unless `close` is false. */
  streamError(code?: number | string, options?: { content?: BinaryNode[]; close?: boolean }): Promise<void>;
  /** Sends `failure` and closes. */
  failure(reason: number | string, attrs?: Record<string, string>): Promise<void>;
  /** Sends `xmlstreamend` and closes. */
  xmlStreamEnd(): Promise<void>;
  /** Starts the WebSocket closing handshake. */
  close(code?: number, reason?: string): void;
  /** Cuts the TCP connection; with `reset`, by RST. */
  drop(options?: { reset?: boolean }): void;
  /** Stops reading what the client sends, as a server that hangs does. A close by the client is seen after `resume` only. */
  pause(): void;
  /** Reads again, first what the client sent during the pause. */
  resume(): void;
  /** Sends a WebSocket ping; resolves with the payload of the next pong. */
  wsPing(payload?: string | Uint8Array): Promise<Buffer>;
}

export interface MockServerEvents {
  /** A WebSocket was opened; the handshake is still to come. */
  connection: [connection: Connection];
  stanza: [record: StanzaRecord, connection: Connection];
  /** A linked device was sent `success`. */
  login: [connection: Connection];
  /** A device was linked; the restart follows. */
  registered: [device: Device, connection: Connection];
  /** A client has asked to be linked by a pairing code, for this phone number. */
  pairingCode: [phoneNumber: string, connection: Connection];
  close: [connection: Connection, code: number, reason: string];
  /** A stanza for a device that is not connected was kept for it. */
  queued: [stanza: BinaryNode, device: Device];
  /** A device has told that it has a stanza from another client, or about a group. */
  acknowledged: [stanza: BinaryNode, device: Device];
  /** A client broke the protocol, or a handler failed. Also in `connection.error`. */
  failure: [error: Error, connection: Connection];
}

/** A WhatsApp-like server on loopback. */
export declare class MockServer extends EventEmitter<MockServerEvents> {
  private constructor();
  /** Starts a server on a free port. */
  static start(options?: MockServerOptions): Promise<MockServer>;

  readonly options: MockServerOptions;
  readonly port: number;
  /** For Baileys' `waWebSocketUrl`. */
  readonly url: string;
  /** The authority of the TLS certificate, PEM; undefined without TLS. */
  readonly ca: string | undefined;
  /** The root of the Noise certificates, 32 bytes; see {@link trustTestRoot}. */
  readonly rootKey: Buffer;
  /** Every connection since the start, closed ones too. */
  readonly connections: Connection[];
  /** Every stanza in both directions, in the order of the server's work. */
  readonly stanzas: StanzaRecord[];
  readonly devices: Device[];
  readonly groups: Group[];
  /** May be set at any time; holds for connections made from then on. */
  faults: Faults;

  /** The linked devices of a user, by phone number, JID or LID. */
  devicesOf(jid: string): Device[];
  /** Makes a group, as if its creator's phone had; the linked devices of its participants are told. */
  createGroup(options: GroupOptions): Group;
  /** What a device was sent, or will be at its next login, and has not acknowledged, in order. */
  pending(device: Device): BinaryNode[];
  /** Presents another static key, certified by the same root, from the next handshake on. */
  rotateNoiseKey(): void;
  /** Unlinks a device: its next login is refused with 401. */
  forget(device: Device): void;
  /**
   * Plays the phone that scans a pairing code. Resolves with the linked device when its signature was verified and it
   * was told to restart; rejects when the code is nobody's, or the client's answer is wrong.
   */
  scanQr(qr: string, options?: ScanOptions): Promise<Device>;
  /**
   * Plays the phone on which a pairing code is typed. The account is the one whose number the client asked for. Resolves
   * with the linked device as {@link scanQr} does; rejects when no client has asked, the code is wrong, or the client's
   * answer is.
   */
  enterPairingCode(code: string, options?: PairingCodeOptions): Promise<Device>;
  /** Answers matching stanzas in place of the server; the newest handler is asked first. Call the result to remove it. */
  handle(matcher: Matcher, answer: (node: BinaryNode, connection: Connection) => Answer | Promise<Answer>): () => void;
  /**
   * The first stanza, already logged or still to come, that the predicate accepts.
   *
   * @param options.timeoutMs Default 10,000.
   * @param options.from Index in `stanzas` to start at; `server.stanzas.length` looks at later ones only.
   */
  waitFor(
    predicate: (record: StanzaRecord) => boolean,
    options?: { timeoutMs?: number; from?: number }
  ): Promise<StanzaRecord>;
  /** Ends every connection and stops listening. May be called repeatedly. */
  stop(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/**
 * Makes a loaded Baileys trust a mock server's Noise certificates, by overwriting its `WA_CERT_DETAILS.PUBLIC_KEY` in
 * place. For tests only: until the returned function is called, that Baileys does not trust WhatsApp.
 *
 * A Baileys without that constant (6.17, 7.0.0-rc.1 to rc.9) does not check the root itself. Under
 * `baileys-native/register` its root is checked; the key is then trusted as by {@link addTrustedRoot}.
 *
 * @param target Baileys' module namespace, or its `WA_CERT_DETAILS`.
 */
export declare function trustTestRoot(target: object, rootKey: Uint8Array): () => void;

/**
 * Makes this package's own noise handlers in this thread trust a mock server's Noise certificates besides WhatsApp's. For
 * tests only, and only for handlers that have no root from elsewhere: those of a Baileys without
 * `WA_CERT_DETAILS.PUBLIC_KEY` (6.17) under `baileys-native/register`, and those that got no `trustedRoot`. Does nothing
 * for a Baileys on its own JavaScript.
 *
 * @param rootKey 32 bytes; `server.rootKey`.
 * @returns Takes it back.
 * @throws {TypeError} for anything else.
 */
export declare function addTrustedRoot(rootKey: Uint8Array): () => void;

/** A certificate authority and a server certificate; for the loopback names and addresses unless `hosts` says otherwise. */
export declare function createTlsCertificate(options?: {
  notBefore?: Date;
  notAfter?: Date;
  hosts?: string[];
}): TlsCertificate;

/** Stanzas that may be sent by the thousand without starting a storm of answers, by index. */
export declare const sampleStanzas: {
  /** About 60 bytes; Baileys finds no listener for it. */
  ack(index: number): BinaryNode;
  /** Baileys answers each with one `ack`. */
  receipt(index: number): BinaryNode;
  /** Like an encrypted text message, under a tag that Baileys has no handler for. */
  message(index: number): BinaryNode;
};

/** The zlib form of an encoded stanza, for `sendRaw`. */
export declare function compressStanza(encoded: Uint8Array): Buffer;

/** The parts of a pairing code of Baileys 6 or 7. */
export declare function parseQr(qr: string): {
  ref: string;
  noiseKey: Buffer;
  identityKey: Buffer;
  advSecret: Buffer;
  platformId: string | undefined;
};

/** The `result` of an iq, for handlers. */
export declare function result(request: BinaryNode, content?: BinaryNode['content']): BinaryNode;

/** The `error` of an iq, for handlers. */
export declare function errorResult(request: BinaryNode, code: number | string, text: string): BinaryNode;
