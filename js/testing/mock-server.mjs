// The mock server: logins, linking, handlers, and the answers to stanzas.

import { EventEmitter } from 'node:events';
import { loadBaileys } from './baileys-modules.mjs';
import { BROKEN_CHAINS, NoiseAuthority, createTlsCertificate } from './certificate.mjs';
import { Connection } from './connection.mjs';
import { Groups } from './groups.mjs';
import { Handlers } from './handlers.mjs';
import { Handshake } from './handshake.mjs';
import { Listener } from './listener.mjs';
import { exchangeKeys, takeCodeRequest } from './pairing-code.mjs';
import { Registry } from './registry.mjs';
import { completePairing, keysOfPayload, offerPairing, parseQr } from './registration.mjs';
import { Router } from './routing.mjs';
import { StanzaLog } from './stanza-log.mjs';
import { defaultAnswer, success } from './stanzas.mjs';

/** @import { Device, Faults, GroupOptions, Matcher, MockServerOptions, StanzaRecord, TlsCertificate } from './index.cjs' */
/** @import { Baileys, Finished, Host, Linked, PairingKeys, Stanza } from './types.d.ts' */
/** @typedef {MockServerOptions & typeof DEFAULTS} Settings */

const DAY_MS = 24 * 60 * 60 * 1000;
/**
 * Pause after the handshake, in milliseconds. Baileys 6 derives its transport keys asynchronously and treats a stanza
 * that arrives before that as a handshake message. On loopback this can happen; WhatsApp's servers are too far away.
 */
const GREETING_DELAY_MS = 20;

const DEFAULTS = {
  refCount: 6,
  record: true,
  routing: true,
  groupAddressing: /** @type {'lid' | 'pn'} */ ('lid'),
  resumption: /** @type {'accept' | 'decline' | 'ignore'} */ ('accept'),
  greetingDelayMs: GREETING_DELAY_MS,
  faults: /** @type {Faults} */ ({})
};

const FAULTS = [
  'httpStatus',
  'httpHeaders',
  'stallUpgrade',
  'stallHandshake',
  'garbageHandshake',
  'stallLogin',
  'certificate',
  'delayMs'
];

const now = () => performance.timeOrigin + performance.now();

export class MockServer extends EventEmitter {
  #baileys;
  #authority;
  /** @type {TlsCertificate | undefined} */
  #tls;
  /** @type {Listener | undefined} Undefined before {@link MockServer.start} has ended. */
  #listener;
  #timers = new Set();
  #log = new StanzaLog();
  #handlers = new Handlers();
  #registry;
  #groups;
  #router;
  /** @type {Promise<void> | undefined} */
  #stopping;

  /** The options of the server. `faults`, `login` and `resumption` may be changed while it runs. */
  options;
  /** @type {Connection[]} */
  connections = [];

  /**
   * @private Use {@link MockServer.start}.
   * @param {MockServerOptions} options
   * @param {Baileys} baileys
   */
  constructor(options, baileys) {
    super();
    this.options = { ...DEFAULTS, ...options };
    this.#baileys = baileys;
    this.#authority = new NoiseAuthority(baileys, options.root);
    this.#registry = new Registry(baileys.curve);
    this.#groups = new Groups(this.#registry);
    this.#router = new Router({
      registry: this.#registry,
      groups: this.#groups,
      write: (connection, nodes) => this.#send(connection, nodes),
      emit: (...event) => this.emit(...event)
    });
  }

  /**
   * Starts a server on a free loopback port.
   *
   * @param {import('./index.mjs').MockServerOptions} [options]
   * @returns {Promise<MockServer>}
   */
  static async start(options = {}) {
    const server = new MockServer(options, await loadBaileys(options.baileys));
    await server.#listen();
    return server;
  }

  get port() {
    return this.#listener?.port;
  }

  /** The address for Baileys' `waWebSocketUrl`. */
  get url() {
    return `${this.#tls ? 'wss' : 'ws'}://${this.options.host ?? '127.0.0.1'}:${this.port}/ws/chat`;
  }

  /** The authority of the server's TLS certificate, PEM; undefined without TLS. */
  get ca() {
    return this.#tls?.ca;
  }

  /** The key that clients must trust in the Noise handshake, 32 bytes; see `trustTestRoot`. */
  get rootKey() {
    return this.#authority.rootKey;
  }

  /** All recorded stanzas. */
  get stanzas() {
    return this.#log.stanzas;
  }

  /** All linked devices. */
  get devices() {
    return this.#registry.devices;
  }

  get faults() {
    return this.options.faults;
  }

  set faults(given) {
    const faults = given === undefined ? {} : given;
    if (faults === null || typeof faults !== 'object') throw new TypeError('faults must be an object');
    // A misspelt fault would be none, and a test of it could not fail.
    const unknown = Object.keys(faults).find(name => !FAULTS.includes(name));
    if (unknown !== undefined) throw new TypeError(`no such fault: ${unknown}`);
    if (faults.certificate !== undefined && !BROKEN_CHAINS.includes(faults.certificate)) {
      throw new TypeError(`no such certificate fault: ${faults.certificate}`);
    }
    this.options.faults = faults;
  }

  /**
   * The linked devices of a user, by phone number or LID.
   *
   * @param {string} jid
   */
  devicesOf(jid) {
    return this.#registry.devicesOf(jid);
  }

  /** All groups. */
  get groups() {
    return this.#groups.all;
  }

  /**
   * Creates a group in the name of its creator's phone and notifies the linked devices of its participants.
   *
   * @param {GroupOptions} options
   */
  createGroup({ subject, creator, participants, addressingMode = this.options.groupAddressing }) {
    return this.#groups.create({ subject, creator, participants, addressingMode });
  }

  /**
   * The stanzas for a device that it has not acknowledged.
   *
   * @param {Device} device
   */
  pending(device) {
    if (device === null || typeof device !== 'object') {
      throw new TypeError(`pending() takes a device of devicesOf(), not ${device}. Is the account linked?`);
    }
    return this.#router.pending(device);
  }

  /** Uses a new static key from the next handshake on. Clients that know the former key cannot resume. */
  rotateNoiseKey() {
    this.#authority.rotate();
  }

  /**
   * Unlinks a device: its next login is refused with 401.
   *
   * @param {Device} device
   */
  forget(device) {
    this.#registry.delete(device);
  }

  /**
   * Adds a handler that answers stanzas instead of the server. The newest handler is called first.
   *
   * @param {Matcher} matcher
   * @param {(node: any, connection: any) => unknown} answer
   * @returns {() => void} Removes the handler.
   */
  handle(matcher, answer) {
    return this.#handlers.add(matcher, answer);
  }

  /**
   * Resolves with the first stanza, recorded or future, that the predicate accepts.
   *
   * @param {(record: StanzaRecord) => boolean} predicate
   * @param {{ timeoutMs?: number, from?: number }} [options]
   */
  waitFor(predicate, options) {
    return this.#log.waitFor(predicate, options);
  }

  /**
   * Acts as the phone that scans a QR code: links the client that shows it and makes it restart.
   *
   * @param {string} qr `qr` of Baileys' event `connection.update`.
   * @param {import('./index.mjs').ScanOptions} [options]
   */
  async scanQr(qr, { jid, lid, pushName = 'Mock user', platform = 'android', timeoutMs = 10_000 } = {}) {
    const code = parseQr(qr);
    const connection = this.connections.find(item => item.state === 'pairing' && item.pairingRefs?.includes(code.ref));
    if (!connection) throw new Error('no client of this server shows this QR code');
    const device = this.#draft(/** @type {Finished} */ (connection), { jid, lid, pushName, platform });
    return this.#link(connection, { code, device, timeoutMs });
  }

  /**
   * Acts as the phone on which a pairing code is typed: links the client that has requested it and makes it restart.
   *
   * @param {string} code The result of `requestPairingCode`.
   * @param {import('./index.mjs').PairingCodeOptions} [options]
   */
  async enterPairingCode(
    code,
    { phoneNumber, lid, pushName = 'Mock user', platform = 'android', timeoutMs = 10_000 } = {}
  ) {
    /** @param {Connection} connection */
    const asks = ({ state, codeRequest }) =>
      state === 'pairing' &&
      codeRequest &&
      (phoneNumber === undefined || codeRequest.jid.startsWith(`${phoneNumber}@`));
    const connection = this.connections.findLast(asks);
    if (!connection) throw new Error('no client of this server has asked for a pairing code');
    const device = this.#draft(/** @type {Finished} */ (connection), {
      jid: connection.codeRequest?.jid,
      lid,
      pushName,
      platform
    });
    const identityKey = /** @type {Buffer} */ (device.identityKey);
    /**
     * @param {(node: Stanza) => boolean} accept
     * @param {number} timeout
     */
    const nextStanza = (accept, timeout) =>
      this.waitFor(
        ({ connection: id, direction, node }) => id === connection.id && direction === 'in' && accept(node),
        {
          timeoutMs: timeout,
          from: this.stanzas.length
        }
      ).then(({ node }) => node);
    const account = this.#registry.account(device.user);
    const advSecret = await exchangeKeys(this.#baileys, connection, {
      code,
      account,
      identityKey,
      timeoutMs,
      nextStanza
    });
    const keys = { noiseKey: device.noiseKey, identityKey, advSecret };
    return this.#link(connection, { code: keys, device, timeoutMs });
  }

  /**
   * Creates a device with the keys of a client that registers.
   *
   * @param {Finished} connection
   * @param {{ jid: string | undefined, lid?: string, pushName: string, platform: string }} about
   */
  #draft(connection, about) {
    return this.#registry.draft({ ...about, noiseKey: connection.noiseKey, ...keysOfPayload(connection.payload) });
  }

  /**
   * @param {Connection} connection
   * @param {{ code: PairingKeys, device: Device, timeoutMs: number }} link
   */
  async #link(connection, { code, device, timeoutMs }) {
    const account = this.#registry.account(device.user);
    await completePairing(this.#baileys, connection, { code, device, account, timeoutMs });
    this.#registry.add(device);
    connection.device = device;
    this.emit('registered', device, connection);
    await connection.streamError(515);
    return device;
  }

  /** Closes every connection at once and stops listening. It may be called again. */
  stop() {
    this.#stopping ??= this.#close();
    return this.#stopping;
  }

  [Symbol.asyncDispose]() {
    return this.stop();
  }

  async #close() {
    for (const timer of this.#timers) clearTimeout(timer);
    this.#timers.clear();
    this.#log.close();
    const open = this.connections.filter(({ state }) => state !== 'closed');
    const ended = open.map(connection => new Promise(resolve => connection.once('close', resolve)));
    await Promise.all([this.#listener?.close(), ...ended]);
  }

  async #listen() {
    this.faults = this.options.faults;
    const { tls = true, host = '127.0.0.1', port = 0 } = this.options;
    if (tls) this.#tls = tls === true ? createTlsCertificate() : tls;
    const listener = new Listener({
      tls: this.#tls,
      WebSocketServer: this.#baileys.WebSocketServer,
      faults: () => this.faults,
      onWebSocket: (ws, socket, request, faults) => {
        const id = this.connections.length;
        const connection = new Connection({ id, host: this.#host(listener), ws, socket, request, faults });
        this.connections.push(connection);
        this.emit('connection', connection);
      }
    });
    await listener.listen(port, host);
    this.#listener = listener;
  }

  /**
   * The functions of the server that a connection uses.
   *
   * @param {Listener} listener
   * @returns {Host}
   */
  #host(listener) {
    return {
      baileys: this.#baileys,
      /** @param {Connection} connection */
      startHandshake: ({ header, faults }) =>
        new Handshake({
          proto: this.#baileys.proto,
          authority: this.#authority,
          prologue: /** @type {Buffer} */ (header),
          resumption: this.options.resumption,
          certificate: faults.certificate
        }),
      /** @param {import('node:net').Socket} socket */
      tcpSocket: socket => listener.tcpSocket(socket),
      wantsRecords: () => this.options.record || this.#log.hasWaiters || this.listenerCount('stanza') > 0,
      /**
       * @param {Connection} connection
       * @param {'in' | 'out'} direction
       * @param {Stanza} node
       */
      record: (connection, direction, node) => this.#record(connection, direction, node),
      /** @param {Connection} connection */
      handshakeDone: connection => {
        this.emit('handshake', connection);
        if (!connection.faults.stallLogin) this.#greet(/** @type {Finished} */ (connection));
      },
      /**
       * @param {Connection} connection
       * @param {Stanza} node
       */
      stanza: (connection, node) => this.#answer(connection, node),
      /**
       * @param {Connection} connection
       * @param {Error} error
       */
      fail: (connection, error) => this.emit('failure', error, connection),
      /**
       * @param {Connection} connection
       * @param {number} code
       * @param {string} reason
       */
      closed: (connection, code, reason) => {
        this.#router.close(connection);
        this.emit('close', connection, code, reason);
      }
    };
  }

  /**
   * @param {Connection} connection
   * @param {'in' | 'out'} direction
   * @param {Stanza} node
   */
  #record(connection, direction, node) {
    const record = { connection: connection.id, direction, node, time: now() };
    if (this.options.record) {
      this.stanzas.push(record);
      (direction === 'in' ? connection.received : connection.sent).push(record);
    }
    this.emit('stanza', record, connection);
    this.#log.offer(record);
  }

  /** @param {Finished} connection */
  #greet(connection) {
    const { greetingDelayMs } = this.options;
    if (greetingDelayMs === 0) this.#login(connection);
    else this.#later(greetingDelayMs, () => connection.state === 'handshake' && this.#login(connection));
  }

  /** @param {Finished} connection */
  #login(connection) {
    if (connection.payload.devicePairingData) {
      connection.state = 'pairing';
      offerPairing(connection, this.options.refCount, DAY_MS).catch(() => {}); // the client left before it was linked
      return;
    }
    const user = String(connection.payload.username);
    const number = connection.payload.device ?? 0;
    let device = this.#registry.find(user, number);
    if (!device && this.options.acceptUnknown) {
      device = this.#registry.add(
        this.#registry.draft({ jid: `${user}:${number}@s.whatsapp.net`, noiseKey: connection.noiseKey })
      );
    }
    if (!device?.noiseKey.equals(connection.noiseKey)) {
      void connection.failure(401, { location: 'mock' }).catch(() => {});
      return;
    }
    for (const other of this.connections) {
      if (other.device !== device || other.state === 'closed' || other === connection) continue;
      void other
        .streamError(undefined, { content: [{ tag: 'conflict', attrs: { type: 'replaced' } }] })
        .catch(() => {});
    }
    connection.device = device;
    connection.state = 'login';
    this.#send(connection, [success(device, this.options.login?.attrs)]);
    this.emit('login', connection);
  }

  /**
   * @param {Connection} connection
   * @param {Stanza} node
   */
  #answer(connection, node) {
    const answer = this.#handlers.answer(node, connection);
    if (answer !== undefined) {
      Promise.resolve(answer).then(
        (/** @type {any} */ nodes) => this.#send(connection, nodes),
        error => this.emit('failure', error, connection)
      );
      return;
    }
    if (connection.state === 'pairing') {
      const request = takeCodeRequest(connection, node);
      if (request === undefined) return;
      this.#send(connection, request.answer);
      this.emit('pairingCode', request.asked, connection);
      return;
    }
    if (!connection.device) return;
    const parts = { registry: this.#registry, router: this.#router, groups: this.#groups };
    this.#send(
      connection,
      defaultAnswer(node, {
        connection: /** @type {Linked} */ (connection),
        device: connection.device,
        server: this,
        ...parts
      })
    );
  }

  /**
   * @param {Connection} connection
   * @param {Stanza | Stanza[] | null | undefined | void} answer
   */
  #send(connection, answer) {
    if (!answer) return;
    const nodes = Array.isArray(answer) ? answer : [answer];
    /** @param {Error} error */
    const failed = error => connection.isWritable && this.emit('failure', error, connection);
    const send = () => nodes.forEach(node => connection.send(node).catch(failed));
    const { delayMs = 0 } = connection.faults;
    if (delayMs > 0) this.#later(delayMs, send);
    else send();
  }

  /**
   * @param {number} delayMs
   * @param {() => void} action
   */
  #later(delayMs, action) {
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      action();
    }, delayMs);
    this.#timers.add(timer);
  }
}
