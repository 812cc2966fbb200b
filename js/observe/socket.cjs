'use strict';

// Publishes the events of the drop-in's sockets and noise handlers. Each function checks for subscribers before it
// builds a message.

const { socket: channels, loop } = require('./channels.cjs');

/** @param {import('node:diagnostics_channel').Channel} channel */
const has = channel => channel.hasSubscribers;

/** Channels that are checked for every stanza or message. */
const { node, message, send } = channels;

/** Names of the arguments of each event of `ws`. */
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
  /** Publishes an event of a client with its arguments. */
  event(name, client, connection, ...args) {
    if (!has(channels[name])) return;
    const published = { client, connection };
    ARGUMENTS[name].forEach((argument, i) => (published[argument] = args[i]));
    channels[name].publish(published);
  },
  /** Publishes `message`. Its own function, because it is called often. */
  message: (client, connection, data, isBinary) =>
    has(message) && message.publish({ client, connection, data, isBinary }),
  /** Like `event`, but ignores events without a channel. */
  forwarded(client, name, args) {
    if (Object.hasOwn(ARGUMENTS, name)) module.exports.event(name, client, undefined, ...args);
  },
  connect: client => has(channels.connect) && channels.connect.publish({ client, url: String(client.url) }),
  send: (client, connection, data) => has(send) && send.publish({ client, connection, data }),
  undecodable: (connection, error) => has(channels.undecodable) && channels.undecodable.publish({ connection, error }),
  stall: ms => has(loop.stall) && loop.stall.publish({ ms }),

  /** Whether there is a subscriber for stanzas. */
  wantsNodes: () => has(node),
  node: (connection, direction, stanza) => node.publish({ connection, direction, node: stanza })
};
