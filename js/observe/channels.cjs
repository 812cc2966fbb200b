'use strict';

// The channels of node:diagnostics_channel. Their messages are described in docs/observation.md and index.d.ts.
//
// Each publisher checks `hasSubscribers` first: without a subscriber it builds no message.

const { channel } = require('node:diagnostics_channel');

/** @param {string} group @param {string[]} names */
function channels(group, names) {
  return Object.fromEntries(names.map(name => [name, channel(`baileys-native:${group}:${name}`)]));
}

/** Channels of `NativeSession`. */
const session = channels('session', [
  'state',
  'node',
  'query',
  'qr',
  'paired',
  'creds',
  'reconnecting',
  'offline',
  'drain',
  'unsent',
  'error',
  'close'
]);

/** Channels of the drop-in's sockets and noise handlers. */
const socket = channels('socket', [
  'connect',
  'open',
  'node',
  'message',
  'send',
  'undecodable',
  'ping',
  'pong',
  'upgrade',
  'unexpected-response',
  'error',
  'close'
]);

/** Channels of the event loop of this thread. */
const loop = channels('loop', ['stall']);

module.exports = { session, socket, loop };
