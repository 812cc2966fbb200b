// Describes how a test client connects and ends, as text that can be compared: for `makeWASocket` and for
// NativeSession.

import { initAuthCreds } from 'baileys';

/**
 * `opened` resolves when the connection opens. `ended` resolves with a description of its end.
 *
 * @typedef {{ opened: Promise<unknown>, ended: Promise<string> }} Outcomes
 */

/**
 * Replaces what differs between runs of a test: ports, and the error code of a resolver for an unknown name.
 *
 * @param {unknown} text
 */
export const plainText = text =>
  String(text)
    .replace(/:\d+\b/g, ':<port>')
    .replace(/EAI_AGAIN|ENOTFOUND/g, '<no such name>');

/**
 * Credentials of a linked device.
 *
 * @param {string | number} user
 */
export const linkedCreds = user => ({
  ...initAuthCreds(),
  me: { id: `${user}:1@s.whatsapp.net`, name: 'Test' },
  accountSyncCounter: 1
});

/**
 * @param {ReturnType<typeof import('baileys').makeWASocket>} sock
 * @param {(error: any) => string} describe
 * @returns {Outcomes}
 */
export function outcomesOfSocket(sock, describe) {
  /** @param {(update: any) => unknown} predicate @returns {Promise<any>} */
  const updates = predicate =>
    new Promise(resolve => sock.ev.on('connection.update', update => predicate(update) && resolve(update)));
  return {
    opened: updates(({ connection }) => connection === 'open'),
    ended: updates(({ connection }) => connection === 'close').then(({ lastDisconnect }) =>
      describe(lastDisconnect?.error)
    )
  };
}

/**
 * Connects a session.
 *
 * @param {import('baileys-native').NativeSession} session
 * @param {(text: unknown) => string} [describe]
 * @returns {Outcomes}
 */
export function outcomesOfSession(session, describe = plainText) {
  const ended = new Promise(resolve =>
    session.once('close', reason => resolve(`${reason.code} ${reason.kind}: ${describe(reason.message ?? '')}`))
  );
  const opened = new Promise(resolve => session.connect().then(resolve, () => {}));
  return { opened, ended };
}
