// Parts of a bot other than Baileys, and a check of its socket layer. Baileys is only imported by that check: a process
// that tests another release must not load this one.

/** @typedef {import('../../js/cli/bot/run.cjs').Backend} Backend */
/** @typedef {ReturnType<typeof import('baileys').makeWASocket>} Sock A socket of Baileys. */

const NATIVE = Symbol.for('baileys-native');

/** A logger for Baileys that writes nothing. */
export function silentLogger() {
  const nothing = () => {};
  const levels = { trace: nothing, debug: nothing, info: nothing, warn: nothing, error: nothing, fatal: nothing };
  const logger = { level: 'silent', child: () => logger, ...levels };
  return logger;
}

/**
 * Signal keys in memory.
 *
 * @returns {import('baileys').SignalKeyStore}
 */
export function memoryKeys() {
  /** @type {Map<string, any>} */
  const store = new Map();
  return {
    get: async (type, ids) =>
      Object.fromEntries(ids.map(id => [id, store.get(`${type}:${id}`)]).filter(([, value]) => value)),
    set: async data => {
      for (const [type, values] of Object.entries(data)) {
        for (const [id, value] of Object.entries(values)) {
          if (value) store.set(`${type}:${id}`, value);
          else store.delete(`${type}:${id}`);
        }
      }
    }
  };
}

/** The status code of an error of Baileys (a Boom). @param {unknown} error */
export const statusCode = error =>
  /** @type {{ output?: { statusCode?: number } } | undefined} */ (error)?.output?.statusCode;

/** A ping (`w:p`), as Baileys sends it. The mock server answers it. */
export const pingQuery = () => ({
  tag: 'iq',
  attrs: { to: 's.whatsapp.net', type: 'get', xmlns: 'w:p' },
  content: [{ tag: 'ping', attrs: {} }]
});

/** Whether a function or class is one of this package. @param {unknown} value */
export const isNative = value => /** @type {{ [NATIVE]?: boolean }} */ (value)[NATIVE] === true;

/**
 * Throws if this process has not loaded the expected socket layer: then measurements would be wrong.
 *
 * @param {Backend} backend
 */
export async function checkBackend(backend) {
  const baileys = await import('baileys');
  const replaced = [baileys.encodeBinaryNode, baileys.decodeBinaryNode, baileys.makeNoiseHandler].map(isNative);
  if (backend === 'js') {
    if (replaced.includes(true)) throw new Error('the JavaScript run has loaded the native socket layer');
    return;
  }
  const { isActive } = await import('baileys-native/register');
  if (!isActive() || replaced.includes(false)) {
    throw new Error('the native socket layer was asked for, but baileys-native is not active in this process');
  }
}

/**
 * The same check for a socket of Baileys.
 *
 * @param {object} ws
 * @param {Backend} backend
 */
export function checkSocket(ws, backend) {
  if (isNative(ws.constructor) !== (backend === 'native')) {
    throw new Error('Baileys has made its socket from the wrong socket layer');
  }
}
