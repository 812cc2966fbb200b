'use strict';

// What the drop-in's sockets and noise handlers publish. Each function looks for subscribers before it puts anything
// together.

const { socket: channels, loop } = require('./channels.cjs');

/** @param {import('node:diagnostics_channel').Channel} channel */
const has = channel => channel.hasSubscribers;

/** Names of the arguments of the events, in the order of `ws`. */
const ARGUMENTS = {
  open: [],
  message: ['data', 'isBinary'],
  ping: ['data'],
  pong: ['data'],
  upgrade: ['response'],
  'unexpected-response': ['request', 'response'],
  error: ['error'],
  close: ['code', 'reason']
};

module.exports = {
  /** Any event of a client, with its arguments. */
  event(name, client, connection, ...args) {
    if (!has(channels[name])) return;
    const message = { client, connection };
    ARGUMENTS[name].forEach((argument, i) => (message[argument] = args[i]));
    channels[name].publish(message);
  },
  /** `message`, which comes often. */
  message: (client, connection, data, isBinary) =>
    has(channels.message) && channels.message.publish({ client, connection, data, isBinary }),
  /** As `event`, for names that may not be among these. */
  forwarded(client, name, args) {
    if (Object.hasOwn(ARGUMENTS, name)) module.exports.event(name, client, undefined, ...args);
  },
  connect: client => has(channels.connect) && channels.connect.publish({ client, url: String(client.url) }),
  send: (client, connection, data) => has(channels.send) && channels.send.publish({ client, connection, data }),
  stall: ms => has(loop.stall) && loop.stall.publish({ ms }),

  /** Whether somebody wants the stanzas. */
  wantsNodes: () => has(channels.node),
  node: (connection, direction, node) => channels.node.publish({ connection, direction, node })
};
