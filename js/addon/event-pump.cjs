'use strict';

// Takes events from the native queue and delivers them to the sockets and sessions of this thread.

// Not the global one, which a test can replace by a fake that never calls back.
const { setImmediate } = require('node:timers');

const { onUnload } = require('./deno.cjs');
const { core, environment, wake, nextPowerOfTwo } = require('./shared-memory.cjs');
const { writeAtExit, sentInTurn, sentAtOnce, hasWaiting } = require('./loop-turn.cjs');
const { FastBuffer, slab, reserve, cut } = require('./slab.cjs');
const {
  batchHead: {
    HAS_MORE,
    SLAB_NEEDED,
    SLAB_TAKEN,
    STALLED_MS,
    TEXT_NEEDED,
    TEXT_TAKEN,
    WORDS: HEAD_WORDS,
    WORDS_NEEDED
  },
  record: { COUNTER, FRAMES, KIND, LENGTH, SOURCE, TAPE_BYTES, TAPE_TEXT, TAPE_WORDS, VALUE, WORDS: RECORD_WORDS },
  sessionRecord: { STANZAS }
} = require('./abi.cjs');
const observe = require('../observe/socket.cjs');
const { transportError } = require('../shared/transport-error.cjs');

/** Memory for a batch: sizes in words and bytes, and the sizes above which it is replaced by smaller memory again. */
const WORDS = 16 * 1024;
const TEXT_BYTES = 32 * 1024;
const KEEP_WORDS = 4 * WORDS;
const KEEP_TEXT = 8 * TEXT_BYTES;
/** The least room in the slab for a call of `drain`, in bytes. */
const SLAB_ROOM = 4 * 1024;

/** Limits of one run: the number of events, and the approximate time in milliseconds. Then the event loop continues. */
const MAX_EVENTS = 256;
const MAX_MS = 2;
/** The clock is read once per this number of events. */
const CLOCK_EVERY = 32;

/** @import { TextBuffer } from './slab.cjs' */

/**
 * @typedef {object} EventTarget A socket or a session.
 * @property {(kind: number, value: number, memory: TextBuffer, offset: number, length: number) => void} deliver Handles
 *   a record. Its payload is `memory[offset..offset + length]`.
 * @property {() => void} [deliverStanza] Handles the next stanza of a `STANZAS` record.
 */

/** @type {Map<number, EventTarget>} By number. */
const targets = new Map();

/** The batch that is being dispatched. If a listener throws, the remaining records are dispatched in the next turn. */
const batch = {
  words: new Int32Array(WORDS),
  text: Buffer.allocUnsafeSlow(TEXT_BYTES),
  memory: slab.buffer,
  /** The number of records left. */
  records: 0,
  /** Positions of the words, text and payload of the next record. */
  wordAt: 0,
  textAt: 0,
  payloadAt: 0,
  more: false,
  /** The session of a `STANZAS` record, and the number of its stanzas left. `tapeCursor` is at the next one. */
  session: /** @type {EventTarget | undefined} */ (undefined),
  stanzas: 0
};
core.shareBatch(batch.words, batch.text);

/**
 * Starts the threads of the connections, if they do not run yet.
 *
 * @throws An error of the system, for example `EMFILE`.
 */
function start() {
  const failure = environment.start();
  if (failure) throw transportError(JSON.parse(failure));
  writeAtExit();
}

/**
 * The message that is being dispatched (`buffer`) and the tapes of the read-ahead for it: the number of frames, and the
 * transport counter of the first. `decodeFrame` uses the tapes if it is called with this Buffer.
 */
const tapeCursor = {
  buffer: /** @type {Buffer | undefined} */ (undefined),
  frames: 0,
  counter: 0,
  words: batch.words,
  wordAt: 0,
  text: batch.text,
  textAt: 0,
  /** Where the text of the batch ends, and the number of the batch. */
  textEnd: 0,
  batch: 0,
  memory: batch.memory,
  bytesAt: 0
};

/** @type {NodeJS.Immediate | null} */
let continuation = null;
let running = false;
/** Whether `drain` does nothing any more. */
let isUnloaded = false;
onUnload(() => {
  isUnloaded = true;
});

/** Allocates memory for a record that did not fit. */
function grow() {
  const { [SLAB_NEEDED]: size, [WORDS_NEEDED]: words, [TEXT_NEEDED]: text } = batch.words;
  reserve(size);
  if (words > batch.words.length || text > batch.text.length) {
    share(Math.max(WORDS, nextPowerOfTwo(words)), Math.max(TEXT_BYTES, nextPowerOfTwo(text)));
  }
}

/**
 * @param {number} words
 * @param {number} text
 */
function share(words, text) {
  batch.words = new Int32Array(words);
  batch.text = Buffer.allocUnsafeSlow(text);
  core.shareBatch(batch.words, batch.text);
}

/** Fetches the next batch. If `more` is false afterwards, the queue was empty, and the next event calls `wake`. */
function fetch() {
  if (batch.words.length > KEEP_WORDS || batch.text.length > KEEP_TEXT) share(WORDS, TEXT_BYTES);
  reserve(SLAB_ROOM);
  batch.records = core.drain(slab.buffer, slab.position);
  if (batch.words[STALLED_MS] > 0) observe.stall(batch.words[STALLED_MS]);
  if (batch.records === 0 && batch.words[HAS_MORE] === 1) {
    grow();
    batch.records = core.drain(slab.buffer, slab.position);
    if (batch.records === 0)
      throw new Error('internal error of baileys-native: a received record does not fit into its buffer');
  }
  batch.more = batch.words[HAS_MORE] === 1;
  batch.memory = slab.buffer;
  batch.wordAt = HEAD_WORDS;
  batch.textAt = 0;
  batch.payloadAt = slab.position;
  tapeCursor.textEnd = batch.words[TEXT_TAKEN];
  tapeCursor.batch++;
  cut(batch.words[SLAB_TAKEN]);
}

/**
 * Dispatches the next stanza of a `STANZAS` record. It is counted first, so that it is not repeated if a listener
 * throws.
 */
function dispatchStanza() {
  batch.stanzas--;
  /** @type {Required<EventTarget>} */ (batch.session).deliverStanza();
}

/** Dispatches the next record or stanza of the batch. */
function dispatch() {
  if (batch.stanzas > 0) {
    dispatchStanza();
    return;
  }
  const { words, memory, wordAt: at, payloadAt } = batch;
  const length = words[at + LENGTH];
  tapeCursor.frames = words[at + FRAMES];
  if (tapeCursor.frames > 0) {
    tapeCursor.counter = words[at + COUNTER] >>> 0;
    tapeCursor.words = words;
    tapeCursor.wordAt = at + RECORD_WORDS;
    tapeCursor.text = batch.text;
    tapeCursor.textAt = batch.textAt;
    tapeCursor.memory = memory;
    tapeCursor.bytesAt = payloadAt + length;
    // `message` sets the Buffer when it creates it for this record.
    tapeCursor.buffer = undefined;
  }
  batch.records--;
  batch.wordAt += RECORD_WORDS + words[at + TAPE_WORDS];
  batch.textAt += words[at + TAPE_TEXT];
  batch.payloadAt += length + words[at + TAPE_BYTES];
  const target = targets.get(words[at + SOURCE]);
  if (target === undefined) return;
  if (words[at + KIND] === STANZAS) {
    batch.session = target;
    batch.stanzas = tapeCursor.frames;
    dispatchStanza();
    return;
  }
  target.deliver(words[at + KIND], words[at + VALUE], memory, payloadAt, length);
}

/**
 * Dispatches events until none is left or a limit is reached.
 *
 * @param {boolean} isUrgent Whether the events must not wait for callbacks of messages.
 */
function run(isUrgent) {
  // A listener may cause a nested call, which must not replace the batch.
  if (running || isUnloaded) return;
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
      // A new event may be the answer to a message that was sent in this turn. Code that awaits that send must run
      // first, as with `ws`. Therefore the events are dispatched in the next turn.
      if (batch.records > 0 && (events > 0 || (hasWaiting() && !isUrgent))) return;
    }
    finished = true;
  } finally {
    running = false;
    tapeCursor.buffer = undefined;
    tapeCursor.frames = 0;
    if (!finished && continuation === null) {
      continuation = setImmediate(() => {
        continuation = null;
        run(false);
      });
    }
  }
}

wake.callback = () => {
  batch.more = true;
  // If events already wait for the next turn, the new ones are dispatched after them.
  if (continuation === null) run(false);
};

module.exports = {
  tapeCursor,
  start,
  /** Dispatches the events that wait, also if callbacks of messages wait for the end of this turn. */
  runNow() {
    batch.more = true;
    run(true);
  },
  /**
   * A Buffer that is a view of a slab.
   *
   * @param {Buffer} from
   * @param {number} offset
   * @param {number} length
   */
  view: (from, offset, length) => new FastBuffer(from.buffer, from.byteOffset + offset, length),
  /**
   * A view of a binary message. It becomes `tapeCursor.buffer`.
   *
   * @param {Buffer} from
   * @param {number} offset
   * @param {number} length
   */
  message(from, offset, length) {
    const buffer = new FastBuffer(from.buffer, from.byteOffset + offset, length);
    tapeCursor.buffer = buffer;
    return buffer;
  },
  /**
   * Starts to connect and returns the number of the socket. Events are passed to `socket.deliver`.
   *
   * @param {EventTarget} socket
   * @param {import('./native').SocketOptions} options
   */
  connect(socket, options) {
    start();
    const id = environment.connect(options);
    targets.set(id, socket);
    return id;
  },
  /**
   * From now on the events of a session are passed to `session.deliver`.
   *
   * @param {number} id
   * @param {EventTarget} session
   */
  add: (id, session) => void targets.set(id, session),
  /** @param {number} id */
  remove: id => void targets.delete(id),
  /**
   * Queues a message. Returns one of `accepted` in abi.cjs.
   *
   * @param {number} id
   * @param {Uint8Array} bytes
   * @param {0 | 1} isText
   */
  send(id, bytes, isText) {
    const accepted = core.send(id, bytes, isText);
    sentInTurn();
    return accepted;
  },
  /**
   * Queues a ping or a pong. Returns one of `accepted` in abi.cjs.
   *
   * @param {number} id
   * @param {Uint8Array} bytes
   * @param {0 | 1} isPong
   */
  sendControl(id, bytes, isPong) {
    const accepted = core.sendControl(id, bytes, isPong);
    sentAtOnce();
    return accepted;
  },
  buffered: core.buffered,
  silence: core.silence,
  /** @param {number} id */
  close(id) {
    environment.close(id);
    sentAtOnce();
  },
  /**
   * @param {number} id
   * @param {boolean} isPaused
   */
  setPaused: (id, isPaused) => environment.setPaused(id, isPaused),
  /** @param {number} id */
  endpoints: id => environment.endpoints(id),
  /**
   * @param {number} id
   * @param {number | undefined} seconds
   */
  setKeepAlive: (id, seconds) => environment.setKeepAlive(id, seconds),
  /**
   * @param {number} id
   * @param {boolean} isOn
   */
  setNoDelay: (id, isOn) => environment.setNoDelay(id, isOn),
  /**
   * Drops the connection of a socket. Messages that were received are still delivered.
   *
   * @param {number} id
   */
  destroy: id => environment.release(id),
  /**
   * Drops the connection of a socket. No further event is delivered.
   *
   * @param {number} id
   */
  release(id) {
    if (targets.delete(id)) environment.release(id);
  }
};
