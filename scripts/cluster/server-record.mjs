// What a MockServer has seen of the sessions of a cluster: who was connected when, and which stanzas came in.

/** @typedef {{ user: string, node: string, loginAt: number, closedAt: number, refusedAt: number, handshake: string, lastAt: number }} Seen */

/**
 * Watches a server from now on. Times are milliseconds since 1970.
 *
 * @param {import('../../js/testing/index.mjs').MockServer} server
 */
export function watchServer(server) {
  /** @type {Map<object, Seen>} */
  const connections = new Map();
  /** How often each message came in, by its id. */
  const messages = new Map();
  let stanzas = 0;
  const now = () => performance.timeOrigin + performance.now();

  server.on('login', (/** @type {any} */ connection) => {
    connections.set(connection, {
      user: connection.device.user,
      node: connection.request.headers['x-node'],
      loginAt: now(),
      closedAt: Infinity,
      // Set when the server has told it that another connection has taken its place.
      refusedAt: Infinity,
      handshake: connection.handshake,
      // When its last stanza came in.
      lastAt: 0
    });
  });
  server.on('close', (/** @type {any} */ connection) => {
    const seen = connections.get(connection);
    if (seen !== undefined) seen.closedAt = now();
  });
  server.on('stanza', (/** @type {any} */ { direction, node }, /** @type {any} */ connection) => {
    stanzas += 1;
    const seen = connections.get(connection);
    if (seen === undefined) return;
    if (direction === 'out') {
      if (node.tag === 'stream:error') seen.refusedAt = now();
      return;
    }
    seen.lastAt = now();
    if (node.tag === 'message') messages.set(node.attrs.id, (messages.get(node.attrs.id) ?? 0) + 1);
  });

  /** The connections of each user, in the order of their logins. */
  function byUser() {
    const users = new Map();
    for (const seen of connections.values()) users.set(seen.user, [...(users.get(seen.user) ?? []), seen]);
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
 * Pairs of connections of one session that were there at the same time.
 *
 * @param {ReturnType<typeof watchServer>} record
 */
export function overlaps(record) {
  /** @type {{ earlier: Seen, later: Seen }[]} */
  const found = [];
  for (const connections of record.byUser().values()) {
    connections.forEach((/** @type {Seen} */ later, /** @type {number} */ i) => {
      for (const earlier of connections.slice(0, i)) {
        if (earlier.closedAt > later.loginAt) found.push({ earlier, later });
      }
    });
  }
  return found;
}
