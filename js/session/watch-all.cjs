'use strict';

/**
 * Makes all sessions of this thread build every stanza, for the live view. Without it a session builds only the stanzas
 * that a listener or query asks for.
 */

/**
 * Sessions between `connect` and their end, each with the function that ends its watch.
 *
 * @type {Map<any, (() => void) | undefined>}
 */
const active = new Map();
let wanted = false;

/** @param {any} session */
const watch = session => session.onStanza('frame', () => {});

/**
 * Adds a session that starts to connect.
 *
 * @param {object} session
 */
function addSession(session) {
  active.set(session, wanted ? watch(session) : undefined);
}

/**
 * Removes a session that has ended.
 *
 * @param {object} session
 */
function removeSession(session) {
  active.get(session)?.();
  active.delete(session);
}

/**
 * Starts to watch all sessions, also those that connect later.
 *
 * @returns {() => void} Stops watching.
 */
function watchAll() {
  wanted = true;
  for (const [session, stop] of active) {
    stop?.();
    addSession(session);
  }
  return () => {
    wanted = false;
    for (const [session, stop] of active) {
      stop?.();
      active.set(session, undefined);
    }
  };
}

module.exports = { addSession, removeSession, watchAll };
