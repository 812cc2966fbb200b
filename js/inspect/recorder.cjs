'use strict';

// Turns what is published on the diagnostics channels into lines of JSON. Nothing that redact.cjs hides is in them.

const { subscribe, unsubscribe } = require('node:diagnostics_channel');
const { performance } = require('node:perf_hooks');
const { session: sessionChannels, socket: socketChannels, loop } = require('../observe/channels.cjs');
const { redact } = require('./redact.cjs');

/** Queries without an answer that are remembered. */
const MAX_PENDING = 10_000;
/** Stanzas that are written out in one second; the others are counted. */
const MAX_PER_SECOND = 2_000;
/** An answer's `type`. */
const ANSWERS = new Set(['result', 'error']);

/** The wall clock, without the jumps of a clock that is set. */
const now = () => Math.round(performance.timeOrigin + performance.now());

class Recorder {
  #write;
  #subscriptions = [];
  /** Numbers stanzas. */
  #last = 0;
  #seen = { in: 0, out: 0 };
  #skipped = 0;
  #window = { second: 0, count: 0 };
  /** Sessions by number, and the numbers of stanzas by the objects that listeners get. */
  #sessions = new WeakMap();
  #sessionCount = 0;
  #numbers = new WeakMap();
  /** Queries on sockets that wait: `connection id` to number and time. */
  #pending = new Map();

  /** @param {(line: object) => void} write gets what is to be shown */
  constructor(write) {
    this.#write = write;
    const { state, node, query, reconnecting, close } = sessionChannels;
    this.#on(node, ({ session, direction, node }) => this.#stanza(this.#session(session), direction, node));
    this.#on(query, message => this.#settled(message));
    this.#on(state, ({ session, to, reason }) => this.#state(this.#session(session), to, reason?.message));
    this.#on(reconnecting, ({ session, attempt }) => this.#state(this.#session(session), `attempt ${attempt}`));
    this.#on(close, ({ session, reason }) => this.#state(this.#session(session), 'closed', reason?.message));
    const socket = number => `socket ${number ?? '?'}`;
    this.#on(socketChannels.node, ({ connection, direction, node }) =>
      this.#socketStanza(socket(connection), direction, node)
    );
    this.#on(socketChannels.open, ({ connection }) => this.#state(socket(connection), 'open'));
    this.#on(socketChannels.error, ({ connection, error }) => this.#state(socket(connection), 'error', error.code));
    this.#on(socketChannels.close, ({ connection, code }) => this.#state(socket(connection), 'closed', String(code)));
    this.#on(loop.stall, ({ ms }) => this.#state('event loop', 'stalled', `${ms} ms`));
  }

  /** Stanzas seen, and those of them that were only counted. */
  get counts() {
    return { ...this.#seen, skipped: this.#skipped };
  }

  close() {
    for (const [name, listener] of this.#subscriptions.splice(0)) unsubscribe(name, listener);
  }

  #on({ name }, record) {
    const listener = message => {
      try {
        record(message);
      } catch {
        // A node whose getters throw, say. It is no reason to disturb the bot.
        this.#skipped++;
      }
    };
    subscribe(name, listener);
    this.#subscriptions.push([name, listener]);
  }

  #session(session) {
    let label = this.#sessions.get(session);
    if (label === undefined) {
      label = `session ${++this.#sessionCount}`;
      this.#sessions.set(session, label);
    }
    return label;
  }

  #state(connection, state, detail) {
    this.#write({ kind: 'state', at: now(), connection, state, detail });
  }

  #mayWrite() {
    const second = Math.floor(performance.now() / 1_000);
    if (this.#window.second !== second) this.#window = { second, count: 0 };
    return ++this.#window.count <= MAX_PER_SECOND;
  }

  /** @returns {number} the stanza's number */
  #stanza(connection, direction, node) {
    this.#seen[direction]++;
    const n = ++this.#last;
    if (this.#mayWrite()) this.#write({ kind: 'node', n, at: now(), direction, connection, node: redact(node) });
    else this.#skipped++;
    this.#numbers.set(node, n);
    return n;
  }

  /** A query of a session has ended. */
  #settled({ session, node, outcome, ms, answer }) {
    const query = this.#numbers.get(node);
    if (query === undefined) return;
    const connection = this.#session(session);
    this.#write({ kind: 'answer', at: now(), connection, query, outcome, ms, answer: this.#numbers.get(answer ?? {}) });
  }

  /** On sockets a query is an iq that awaits one of the same id; who asks, and how long he waits, is Baileys' matter. */
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
