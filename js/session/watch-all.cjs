'use strict';

/**
 * Makes all sessions of this thread report every stanza, for the live view. Without it a session builds only the
 * stanzas that a listener or query asks for, and does not report those that Rust sends by itself.
 */

/** @typedef {Pick<import('../addon/native').Session, 'reportOwnStanzas'>} Reporter */
/** @typedef {{ native: Reporter, stop?: () => void }} Active `stop` ends the watch. */

/**
 * Sessions between `connect` and their end.
 *
 * @type {Map<any, Active>}
 */
const active = new Map();
let wanted = false;

/** @param {any} session @param {Active} entry */
function start(session, entry) {
  entry.stop?.();
  entry.stop = session.onStanza('frame', () => {});
  entry.native.reportOwnStanzas(true);
}

/** @param {Active | undefined} entry */
function stop(entry) {
  if (entry?.stop === undefined) return;
  entry.stop();
  entry.stop = undefined;
  entry.native.reportOwnStanzas(false);
}

/**
 * Adds a session that starts to connect.
 *
 * @param {object} session
 * @param {Reporter} native
 */
function addSession(session, native) {
  const entry = { native };
  active.set(session, entry);
  if (wanted) start(session, entry);
}

/**
 * Removes a session that has ended.
 *
 * @param {object} session
 */
function removeSession(session) {
  stop(active.get(session));
  active.delete(session);
}

/**
 * Starts to watch all sessions, also those that connect later.
 *
 * @returns {() => void} Stops watching.
 */
function watchAll() {
  wanted = true;
  for (const [session, entry] of active) start(session, entry);
  return () => {
    wanted = false;
    for (const entry of active.values()) stop(entry);
  };
}

module.exports = { addSession, removeSession, watchAll };
