'use strict';

// The channels of node:diagnostics_channel; docs/observation.md and index.d.ts have what is published on each.
//
// Whoever publishes asks `hasSubscribers` before he puts a message together: without a subscriber a channel costs that
// one look.

const { channel } = require('node:diagnostics_channel');

/** @param {string} group @param {string[]} names */
function channels(group, names) {
  return Object.fromEntries(names.map(name => [name, channel(`baileys-native:${group}:${name}`)]));
}

/** Of a NativeSession. */
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

/** Of the drop-in socket. */
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

/** Of the thread that all of them are on. */
const loop = channels('loop', ['stall']);

module.exports = { session, socket, loop };
