'use strict';

// Publishes the events of a NativeSession. Each function checks for subscribers before it builds a message.

const { session: channels } = require('./channels.cjs');

/** @import { BinaryNode, EndReason, NativeSessionEvents, SessionCredentials, SessionError } from '../../index' */
/** @import { SessionStateChange } from '../../index' */

/** @param {import('node:diagnostics_channel').Channel} channel */
const has = channel => channel.hasSubscribers;

/**
 * Outcome of a query by the `code` of its error.
 *
 * @type {Record<string, string>}
 */
const OUTCOMES = {
  ERR_STANZA: 'refused',
  ERR_QUERY_TIMEOUT: 'timedOut',
  ERR_CONNECTION_CLOSED: 'closed',
  ERR_MEMORY_ALLOCATION_FAILED: 'failed'
};

/**
 * The latest published answer. If it also matches a pattern, it is delivered again as the next stanza; `stanza` then
 * does not publish it twice.
 *
 * @type {{ session: object, id: string } | undefined}
 */
let latest;

module.exports = {
  /**
   * @param {object} session
   * @param {SessionStateChange} change
   */
  state: (session, change) => has(channels.state) && channels.state.publish({ session, ...change }),
  /**
   * @param {object} session
   * @param {BinaryNode} node
   */
  sent: (session, node) => has(channels.node) && channels.node.publish({ session, direction: 'out', node }),
  /**
   * A stanza that Rust has sent by itself, or the answer to one. Rust reports them only while the live view is on.
   *
   * @param {object} session
   * @param {'in' | 'out'} direction
   * @param {BinaryNode} node
   */
  own: (session, direction, node) =>
    has(channels.node) && channels.node.publish({ session, direction, node, own: true }),
  /**
   * @param {object} session
   * @param {BinaryNode} node
   */
  answer(session, node) {
    if (!has(channels.node)) return;
    latest = { session, id: node.attrs.id };
    channels.node.publish({ session, direction: 'in', node });
  },
  /**
   * @param {object} session
   * @param {BinaryNode} node
   */
  stanza(session, node) {
    if (!has(channels.node)) return;
    const isAnswer = latest !== undefined && latest.session === session && latest.id === node.attrs.id;
    latest = undefined;
    if (!isAnswer) channels.node.publish({ session, direction: 'in', node });
  },
  /**
   * @param {object} session
   * @param {string} qr
   * @param {number} expiresAt
   */
  qr: (session, qr, expiresAt) => has(channels.qr) && channels.qr.publish({ session, qr, expiresAt }),
  /**
   * @param {object} session
   * @param {NativeSessionEvents['paired'][0]} me
   */
  paired: (session, me) => has(channels.paired) && channels.paired.publish({ session, me }),
  /**
   * @param {object} session
   * @param {Partial<SessionCredentials>} update
   */
  creds: (session, update) => has(channels.creds) && channels.creds.publish({ session, update }),
  /**
   * @param {object} session
   * @param {NativeSessionEvents['reconnecting'][0]} event
   */
  reconnecting: (session, { attempt, at, reason }) =>
    has(channels.reconnecting) && channels.reconnecting.publish({ session, attempt, at, reason }),
  /**
   * @param {object} session
   * @param {number} count
   */
  offline: (session, count) => has(channels.offline) && channels.offline.publish({ session, count }),
  /** @param {object} session */
  drain: session => has(channels.drain) && channels.drain.publish({ session }),
  /**
   * @param {object} session
   * @param {number[]} numbers
   */
  unsent: (session, numbers) => has(channels.unsent) && channels.unsent.publish({ session, numbers }),
  /**
   * @param {object} session
   * @param {SessionError} error
   */
  error: (session, error) => has(channels.error) && channels.error.publish({ session, error }),
  /**
   * @param {object} session
   * @param {EndReason} reason
   */
  close: (session, reason) => has(channels.close) && channels.close.publish({ session, reason }),

  /**
   * Returns `resolve` and `reject` of a query. If there is a subscriber, they also publish the outcome.
   *
   * @param {object} session
   * @param {BinaryNode} node
   * @param {(answer: BinaryNode) => void} resolve
   * @param {(error: any) => void} reject
   * @returns {[(answer: BinaryNode) => void, (error: any) => void]}
   */
  query(session, node, resolve, reject) {
    if (!has(channels.query)) return [resolve, reject];
    const asked = performance.now();
    /**
     * @param {string} outcome
     * @param {object} rest
     */
    const publish = (outcome, rest) =>
      channels.query.publish({ session, node, outcome, ms: performance.now() - asked, ...rest });
    return [
      (/** @type {BinaryNode} */ answer) => {
        publish('answered', { answer });
        resolve(answer);
      },
      (/** @type {any} */ error) => {
        publish(OUTCOMES[error?.code] ?? 'cancelled', { error });
        reject(error);
      }
    ];
  }
};
