'use strict';

/**
 * Saves the credentials and the known server of a session after each change. Only one save runs at a time. Changes
 * during a save are saved together by the next one.
 *
 * @param {any} session a NativeSession
 * @param {{ save(stored: object): Promise<void> }} store
 * @param {(error: unknown) => void} failed
 * @returns {() => Promise<void>} Resolves when nothing is being saved.
 */
function keepSaved(session, store, failed) {
  let isWanted = false;
  /** @type {Promise<void> | undefined} */
  let saving;
  let serverKey = session.knownServer?.key;

  async function saveAll() {
    try {
      while (isWanted) {
        // Changes that are emitted in the same tick are saved together.
        await null;
        isWanted = false;
        const { credentials: creds, knownServer } = session;
        try {
          await store.save({ creds, knownServer });
        } catch (error) {
          failed(error);
        }
      }
    } finally {
      saving = undefined;
    }
  }

  function save() {
    isWanted = true;
    saving ??= saveAll();
  }

  session.on('creds', save);
  session.on('state', (/** @type {import('../../index').SessionStateChange} */ { to }) => {
    if (to !== 'connected' || session.knownServer?.key === serverKey) return;
    serverKey = session.knownServer?.key;
    save();
  });
  return async () => void (await saving);
}

module.exports = { keepSaved };
