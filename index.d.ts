/**
 * The socket layer of Baileys as a native addon: the same names, signatures, events and bytes as in Baileys 7.
 *
 * These are the parts by themselves. For an unmodified Baileys use `baileys-native/register`; for a server to test
 * against, `baileys-native/testing`. Lengths are in bytes, times in milliseconds, keys raw bytes without a type prefix.
 *
 * Where the addon cannot be loaded (another platform, say) the package can still be imported. What needs the addon, all but
 * `isActive`, `replaced`, `inspect` and the classes of errors, then throws an `Error` with the code `ERR_NATIVE_UNAVAILABLE` when it
 * is called.
 *
 * @packageDocumentation
 */

import { EventEmitter } from 'node:events';
import type { Agent as HttpAgent, ClientRequest, IncomingMessage } from 'node:http';
import type { Agent as HttpsAgent } from 'node:https';

/**
 * A node of WhatsApp's binary XML, in the shape that Baileys gives it (its `WABinary` types). A whole one is a stanza.
 *
 * The decoder gives strings where the wire has a token, a packed number, a JID or text, and a Buffer where it has bytes.
 */
export interface BinaryNode {
  tag: string;
  attrs: Record<string, string>;
  content?: BinaryNode[] | string | Uint8Array;
}

/** `attrs` of a node. */
export type BinaryNodeAttributes = BinaryNode['attrs'];

/** `content` of a node. */
export type BinaryNodeData = BinaryNode['content'];

/** A key pair of X25519. */
export interface KeyPair {
  /** 32 bytes. */
  private: Uint8Array;
  /** 32 bytes. */
  public: Uint8Array;
}

/** Baileys' constants, where they are passed at all: the dictionary is built in, others are refused. */
export interface BinaryNodeCodingOptions {
  SINGLE_BYTE_TOKENS?: readonly (string | null)[];
  DOUBLE_BYTE_TOKENS?: object;
  TOKEN_MAP?: object;
  TAGS?: object;
}

/** A Buffer over memory of one thread: `Buffer<ArrayBuffer>` where the types of Node have that. */
export type LocalBuffer = ReturnType<typeof Buffer.alloc>;

/**
 * Encodes a stanza: a flags byte of zero, then the node, with dictionary 3 (Baileys' `WABinary/constants`). Byte for byte
 * what Baileys 7 writes.
 *
 * @param node Attributes that are `undefined` or `null` are left out, numbers and booleans written as text.
 * @param opts For compatibility: constants other than those of the dictionary are refused by a `TypeError`.
 * @param buffer What the result starts with, in place of the flags byte; the encoding is appended to it as well.
 * @throws {Error} for a node without a tag, content of another kind, a tree deeper than 1,024 nodes (a cycle), or an
 *   attribute that is neither a string nor one of the above, where Baileys would write a stanza that no one can read.
 */
export declare function encodeBinaryNode(
  node: BinaryNode,
  opts?: BinaryNodeCodingOptions,
  buffer?: number[]
): LocalBuffer;

/**
 * Decodes a stanza: a flags byte, then the node, compressed by zlib where the flags have bit 2.
 *
 * Rejects for bytes that are no stanza; the codes of compressed ones are zlib's (`Z_BUF_ERROR`, `Z_DATA_ERROR`) and
 * `ERR_BUFFER_TOO_LARGE` above 16 MiB inflated. Bytes in the result may be views of `buffer`, as in Baileys.
 */
export declare function decodeBinaryNode(buffer: Buffer | Uint8Array): Promise<BinaryNode>;

/**
 * Decodes a node without a flags byte.
 *
 * @param opts As for {@link encodeBinaryNode}.
 * @param indexRef Where to start; set to where the node ends.
 * @throws {Error} for bytes that are no node, or a tree deeper than 1,024 nodes.
 */
export declare function decodeDecompressedBinaryNode(
  buffer: Buffer | Uint8Array,
  opts?: BinaryNodeCodingOptions,
  indexRef?: { index: number }
): BinaryNode;

/**
 * What follows a stanza's flags byte, inflated where it has to be. Rejects as {@link decodeBinaryNode} does.
 */
export declare function decompressingIfRequired(buffer: Buffer | Uint8Array): Promise<Buffer>;

/** What a noise handler needs of a logger; pino's and Baileys' `ILogger` have it. */
export interface NoiseLogger {
  level: string;
  child(bindings: Record<string, unknown>): NoiseLogger;
  trace(data: unknown, message?: string): void;
}

/** Options of {@link makeNoiseHandler}. */
export interface NoiseHandlerOptions {
  /** The ephemeral key pair, new for each connection. */
  keyPair: KeyPair;
  /** The prologue: `WA`, protocol version, dictionary version (Baileys' `NOISE_WA_HEADER`). Only dictionary 3 is spoken. */
  NOISE_HEADER: Uint8Array;
  logger: NoiseLogger;
  /** What an earlier login was told as edge routing; sent once, ahead of the prologue. */
  routingInfo?: Buffer | undefined;
  /** The key that the server's certificate chain must lead to, 32 bytes. Default: WhatsApp's. */
  trustedRoot?: Uint8Array | undefined;
}

/** The part of a HandshakeMessage (Baileys' `proto`) that the client reads. */
export interface ServerHandshake {
  serverHello?: {
    /** 32 bytes. */
    ephemeral?: Uint8Array | null;
    /** The server's static key, sealed: 48 bytes. */
    static?: Uint8Array | null;
    /** The certificate chain, sealed. */
    payload?: Uint8Array | null;
  } | null;
}

/**
 * One connection's `Noise_XX_25519_AESGCM_SHA256`, as WhatsApp runs it, and the frames around it. First the handshake, from
 * {@link finishInit} on the transport.
 */
export interface NoiseHandler {
  /** Seals with the key and counter at hand, in the handshake with its hash as associated data. */
  encrypt(plaintext: Uint8Array): LocalBuffer;
  /**
   * Opens likewise.
   *
   * @throws {Error} for what was not sealed with the same key, counter and hash.
   */
  decrypt(ciphertext: Uint8Array): LocalBuffer;
  /** Mixes data into the handshake's hash; does nothing on the transport. */
  authenticate(data: Uint8Array): void;
  /** Mixes a shared secret into the handshake's key. */
  mixIntoKey(data: Uint8Array): void;
  /** Ends the handshake; frames from then on are stanzas. */
  finishInit(): Promise<void>;
  /**
   * Works the server's hello in, verifies its certificate chain (both signatures, the issuer's serial, and that the leaf is of
   * the handshake's static key), and seals the client's static key.
   *
   * @param noiseKey The device's static key pair.
   * @returns The sealed public key, 48 bytes.
   * @throws {Error} where the chain does not verify, in the shape of `Boom` with `output.statusCode` 400; for a hello
   *   that is malformed, with the code `ERR_NOISE`; for one that cannot be opened, with Node's message for AES-GCM.
   */
  processHandshake(handshake: ServerHandshake, noiseKey: KeyPair): LocalBuffer;
  /**
   * A frame of the data: its length in 3 bytes, then the data, sealed on the transport; before the first one the prologue.
   *
   * @throws {Error} with the code `ERR_FRAME` for 16 MiB and more.
   */
  encodeFrame(data: Buffer | Uint8Array): LocalBuffer;
  /**
   * Takes bytes of the connection in any pieces and calls `onFrame` once for each whole frame, strictly in order, before it
   * returns: with bytes in the handshake, with stanzas on the transport.
   *
   * Rejects for a frame that cannot be opened, inflated or decoded, and with what `onFrame` throws; what follows that frame is
   * kept for the next call.
   *
   * Where the thread was blocked and the connection was kept alive meanwhile (see
   * {@link WebSocketClientConfig.keepAliveIntervalMs}), the latest `onFrame` is called once more, with an empty Buffer, as a
   * sign of life; what it throws then is ignored.
   */
  decodeFrame(newData: Buffer | Uint8Array, onFrame: (frame: Uint8Array | BinaryNode) => void): Promise<void>;
}

/**
 * The client's side of the handshake and the transport, for one connection.
 *
 * The native state goes when the last of the methods is garbage; keys are overwritten then.
 */
export declare function makeNoiseHandler(options: NoiseHandlerOptions): NoiseHandler;

/** What a {@link WebSocketClient} uses of Baileys' `SocketConfig`. */
export interface WebSocketClientConfig {
  /** How long each step of opening may take: resolving the name, connecting, TLS, the upgrade. Default: no limit. */
  connectTimeoutMs?: number | undefined;
  /**
   * Node's own `http.Agent` or `https.Agent`, for `ca`, `cert`, `key`, `rejectUnauthorized`, `servername`, `localAddress`,
   * `family` and `lookup` among its options; or a proxy agent of `https-proxy-agent`, `http-proxy-agent`,
   * `socks-proxy-agent` or `proxy-agent` (docs/proxies.md has the versions and options). Any other agent, and any other
   * option, ends in an `error` event with the code `ERR_AGENT_UNSUPPORTED`: the socket never connects past a proxy. Under
   * `baileys-native/register` such a connection is left to Baileys' own `WebSocketClient`.
   */
  agent?: HttpAgent | HttpsAgent | undefined;
  options?: {
    /** Headers of the upgrade request, by name. */
    headers?: object | undefined;
  };
  /**
   * Milliseconds between the keep-alive queries that the user of this client sends. From 200 on, and with a
   * {@link NoiseHandler} of ours whose frames go through this client, the addon sends such a query itself while the
   * JavaScript thread is blocked. Default: it does not.
   */
  keepAliveIntervalMs?: number | undefined;
  /**
   * `false`: nothing is sent while the JavaScript thread is blocked. `BAILEYS_NATIVE_KEEP_ALIVE=off` in the environment
   * says so for all clients. Default: `true`.
   */
  keepAliveWhileBlocked?: boolean | undefined;
}

/** Arguments of the listeners, by event; those of `ws`' client, as Baileys forwards them. */
export interface WebSocketClientEvents {
  /** The upgrade has been accepted. */
  open: [];
  /** `data` is what the peer sent in one WebSocket message. */
  message: [data: Buffer, isBinary: boolean];
  /** The connection has ended; 1006 where the peer sent no close frame. */
  close: [code: number, reason: Buffer];
  /** With the code and message that Node or `ws` would give; `close` follows. */
  error: [error: Error & { code?: string }];
  upgrade: [response: IncomingMessage];
  /**
   * The server, or a proxy on the way to it, answered with something else. With a listener the rest is up to that; without
   * one `error` follows. The request has `method`, `protocol`, `host`, `path`, `abort` and `destroy`.
   */
  'unexpected-response': [
    request: EventEmitter & Pick<ClientRequest, 'method' | 'protocol' | 'host' | 'path' | 'abort'>,
    response: IncomingMessage
  ];
  ping: [data: Buffer];
  pong: [data: Buffer];
}

/**
 * What stands for the `ws` WebSocket beneath a {@link WebSocketClient}: its events, states and properties. Its listeners
 * run behind those of the client, and what is taken from it by `removeAllListeners` the client no longer gets.
 *
 * It has no `pause`, `resume` and `_socket`.
 */
export interface WebSocketClientSocket extends EventEmitter {
  readonly CONNECTING: 0;
  readonly OPEN: 1;
  readonly CLOSING: 2;
  readonly CLOSED: 3;
  readonly readyState: 0 | 1 | 2 | 3;
  readonly url: string;
  /** Always empty: none is asked for. */
  readonly protocol: string;
  /** Always empty: none is offered. */
  readonly extensions: string;
  /** Always `nodebuffer`; another value is ignored. */
  binaryType: string;
  /** Always `false`. */
  readonly isPaused: boolean;
  /** Bytes that the operating system does not have yet. Data sent after the end is counted too. */
  readonly bufferedAmount: number;

  /**
   * Ends the connection at once, without a closing handshake; `close` follows, with 1006 unless the peer has closed. While
   * it is connecting, `error` and `close` follow, as by `close`.
   */
  terminate(): void;
  /** Starts the closing handshake, without a code. */
  close(): void;
  /** @param options Of these of `ws`, `binary` alone matters. */
  send(data: string | Uint8Array, options: { binary?: boolean }, cb?: (err?: Error | null) => void): void;
  send(data: string | Uint8Array, cb?: (err?: Error | null) => void): void;
  /** Sends a ping of at most 125 bytes. The peer answers it with a `pong` event. `mask` is ignored. */
  ping(data?: string | number | Uint8Array, mask?: boolean, cb?: (err?: Error | null) => void): void;
  ping(data: string | number | Uint8Array, cb: (err?: Error | null) => void): void;
  ping(cb: (err?: Error | null) => void): void;
  /** Sends a pong of at most 125 bytes that no ping has asked for. `mask` is ignored. */
  pong(data?: string | number | Uint8Array, mask?: boolean, cb?: (err?: Error | null) => void): void;
  pong(data: string | number | Uint8Array, cb: (err?: Error | null) => void): void;
  pong(cb: (err?: Error | null) => void): void;

  onopen: ((event: WebSocketClientEvent) => void) | null;
  onmessage: ((event: WebSocketClientEvent & { data: string | Buffer }) => void) | null;
  onclose: ((event: WebSocketClientEvent & { code: number; reason: string; wasClean: boolean }) => void) | null;
  onerror: ((event: WebSocketClientEvent & { error: Error; message: string }) => void) | null;
  addEventListener(
    type: 'open' | 'message' | 'close' | 'error',
    handler: ((event: any) => void) | { handleEvent(event: any): void },
    options?: { once?: boolean }
  ): void;
  removeEventListener(
    type: 'open' | 'message' | 'close' | 'error',
    handler: ((event: any) => void) | { handleEvent(event: any): void }
  ): void;
}

/** What the event objects of a {@link WebSocketClientSocket} have in common. */
export interface WebSocketClientEvent {
  type: string;
  target: WebSocketClientSocket;
}

/**
 * Baileys' `WebSocketClient`: a WebSocket over TCP or TLS that runs outside the JavaScript thread. Keeps the process alive
 * from `connect` until `close`.
 *
 * TLS trusts the bundled Mozilla roots, `NODE_EXTRA_CA_CERTS`, the system's store under
 * `NODE_USE_SYSTEM_CA=1` or `--use-system-ca`, the agent's `ca`; `NODE_TLS_REJECT_UNAUTHORIZED=0` is honoured.
 */
export declare class WebSocketClient<
  Config extends WebSocketClientConfig = WebSocketClientConfig
> extends EventEmitter {
  url: URL;
  config: Config;
  /**
   * The WebSocket beneath; `null` before `connect` and after `close`. Where the connection was left to Baileys' own class, it
   * is the one of `ws`.
   */
  socket: WebSocketClientSocket | null;

  /** @param url `ws:` or `wss:` */
  constructor(url: URL, config: Config);

  get isOpen(): boolean;
  get isClosed(): boolean;
  /** As in Baileys this is true as well before `connect` and after `close`. */
  get isClosing(): boolean;
  get isConnecting(): boolean;

  /**
   * Starts to connect; does nothing where there is a socket already.
   *
   * @throws {SyntaxError} for a URL that cannot be used.
   * @throws {TypeError} for headers or an agent that Node would refuse.
   */
  connect(): void;

  /** Ends the connection with a closing handshake; resolves when it has ended, after the `close` event. */
  close(): Promise<void>;

  /**
   * Sends one message: text for a string, binary otherwise.
   *
   * @param cb Called when the message has been handed to the operating system, or cannot be any more.
   * @returns Whether there is a socket.
   * @throws {Error} while it is connecting.
   */
  send(str: string | Uint8Array, cb?: (err?: Error) => void): boolean;

  on<E extends keyof WebSocketClientEvents>(event: E, listener: (...args: WebSocketClientEvents[E]) => void): this;
  on(event: string | symbol, listener: (...args: any[]) => void): this;
  once<E extends keyof WebSocketClientEvents>(event: E, listener: (...args: WebSocketClientEvents[E]) => void): this;
  once(event: string | symbol, listener: (...args: any[]) => void): this;
  addListener<E extends keyof WebSocketClientEvents>(
    event: E,
    listener: (...args: WebSocketClientEvents[E]) => void
  ): this;
  addListener(event: string | symbol, listener: (...args: any[]) => void): this;
}

/** Where a {@link NativeSession} is; the transitions are in `docs/session.md`. */
export type SessionState = 'disconnected' | 'connecting' | 'authenticating' | 'connected' | 'closing' | 'reconnecting';

/** What is done on the end of a connection: connect again at once, after a growing delay, or not at all. */
export type ReconnectClass = 'immediate' | 'backoff' | 'final';

/** Why a connection ended. */
export interface EndReason {
  kind:
    | 'requested'
    | 'loggedOut'
    | 'transport'
    | 'transportClosed'
    | 'timedOut'
    | 'silence'
    | 'qrEnded'
    | 'stream'
    | 'failure'
    | 'streamEnd'
    | 'notMultiDevice'
    | 'handshake'
    | 'pairing'
    | 'login'
    | 'frame'
    | 'noise'
    | 'defect';
  /** A value of Baileys' `DisconnectReason`, or what the server said. */
  code: number;
  /** Baileys' text where it has one. */
  message: string;
  /** The attributes of a `failure`. */
  attrs?: Record<string, string>;
  /** Of a `transport`: the error's `code` as a socket's `error` has it, for example `ECONNREFUSED`, where it has one. */
  errorCode?: string;
  /** Of a `transport`: the error as a socket gives it, with `code`, `errno`, `syscall`, `address` and `port`. Not enumerable. */
  readonly cause?: Error;
}

/** A change of {@link SessionState}. */
export interface SessionStateChange {
  from: SessionState;
  to: SessionState;
  trigger: 'connect' | 'opened' | 'loggedIn' | 'close' | 'lost' | 'due' | 'ended';
  /** When, in milliseconds since 1970. */
  at: number;
  /** Why the connection ended, where it did. */
  reason?: EndReason | undefined;
}

/** A device's credentials in Baileys' shape, as far as a session uses them (its `AuthenticationCreds`). */
export interface SessionCredentials {
  noiseKey: KeyPair;
  pairingEphemeralKeyPair: KeyPair;
  signedIdentityKey: KeyPair;
  signedPreKey: { keyPair: KeyPair; signature: Uint8Array; keyId: number };
  registrationId: number;
  /** In base64. */
  advSecretKey: string;
  me?: { id: string; lid?: string; name?: string } | undefined;
  account?:
    | {
        details?: Uint8Array | null;
        accountSignatureKey?: Uint8Array | null;
        accountSignature?: Uint8Array | null;
        deviceSignature?: Uint8Array | null;
      }
    | undefined;
  signalIdentities?: { identifier: { name: string; deviceId: number }; identifierKey: Uint8Array }[] | undefined;
  platform?: string | undefined;
  routingInfo?: Uint8Array | undefined;
  pairingCode?: string | undefined;
  registered?: boolean;
}

/** Marks of a queue; it is full at the first that it reaches, and has room again at half of both. */
export interface QueueBounds {
  /** Default 4,096. */
  stanzas?: number;
  /** Default 4 MiB. */
  bytes?: number;
  /** The most bytes the outgoing queue ever holds; beyond them a stanza is refused. Default 64 MiB. For `incoming` see there. */
  limit?: number;
}

/** What a session needs of a logger; pino's has it. Levels are looked at before anything is put together. */
export interface SessionLogger {
  level: string;
  isLevelEnabled?(level: string): boolean;
  child?(bindings: Record<string, unknown>): SessionLogger;
  trace(data: unknown, message?: string): void;
  debug(data: unknown, message?: string): void;
  info(data: unknown, message?: string): void;
  warn(data: unknown, message?: string): void;
  /** For defects of the session's own; `warn` is used without it. */
  error?(data: unknown, message?: string): void;
}

/** A server whose certificates were verified; plain data, to be stored. */
export interface KnownServer {
  /** Its static Noise key, 32 bytes in base64. */
  key: string;
  /** From when on and until when its certificates are valid, in seconds since 1970, where they say. */
  notBefore?: number | undefined;
  notAfter?: number | undefined;
}

/** Options of a {@link NativeSession}. Times are in milliseconds; defaults are Baileys 7's where it has the option. */
export interface NativeSessionOptions {
  /**
   * What `useMultiFileAuthState` gives as `state`, or its `creds` alone. Changes are written into this very object, as
   * Baileys does, before `creds` is emitted. Read once, by the constructor.
   */
  auth: { creds: SessionCredentials } | SessionCredentials;
  /** Default: WhatsApp's. */
  url?: string | URL;
  /** As {@link WebSocketClientConfig.agent}; one with `lookup` or `family` is refused as well. */
  agent?: HttpAgent | HttpsAgent | undefined;
  /** Headers of the upgrade request, by name. */
  headers?: object | undefined;
  /** The key that the server's certificate chain must lead to, 32 bytes. Default: WhatsApp's. */
  trustedRoot?: Uint8Array | undefined;
  /**
   * Also gets what the native half tells of itself (its `tracing` events), most of it at `debug`: connections, handshakes,
   * keep-alive, why reading stops. Stanzas are written at `trace` alone, with lengths in place of binary contents; keys and
   * tokens by themselves at no level. The level may change: it is looked at again with every change of state.
   */
  logger?: SessionLogger | undefined;

  /** Version of WhatsApp Web that the client claims to be. */
  version?: [number, number, number];
  /** Operating system, browser, its version. */
  browser?: [string, string, string];
  /** ISO 3166-1 code. */
  countryCode?: string;
  /** The name to log in under. */
  pushName?: string;
  syncFullHistory?: boolean;
  /** Whether to ask for pending stanzas as soon as the login succeeded. Default `true`. */
  activate?: boolean;
  /** How many stored stanzas to ask for when the server offers them; 0 not to ask. Default 100. */
  offlineBatch?: number;
  /**
   * Whether to resume with a server that is known, by Noise IK: the login travels with the first message. A server is known
   * from the session's connections before, or as `knownServer`. Default `false`.
   */
  resume?: boolean;
  /** {@link NativeSession.knownServer} of an earlier session. Whoever can change it can pass for the server. */
  knownServer?: KnownServer | undefined;

  /** For the transport to open, and again for the handshake. Default 20,000. */
  connectTimeoutMs?: number;
  /** For a connection that is closing to send what is queued. Default 5,000. */
  closeTimeoutMs?: number;
  /** Default 30,000. */
  keepAliveIntervalMs?: number;
  /** How much longer than the interval the server may be silent. Default 5,000. */
  keepAliveGraceMs?: number;
  /** Between WebSocket pings. None by default. */
  socketPingIntervalMs?: number;
  /** For a query that does not say otherwise; 0 for no limit. Default 60,000. */
  queryTimeoutMs?: number;
  /** The most queries unanswered at a time. Default 10,000. */
  maxQueries?: number;
  /** How long the first QR code holds. Default 60,000. */
  firstQrTimeoutMs?: number;
  /** How long each further one holds. Default 20,000. */
  qrTimeoutMs?: number;

  outgoing?: QueueBounds;
  /** What waits for JavaScript; when it is full nothing is read, and the server waits. `limit` is for what a connection had received before it ended: stanzas beyond it are dropped. */
  incoming?: QueueBounds;
  /** `false`: never connect again. */
  reconnect?:
    | false
    | {
        /** The delay is random, up to this at first. Default 1,000. */
        baseMs?: number;
        /** Up to this after many attempts. Default 60,000. */
        maxMs?: number;
        /** The most attempts in a row; no limit by default. */
        attempts?: number;
        /** What to do on particular codes, in place of what `docs/session.md` says. */
        classes?: Record<number, ReconnectClass>;
      };
}

/**
 * Which stanzas are wanted, by their tag, attributes and first child alone. What is not given may be anything; the value
 * `true` asks for an attribute with any value.
 */
export interface StanzaPattern {
  tag?: string;
  id?: string;
  attrs?: Record<string, string | true>;
  /** The tag of the first child. */
  child?: string;
}

/** Arguments of the listeners of a {@link NativeSession}. */
export interface NativeSessionEvents {
  state: [change: SessionStateChange];
  /** Any stanza that is not an answer to one of the session's own queries. Without a listener none is built. */
  node: [node: BinaryNode];
  /** A code to show in place of the one before. */
  qr: [qr: string, info: { expiresAt: number }];
  /** A device was paired; the server then asks for a new connection. */
  paired: [me: { id: string; lid?: string; name?: string }];
  /** Changes in the shape of Baileys' `creds.update`: save them. */
  creds: [update: Partial<SessionCredentials>];
  /**
   * Another connection will be made at that time. `veto` keeps it from being made, and ends one that was begun meanwhile.
   */
  reconnecting: [event: { attempt: number; at: number; reason: EndReason; veto: () => void }];
  /** How many stored stanzas the server has delivered. */
  offline: [count: number];
  /** The outgoing queue has room again. */
  drain: [];
  /** Stanzas that were accepted and will not be sent, as their connection ended: numbers from `sendNode`. */
  unsent: [numbers: number[]];
  /** Something failed that the session goes on after. Nobody has to listen. */
  error: [error: SessionError];
  /** The session is disconnected and stays so. */
  close: [reason: EndReason];
}

/**
 * What a session rejects with. `output.statusCode` is there as well, as in Baileys' errors.
 *
 * | code | is |
 * | --- | --- |
 * | `ERR_NOT_CONNECTED` | there is no connection that could carry the stanza |
 * | `ERR_QUEUE_FULL` | the outgoing queue is at its limit |
 * | `ERR_INVALID_NODE`, `ERR_FRAME` | the stanza cannot be written (`cause` has what was thrown), or is too long |
 * | `ERR_DUPLICATE_ID`, `ERR_TOO_MANY_QUERIES` | the query is not accepted |
 * | `ERR_STANZA` | the answer is an error stanza, see {@link StanzaError} |
 * | `ERR_QUERY_TIMEOUT` | no answer came in time |
 * | `ERR_CONNECTION_CLOSED` | the connection ended first |
 * | `ERR_SESSION_ENDED` | `connect`: the session ended without a login |
 * | `ERR_SESSION_FAILED` | `connect`: the session has ended with the reason `defect`; make another one |
 * | `ERR_SESSION_CLOSING` | `connect`: wait for `close` first |
 * | `ERR_PAIRING_CODE` | there is no pairing by code now, or it failed |
 * | `ERR_MALFORMED_STANZA` | what came in is no stanza |
 */
export declare class SessionError extends Error {
  code: string;
  /** A value of Baileys' `DisconnectReason`, or what the server said. */
  statusCode: number | undefined;
  /** Of `ERR_SESSION_ENDED`. */
  reason?: EndReason['kind'];
}

/** An answer that is an error stanza. */
export declare class StanzaError extends SessionError {
  /** The stanza's text; `Unknown error` where it has none. */
  text: string;
}

/** How full a queue is and has been. */
export interface QueueMetrics {
  stanzas: number;
  bytes: number;
  mostStanzas: number;
  mostBytes: number;
}

/** Durations: `buckets[i]` counts those below `2 ** i` ms, the last one all others. */
export interface DurationHistogram {
  buckets: number[];
  count: number;
  sumMs: number;
}

/** How a handshake went: in full, resumed, or in full since resumption was declined. */
export type HandshakeKind = 'XX' | 'IK' | 'XXfallback';

/** Times of a second and more in which events waited for a JavaScript thread that was busy, and the connection lived on. */
export interface LoopStalls {
  count: number;
  sumMs: number;
  longestMs: number;
}

/** What sessions have done so far, and hold now. */
export interface SessionFigures {
  connections: number;
  logins: number;
  /** Connections that were followed by another one, by the code of their end. */
  reconnects: Record<string, number>;
  /** Times from the open transport to the end of the handshake. */
  handshakes: Partial<Record<HandshakeKind, DurationHistogram>>;
  bytesIn: number;
  bytesOut: number;
  framesIn: number;
  framesOut: number;
  stanzasIn: number;
  stanzasOut: number;
  /** Those that were wanted, or answered a query. */
  stanzasDelivered: number;
  malformed: number;
  queries: number;
  queriesRefused: number;
  queriesTimedOut: number;
  queriesCancelled: number;
  /** Ended with their connection. */
  queriesClosed: number;
  /** The session's own included. */
  queriesPending: number;
  queryLatency: DurationHistogram;
  /** Keep-alive queries. */
  pings: number;
  pingRtt: DurationHistogram;
  outgoing: QueueMetrics;
  incoming: QueueMetrics;
  /** How often reading was suspended. */
  stalls: number;
  loopStalls: LoopStalls;
  /** Memory of buffers, queues aside. */
  bufferBytes: number;
  /** Time spent on what came in, off the JavaScript thread: all of it. */
  inboundMs: number;
  /** Of which on decryption: an estimate, as the next two are, from one frame in 16. */
  decryptMs: number;
  /** On decompression. */
  inflateMs: number;
  /** On taking stanzas apart. */
  parseMs: number;
}

/** {@link NativeSession.metrics}. */
export interface SessionMetrics extends SessionFigures {
  state: SessionState;
  lastPingRttMs?: number;
  /** The latest handshake, and its time from the open transport on. */
  handshake?: { kind: HandshakeKind; ms: number };
}

/** What the sockets of the drop-in have done so far, and hold now. */
export interface SocketFigures {
  /** How many there are in each state. */
  connecting: number;
  open: number;
  closing: number;
  /** All that there have been. */
  connections: number;
  bytesIn: number;
  bytesOut: number;
  messagesIn: number;
  messagesOut: number;
  /** Frames that were decrypted and taken apart off the JavaScript thread. */
  framesOpened: number;
  /** Time spent on what came in, off the JavaScript thread. */
  inboundMs: number;
  /** What waits for JavaScript. */
  waitingBytes: number;
  mostWaitingBytes: number;
  /** What was survived while a JavaScript thread was blocked. */
  survived: {
    /** Times that it was blocked for so long that keep-alive queries were sent in its place. Counts when it is over. */
    stalls: number;
    /** How long it was blocked then, in milliseconds. */
    blockedMs: number;
    /** The queries. */
    keepAlives: number;
  };
}

/** {@link metrics}. */
export interface ProcessMetrics extends SessionFigures {
  /** Sessions that there are now. */
  sessions: number;
  /** How many of them are in each state. */
  states: Partial<Record<SessionState, number>>;
  sockets: SocketFigures;
}

/**
 * Sums over this process, its worker threads included; of greatest depths the greatest. Counters never go back: they keep
 * what sessions and sockets counted that have gone. A stall counts once a thread, however many sessions it has.
 */
export declare function metrics(): ProcessMetrics;

/**
 * The channels of `node:diagnostics_channel` and what is published on each, before listeners of the same event are called.
 * Nothing is put together for a channel without subscribers. `connection` is a number of the process's own for a socket
 * of the drop-in; a socket that was left to Baileys' own class has none.
 */
export interface DiagnosticsMessages {
  'baileys-native:session:state': { session: NativeSession } & SessionStateChange;
  /** Every stanza that is sent by JavaScript or built for it. Subscribing builds no more of them. */
  'baileys-native:session:node': { session: NativeSession; direction: 'in' | 'out'; node: BinaryNode };
  /** A query that has been settled; `node` is the object that `query` was given. */
  'baileys-native:session:query': {
    session: NativeSession;
    node: BinaryNode;
    outcome: 'answered' | 'refused' | 'timedOut' | 'cancelled' | 'closed';
    ms: number;
    answer?: BinaryNode;
    error?: Error;
  };
  /** Whoever has the code can link a device to the account that scans it. */
  'baileys-native:session:qr': { session: NativeSession; qr: string; expiresAt: number };
  'baileys-native:session:paired': { session: NativeSession; me: NativeSessionEvents['paired'][0] };
  /** Keys and secrets: not to be logged. */
  'baileys-native:session:creds': { session: NativeSession; update: Partial<SessionCredentials> };
  'baileys-native:session:reconnecting': { session: NativeSession; attempt: number; at: number; reason: EndReason };
  'baileys-native:session:offline': { session: NativeSession; count: number };
  'baileys-native:session:drain': { session: NativeSession };
  'baileys-native:session:unsent': { session: NativeSession; numbers: number[] };
  /** Also where nobody listens to `error`. */
  'baileys-native:session:error': { session: NativeSession; error: SessionError };
  'baileys-native:session:close': { session: NativeSession; reason: EndReason };

  'baileys-native:socket:connect': { client: WebSocketClient; url: string };
  'baileys-native:socket:open': SocketMessage;
  /** A stanza that a noise handler of ours opened or is about to seal. */
  'baileys-native:socket:node': { connection: number | undefined; direction: 'in' | 'out'; node: BinaryNode };
  'baileys-native:socket:message': SocketMessage & { data: Buffer; isBinary: boolean };
  'baileys-native:socket:send': SocketMessage & { data: string | Uint8Array };
  'baileys-native:socket:undecodable': { connection: number; error: Error };
  'baileys-native:socket:ping': SocketMessage & { data: Buffer };
  'baileys-native:socket:pong': SocketMessage & { data: Buffer };
  'baileys-native:socket:upgrade': SocketMessage & { response: IncomingMessage };
  'baileys-native:socket:unexpected-response': SocketMessage & {
    request: WebSocketClientEvents['unexpected-response'][0];
    response: IncomingMessage;
  };
  'baileys-native:socket:error': SocketMessage & { error: Error & { code?: string } };
  'baileys-native:socket:close': SocketMessage & { code: number; reason: Buffer };

  /** The loop came for its events only after so long, a second or more; see {@link LoopStalls}. */
  'baileys-native:loop:stall': { ms: number };
}

/** What the messages of a socket's events have in common. */
export interface SocketMessage {
  client: WebSocketClient;
  connection: number | undefined;
}

/**
 * A connection to WhatsApp without Baileys' upper layers: pairing, login, stanzas, queries, heartbeat and reconnection,
 * all outside the JavaScript thread. While that is blocked, keep-alive queries go out and stanzas are read up to
 * `incoming`; they are delivered once and in order when it comes back.
 *
 * Keeps the process alive from `connect` until `close` is emitted. Which stanzas are to be acknowledged, and how, is up to
 * its user.
 */
export declare class NativeSession extends EventEmitter<NativeSessionEvents> implements AsyncIterable<BinaryNode> {
  /**
   * @throws {TypeError | RangeError} for options that cannot be used, and for names that are no options, Baileys' own among
   * them: such an option would be ignored.
   * @throws {Error} with the code `ERR_AGENT_UNSUPPORTED`, as {@link WebSocketClient} has it.
   */
  constructor(options: NativeSessionOptions);

  /** As far as the events that were emitted say. */
  get state(): SessionState;
  /** The credentials given, with all changes. */
  get credentials(): SessionCredentials;
  /** Whether to wait for `drain` before sending more. */
  get needsDrain(): boolean;
  /** The server of the last handshake, for a later session to resume with. */
  get knownServer(): KnownServer | undefined;
  /** By how many milliseconds the server's clock is ahead of this machine's, once it has told. */
  get serverTimeOffsetMs(): number | undefined;

  /**
   * Connects, at once even where the next connection is due later. Resolves when logged in, which for a new device is after
   * pairing and the restart; rejects where the session ends first. It need not be awaited.
   *
   * @param options.signal Gives the wait up and closes.
   */
  connect(options?: { signal?: AbortSignal }): Promise<void>;

  /**
   * Sends what is queued, and closes. Resolves when disconnected.
   *
   * @param options.signal Gives the wait up; the session closes all the same.
   */
  close(options?: { signal?: AbortSignal }): Promise<void>;

  /** As {@link close}, and logs the device out before. The credentials are of no use afterwards. */
  logout(options?: { signal?: AbortSignal }): Promise<void>;

  /**
   * Sends a stanza. It is in the queue, in the order of the calls, when this returns. The promise resolves, with the
   * stanza's number, when more may be sent: at once below the high-water mark, otherwise on `drain`.
   *
   * @param options.signal Gives the wait up, not the stanza.
   */
  sendNode(node: BinaryNode, options?: { signal?: AbortSignal }): Promise<number>;

  /**
   * Sends a stanza and resolves with the one that answers it: the next with its id, which is given to it where it has none.
   *
   * Rejects with a {@link StanzaError} for an error stanza, with a {@link SessionError} otherwise.
   *
   * @param options.timeoutMs Default: the session's `queryTimeoutMs`.
   * @param options.signal Rejects with its reason.
   * @param options.idempotent It does no harm to send it twice: it is sent again where its connection ends.
   */
  query(
    node: BinaryNode,
    options?: { timeoutMs?: number; signal?: AbortSignal; idempotent?: boolean }
  ): Promise<BinaryNode>;

  /** Stops reading: the server has to wait. What has been read already still comes, up to `incoming`. */
  pause(): void;
  /** Reads again. */
  resume(): void;

  /**
   * Asks for pairing by code and resolves with the code to type on the phone. To be called on the first `qr`.
   *
   * @param phoneNumber Its digits count.
   * @param options.code 8 characters of one's own.
   */
  requestPairingCode(phoneNumber: string, options?: { code?: string }): Promise<string>;

  /**
   * Calls a listener for each stanza that matches. Patterns are matched before anything is built; a text is one of the names
   * that Baileys emits: `CB:tag`, `CB:tag,key`, `CB:tag,key:value`, `CB:tag,key:value,child`, `CB:tag,,child`, `TAG:id`,
   * `frame`. A stanza is one object for all listeners.
   *
   * @returns Takes the listener off; so does the signal.
   * @throws {Error} for a text that is no pattern.
   */
  onStanza(
    pattern: string | StanzaPattern,
    listener: (node: BinaryNode) => void,
    options?: { signal?: AbortSignal }
  ): () => void;

  /**
   * The stanzas that match, all by default, from now until the session is disconnected. A slow consumer stops the reading.
   *
   * @param options.signal Ends it with its reason.
   */
  stanzas(pattern?: string | StanzaPattern, options?: { signal?: AbortSignal }): AsyncIterableIterator<BinaryNode>;

  /** {@link stanzas} of every kind. */
  [Symbol.asyncIterator](): AsyncIterableIterator<BinaryNode>;

  metrics(): SessionMetrics;
}

/** Options of {@link inspect}. */
export interface InspectOptions {
  /** What people see. Default: the file name of the program. */
  name?: string;
  /**
   * A directory of this user's alone, mode 0700; made where it is not there. Default: `BAILEYS_NATIVE_INSPECT_DIR`, otherwise
   * one in `XDG_RUNTIME_DIR` or the directory for temporary files.
   */
  directory?: string;
}

/** What {@link inspect} has opened. */
export interface Inspection {
  /** The Unix-domain socket. */
  path: string;
  /** Takes part no longer. */
  close(): Promise<void>;
}

/**
 * Lets `npx baileys-native inspect` of the same user see the stanzas of this thread, from now on; `BAILEYS_NATIVE_INSPECT` in
 * the environment does so from the start. Contents of messages, keys, tokens and codes are replaced by their lengths
 * before anything leaves the process; `observation.md` in the repository has the list. Sessions then build every stanza, wanted or not.
 * A thread takes part once: further calls give what the first one has opened.
 *
 * @throws {Error} where the directory is not this user's alone.
 */
export declare function inspect(options?: InspectOptions): Inspection;

/**
 * Whether the hooks of `baileys-native/register` are installed in this thread and the addon is loaded: what is loaded from
 * now on is replaced where it is a Baileys that is known. {@link replaced} tells what has been.
 */
export declare function isActive(): boolean;

/** A copy of Baileys that runs on this package. */
export interface ReplacedCopy {
  /** Directory of its package.json. */
  root: string;
  version: string;
  /** Names of the exports that are replaced, sorted. A patched file keeps its own. */
  exports: string[];
}

/**
 * The copies of Baileys that this thread has loaded with their socket layer from this package, in the order of loading.
 * Empty where Baileys runs on its JavaScript, whatever the reason, and before it is loaded.
 */
export declare function replaced(): ReplacedCopy[];
