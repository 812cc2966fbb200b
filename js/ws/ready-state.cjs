'use strict';

/** The values of `readyState` of a WebSocket. */

const [CONNECTING, OPEN, CLOSING, CLOSED] = [0, 1, 2, 3];

/** The name of each value. */
const STATE_NAMES = ['CONNECTING', 'OPEN', 'CLOSING', 'CLOSED'];

module.exports = { CONNECTING, OPEN, CLOSING, CLOSED, STATE_NAMES };
