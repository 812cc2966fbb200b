'use strict';

// The sockets and sessions of this environment: takes events out of the native queue and hands them over.

const { core, hub, wake, nextPowerOfTwo } = require('./shared-memory.cjs');
const { sentInTurn } = require('./loop-turn.cjs');
const { slab, reserve, cut } = require('./slab.cjs');
const {
  batchHead: { HAS_MORE, SLAB_NEEDED, SLAB_TAKEN, STALLED_MS, TEXT_NEEDED, WORDS: HEAD_WORDS, WORDS_NEEDED },
  record: { COUNTER, FRAMES, KIND, LENGTH, SOURCE, TAPE_BYTES, TAPE_TEXT, TAPE_WORDS, VALUE, WORDS: RECORD_WORDS },
  sessionRecord: { STANZAS }
} = require('./abi.cjs');
const observe = require('../observe/socket.cjs');

const FastBuffer = Buffer[Symbol.species];

/** Memory for a batch, in words and bytes, and sizes above which what one large message needed is given back. */
const WORDS = 16 * 1024;
const TEXT_BYTES = 32 * 1024;
const KEEP_WORDS = 4 * WORDS;
const KEEP_TEXT = 8 * TEXT_BYTES;
/** A slab with less room than this is not worth a crossing. */
const SLAB_ROOM = 4 * 1024;

/** Events that are dispatched before the loop gets its turn, and the milliseconds likewise. */
const MAX_EVENTS = 256;
const MAX_MS = 2;
/** The clock is read once in so many events. */
const CLOCK_EVERY = 32;

const sockets = new Map();

/** The batch being dispatched. A listener that throws leaves its rest for the next turn. */
const batch = {
  words: new Int32Array(WORDS),
  text: Buffer.allocUnsafeSlow(TEXT_BYTES),
  memory: slab.buffer,
  /** Records left. */
  records: 0,
  /** The next record's words, text and payload. */
  wordAt: 0,
  textAt: 0,
  payloadAt: 0,
  more: false,
  /** Whose stanzas are dispatched one by one, and how many of the record are left; the delivery stands before the next one. */
  session: /** @type {any} */ (undefined),
  stanzas: 0
};
core.shareBatch(batch.words, batch.text);

/**
 * The message being dispatched, and the tapes of its frames where the addon has opened them ahead: `frames` of them, the
 * first with the transport counter `counter`. Whoever is given this very Buffer may take them.
 */
const delivery = {
  buffer: undefined,
  frames: 0,
  counter: 0,
  words: batch.words,
  wordAt: 0,
  text: batch.text,
  textAt: 0,
  memory: batch.memory,
  bytesAt: 0
};

let continuation = null;
let running = false;

/** Makes room for a record that did not fit. */
function grow() {
  const { [SLAB_NEEDED]: size, [WORDS_NEEDED]: words, [TEXT_NEEDED]: text } = batch.words;
  reserve(size);
  if (words > batch.words.length || text > batch.text.length) {
    share(Math.max(WORDS, nextPowerOfTwo(words)), Math.max(TEXT_BYTES, nextPowerOfTwo(text)));
  }
}

function share(words, text) {
  batch.words = new Int32Array(words);
  batch.text = Buffer.allocUnsafeSlow(text);
  core.shareBatch(batch.words, batch.text);
}

/** Fetches the next batch. Without `more` afterwards the queue was found empty, and the next event wakes again. */
function fetch() {
  if (batch.words.length > KEEP_WORDS || batch.text.length > KEEP_TEXT) share(WORDS, TEXT_BYTES);
  reserve(SLAB_ROOM);
  batch.records = core.drain(slab.buffer, slab.position);
  if (batch.words[STALLED_MS] > 0) observe.stall(batch.words[STALLED_MS]);
  if (batch.records === 0 && batch.words[HAS_MORE] === 1) {
    grow();
    batch.records = core.drain(slab.buffer, slab.position);
    if (batch.records === 0) throw new Error('there is no room for what has come in');
  }
  batch.more = batch.words[HAS_MORE] === 1;
  batch.memory = slab.buffer;
  batch.wordAt = HEAD_WORDS;
  batch.textAt = 0;
  batch.payloadAt = slab.position;
  cut(batch.words[SLAB_TAKEN]);
}

/** Dispatches the next stanza of a session's record. A listener that throws has had its turn. */
function dispatchStanza() {
  batch.stanzas--;
  batch.session.deliverStanza();
}

/** Dispatches the batch's next record. */
function dispatch() {
  if (batch.stanzas > 0) {
    dispatchStanza();
    return;
  }
  const { words, memory, wordAt: at, payloadAt } = batch;
  const length = words[at + LENGTH];
  delivery.frames = words[at + FRAMES];
  if (delivery.frames > 0) {
    delivery.counter = words[at + COUNTER] >>> 0;
    delivery.words = words;
    delivery.wordAt = at + RECORD_WORDS;
    delivery.text = batch.text;
    delivery.textAt = batch.textAt;
    delivery.memory = memory;
    delivery.bytesAt = payloadAt + length;
    // A message from before is not the one of these tapes.
    delivery.buffer = undefined;
  }
  batch.records--;
  batch.wordAt += RECORD_WORDS + words[at + TAPE_WORDS];
  batch.textAt += words[at + TAPE_TEXT];
  batch.payloadAt += length + words[at + TAPE_BYTES];
  const target = sockets.get(words[at + SOURCE]);
  if (target === undefined) return;
  if (words[at + KIND] === STANZAS) {
    batch.session = target;
    batch.stanzas = delivery.frames;
    dispatchStanza();
    return;
  }
  target.deliver(words[at + KIND], words[at + VALUE], memory, payloadAt, length);
}

/** Dispatches events until none is left or the loop should have its turn. */
function run() {
  // A listener that turns the event loop itself must not have the batch replaced under it.
  if (running) return;
  running = true;
  let finished = false;
  let events = 0;
  const start = performance.now();
  try {
    for (;;) {
      while (batch.records > 0 || batch.stanzas > 0) {
        if (events >= MAX_EVENTS || (events % CLOCK_EVERY === CLOCK_EVERY - 1 && performance.now() - start > MAX_MS)) {
          return;
        }
        events++;
        dispatch();
      }
      if (!batch.more) break;
      fetch();
      // It may answer what a listener has just sent. As with `ws`, who awaits the sending goes on before that.
      if (events > 0 && batch.records > 0) return;
    }
    finished = true;
  } finally {
    running = false;
    delivery.buffer = undefined;
    delivery.frames = 0;
    if (!finished && continuation === null) {
      continuation = setImmediate(() => {
        continuation = null;
        run();
      });
    }
  }
}

wake.callback = () => {
  batch.more = true;
  run();
};

module.exports = {
  delivery,
  /** Dispatches what has come, as a wake does. */
  run: () => wake.callback(),
  /** A view of a slab. */
  view: (from, offset, length) => new FastBuffer(from.buffer, from.byteOffset + offset, length),
  /** A binary message, which from then on is the {@link delivery}. */
  message(from, offset, length) {
    const buffer = new FastBuffer(from.buffer, from.byteOffset + offset, length);
    delivery.buffer = buffer;
    return buffer;
  },
  /** Starts to connect. `socket.deliver(kind, value, memory, offset, length)` gets the events. */
  connect(socket, options) {
    const id = hub.connect(options);
    sockets.set(id, socket);
    return id;
  },
  /** The events of a session go to `session.deliver`, see {@link connect}. */
  add: (id, session) => void sockets.set(id, session),
  remove: id => void sockets.delete(id),
  /** Queues a message; see the addon's `send`. */
  send(id, bytes, isText) {
    const accepted = core.send(id, bytes, isText);
    sentInTurn();
    return accepted;
  },
  sendControl: core.sendControl,
  buffered: core.buffered,
  close: id => hub.close(id),
  /** Drops the connection of a socket; what has come is still delivered. */
  destroy: id => hub.release(id),
  /** No event of the socket is delivered any more. */
  release(id) {
    if (sockets.delete(id)) hub.release(id);
  }
};
