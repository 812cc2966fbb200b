/**
 * The socket layer of Baileys as a native addon: the same names, signatures, events and bytes as in Baileys 7.
 *
 * These are the parts by themselves. For an unmodified Baileys use `baileys-native/register`; for a server to test
 * against, `baileys-native/testing`. Lengths are in bytes, times in milliseconds, keys raw bytes without a type prefix.
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
 * `ERR_BUFFER_TOO_LARGE` above 64 MiB inflated. Bytes in the result may be views of `buffer`, as in Baileys.
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
 * Baileys' `WebSocketClient`: a WebSocket over TCP or TLS that runs outside the JavaScript thread. Keeps the process alive
 * from `connect` until `close`.
 *
 * TLS trusts what Node trusts: the bundled Mozilla roots, `NODE_EXTRA_CA_CERTS`, the system's store under
 * `NODE_USE_SYSTEM_CA=1` or `--use-system-ca`, the agent's `ca`; `NODE_TLS_REJECT_UNAUTHORIZED=0` is honoured.
 */
export declare class WebSocketClient<
  Config extends WebSocketClientConfig = WebSocketClientConfig
> extends EventEmitter {
  url: URL;
  config: Config;

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

/** Whether `baileys-native/register` is at work in this thread: the hooks are installed and the addon is loaded. */
export declare function isActive(): boolean;
