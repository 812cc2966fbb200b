/**
 * A relay between a client and a server on loopback that simulates faults of networks: latency, low bandwidth, cut,
 * reset or half-open connections, corrupted bytes, and reads that stall.
 *
 * A fault happens at a byte of one direction, or in a phase of an unencrypted WebSocket connection to a mock server.
 */

import { once } from 'node:events';
import net from 'node:net';
import { resetSocket } from '../../js/testing/listener.mjs';

/**
 * @typedef {'fin' | 'reset' | 'silence' | 'corrupt' | 'stall'} FaultKind `fin`: both sides see an orderly end. `reset`:
 *   the client sees RST. `silence`: a half-open connection; no data is forwarded in either direction, and both sides
 *   see no end. `corrupt`: one byte of the server is inverted. `stall`: no data is read from either side until
 *   `release()`.
 *
 * @typedef {object} Fault
 * @property {FaultKind} kind
 * @property {'accept' | 'upgrade' | 'hello' | 'success'} [phase] The place in the data of the server: before its first
 *   byte, in the head of the HTTP response, in the first WebSocket message (the handshake), in the second (the login).
 * @property {number} [at] Instead of `phase`: the index of the byte in the data of the server.
 *
 * @typedef {object} Conditions
 * @property {number} [latencyMs] Added in each direction.
 * @property {number} [bytesPerSecond] In each direction.
 * @property {Fault} [fault]
 * @property {(connection: RelayedConnection) => void} [onFault] Called when the fault has happened.
 */

/** The offset in a head or message at which the fault of a phase happens, in bytes. */
const INSIDE = 5;

/** Finds the start of each phase of a WebSocket connection in the bytes of a server. */
class PhaseFinder {
  #bytes = Buffer.alloc(0);
  /** @type {Record<string, number>} */
  found = { accept: 0, upgrade: INSIDE };

  /** @param {Buffer} chunk */
  push(chunk) {
    if (this.found.success !== undefined) return;
    this.#bytes = Buffer.concat([this.#bytes, chunk]);
    const head = this.#bytes.indexOf('\r\n\r\n');
    if (head < 0) return;
    const hello = head + 4;
    this.found.hello = hello + INSIDE;
    if (this.#bytes.length < hello + 4) return;
    const short = this.#bytes[hello + 1] & 0x7f;
    const length = short < 126 ? 2 + short : 4 + this.#bytes.readUInt16BE(hello + 2);
    this.found.success = hello + length + INSIDE;
  }
}

/** One client and its connection to the server. */
class RelayedConnection {
  #client;
  #server;
  #conditions;
  #phases = new PhaseFinder();
  #silent = false;
  #stalled = false;
  /** The number of forwarded bytes of the server. */
  down = 0;
  up = 0;
  /** Resolves when the fault has happened. */
  happened;
  #tell = () => {};

  /**
   * @param {net.Socket} client
   * @param {net.Socket} server
   * @param {Conditions} conditions
   */
  constructor(client, server, conditions) {
    this.#client = client;
    this.#server = server;
    this.#conditions = conditions;
    this.happened = new Promise(resolve => (this.#tell = () => resolve(undefined)));
    this.happened.then(() => conditions.onFault?.(this));
    for (const socket of [client, server]) {
      socket.setNoDelay(true);
      socket.on('error', () => {});
    }
    client.on('close', () => server.destroy());
    server.on('close', () => this.#silent || client.destroy());
    if (conditions.fault?.phase === 'accept' || conditions.fault?.at === 0) this.injectFault(conditions.fault.kind);
    this.#pass(client, server, chunk => {
      this.up += chunk.length;
      return chunk;
    });
    this.#pass(server, client, chunk => this.#downward(chunk));
  }

  /** Causes a fault now. */
  injectFault(/** @type {FaultKind} */ kind) {
    if (kind === 'fin') {
      this.#client.end();
      this.#server.end();
    } else if (kind === 'reset') {
      resetSocket(this.#client);
      this.#server.destroy();
    } else if (kind === 'silence') {
      this.#silent = true;
    } else if (kind === 'stall') {
      this.#stalled = true;
      this.#server.pause();
      this.#client.pause();
    } else if (kind === 'corrupt') {
      this.#conditions = { ...this.#conditions, fault: { kind, at: this.down + INSIDE } };
      return; // with the next bytes of the server
    }
    this.#tell();
  }

  /** Ends a stall. */
  release() {
    this.#stalled = false;
    this.#server.resume();
    this.#client.resume();
  }

  destroy() {
    this.#client.destroy();
    this.#server.destroy();
  }

  /**
   * @returns {number | undefined} The index of the byte at which the fault happens; undefined if it is not known yet.
   */
  #place() {
    const { fault } = this.#conditions;
    if (!fault) return undefined;
    return fault.at ?? (fault.phase === undefined ? undefined : this.#phases.found[fault.phase]);
  }

  /** @param {Buffer} chunk */
  #downward(chunk) {
    const start = this.down;
    this.#phases.push(chunk);
    this.down += chunk.length;
    const place = this.#place();
    if (place === undefined || place === 0 || place < start || place >= this.down) return chunk;
    const { kind } = /** @type {Fault} */ (this.#conditions.fault);
    if (kind === 'corrupt') {
      const changed = Buffer.from(chunk);
      changed[place - start] ^= 0xff;
      this.#tell();
      return changed;
    }
    // Data before the place of the fault is still forwarded.
    setImmediate(() => this.injectFault(kind));
    if (kind === 'stall') return chunk;
    return chunk.subarray(0, place - start);
  }

  /**
   * @param {net.Socket} from
   * @param {net.Socket} to
   * @param {(chunk: Buffer) => Buffer} change
   */
  #pass(from, to, change) {
    const { latencyMs = 0, bytesPerSecond = Infinity } = this.#conditions;
    /** The time at which all earlier data is sent. */
    let free = 0;
    /**
     * In order. There is one timer for all, because several timers could fire in another order.
     *
     * @type {{ at: number, act: () => void }[]}
     */
    const waiting = [];
    const actDue = () => {
      while (waiting.length > 0 && waiting[0].at <= performance.now()) waiting.shift()?.act();
      if (waiting.length > 0) setTimeout(actDue, Math.ceil(waiting[0].at - performance.now()));
    };
    /** @param {() => void} act @param {number} [bytes] */
    const later = (act, bytes = 0) => {
      free = Math.max(free, performance.now()) + (bytes / bytesPerSecond) * 1000;
      waiting.push({ at: free + latencyMs, act });
      if (waiting.length === 1) actDue();
    };
    from.on('data', chunk => {
      if (this.#silent) return;
      const changed = change(chunk);
      later(() => {
        if (!this.#silent && to.writable && !to.write(changed)) {
          from.pause();
          to.once('drain', () => this.#stalled || from.resume());
        }
      }, chunk.length);
    });
    from.on('end', () => later(() => this.#silent || to.end()));
  }
}

/** Forwards connections to a server. A connection has the conditions of the time when it is made. */
export class Relay {
  #server;
  #port;
  /** @type {RelayedConnection[]} */
  connections = [];
  /** @type {Conditions} */
  conditions = {};

  /** @param {number} port Port of the server on loopback. */
  static async start(port) {
    const relay = new Relay(port);
    await once(relay.#server.listen(0, '127.0.0.1'), 'listening');
    return relay;
  }

  /** @private Use {@link Relay.start}. */
  constructor(/** @type {number} */ port) {
    this.#port = port;
    this.#server = net.createServer(client => {
      const server = net.connect(this.#port, '127.0.0.1');
      this.connections.push(new RelayedConnection(client, server, this.conditions));
    });
  }

  /** The address of a server behind this relay. @param {string} url */
  url(url) {
    const relayed = new URL(url);
    relayed.port = String(/** @type {net.AddressInfo} */ (this.#server.address()).port);
    return relayed.href;
  }

  /** The latest connection. */
  get latest() {
    return /** @type {RelayedConnection} */ (this.connections.at(-1));
  }

  async stop() {
    for (const connection of this.connections) connection.destroy();
    await new Promise(resolve => this.#server.close(resolve));
  }
}
