'use strict';

// Publishes the events of the drop-in's sockets and noise handlers. Each function checks for subscribers before it
// builds a message.

const { socket: channels, loop } = require('./channels.cjs');

/** @import { BinaryNode } from '../../index' */

/** @param {import('node:diagnostics_channel').Channel} channel */
const has = channel => channel.hasSubscribers;

/** Channels that are checked for every stanza or message. */
const { node, message, send } = channels;

/**
 * Names of the arguments of each event of `ws`.
 *
 * @type {Record<string, string[]>}
 */
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
  /**
   * Publishes an event of a client with its arguments.
   *
   * @param {string} name
   * @param {object} client
   * @param {number | undefined} connection
   * @param {...unknown} args
   */
  event(name, client, connection, ...args) {
    if (!has(channels[name])) return;
    /** @type {Record<string, unknown>} */
    const published = { client, connection };
    ARGUMENTS[name].forEach((argument, i) => (published[argument] = args[i]));
    channels[name].publish(published);
  },
  /**
   * Publishes `message`. Its own function, because it is called often.
   *
   * @param {object} client
   * @param {number | undefined} connection
   * @param {unknown} data
   * @param {boolean} isBinary
   */
  message: (client, connection, data, isBinary) =>
    has(message) && message.publish({ client, connection, data, isBinary }),
  /**
   * Like `event`, but ignores events without a channel.
   *
   * @param {object} client
   * @param {string} name
   * @param {unknown[]} args
   */
  forwarded(client, name, args) {
    if (Object.hasOwn(ARGUMENTS, name)) module.exports.event(name, client, undefined, ...args);
  },
  /** @param {{ url: URL | string }} client */
  connect: client => has(channels.connect) && channels.connect.publish({ client, url: String(client.url) }),
  /**
   * @param {object} client
   * @param {number | undefined} connection
   * @param {unknown} data
   */
  send: (client, connection, data) => has(send) && send.publish({ client, connection, data }),
  /**
   * @param {number | undefined} connection
   * @param {unknown} error
   */
  undecodable: (connection, error) => has(channels.undecodable) && channels.undecodable.publish({ connection, error }),
  /** @param {number} ms */
  stall: ms => has(loop.stall) && loop.stall.publish({ ms }),

  /** Whether there is a subscriber for stanzas. */
  wantsNodes: () => has(node),
  /**
   * @param {number | undefined} connection
   * @param {'in' | 'out'} direction
   * @param {BinaryNode} stanza
   */
  node: (connection, direction, stanza) => node.publish({ connection, direction, node: stanza })
};
