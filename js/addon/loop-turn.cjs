'use strict';

// Messages of one turn of the event loop are written together at its end. If the turn takes longer than a few
// milliseconds, the I/O thread writes them.

const { setImmediate } = require('node:timers');

const { core } = require('./shared-memory.cjs');

let isScheduled = false;
let isFirst = true;

function endTurn() {
  isScheduled = false;
  core.endTurn();
}

/** Call it after each message: it schedules `endTurn` for the end of this turn. */
function sentInTurn() {
  if (isScheduled) return;
  isScheduled = true;
  setImmediate(endTurn);
  if (isFirst) {
    isFirst = false;
    // The turn of process.exit() does not end. Messages that were sent before it must be written.
    process.on('exit', endTurn);
  }
}

module.exports = { sentInTurn };
