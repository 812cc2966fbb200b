/**
 * The socket layer of Baileys as a native addon, with the names, signatures, events and bytes of Baileys 7.
 *
 * These are the single parts. For an unmodified Baileys use `baileys-native/register`; for a test server use
 * `baileys-native/testing`. Lengths are in bytes, times in milliseconds. Keys are raw bytes without a type prefix.
 *
 * The package can be imported even if the addon cannot be loaded, for example on another platform. `isActive`,
 * `replaced`, `inspect` and the error classes then work; everything else throws an `Error` with the code
 * `ERR_NATIVE_UNAVAILABLE` when it is called.
 *
 * @packageDocumentation
 */

import { EventEmitter } from 'node:events';
import type { Agent as HttpAgent, ClientRequest, IncomingMessage } from 'node:http';
import type { Agent as HttpsAgent } from 'node:https';

/**
 * A node of WhatsApp's binary XML, in the shape of Baileys' `WABinary` types. A complete node is a stanza.
 *
 * The decoder returns a string for a token, a packed number, a JID or text, and a Buffer for bytes.
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

/** An X25519 key pair. */
export interface KeyPair {
  /** 32 bytes. */
  private: Uint8Array;
  /** 32 bytes. */
  public: Uint8Array;
}

/** Baileys' constants, for compatibility. The dictionary is built in; other token lists are refused. */
export interface BinaryNodeCodingOptions {
  SINGLE_BYTE_TOKENS?: readonly (string | null)[];
  DOUBLE_BYTE_TOKENS?: object;
  TOKEN_MAP?: object;
  TAGS?: object;
}

/** A Buffer without shared memory: `Buffer<ArrayBuffer>` in newer types of Node. */
export type LocalBuffer = ReturnType<typeof Buffer.alloc>;

/**
 * Encodes a stanza: a flags byte of zero, then the node with dictionary 3 (Baileys' `WABinary/constants`). The bytes
 * are the same as those of Baileys 7.
 *
 * @param node Attributes that are `undefined` or `null` are left out. Numbers and booleans are written as text.
 * @param opts For compatibility. Tokens that are not those of the dictionary cause a `TypeError`.
 * @param buffer The first bytes of the result, instead of the flags byte. The encoding is also appended to this array.
 * @throws {Error} for a node without a tag, content of another type, a tree deeper than 1,024 nodes (for example a
 *   cycle), or an attribute of another type. For such an attribute Baileys writes a stanza that cannot be read.
 */
export declare function encodeBinaryNode(
  node: BinaryNode,
  opts?: BinaryNodeCodingOptions,
  buffer?: number[]
): LocalBuffer;

/**
 * Decodes a stanza: a flags byte, then the node. The node is compressed by zlib if the flags byte has the value 2 set.
 *
 * Rejects for bytes that are not a stanza. Errors of compressed stanzas have the codes of zlib (`Z_BUF_ERROR`,
 * `Z_DATA_ERROR`), or `ERR_BUFFER_TOO_LARGE` above 16 MiB of decompressed data. Bytes in the result may be views of
 * `buffer`, as in Baileys.
 */
export declare function decodeBinaryNode(buffer: Buffer | Uint8Array): Promise<BinaryNode>;

/**
 * Decodes a node without a flags byte.
 *
 * @param opts As for {@link encodeBinaryNode}.
 * @param indexRef Position of the first byte. It is set to the position after the node.
 * @throws {Error} for bytes that are not a node, or a tree deeper than 1,024 nodes.
 */
export declare function decodeDecompressedBinaryNode(
  buffer: Buffer | Uint8Array,
  opts?: BinaryNodeCodingOptions,
  indexRef?: { index: number }
): BinaryNode;

/**
 * Returns the bytes after the flags byte of a stanza, decompressed if needed. Rejects like {@link decodeBinaryNode}.
 */
export declare function decompressingIfRequired(buffer: Buffer | Uint8Array): Promise<Buffer>;

/** The methods of a logger that a noise handler uses. pino and Baileys' `ILogger` have them. */
export interface NoiseLogger {
  level: string;
  child(bindings: Record<string, unknown>): NoiseLogger;
  trace(data: unknown, message?: string): void;
}

/** Options of {@link makeNoiseHandler}. */
export interface NoiseHandlerOptions {
  /** The ephemeral key pair. It must be new for each connection. */
  keyPair: KeyPair;
  /**
   * The WhatsApp header: `WA`, protocol version, dictionary version (Baileys' `NOISE_WA_HEADER`). Stanzas use
   * dictionary 3.
   */
  NOISE_HEADER: Uint8Array;
  logger: NoiseLogger;
  /** The edge routing info of an earlier login. It is sent once, before the WhatsApp header. */
  routingInfo?: Buffer | undefined;
  /** The root key of the server's certificate chain, 32 bytes. Default: WhatsApp's. */
  trustedRoot?: Uint8Array | undefined;
  /**
   * `true`: certificates are refused if their validity ended more than a day ago, or begins more than a day from now,
   * as in `NativeSession` and WhatsApp Web. `BAILEYS_NATIVE_CERTIFICATE_DATES=on` in the environment does this for all
   * handlers. Default: `false`, as in Baileys.
   */
  checkCertificateDates?: boolean | undefined;
}

/** The part of a HandshakeMessage (Baileys' `proto`) that the client reads. */
export interface ServerHandshake {
  serverHello?: {
    /** 32 bytes. */
    ephemeral?: Uint8Array | null;
    /** The sealed static key of the server, 48 bytes. */
    static?: Uint8Array | null;
    /** The sealed certificate chain. */
    payload?: Uint8Array | null;
  } | null;
}

/**
 * `Noise_XX_25519_AESGCM_SHA256` as WhatsApp uses it, and its frames, for one connection. It starts in the handshake
 * phase; `finishInit` changes to the transport phase.
 */
export interface NoiseHandler {
  /** Seals with the current key and counter. In the handshake the hash is the associated data. */
  encrypt(plaintext: Uint8Array): LocalBuffer;
  /**
   * Opens with the current key and counter. In the handshake the hash is the associated data.
   *
   * @throws {Error} for data that was not sealed with the same key, counter and hash.
   */
  decrypt(ciphertext: Uint8Array): LocalBuffer;
  /** Mixes data into the handshake hash. Does nothing in the transport phase. */
  authenticate(data: Uint8Array): void;
  /** Mixes a shared secret into the handshake key. */
  mixIntoKey(data: Uint8Array): void;
  /** Ends the handshake. Later frames are stanzas. */
  finishInit(): Promise<void>;
  /**
   * Processes the server's hello, verifies its certificate chain, and seals the client's static key. Verified are both
   * signatures, the serial of the issuer, and that the leaf certificate has the static key of the handshake.
   *
   * @param noiseKey The static key pair of the device.
   * @returns The sealed public key, 48 bytes.
   * @throws {Error} if the chain is not valid: an error in the shape of `Boom` with `output.statusCode` 400. For a
   *   malformed hello: an error with the code `ERR_NOISE`. For a hello that cannot be opened: Node's message for
   *   AES-GCM.
   */
  processHandshake(handshake: ServerHandshake, noiseKey: KeyPair): LocalBuffer;
  /**
   * Creates a frame: its length in 3 bytes, then the data. The data is sealed in the transport phase. The first frame
   * starts with the routing info and the WhatsApp header.
   *
   * @throws {Error} with the code `ERR_FRAME` for a frame of 16 MiB or more.
   */
  encodeFrame(data: Buffer | Uint8Array): LocalBuffer;
  /**
   * Takes bytes of the connection in any chunks. Calls `onFrame` once for each whole frame, in order, before it
   * returns. The frame is bytes in the handshake phase, and a stanza in the transport phase.
   *
   * Rejects for a frame that cannot be opened, decompressed or decoded, and with the error that `onFrame` throws. The
   * bytes after that frame are kept for the next call. On a connection of this package, a stanza that cannot be decoded
   * is skipped and logged instead.
   *
   * If the thread was blocked and the addon has kept the connection alive (see {@link
   * WebSocketClientConfig.keepAliveIntervalMs}), the latest `onFrame` is called with an empty Buffer. It shows that the
   * connection is alive. An error that `onFrame` throws then is ignored.
   */
  decodeFrame(newData: Buffer | Uint8Array, onFrame: (frame: Uint8Array | BinaryNode) => void): Promise<void>;
}

/**
 * Creates the client's noise handler for one connection.
 *
 * The native state is freed, and its keys are overwritten, when all methods of the handler are garbage-collected.
 */
export declare function makeNoiseHandler(options: NoiseHandlerOptions): NoiseHandler;

/** The fields of Baileys' `SocketConfig` that a {@link WebSocketClient} uses. */
export interface WebSocketClientConfig {
  /** The time limit for each step of opening: name resolution, TCP, TLS, upgrade. Default: no limit. */
  connectTimeoutMs?: number | undefined;
  /**
   * Node's `http.Agent` or `https.Agent` with the options `ca`, `cert`, `key`, `rejectUnauthorized`, `servername`,
   * `localAddress`, `family` and `lookup`; or a proxy agent of `https-proxy-agent`, `http-proxy-agent`,
   * `socks-proxy-agent` or `proxy-agent` (the page on proxies in the repository lists versions and options). For any
   * other agent or option the socket emits `error` with the code `ERR_AGENT_UNSUPPORTED`; it never bypasses a proxy.
   * Under `baileys-native/register` such a connection is left to Baileys' own `WebSocketClient`.
   */
  agent?: HttpAgent | HttpsAgent | undefined;
  options?: {
    /** Headers of the upgrade request, by name. */
    headers?: object | undefined;
  };
  /**
   * Milliseconds between the keep-alive queries that the program sends. If it is at least 200, and the frames come from
   * a {@link NoiseHandler} of this package, the addon sends these queries while the JavaScript thread is blocked.
   * Default: it sends none.
   */
  keepAliveIntervalMs?: number | undefined;
  /**
   * `false`: nothing is sent while the JavaScript thread is blocked. The environment variable
   * `BAILEYS_NATIVE_KEEP_ALIVE=off` does the same for all clients. Default: `true`.
   */
  keepAliveWhileBlocked?: boolean | undefined;
  /**
   * TCP keep-alive: milliseconds without traffic after which the operating system sends the first probe; 0: never. The
   * environment variable `BAILEYS_NATIVE_TCP_KEEP_ALIVE_MS` sets it for all connections. Default: the setting of the
   * agent.
   */
  tcpKeepAliveMs?: number | undefined;
  /**
   * The number of listeners of one event of `socket` above which Node warns; 0: no limit. The option is proposed for
   * Baileys. Default: 0.
   */
  maxWebSocketListeners?: number | undefined;
}

/** Arguments of the listeners by event. They are those of `ws`, as Baileys forwards them. */
export interface WebSocketClientEvents {
  /** The server has accepted the upgrade. */
  open: [];
  /** `data` is one WebSocket message of the server. */
  message: [data: Buffer, isBinary: boolean];
  /** The connection has ended. `code` is 1006 if the server sent no close frame. */
  close: [code: number, reason: Buffer];
  /** The code and message are those of Node or `ws`. `close` follows. */
  error: [error: Error & { code?: string }];
  upgrade: [response: IncomingMessage];
  /**
   * The server or a proxy has refused the upgrade. If there is a listener, it must end the request; otherwise `error`
   * follows. The request has `method`, `protocol`, `host`, `path`, `abort` and `destroy`.
   */
  'unexpected-response': [
    request: EventEmitter & Pick<ClientRequest, 'method' | 'protocol' | 'host' | 'path' | 'abort'>,
    response: IncomingMessage
  ];
  ping: [data: Buffer];
  pong: [data: Buffer];
}

/** The part of `_socket` of `ws` that programs use: the settings and addresses of the TCP connection. */
export interface NativeTcpSocket extends EventEmitter {
  readonly remoteAddress: string | undefined;
  readonly remotePort: number | undefined;
  readonly remoteFamily: string | undefined;
  readonly localAddress: string | undefined;
  readonly localPort: number | undefined;
  readonly localFamily: string | undefined;
  readonly destroyed: boolean;
  /** The argument of the latest {@link setTimeout}. */
  readonly timeout: number | undefined;
  address(): { address?: string; family?: string; port?: number };
  /** Emits `timeout` when no message, ping or pong was sent or received for this time; 0: never. */
  setTimeout(milliseconds: number, callback?: () => void): this;
  setKeepAlive(enable?: boolean, initialDelay?: number): this;
  setNoDelay(noDelay?: boolean): this;
  /** Ends the connection at once, as {@link WebSocketClientSocket.terminate} does. */
  destroy(error?: Error): this;
}

/**
 * The socket of a {@link WebSocketClient}. It has the events, states and properties of a `WebSocket` of `ws`. Its
 * listeners run after those of the client. After `removeAllListeners` the client gets no events.
 *
 * The TCP connection is read outside JavaScript: `_socket` cannot read or write.
 */
export interface WebSocketClientSocket extends EventEmitter {
  readonly CONNECTING: 0;
  readonly OPEN: 1;
  readonly CLOSING: 2;
  readonly CLOSED: 3;
  readonly readyState: 0 | 1 | 2 | 3;
  readonly url: string;
  /** Always empty: the client requests no subprotocol. */
  readonly protocol: string;
  /** Always empty: the client offers no extension. */
  readonly extensions: string;
  /** Always `nodebuffer`. Other values are ignored. */
  binaryType: string;
  readonly isPaused: boolean;
  /** Bytes that were not yet passed to the operating system. Data sent after the end is counted too. */
  readonly bufferedAmount: number;

  /** Stops reading, so that TCP makes the server wait. Messages that were already read are still delivered. */
  pause(): void;
  /** Reads again. */
  resume(): void;
  /** The TCP connection; `null` before `open`. */
  readonly _socket: NativeTcpSocket | null;

  /**
   * Ends the connection at once, without a closing handshake. `close` follows with 1006, unless the server has sent a
   * close frame. If the socket is connecting, `error` and `close` follow.
   */
  terminate(): void;
  /** Starts the closing handshake without a code. If the socket is connecting, `error` and `close` follow. */
  close(): void;
  /** @param options Only `binary` is used. */
  send(data: string | Uint8Array, options: { binary?: boolean }, cb?: (err?: Error | null) => void): void;
  send(data: string | Uint8Array, cb?: (err?: Error | null) => void): void;
  /** Sends a ping of at most 125 bytes. The peer answers it with a `pong` event. `mask` is ignored. */
  ping(data?: string | number | Uint8Array, mask?: boolean, cb?: (err?: Error | null) => void): void;
  ping(data: string | number | Uint8Array, cb: (err?: Error | null) => void): void;
  ping(cb: (err?: Error | null) => void): void;
  /** Sends an unsolicited pong of at most 125 bytes. `mask` is ignored. */
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

/** The common fields of event objects of a {@link WebSocketClientSocket}. */
export interface WebSocketClientEvent {
  type: string;
  target: WebSocketClientSocket;
}

/**
 * Baileys' `WebSocketClient`: a WebSocket over TCP or TLS that runs outside the JavaScript thread. It keeps the process
 * alive from `connect` until `close`.
 *
 * TLS trusts the bundled Mozilla roots, `NODE_EXTRA_CA_CERTS`, the agent's `ca`, and the system's store if
 * `NODE_USE_SYSTEM_CA=1` or `--use-system-ca` is set. `NODE_TLS_REJECT_UNAUTHORIZED=0` disables verification.
 */
export declare class WebSocketClient<
  Config extends WebSocketClientConfig = WebSocketClientConfig
> extends EventEmitter {
  url: URL;
  config: Config;
  /**
   * The socket; `null` before `connect` and after `close`. If the connection was left to Baileys' own class, it is the
   * `WebSocket` of `ws`.
   */
  socket: WebSocketClientSocket | null;

  /** @param url `ws:` or `wss:` */
  constructor(url: URL, config: Config);

  get isOpen(): boolean;
  get isClosed(): boolean;
  /** Also true before `connect` and after `close`, as in Baileys. */
  get isClosing(): boolean;
  get isConnecting(): boolean;

  /**
   * Starts to connect. Does nothing if there is a socket.
   *
   * @throws {SyntaxError} for a URL that cannot be used.
   * @throws {TypeError} for headers or an agent that Node refuses.
   */
  connect(): void;

  /** Ends the connection with a closing handshake. Resolves after the `close` event. */
  close(): Promise<void>;

  /**
   * Sends one message: a text message for a string, otherwise a binary message.
   *
   * @param cb Called when the message was accepted for writing, or with an error.
   * @returns Whether there is a socket.
   * @throws {Error} if the socket is connecting.
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

/** Where a {@link NativeSession} is; `session.md` in the repository has the transitions. */
export type SessionState = 'disconnected' | 'connecting' | 'authenticating' | 'connected' | 'closing' | 'reconnecting';

/**
 * Reaction to the end of a connection: connect again at once, connect after a growing delay, or do not connect again.
 */
export type ReconnectClass = 'immediate' | 'backoff' | 'final';

/** Why a connection ended. */
export interface EndReason {
  kind:
    | 'requested'
    | 'loggedOut'
    | 'leaseEnded'
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
  /** A value of Baileys' `DisconnectReason`, or the code that the server sent. */
  code: number;
  /** A description: Baileys' text if Baileys has one, otherwise a text of this package. */
  message: string;
  /** The attributes of a `failure`. */
  attrs?: Record<string, string>;
  /** For the kind `transport`: the `code` of the error, for example `ECONNREFUSED`, if it has one. */
  errorCode?: string;
  /** For the kind `transport`: the error, with `code`, `errno`, `syscall`, `address` and `port`. Not enumerable. */
  readonly cause?: Error;
}

/** A change of {@link SessionState}. */
export interface SessionStateChange {
  from: SessionState;
  to: SessionState;
  trigger: 'connect' | 'opened' | 'loggedIn' | 'close' | 'lost' | 'due' | 'ended';
  /** The time of the change in milliseconds since 1970. */
  at: number;
  /** The reason, if a connection has ended. */
  reason?: EndReason | undefined;
}

/** The credentials of a device: the fields of Baileys' `AuthenticationCreds` that a session uses. */
export interface SessionCredentials {
  noiseKey: KeyPair;
  pairingEphemeralKeyPair: KeyPair;
  signedIdentityKey: KeyPair;
  signedPreKey: { keyPair: KeyPair; signature: Uint8Array; keyId: number };
  registrationId: number;
  /** Base64. */
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

/** Limits of a queue. It is full when it reaches one of them, and has room again when it is below half of both. */
export interface QueueBounds {
  /** Default 4,096. */
  stanzas?: number;
  /** Default 4 MiB. */
  bytes?: number;
  /**
   * The most bytes in the outgoing queue: a stanza beyond it is refused. Default 64 MiB. For the incoming queue see
   * {@link NativeSessionOptions.incoming}.
   */
  limit?: number;
}

/** The methods of a logger that a session uses. pino has them. The level is checked before an entry is built. */
export interface SessionLogger {
  level: string;
  isLevelEnabled?(level: string): boolean;
  child?(bindings: Record<string, unknown>): SessionLogger;
  trace(data: unknown, message?: string): void;
  debug(data: unknown, message?: string): void;
  info(data: unknown, message?: string): void;
  warn(data: unknown, message?: string): void;
  /** For internal errors of the session. Without it, `warn` is used. */
  error?(data: unknown, message?: string): void;
}

/** A server whose certificates were verified. Plain data that can be stored. */
export interface KnownServer {
  /** Its static Noise key, 32 bytes in base64. */
  key: string;
  /** Start and end of the validity of its certificates, in seconds since 1970, if they have them. */
  notBefore?: number | undefined;
  notAfter?: number | undefined;
}

/**
 * Options of a {@link NativeSession}. Times are in milliseconds. Defaults are those of Baileys 7 if it has the option.
 */
export interface NativeSessionOptions {
  /**
   * The `state` of `useMultiFileAuthState`, or only its `creds`. The constructor reads it once. Changes are written
   * into this object before `creds` is emitted, as in Baileys.
   */
  auth: { creds: SessionCredentials } | SessionCredentials;
  /** Default: WhatsApp's. */
  url?: string | URL;
  /**
   * See {@link WebSocketClientConfig.agent}. It is asked when the session is created, and again for each connection: a
   * proxy agent can choose another proxy. If it is not supported any more, the session ends.
   */
  agent?: HttpAgent | HttpsAgent | undefined;
  /** Headers of the upgrade request, by name. */
  headers?: object | undefined;
  /** TCP keep-alive; see {@link WebSocketClientConfig.tcpKeepAliveMs}. */
  tcpKeepAliveMs?: number | undefined;
  /** The root key of the server's certificate chain, 32 bytes. Default: WhatsApp's. */
  trustedRoot?: Uint8Array | undefined;
  /**
   * The logger of the session. It also gets the log of the Rust code, mostly at `debug`: connections, handshakes,
   * keep-alive, and why reading stops. Stanzas are written only at `trace`, with lengths instead of binary contents.
   * Keys and tokens are never written as separate entries. The level is read again at every change of state.
   */
  logger?: SessionLogger | undefined;

  /** The version of WhatsApp Web that the client sends. */
  version?: [number, number, number];
  /** Operating system, browser, version of the browser. */
  browser?: [string, string, string];
  /** ISO 3166-1 code. */
  countryCode?: string;
  /** The display name that is sent at login. */
  pushName?: string;
  syncFullHistory?: boolean;
  /** Whether to request pending stanzas after the login. Default `true`. */
  activate?: boolean;
  /** The number of stored stanzas to request at a time when the server offers them; 0: none. Default 100. */
  offlineBatch?: number;
  /**
   * Whether to resume by Noise IK: the first message then contains the login, which saves a round trip. It needs a
   * server that is known from an earlier connection of the session or from `knownServer`. Default `false`.
   */
  resume?: boolean;
  /** {@link NativeSession.knownServer} of an earlier session. Anyone who can change it can impersonate the server. */
  knownServer?: KnownServer | undefined;

  /** Time limit for opening the transport, and again for the handshake. Default 20,000. */
  connectTimeoutMs?: number;
  /** Time limit for sending the queued stanzas when the session closes. Default 5,000. */
  closeTimeoutMs?: number;
  /** Time between keep-alive queries. Default 30,000. */
  keepAliveIntervalMs?: number;
  /** The connection ends if nothing except pings arrives for the keep-alive interval and this time. Default 5,000. */
  keepAliveGraceMs?: number;
  /** Time between WebSocket pings. Default: no pings. */
  socketPingIntervalMs?: number;
  /** Time limit for a query without its own `timeoutMs`; 0: no limit. Default 60,000. */
  queryTimeoutMs?: number;
  /** The most unanswered queries of the user. Default 10,000. */
  maxQueries?: number;
  /** How long the first QR code is valid. Default 60,000. */
  firstQrTimeoutMs?: number;
  /** How long each further QR code is valid. Default 20,000. */
  qrTimeoutMs?: number;

  outgoing?: QueueBounds;
  /**
   * Limits of the queue of stanzas that wait for JavaScript. When it is full, the session stops reading. `limit` is for
   * stanzas that were received before a connection ended: stanzas beyond it are dropped.
   */
  incoming?: QueueBounds;
  /** `false`: never connect again. */
  reconnect?:
    | false
    | {
        /** The greatest delay before the first attempt. Delays are random. Default 1,000. */
        baseMs?: number;
        /** The greatest delay after many attempts. Default 60,000. */
        maxMs?: number;
        /** The most attempts in a row. Default: no limit. */
        attempts?: number;
        /** What to do on particular codes, instead of the table in `session.md` of the repository. */
        classes?: Record<number, ReconnectClass>;
      };
  /** Limits the rate of connections, for the first connection and every later one. Default: no limit. */
  connectLimiter?: ConnectLimiter | undefined;
}

/**
 * Limits the rate of connections of the sessions that share it. They must be of the same thread, and connect in the
 * order of their requests. One that waits is in the state `connecting`; its `connectTimeoutMs` begins after the wait.
 */
export declare class ConnectLimiter {
  /** `burst`: the number of sessions that can connect at once after a pause. Default 1. */
  constructor(options: { perSecond: number; burst?: number });
  /** Connections per second. A change applies to later requests. */
  perSecond: number;
}

/**
 * A lease that sessions share: they may be connected until it ends. Any thread of the process can renew it, so that
 * sessions stay connected while their own thread is busy. A lease that has ended cannot be renewed.
 */
export declare class Lease {
  /** `until`: the end, in milliseconds since 1970. */
  constructor(until: number);
  /** The lease with this `id`, for another thread of the process. */
  static withId(id: number): Lease;
  readonly id: number;
  /** The end, in milliseconds since 1970. 0 if the lease has ended. */
  readonly until: number;
  /** Moves the end to `until`, but not to an earlier time. Returns `false` if the lease has ended. */
  renew(until: number): boolean;
}

/** The data of a session that a program must keep. */
export interface StoredSession {
  creds: SessionCredentials;
  /** The server of the last handshake. The next session can resume with it. */
  knownServer?: KnownServer | undefined;
}

/** A place for the data of a session, such as a database. Each call should need one round trip. */
export interface SessionStore {
  /** Returns the data that was saved last. For a new device: new credentials (Baileys' `initAuthCreds()`). */
  load(): Promise<StoredSession>;
  /** Saves all data. Called after each change, and only after the previous call has ended. */
  save(stored: StoredSession): Promise<void>;
}

/** A stanza that `sendNode` has accepted, but that was not sent. */
export interface UnsentStanza {
  /** The number that `sendNode` has returned. */
  number: number;
  node: BinaryNode;
}

/**
 * Selects stanzas by their tag, attributes and first child. Fields that are not given match everything. The value
 * `true` matches an attribute with any value.
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
  /** Every stanza that is not an answer to a query. Without a listener no such stanza is built. */
  node: [node: BinaryNode];
  /** A new QR code. It replaces the one before. `expiresAt` is in milliseconds since 1970. */
  qr: [qr: string, info: { expiresAt: number }];
  /** The device was paired. Then the session makes a new connection, as the server requests. */
  paired: [me: { id: string; lid?: string; name?: string }];
  /** Changes of the credentials, in the shape of Baileys' `creds.update`. The program must save them. */
  creds: [update: Partial<SessionCredentials>];
  /**
   * The session will connect again at the time `at` (milliseconds since 1970). `cancel` prevents this, and ends a
   * connection that has already begun.
   */
  reconnecting: [event: { attempt: number; at: number; reason: EndReason; cancel: () => void }];
  /** The number of stored stanzas that the server has delivered. */
  offline: [count: number];
  /** The outgoing queue has room again. */
  drain: [];
  /** Numbers (from `sendNode`) of stanzas that were accepted but are not sent, because the connection has ended. */
  unsent: [numbers: number[]];
  /** An error after which the session goes on. A listener is not required. */
  error: [error: SessionError];
  /** The session is disconnected and does not connect again by itself. */
  close: [reason: EndReason];
}

/**
 * The error of a session. `output.statusCode` has the same value as `statusCode`, as in Baileys' errors.
 *
 * | code | meaning |
 * | --- | --- |
 * | `ERR_NOT_CONNECTED` | there is no connection for the stanza |
 * | `ERR_QUEUE_FULL` | the outgoing queue is at its limit |
 * | `ERR_INVALID_NODE`, `ERR_FRAME` | the stanza cannot be encoded (`cause` is the error), or is too long |
 * | `ERR_DUPLICATE_ID`, `ERR_TOO_MANY_QUERIES` | the query is not accepted |
 * | `ERR_STANZA` | the answer is an error stanza, see {@link StanzaError} |
 * | `ERR_QUERY_TIMEOUT` | no answer came in time |
 * | `ERR_CONNECTION_CLOSED` | the connection ended before the answer |
 * | `ERR_MEMORY_ALLOCATION_FAILED` | there is no memory for the answer |
 * | `ERR_HANDED_OVER` | `sendNode`: `handOver` returned the stanza |
 * | `ERR_NOT_SAVED` | the store did not save, see `cause`; it is called again after the next change |
 * | `ERR_SESSION_ENDED` | `connect`: the session ended without a login |
 * | `ERR_SESSION_FAILED` | `connect`: the session has ended with the reason `defect`; create a new one |
 * | `ERR_SESSION_CLOSING` | `connect`: the session is closing; wait for `close` first |
 * | `ERR_PAIRING_CODE` | pairing by code is not possible now, or has failed |
 * | `ERR_MALFORMED_STANZA` | incoming data cannot be decoded as a stanza |
 */
export declare class SessionError extends Error {
  code: string;
  /** A value of Baileys' `DisconnectReason`, or the code that the server sent. */
  statusCode: number | undefined;
  /** For `ERR_SESSION_ENDED`: why the session ended. */
  reason?: EndReason['kind'];
}

/** The error of a query whose answer is an error stanza. */
export declare class StanzaError extends SessionError {
  /** The text of the error stanza; `Unknown error` if it has none. */
  text: string;
}

/** The current and the greatest size of a queue. */
export interface QueueMetrics {
  stanzas: number;
  bytes: number;
  mostStanzas: number;
  mostBytes: number;
}

/**
 * A histogram of durations. `buckets[i]` counts durations below `2 ** i` ms that are in no earlier bucket; the last
 * counts the rest.
 */
export interface DurationHistogram {
  buckets: number[];
  count: number;
  sumMs: number;
}

/**
 * The kind of a handshake: `XX` is a full one, `IK` resumes, `XXfallback` is a full one after the server declined `IK`.
 */
export type HandshakeKind = 'XX' | 'IK' | 'XXfallback';

/**
 * Periods of a second or more in which events waited for a blocked JavaScript thread and the connection stayed open.
 */
export interface LoopStalls {
  count: number;
  sumMs: number;
  longestMs: number;
}

/** Counters and current values of sessions. */
export interface SessionFigures {
  connections: number;
  logins: number;
  /** Connections that were followed by another one, by the code of their end reason. */
  reconnects: Record<string, number>;
  /** Times from the open transport to the end of the handshake. */
  handshakes: Partial<Record<HandshakeKind, DurationHistogram>>;
  bytesIn: number;
  bytesOut: number;
  framesIn: number;
  framesOut: number;
  stanzasIn: number;
  stanzasOut: number;
  /** Stanzas that were delivered to JavaScript. */
  stanzasDelivered: number;
  malformed: number;
  queries: number;
  queriesRefused: number;
  queriesTimedOut: number;
  queriesCancelled: number;
  /** Queries that failed because their connection ended. */
  queriesClosed: number;
  /** Unanswered queries, with the session's own. */
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
  /** Memory of buffers in bytes, without the queues. */
  bufferBytes: number;
  /** Time spent on incoming data outside the JavaScript thread. */
  inboundMs: number;
  /** The part of `inboundMs` for decryption. This and the next two are estimates: one frame in 16 is measured. */
  decryptMs: number;
  /** The part of `inboundMs` for decompression. */
  inflateMs: number;
  /** The part of `inboundMs` for decoding stanzas. */
  parseMs: number;
}

/** The result of {@link NativeSession.metrics}. */
export interface SessionMetrics extends SessionFigures {
  state: SessionState;
  lastPingRttMs?: number;
  /** The latest handshake. `ms` is the time from the open transport to its end. */
  handshake?: { kind: HandshakeKind; ms: number };
}

/** Counters and current values of the drop-in's sockets. */
export interface SocketFigures {
  /** The number of sockets in each state. */
  connecting: number;
  open: number;
  closing: number;
  /** All sockets since the start of the process. */
  connections: number;
  bytesIn: number;
  bytesOut: number;
  messagesIn: number;
  messagesOut: number;
  /** Frames that were decrypted and decoded outside the JavaScript thread. */
  framesOpened: number;
  /** Stanzas that could not be decoded. They were skipped. */
  malformed: number;
  /** Time spent on incoming data outside the JavaScript thread. */
  inboundMs: number;
  /** Bytes that wait for JavaScript. */
  waitingBytes: number;
  mostWaitingBytes: number;
  /**
   * Blocks of a JavaScript thread during which the addon kept connections alive. A block is counted when it is over.
   */
  keptAlive: {
    /** The number of blocks in which keep-alive queries were sent. */
    stalls: number;
    /** The total time of these blocks in milliseconds. */
    blockedMs: number;
    /** The number of keep-alive queries that the addon sent. */
    keepAlives: number;
  };
}

/** The result of {@link metrics}. */
export interface ProcessMetrics extends SessionFigures {
  /** The number of sessions. */
  sessions: number;
  /** The number of sessions in each state. */
  states: Partial<Record<SessionState, number>>;
  sockets: SocketFigures;
}

/**
 * Metrics of this process with its worker threads. Values are sums; `most…` values are maxima. Counters never decrease:
 * they include sessions and sockets that no longer exist. A stall is counted once for each thread.
 */
export declare function metrics(): ProcessMetrics;

/**
 * The channels of `node:diagnostics_channel` and their messages. A message is published before listeners of the same
 * event are called. For a channel without subscribers no message is built. `connection` is the number of a drop-in
 * socket in this process; undefined for a socket that was left to Baileys' own class.
 */
export interface DiagnosticsMessages {
  'baileys-native:session:state': { session: NativeSession } & SessionStateChange;
  /**
   * Every stanza that JavaScript sends or gets. A subscriber does not change which stanzas are built. While
   * {@link inspect} is on, also the stanzas that Rust sends by itself, and their answers, with `own: true`.
   */
  'baileys-native:session:node': { session: NativeSession; direction: 'in' | 'out'; node: BinaryNode; own?: true };
  /** A query that was settled. `node` is the object that was passed to `query`. */
  'baileys-native:session:query': {
    session: NativeSession;
    node: BinaryNode;
    outcome: 'answered' | 'refused' | 'timedOut' | 'cancelled' | 'closed' | 'failed';
    ms: number;
    answer?: BinaryNode;
    error?: Error;
  };
  /** Secret: anyone who has the QR code can use it. */
  'baileys-native:session:qr': { session: NativeSession; qr: string; expiresAt: number };
  'baileys-native:session:paired': { session: NativeSession; me: NativeSessionEvents['paired'][0] };
  /** Keys and secrets. Do not log them. */
  'baileys-native:session:creds': { session: NativeSession; update: Partial<SessionCredentials> };
  'baileys-native:session:reconnecting': { session: NativeSession; attempt: number; at: number; reason: EndReason };
  'baileys-native:session:offline': { session: NativeSession; count: number };
  'baileys-native:session:drain': { session: NativeSession };
  'baileys-native:session:unsent': { session: NativeSession; numbers: number[] };
  /** Also published if `error` has no listener. */
  'baileys-native:session:error': { session: NativeSession; error: SessionError };
  'baileys-native:session:close': { session: NativeSession; reason: EndReason };

  'baileys-native:socket:connect': { client: WebSocketClient; url: string };
  'baileys-native:socket:open': SocketMessage;
  /** A stanza that a noise handler of this package has opened or is about to seal. */
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

  /** The event loop was blocked for this many milliseconds, at least a second; see {@link LoopStalls}. */
  'baileys-native:loop:stall': { ms: number };
}

/** The common fields of the messages of socket events. */
export interface SocketMessage {
  client: WebSocketClient;
  connection: number | undefined;
}

/**
 * A connection to WhatsApp without Baileys' upper layers: pairing, login, stanzas, queries, keep-alive and
 * reconnection. An open connection runs outside the JavaScript thread. While that thread is blocked, keep-alive queries
 * are sent and stanzas are read up to the limit `incoming`. They are delivered once and in order afterwards. A new
 * connection waits for the JavaScript thread.
 *
 * It keeps the process alive from `connect` until `close` is emitted. The program must acknowledge stanzas itself.
 */
export declare class NativeSession extends EventEmitter<NativeSessionEvents> implements AsyncIterable<BinaryNode> {
  /**
   * @throws {TypeError | RangeError} for wrong values and for unknown options, such as options that only Baileys has.
   * @throws {Error} with the code `ERR_AGENT_UNSUPPORTED`, see {@link WebSocketClientConfig.agent}.
   */
  constructor(options: NativeSessionOptions);

  /**
   * Creates a session with credentials from a store. The credentials and `knownServer` are saved after every change.
   * `close` and `handOver` resolve after the last save. If a save rejects, the session emits `error`.
   */
  static fromStore(
    store: SessionStore,
    options?: Omit<NativeSessionOptions, 'auth' | 'knownServer'>
  ): Promise<NativeSession>;

  /** The state after the latest emitted `state` event. */
  get state(): SessionState;
  /** The credentials of the options, with all changes. */
  get credentials(): SessionCredentials;
  /** Whether the outgoing queue is full. If true, wait for `drain` before sending more. */
  get needsDrain(): boolean;
  /** The server of the last handshake. A later session can use it to resume. */
  get knownServer(): KnownServer | undefined;
  /** The server's clock minus this machine's clock in milliseconds; undefined until the server has sent its time. */
  get serverTimeOffsetMs(): number | undefined;

  /**
   * Connects. If the session waits for its next attempt, it connects at once. Resolves after the login; for a new
   * device this is after pairing and the restart. Rejects if the session ends before. It need not be awaited.
   *
   * @param options.signal Aborts the wait and closes the session.
   */
  connect(options?: { signal?: AbortSignal }): Promise<void>;

  /**
   * Sends the queued stanzas and closes. Resolves when the session is disconnected.
   *
   * @param options.signal Aborts only the wait; the session still closes.
   */
  close(options?: { signal?: AbortSignal }): Promise<void>;

  /**
   * Closes without logging out, so that the device can connect from another process. Resolves when the session is
   * disconnected, with the stanzas of `sendNode` that are still in the queue, in order. A `sendNode` that waits for
   * `drain` rejects with `ERR_HANDED_OVER`. Other stanzas are written before the connection closes, unless the server
   * does not read for `closeTimeoutMs`. Only an answer of the server shows that it has received a stanza. Queries
   * without an answer reject with `ERR_CONNECTION_CLOSED`.
   */
  handOver(): Promise<UnsentStanza[]>;

  /**
   * Sets the lease, or the end of a lease of its own in milliseconds since 1970. It is for locks that expire. Without
   * an argument, and before the first call, the session needs no lease. At the end of the lease the session drops its
   * connection and the waiting stanzas, also while JavaScript is blocked. It ends with the reason `leaseEnded` and
   * cannot connect until it has another lease. A session checks its lease before it does anything, also after its
   * process was stopped (`SIGSTOP`).
   */
  setLease(lease?: Lease | number): void;

  /** Logs the device out, then closes like {@link close}. The credentials cannot be used afterwards. */
  logout(options?: { signal?: AbortSignal }): Promise<void>;

  /**
   * Sends a stanza. It is queued in the order of the calls before this method returns. The promise resolves with the
   * number of the stanza when more may be sent: at once if the queue is not full, otherwise on `drain`.
   *
   * @param options.signal Aborts only the wait; the stanza is still sent.
   */
  sendNode(node: BinaryNode, options?: { signal?: AbortSignal }): Promise<number>;

  /**
   * Sends a stanza and resolves with its answer, the next stanza with the same id. If the stanza has no id, one is
   * added.
   *
   * Rejects with a {@link StanzaError} for an error stanza, otherwise with a {@link SessionError}.
   *
   * @param options.timeoutMs Default: the session's `queryTimeoutMs`.
   * @param options.signal Cancels the query; the promise rejects with the reason of the signal.
   * @param options.idempotent The stanza may be sent twice: it is sent again if its connection ends before the answer.
   */
  query(
    node: BinaryNode,
    options?: { timeoutMs?: number; signal?: AbortSignal; idempotent?: boolean }
  ): Promise<BinaryNode>;

  /** Stops reading from the connection. Stanzas that were already read are still delivered. */
  pause(): void;
  /** Reads again. */
  resume(): void;

  /**
   * Requests pairing by code and resolves with the code to type on the phone. Call it on the first `qr` event.
   *
   * @param phoneNumber Only its digits are used.
   * @param options.code The code to use, 8 characters. Default: a random one.
   */
  requestPairingCode(phoneNumber: string, options?: { code?: string }): Promise<string>;

  /**
   * Calls a listener for each stanza that matches a pattern. Only stanzas that match are built. A string pattern is one
   * of the event names of Baileys: `CB:tag`, `CB:tag,key`, `CB:tag,key:value`, `CB:tag,key:value,child`,
   * `CB:tag,,child`, `TAG:id`, `frame`. All listeners get the same object.
   *
   * @param options.signal Removes the listener.
   * @returns Removes the listener.
   * @throws {Error} for a string that is not a pattern.
   */
  onStanza(
    pattern: string | StanzaPattern,
    listener: (node: BinaryNode) => void,
    options?: { signal?: AbortSignal }
  ): () => void;

  /**
   * Iterates over the stanzas that match (default: all), from now until the session is disconnected. If the consumer is
   * slow, the session stops reading.
   *
   * @param options.signal Ends the iteration with an error, the reason of the signal.
   */
  stanzas(pattern?: string | StanzaPattern, options?: { signal?: AbortSignal }): AsyncIterableIterator<BinaryNode>;

  /** The same as {@link stanzas} without a pattern. */
  [Symbol.asyncIterator](): AsyncIterableIterator<BinaryNode>;

  metrics(): SessionMetrics;
}

/** Options of {@link inspect}. */
export interface InspectOptions {
  /** The name of the process on the page. Default: the file name of the program. */
  name?: string;
  /**
   * A directory that only this user can access (mode 0700). It is created if it does not exist. Default:
   * `BAILEYS_NATIVE_INSPECT_DIR`, otherwise one in `XDG_RUNTIME_DIR` or in the directory for temporary files.
   */
  directory?: string;
}

/** The result of {@link inspect}. */
export interface Inspection {
  /** The Unix-domain socket. */
  path: string;
  /** Ends the inspection of this thread. */
  close(): Promise<void>;
}

/**
 * From now on `npx baileys-native inspect` of the same user shows the stanzas of this thread. The environment variable
 * `BAILEYS_NATIVE_INSPECT` does the same from the start. Contents of messages, keys, tokens and codes are replaced by
 * their lengths before they leave the process; `observation.md` in the repository has the list. Sessions then build
 * every stanza, also stanzas without a listener. Further calls return the same object.
 *
 * @throws {Error} if other users can access the directory.
 */
export declare function inspect(options?: InspectOptions): Inspection;

/**
 * Whether the hooks of `baileys-native/register` are installed in this thread and the addon is loaded. Supported copies
 * of Baileys that are loaded from now on are replaced. {@link replaced} lists the copies that were replaced.
 */
export declare function isActive(): boolean;

/** A copy of Baileys that runs on this package. */
export interface ReplacedCopy {
  /** Directory of its package.json. */
  root: string;
  version: string;
  /** Names of the replaced exports, sorted. Exports of patched files are not replaced. */
  exports: string[];
}

/**
 * The copies of Baileys in this thread that got their socket layer from this package, in the order of loading. Empty if
 * Baileys uses its own JavaScript code or is not loaded yet.
 */
export declare function replaced(): ReplacedCopy[];
