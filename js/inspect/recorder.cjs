'use strict';

// Converts messages of the diagnostics channels into lines of JSON. Stanzas are redacted by redact.cjs first.

const { subscribe, unsubscribe } = require('node:diagnostics_channel');
const { performance } = require('node:perf_hooks');
const { session: sessionChannels, socket: socketChannels, loop } = require('../observe/channels.cjs');
const { redact } = require('./redact.cjs');

/** @import { BinaryNode, DiagnosticsMessages } from '../../index' */

/** The most unanswered queries that are remembered. */
const MAX_PENDING = 10_000;
/** The most stanzas that are written in one second. Further ones are only counted. */
const MAX_PER_SECOND = 2_000;
/** Values of `type` in an answer. */
const ANSWERS = new Set(['result', 'error']);

/** The wall clock in milliseconds since 1970. It does not jump when the system clock is set. */
const now = () => Math.round(performance.timeOrigin + performance.now());

class Recorder {
  #write;
  /** @type {[string | symbol, (message: unknown) => void][]} */
  #subscriptions = [];
  /** The number of the latest stanza. */
  #last = 0;
  #seen = { in: 0, out: 0 };
  #skipped = 0;
  #window = { second: 0, count: 0 };
  /** Labels of sessions, and numbers of stanzas by their node objects. */
  #sessions = new WeakMap();
  #sessionCount = 0;
  #numbers = new WeakMap();
  /** Unanswered queries on sockets: `connection id` to number and time. */
  #pending = new Map();

  /** @param {(line: object) => void} write called with each line */
  constructor(write) {
    this.#write = write;
    const { state, node, query, reconnecting, close } = sessionChannels;
    this.#on(node, ({ session, direction, node, own }) => this.#stanza(this.#session(session), direction, node, own));
    this.#on(query, message => this.#settled(message));
    this.#on(state, ({ session, to, reason }) => this.#state(this.#session(session), to, reason?.message));
    this.#on(reconnecting, ({ session, attempt }) => this.#state(this.#session(session), `attempt ${attempt}`));
    this.#on(close, ({ session, reason }) => this.#state(this.#session(session), 'closed', reason?.message));
    /** @param {number | undefined} number */
    const socket = number => `socket ${number ?? '?'}`;
    this.#on(socketChannels.node, ({ connection, direction, node }) =>
      this.#socketStanza(socket(connection), direction, node)
    );
    this.#on(socketChannels.open, ({ connection }) => this.#state(socket(connection), 'open'));
    this.#on(socketChannels.error, ({ connection, error }) => this.#state(socket(connection), 'error', error.code));
    this.#on(socketChannels.close, ({ connection, code }) => this.#state(socket(connection), 'closed', String(code)));
    this.#on(loop.stall, ({ ms }) => this.#state('event loop', 'stalled', `${ms} ms`));
  }

  /** The number of stanzas in each direction, and of those that were not written. */
  get counts() {
    return { ...this.#seen, skipped: this.#skipped };
  }

  close() {
    for (const [name, listener] of this.#subscriptions.splice(0)) unsubscribe(name, listener);
  }

  /**
   * @param {import('node:diagnostics_channel').Channel} channel
   * @param {(message: any) => void} record
   */
  #on({ name }, record) {
    /** @param {any} message */
    const listener = message => {
      try {
        record(message);
      } catch {
        // For example a node with a getter that throws. The bot must not fail because of it.
        this.#skipped++;
      }
    };
    subscribe(name, listener);
    this.#subscriptions.push([name, listener]);
  }

  /** @param {object} session */
  #session(session) {
    let label = this.#sessions.get(session);
    if (label === undefined) {
      label = `session ${++this.#sessionCount}`;
      this.#sessions.set(session, label);
    }
    return label;
  }

  /**
   * @param {string} connection
   * @param {string} state
   * @param {string} [detail]
   */
  #state(connection, state, detail) {
    this.#write({ kind: 'state', at: now(), connection, state, detail });
  }

  #mayWrite() {
    const second = Math.floor(performance.now() / 1_000);
    if (this.#window.second !== second) this.#window = { second, count: 0 };
    return ++this.#window.count <= MAX_PER_SECOND;
  }

  /**
   * @param {string} connection
   * @param {'in' | 'out'} direction
   * @param {BinaryNode} node
   * @param {boolean} [own] Whether Rust has sent it by itself, or it is the answer to such a stanza.
   * @returns {number} the number of the stanza
   */
  #stanza(connection, direction, node, own) {
    this.#seen[direction]++;
    const n = ++this.#last;
    if (this.#mayWrite()) this.#write({ kind: 'node', n, at: now(), direction, connection, own, node: redact(node) });
    else this.#skipped++;
    this.#numbers.set(node, n);
    return n;
  }

  /**
   * A query of a session has ended.
   *
   * @param {DiagnosticsMessages['baileys-native:session:query']} message
   */
  #settled({ session, node, outcome, ms, answer }) {
    const query = this.#numbers.get(node);
    if (query === undefined) return;
    const connection = this.#session(session);
    this.#write({ kind: 'answer', at: now(), connection, query, outcome, ms, answer: this.#numbers.get(answer ?? {}) });
  }

  /**
   * Records a stanza of a socket. An outgoing iq and the incoming iq with the same id are a query and its answer.
   *
   * @param {string} connection
   * @param {'in' | 'out'} direction
   * @param {BinaryNode} node
   */
  #socketStanza(connection, direction, node) {
    const n = this.#stanza(connection, direction, node);
    const { id, type } = node.attrs;
    if (node.tag !== 'iq' || id === undefined) return;
    const key = `${connection} ${id}`;
    if (direction === 'out') {
      if (ANSWERS.has(type)) return;
      if (this.#pending.size >= MAX_PENDING) this.#pending.delete(this.#pending.keys().next().value);
      this.#pending.set(key, { query: n, since: performance.now() });
      return;
    }
    const pending = ANSWERS.has(type) ? this.#pending.get(key) : undefined;
    if (pending === undefined) return;
    this.#pending.delete(key);
    const outcome = type === 'error' ? 'refused' : 'answered';
    const ms = performance.now() - pending.since;
    this.#write({ kind: 'answer', at: now(), connection, query: pending.query, outcome, ms, answer: n });
  }
}

module.exports = { Recorder };
