import type { EventEmitter } from 'node:events';
import type { IncomingMessage } from 'node:http';
import type { BinaryNode, KeyPair } from '../../index.js';

export type { BinaryNode, KeyPair };

/** A TLS certificate in PEM. */
export interface TlsCertificate {
  /** The certificate authority that clients must trust. */
  ca: string;
  /** The server's certificate, followed by the authority's. */
  cert: string;
  /** The server's private key, PKCS #8. */
  key: string;
}

/**
 * Faults of the Noise certificate chain. WhatsApp Web detects all of them. Baileys 7.0.0-rc14 with libsignal 6 refuses
 * only `wrong-issuer` and `no-leaf`: its `Curve.verify` accepts any signature of 64 bytes.
 *
 * - `wrong-root`: the intermediate certificate is signed by an untrusted key.
 * - `wrong-issuer`: the issuer serial of the intermediate certificate is not 0.
 * - `wrong-leaf-key`: the key in the leaf certificate is not the static key of the handshake.
 * - `tampered-leaf`, `tampered-intermediate`: one bit of the signed details is flipped.
 * - `expired`: both certificates expired a month ago.
 * - `no-leaf`: the chain has only the intermediate certificate.
 */
export type CertificateFault =
  'wrong-root' | 'wrong-issuer' | 'wrong-leaf-key' | 'tampered-leaf' | 'tampered-intermediate' | 'expired' | 'no-leaf';

/** Faults of all connections that are made while they are set. */
export interface Faults {
  /** Answer the WebSocket request with this HTTP status instead of 101. */
  httpStatus?: number;
  /**
   * Headers of that answer. It closes the connection, unless the header `Connection` has another value than `close`.
   */
  httpHeaders?: Record<string, string>;
  /** Do not answer the WebSocket request. */
  stallUpgrade?: boolean;
  /** Open the WebSocket, but do not answer the Noise handshake. */
  stallHandshake?: boolean;
  /** Answer the Noise handshake with bytes that are not a handshake message. */
  garbageHandshake?: boolean;
  /** Complete the Noise handshake and send nothing more: neither `success` nor a pairing code. */
  stallLogin?: boolean;
  /** Present a broken certificate chain. */
  certificate?: CertificateFault;
  /** Delay every answer of the server by this many milliseconds. */
  delayMs?: number;
}

/** The stanzas that a client gets when it logs in. */
export interface LoginOptions {
  /** Attributes of `success` that are added or replaced. */
  attrs?: Record<string, string>;
  /**
   * Attributes of `ib/offline`, which ends the offline queue. Default: `{ count }`, the number of stanzas in the queue.
   * `false`: it is not sent.
   */
  offline?: Record<string, string | number> | false;
  /** Attributes of `ib/offline_preview`. Default: the numbers of queued stanzas; it is not sent if none is queued. */
  offlinePreview?: Record<string, string | number>;
  /** Routing info that the client sends on its next connection. */
  edgeRouting?: Uint8Array;
  /** `ib/dirty` stanzas, one for each set of attributes: `{ type: 'groups', timestamp: '…' }`. */
  dirty?: Record<string, string | number>[];
}

export interface MockServerOptions {
  /**
   * `true` (default): TLS with a new certificate. `false`: plain `ws://`. Or your own certificate, see
   * {@link createTlsCertificate}.
   */
  tls?: boolean | TlsCertificate;
  /**
   * The Baileys from which the server takes its codec, protobuf definitions and curve: a package name, a path or file
   * URL of its main module, or its module namespace. Default: `baileys` or `@whiskeysockets/baileys`, resolved from the
   * working directory. It must be the release under test if that is another one: 6.17 has another dictionary.
   *
   * Under `baileys-native/register` do not pass a namespace: its codec is the native one. If you pass a name or a path,
   * the server loads Baileys' own codec.
   */
  baileys?: string | URL | object;
  /** The root key pair of the Noise certificates, for several servers with the same root. Default: a new one. */
  root?: KeyPair;
  /** Default `127.0.0.1`. The default TLS certificate is for loopback names only. */
  host?: string;
  /** Default 0, a free port. */
  port?: number;
  /** Accept logins of devices that were not linked to this server. Default: they get `failure` 401. */
  acceptUnknown?: boolean;
  /**
   * The number of pre-keys to report. Default: the number that the device has uploaded; Baileys uploads 812 at first.
   */
  preKeyCount?: number;
  /**
   * The pause between the end of a handshake and the first stanza, in milliseconds. Default 20. With 0, Baileys 6
   * sometimes fails: it treats the stanza as a handshake message. Baileys 7 works with 0.
   */
  greetingDelayMs?: number;
  /** The number of QR codes that a client can show. Default 6. */
  refCount?: number;
  /**
   * Send messages, receipts, presence and chat states on to their recipients. Default true. If false, they are only
   * acknowledged.
   */
  routing?: boolean;
  /** JIDs of participants in new groups: LIDs (default), as on WhatsApp, or phone numbers. */
  groupAddressing?: 'lid' | 'pn';
  /**
   * How the server answers a client that asks to resume by Noise IK. `accept` (default): it resumes if the client knows
   * the server's current static key; otherwise the handshake continues as XXfallback. `decline`: always XXfallback.
   * `ignore`: it answers like a server that only supports XX. The option may be changed at any time.
   */
  resumption?: 'accept' | 'decline' | 'ignore';
  login?: LoginOptions;
  faults?: Faults;
  /**
   * Store every stanza in `stanzas`, `received` and `sent`. Default true. Without it, events and `waitFor` still work.
   */
  record?: boolean;
}

/** A linked device. */
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
  /** The one-time pre-keys by id that the device has uploaded and that were not fetched yet. */
  preKeys: Map<number, Buffer>;
}

/** A group. */
export interface Group {
  /** `120363000000000001@g.us` */
  readonly id: string;
  readonly subject: string;
  /** Phone numbers with their roles; undefined for a participant without a role. */
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
  /** The account: a JID or a phone number, with or without a device number. Default: a new account. */
  jid?: string;
  /** The LID of the account. Default: a generated one. */
  lid?: string;
  /** Default `Mock user`. */
  pushName?: string;
  /** Default `android`. */
  platform?: string;
  /** Time for the client to answer, in milliseconds. Default 10,000. */
  timeoutMs?: number;
}

export interface PairingCodeOptions extends Omit<ScanOptions, 'jid'> {
  /** The phone number in the client's request. Needed if several clients have requested a code. */
  phoneNumber?: string;
}

export interface StanzaRecord {
  /** The `id` of the connection. */
  connection: number;
  /** `in`: from the client. `out`: to the client. */
  direction: 'in' | 'out';
  node: BinaryNode;
  /** Milliseconds since 1970, with a fraction. */
  time: number;
}

/**
 * Selects stanzas: a function, a tag, or an object of attributes that must be equal. In the object, `tag` is the tag of
 * the stanza and `child` the tag of one of its children.
 */
export type Matcher =
  | string
  | ({ tag?: string; child?: string } & Record<string, string | undefined>)
  | ((node: BinaryNode, connection: Connection) => boolean);

/** The answer of a handler: stanzas; `null` for no answer; `undefined`: the next handler or the server answers. */
export type Answer = BinaryNode | BinaryNode[] | null | undefined;

export interface FloodOptions {
  /** The number of stanzas in one WebSocket message. Default 1. */
  perMessage?: number;
  /** Compress every stanza by zlib. */
  compress?: boolean;
}

export interface Flood {
  readonly count: number;
  /** The number of WebSocket messages. */
  readonly messages: number;
  /** The number of bytes on the wire, without TLS. */
  readonly bytes: number;
  readonly state: 'prepared' | 'sending' | 'sent' | 'cancelled' | 'failed';
  /** Writes everything, as fast as the client reads. Rejects if the connection closes before the end. */
  start(): Promise<void>;
  /** Cancels a flood that was not started. */
  cancel(): void;
}

export interface ConnectionEvents {
  close: [code: number, reason: string];
}

/** A connection of a client. */
export interface Connection extends EventEmitter<ConnectionEvents> {
  /** Its index in `server.connections`. */
  readonly id: number;
  /** The WebSocket request, with its headers and path. */
  readonly request: IncomingMessage;
  readonly state: 'handshake' | 'pairing' | 'login' | 'open' | 'closed';
  /** The first four bytes of the client: `WA`, protocol, dictionary. */
  readonly header: Buffer | undefined;
  /** The routing info that the client has sent, from an earlier `edgeRouting`. */
  readonly routingInfo: Buffer | undefined;
  /** The kind of the handshake, when it is finished. */
  readonly handshake: 'XX' | 'IK' | 'XXfallback' | undefined;
  /** Whether the client asked to resume, accepted or not. */
  readonly askedToResume: boolean;
  /** The client's ClientPayload, decoded by Baileys' protobuf. */
  readonly payload: Record<string, any> | undefined;
  /** The encoded ClientPayload. */
  readonly payloadBytes: Buffer | undefined;
  /** The client's static Noise key. */
  readonly noiseKey: Buffer | undefined;
  readonly device: Device | undefined;
  /** False when the connection is closed or cut. `state` changes a little later. */
  readonly isWritable: boolean;
  /** The error for which the server ended the connection: a broken frame or a failed handshake. */
  readonly error: Error | undefined;
  /** The pairing refs that the client was offered. */
  readonly pairingRefs: string[] | undefined;
  readonly received: StanzaRecord[];
  readonly sent: StanzaRecord[];

  /** A new id for a stanza of the server. */
  nextId(): string;
  /** Sends a stanza; resolves when it was written. If there is a prepared flood, it is sent after the flood. */
  send(node: BinaryNode, options?: { compress?: boolean }): Promise<void>;
  /**
   * Sends your own bytes. `plaintext` (default): sealed and framed like an encoded stanza. `frame`: framed only, so
   * that the client cannot open them. `message`: an unchanged WebSocket message.
   */
  sendRaw(bytes: Uint8Array, options?: { layer?: 'plaintext' | 'frame' | 'message' }): Promise<void>;
  /** Sends an iq; an id is added if it has none. Resolves with the client's `result` or `error`. */
  query(node: BinaryNode, options?: { timeoutMs?: number }): Promise<BinaryNode>;
  /**
   * Encodes and seals `count` stanzas now, so that sending them later takes almost no CPU time. A shorter list is
   * repeated. Everything else that is sent waits until the flood is written or cancelled. Throws if there is already a
   * flood.
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
  /** Cuts the TCP connection. With `reset`, it sends RST. */
  drop(options?: { reset?: boolean }): void;
  /** Stops reading, like a server that hangs. A close by the client is noticed only after `resume`. */
  pause(): void;
  /** Reads again. Data that arrived during the pause comes first. */
  resume(): void;
  /** Sends a WebSocket ping; resolves with the payload of the next pong. */
  wsPing(payload?: string | Uint8Array): Promise<Buffer>;
}

export interface MockServerEvents {
  /** A WebSocket was opened. The Noise handshake follows. */
  connection: [connection: Connection];
  stanza: [record: StanzaRecord, connection: Connection];
  /** A linked device has logged in: `success` was sent. */
  login: [connection: Connection];
  /** A device was linked. Its restart follows. */
  registered: [device: Device, connection: Connection];
  /** A client has requested a pairing code for this phone number. */
  pairingCode: [phoneNumber: string, connection: Connection];
  close: [connection: Connection, code: number, reason: string];
  /** A stanza was stored, because its device is not connected. */
  queued: [stanza: BinaryNode, device: Device];
  /** A device has acknowledged a stanza from another client or about a group. */
  acknowledged: [stanza: BinaryNode, device: Device];
  /** A Noise handshake is complete; the login follows. */
  handshake: [connection: Connection];
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
  /** The value for Baileys' `waWebSocketUrl`. */
  readonly url: string;
  /** The authority of the TLS certificate, PEM; undefined without TLS. */
  readonly ca: string | undefined;
  /** The root key of the Noise certificates, 32 bytes; see {@link trustTestRoot}. */
  readonly rootKey: Buffer;
  /** All connections since the start, also closed ones. */
  readonly connections: Connection[];
  /** All stanzas in both directions, in the order in which the server handled them. */
  readonly stanzas: StanzaRecord[];
  readonly devices: Device[];
  readonly groups: Group[];
  /** May be set at any time. It applies to later connections. */
  faults: Faults;

  /** The linked devices of a user, by phone number, JID or LID. */
  devicesOf(jid: string): Device[];
  /** Creates a group in the name of its creator's phone. The linked devices of its participants are notified. */
  createGroup(options: GroupOptions): Group;
  /** The stanzas for a device that it has not acknowledged, in order. They are sent again at its next login. */
  pending(device: Device): BinaryNode[];
  /** Uses a new static key from the next handshake on, certified by the same root. */
  rotateNoiseKey(): void;
  /** Unlinks a device: its next login is refused with 401. */
  forget(device: Device): void;
  /**
   * Acts as the phone that scans a QR code. Resolves with the linked device when its signature was verified and it was
   * told to restart. Rejects if no client shows the code, or if the answer of the client is wrong.
   */
  scanQr(qr: string, options?: ScanOptions): Promise<Device>;
  /**
   * Acts as the phone on which a pairing code is typed. The account is that of the phone number in the client's
   * request. Resolves like {@link scanQr}. Rejects if no client has requested a code, if the code is wrong, or if the
   * answer of the client is wrong.
   */
  enterPairingCode(code: string, options?: PairingCodeOptions): Promise<Device>;
  /** Adds a handler that answers stanzas instead of the server. The newest is called first. The result removes it. */
  handle(matcher: Matcher, answer: (node: BinaryNode, connection: Connection) => Answer | Promise<Answer>): () => void;
  /**
   * Resolves with the first stanza, recorded or future, that the predicate accepts.
   *
   * @param options.timeoutMs Default 10,000.
   * @param options.from First index in `stanzas`. With `server.stanzas.length` only future stanzas are checked.
   */
  waitFor(
    predicate: (record: StanzaRecord) => boolean,
    options?: { timeoutMs?: number; from?: number }
  ): Promise<StanzaRecord>;
  /** Ends every connection and stops listening. It may be called again. */
  stop(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/**
 * Makes a loaded Baileys trust the Noise certificates of a mock server: it overwrites the bytes of its
 * `WA_CERT_DETAILS.PUBLIC_KEY`. For tests only: until the returned function is called, this Baileys does not trust
 * WhatsApp.
 *
 * A Baileys without that constant (6.17, 7.0.0-rc.1 to rc.9) does not check the root. Under `baileys-native/register`
 * the root is checked; then the key is trusted as by {@link addTrustedRoot}.
 *
 * @param target Baileys' module namespace, or its `WA_CERT_DETAILS`.
 */
export declare function trustTestRoot(target: object, rootKey: Uint8Array): () => void;

/**
 * Makes noise handlers of this package in this thread trust the Noise certificates of a mock server, in addition to
 * WhatsApp's. For tests only. It applies to handlers without a `trustedRoot`, and under `baileys-native/register` to a
 * Baileys without `WA_CERT_DETAILS.PUBLIC_KEY` (6.17). It has no effect on a Baileys that is not replaced.
 *
 * @param rootKey `server.rootKey`, 32 bytes.
 * @returns Removes the key.
 * @throws {TypeError} if `rootKey` is not 32 bytes.
 */
export declare function addTrustedRoot(rootKey: Uint8Array): () => void;

/** Creates a certificate authority and a server certificate for `hosts`; default: the loopback names and addresses. */
export declare function createTlsCertificate(options?: {
  notBefore?: Date;
  notAfter?: Date;
  hosts?: string[];
}): TlsCertificate;

/** Stanzas that can be sent in thousands: Baileys answers each with at most one `ack`. The argument is an index. */
export declare const sampleStanzas: {
  /** About 60 bytes. Baileys has no listener for it. */
  ack(index: number): BinaryNode;
  /** Baileys answers each with one `ack`. */
  receipt(index: number): BinaryNode;
  /** Like an encrypted text message, with a tag that Baileys has no handler for. */
  message(index: number): BinaryNode;
};

/** Compresses an encoded stanza by zlib, for `sendRaw`. */
export declare function compressStanza(encoded: Uint8Array): Buffer;

/** The fields of a QR code of Baileys 6 or 7. */
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
