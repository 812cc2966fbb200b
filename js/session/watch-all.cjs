'use strict';

// Sessions build the stanzas that somebody wants. While somebody looks on from outside, all are wanted.

/** Sessions that have, or want, a connection, and what ends the watching of each. */
const active = new Map();
let wanted = false;

const watch = session => session.onStanza('frame', () => {});

/** A session wants a connection. */
function join(session) {
  active.set(session, wanted ? watch(session) : undefined);
}

/** It wants none any longer. */
function leave(session) {
  active.get(session)?.();
  active.delete(session);
}

/** All sessions build all stanzas from now on, until the result is called. */
function watchEverything() {
  wanted = true;
  for (const session of active.keys()) join(session);
  return () => {
    wanted = false;
    for (const [session, stop] of active) {
      stop?.();
      active.set(session, undefined);
    }
  };
}

module.exports = { join, leave, watchEverything };
