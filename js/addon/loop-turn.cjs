'use strict';

// What is sent in one turn of the event loop is written together at its end. If the turn lasts longer than a few
// milliseconds, the addon writes by itself.

const { setImmediate } = require('node:timers');

const { core } = require('./shared-memory.cjs');

let isScheduled = false;
let isFirst = true;

function endTurn() {
  isScheduled = false;
  core.endTurn();
}

/** To be called after each message: has the addon told when this turn ends. */
function sentInTurn() {
  if (isScheduled) return;
  isScheduled = true;
  setImmediate(endTurn);
  if (isFirst) {
    isFirst = false;
    // No turn ends after process.exit(), but what was sent before it must be written.
    process.on('exit', endTurn);
  }
}

module.exports = { sentInTurn };
