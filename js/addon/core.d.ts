/**
 * The raw functions of the addon: the result of `createCore`, which napi-rs has no types for. Their contracts are in
 * src/bindings/{codec,noise,websocket,session}.rs. A function that writes output takes the memory and a position in
 * it, and returns the length; a negative length means that the output did not fit and must be fetched by `takeOutput`.
 */
export interface Core {
  share(ops: Int32Array, text: Buffer, input: Buffer): void;
  /** Returns the text of the tape, or a `signal`. */
  decode(dialect: number, payload: Uint8Array): string | number;
  decodePacked(dialect: number, payload: Uint8Array): string | number;
  take(bytes: Uint8Array, at: number): string;
  /** Returns the length of the decompressed payload. */
  unpack(payload: Uint8Array): number;
  encode(dialect: number, text: string, out: Buffer): number;
  takeOutput(out: Buffer, at: number): void;

  noiseNew(dialect: number, header: Uint8Array, publicKey: Uint8Array, routingInfo: Uint8Array | undefined): number;
  noiseRelease(id: number): void;
  noiseEncrypt: NoiseTransform;
  noiseDecrypt: NoiseTransform;
  noiseAuthenticate(id: number, data: Uint8Array): void;
  noiseMixIntoKey(id: number, data: Uint8Array): void;
  /** Returns flags, see `finishInit` in abi.cjs. */
  noiseFinishInit(id: number): number;
  noiseProcessHandshake(
    id: number,
    ephemeralPrivate: Uint8Array,
    serverEphemeral: Uint8Array | null | undefined,
    serverStatic: Uint8Array | null | undefined,
    serverPayload: Uint8Array | null | undefined,
    staticPrivate: Uint8Array,
    staticPublic: Uint8Array,
    roots: Uint8Array,
    issuerSerial: number,
    out: Buffer,
    at: number,
    /** Seconds since 1970 at which the certificates must be valid; 0: their dates are not checked. */
    now: number
  ): number;
  seal: NoiseTransform;
  /** Returns the text of the tape, or a `signal`. */
  open(id: number): string | number;
  noiseLink(id: number, socket: number, keepAliveInterval: number): void;
  noiseAdvance(id: number, frames: number): void;
  feed(id: number, data: Uint8Array): void;

  heartbeat(): void;
  /** Milliseconds since the server's last message; negative if there is no such connection. */
  silence(socket: number): number;
  shareBatch(words: Int32Array, text: Buffer): void;
  /** Returns the number of records. */
  drain(slab: Buffer, at: number): number;
  /** Returns one of `accepted` in abi.cjs. */
  send(socket: number, bytes: Uint8Array, isText: 0 | 1): number;
  endTurn(): void;
  writeAll(): void;
  sendControl(socket: number, bytes: Uint8Array, isPong: 0 | 1): number;
  buffered(socket: number): number;

  /** Returns the number of the stanza, inverted (`~`) if the queue is full. */
  sessionSend(session: number, text: string): number;
  sessionQuery(session: number, text: string, timeoutMs: number, isIdempotent: 0 | 1): number;
}

type NoiseTransform = (id: number, data: Uint8Array, out: Buffer, at: number) => number;
