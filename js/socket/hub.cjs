'use strict';

/** The sockets of this environment: takes events out of the native queue and hands them to their sockets. */

const { SocketHub } = require('../native.cjs');

const FastBuffer = Buffer[Symbol.species];

/** Payloads are written into slabs of this many bytes and handed out as views: a message kept pins no more. */
const SLAB_SIZE = 32 * 1024;
/** A payload that does not fit the slab's rest gets memory of its own from this size on, and a new slab below it. */
const OWN_MEMORY_FROM = 8 * 1024;
/** Words of a record; a head of the same size precedes the records. Both as in src/bindings/events.rs. */
const RECORD_WORDS = 4;
/** Events that are dispatched before the loop gets its turn, and the milliseconds likewise. */
const MAX_EVENTS = 256;
const MAX_MS = 2;
/** The clock is read once in so many events. */
const CLOCK_EVERY = 32;

const sockets = new Map();
const hub = new SocketHub(() => {
  more = true;
  run();
});
const { drain, send } = hub.hotFunctions();

const manyWords = new Uint32Array(RECORD_WORDS * (1 + MAX_EVENTS));
const oneWord = new Uint32Array(RECORD_WORDS * 2);

let slab = Buffer.allocUnsafeSlow(SLAB_SIZE);
let slabEnd = 0;

/** The batch being dispatched. A listener that throws leaves its rest for the next turn. */
let words = manyWords;
let memory = slab;
let payloadAt = 0;
let record = 0;
let records = 0;
let needed = 0;
let more = false;
let continuation = null;

/** Fetches the next batch. Without `more` afterwards the queue was found empty, and the next event wakes again. */
function fetch() {
  if (needed >= OWN_MEMORY_FROM) {
    memory = Buffer.allocUnsafeSlow(needed);
    words = oneWord;
    payloadAt = 0;
  } else {
    if (needed > 0) {
      slab = Buffer.allocUnsafeSlow(SLAB_SIZE);
      slabEnd = 0;
    }
    memory = slab;
    words = manyWords;
    payloadAt = slabEnd;
  }
  record = 0;
  records = drain(memory, payloadAt, words);
  needed = words[0];
  more = words[1] === 1;
  if (memory === slab) {
    for (let i = 1; i <= records; i++) slabEnd += words[RECORD_WORDS * i + 3];
  }
}

/** Dispatches events until none is left or the loop should have its turn. */
function run() {
  let finished = false;
  let events = 0;
  const start = performance.now();
  try {
    for (;;) {
      while (record < records) {
        if (events >= MAX_EVENTS || (events % CLOCK_EVERY === CLOCK_EVERY - 1 && performance.now() - start > MAX_MS)) {
          return;
        }
        events++;
        const at = RECORD_WORDS * ++record;
        const length = words[at + 3];
        const offset = payloadAt;
        payloadAt += length;
        sockets.get(words[at + 1])?.deliver(words[at], words[at + 2], memory, offset, length);
      }
      if (!more) break;
      fetch();
    }
    finished = true;
  } finally {
    if (!finished && continuation === null) {
      continuation = setImmediate(() => {
        continuation = null;
        run();
      });
    }
  }
}

module.exports = {
  /** A view of a slab. */
  view: (from, offset, length) => new FastBuffer(from.buffer, from.byteOffset + offset, length),
  /** Starts to connect. `socket.deliver(kind, value, memory, offset, length)` gets the events. */
  connect(socket, options) {
    const id = hub.connect(options);
    sockets.set(id, socket);
    return id;
  },
  send,
  close: id => hub.close(id),
  /** No event of the socket is delivered any more. */
  release(id) {
    if (sockets.delete(id)) hub.release(id);
  }
};
