'use strict';

// What the drop-in's sockets and noise handlers publish. Each function looks for subscribers before it puts anything
// together.

const { socket: channels, loop } = require('./channels.cjs');

/** @param {import('node:diagnostics_channel').Channel} channel */
const has = channel => channel.hasSubscribers;

/** Those that are looked at for every stanza or message. */
const { node, message, send } = channels;

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
    const published = { client, connection };
    ARGUMENTS[name].forEach((argument, i) => (published[argument] = args[i]));
    channels[name].publish(published);
  },
  /** `message`, which comes often. */
  message: (client, connection, data, isBinary) =>
    has(message) && message.publish({ client, connection, data, isBinary }),
  /** As `event`, for names that may not be among these. */
  forwarded(client, name, args) {
    if (Object.hasOwn(ARGUMENTS, name)) module.exports.event(name, client, undefined, ...args);
  },
  connect: client => has(channels.connect) && channels.connect.publish({ client, url: String(client.url) }),
  send: (client, connection, data) => has(send) && send.publish({ client, connection, data }),
  undecodable: (connection, error) => has(channels.undecodable) && channels.undecodable.publish({ connection, error }),
  stall: ms => has(loop.stall) && loop.stall.publish({ ms }),

  /** Whether somebody wants the stanzas. */
  wantsNodes: () => has(node),
  node: (connection, direction, stanza) => node.publish({ connection, direction, node: stanza })
};
