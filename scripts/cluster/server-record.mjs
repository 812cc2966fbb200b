// Records the connections and stanzas of a cluster in a MockServer: who was connected when, and which stanzas have
// arrived.

/**
 * A connection after its login. Times are milliseconds since 1970; `Infinity` if it has not happened.
 *
 * @typedef {object} ConnectionRecord
 * @property {string} user
 * @property {string} node
 * @property {number} loginAt
 * @property {number} closedAt
 * @property {number} refusedAt When the server has sent it a stream error, because another connection has replaced it.
 * @property {string} handshake
 * @property {number} lastAt When its last stanza has arrived; 0 if none has.
 */

/**
 * Records the connections and stanzas of a server from now on.
 *
 * @param {import('../../js/testing/index.mjs').MockServer} server
 */
export function watchServer(server) {
  /** @type {Map<object, ConnectionRecord>} */
  const connections = new Map();
  /** For each message id: how often the message has arrived. */
  const messages = new Map();
  let stanzas = 0;
  const now = () => performance.timeOrigin + performance.now();

  server.on('login', (/** @type {any} */ connection) => {
    connections.set(connection, {
      user: connection.device.user,
      node: connection.request.headers['x-node'],
      loginAt: now(),
      closedAt: Infinity,
      refusedAt: Infinity,
      handshake: connection.handshake,
      lastAt: 0
    });
  });
  server.on('close', (/** @type {any} */ connection) => {
    const record = connections.get(connection);
    if (record !== undefined) record.closedAt = now();
  });
  server.on('stanza', (/** @type {any} */ { direction, node }, /** @type {any} */ connection) => {
    stanzas += 1;
    const record = connections.get(connection);
    if (record === undefined) return;
    if (direction === 'out') {
      if (node.tag === 'stream:error') record.refusedAt = now();
      return;
    }
    record.lastAt = now();
    if (node.tag === 'message') messages.set(node.attrs.id, (messages.get(node.attrs.id) ?? 0) + 1);
  });

  /** The connections by user, in the order of their logins. */
  function byUser() {
    const users = new Map();
    for (const record of connections.values()) users.set(record.user, [...(users.get(record.user) ?? []), record]);
    return users;
  }

  return {
    messages,
    byUser,
    get stanzas() {
      return stanzas;
    },
    get connected() {
      const open = [...connections.values()].filter(
        ({ closedAt, refusedAt }) => closedAt === Infinity && refusedAt === Infinity
      );
      return new Set(open.map(({ user }) => user));
    }
  };
}

/**
 * Pairs of connections of one session that were open at the same time.
 *
 * @param {ReturnType<typeof watchServer>} record
 */
export function overlaps(record) {
  /** @type {{ earlier: ConnectionRecord, later: ConnectionRecord }[]} */
  const found = [];
  for (const connections of record.byUser().values()) {
    connections.forEach((/** @type {ConnectionRecord} */ later, /** @type {number} */ i) => {
      for (const earlier of connections.slice(0, i)) {
        if (earlier.closedAt > later.loginAt) found.push({ earlier, later });
      }
    });
  }
  return found;
}
