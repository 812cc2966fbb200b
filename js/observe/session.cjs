'use strict';

// Publishes the events of a NativeSession. Each function checks for subscribers before it builds a message.

const { session: channels } = require('./channels.cjs');

/** @param {import('node:diagnostics_channel').Channel} channel */
const has = channel => channel.hasSubscribers;

/** Outcome of a query by the `code` of its error. */
const OUTCOMES = {
  ERR_STANZA: 'refused',
  ERR_QUERY_TIMEOUT: 'timedOut',
  ERR_CONNECTION_CLOSED: 'closed'
};

/**
 * The latest published answer. If it also matches a pattern, it is delivered again as the next stanza; `stanza` then
 * does not publish it twice.
 *
 * @type {{ session: object, id: string } | undefined}
 */
let latest;

module.exports = {
  state: (session, change) => has(channels.state) && channels.state.publish({ session, ...change }),
  sent: (session, node) => has(channels.node) && channels.node.publish({ session, direction: 'out', node }),
  answer(session, node) {
    if (!has(channels.node)) return;
    latest = { session, id: node.attrs.id };
    channels.node.publish({ session, direction: 'in', node });
  },
  stanza(session, node) {
    if (!has(channels.node)) return;
    const isAnswer = latest !== undefined && latest.session === session && latest.id === node.attrs.id;
    latest = undefined;
    if (!isAnswer) channels.node.publish({ session, direction: 'in', node });
  },
  qr: (session, qr, expiresAt) => has(channels.qr) && channels.qr.publish({ session, qr, expiresAt }),
  paired: (session, me) => has(channels.paired) && channels.paired.publish({ session, me }),
  creds: (session, update) => has(channels.creds) && channels.creds.publish({ session, update }),
  reconnecting: (session, { attempt, at, reason }) =>
    has(channels.reconnecting) && channels.reconnecting.publish({ session, attempt, at, reason }),
  offline: (session, count) => has(channels.offline) && channels.offline.publish({ session, count }),
  drain: session => has(channels.drain) && channels.drain.publish({ session }),
  unsent: (session, numbers) => has(channels.unsent) && channels.unsent.publish({ session, numbers }),
  error: (session, error) => has(channels.error) && channels.error.publish({ session, error }),
  close: (session, reason) => has(channels.close) && channels.close.publish({ session, reason }),

  /** Returns `resolve` and `reject` of a query. If there is a subscriber, they also publish the outcome. */
  query(session, node, resolve, reject) {
    if (!has(channels.query)) return [resolve, reject];
    const asked = performance.now();
    const publish = (outcome, rest) =>
      channels.query.publish({ session, node, outcome, ms: performance.now() - asked, ...rest });
    return [
      answer => {
        publish('answered', { answer });
        resolve(answer);
      },
      error => {
        publish(OUTCOMES[error?.code] ?? 'cancelled', { error });
        reject(error);
      }
    ];
  }
};
