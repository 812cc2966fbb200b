'use strict';

const { resolveNames } = require('../connect/plan.cjs');

/**
 * Plans a connection of a session, resolves its names, and passes its options to the addon.
 *
 * @param {import('../addon/native').Session} native
 * @param {number} connection the number in the event `open`
 * @param {() => { options: import('../connect/plan.cjs').SocketOptions, route: import('../connect/plan.cjs').Route }} plan
 */
function openConnection(native, connection, plan) {
  /**
   * @param {any} error
   * @param {boolean} isPermanent whether another attempt would fail for the same reason
   */
  const refuse = (error, isPermanent) => native.cannotOpen(connection, planFailure(error, isPermanent));
  try {
    const { options, route } = plan();
    resolveNames(options, route, error => {
      try {
        if (error) refuse(error, false);
        else native.open(connection, options);
      } catch (invalid) {
        refuse(invalid, true);
      }
    });
  } catch (error) {
    refuse(error, true);
  }
}

/**
 * The description of an error for the addon.
 *
 * @param {any} error
 * @param {boolean} isPermanent
 */
function planFailure(error, isPermanent) {
  const { code, hostname, errno } = error ?? {};
  return {
    message: String(error?.message ?? error),
    code: typeof code === 'string' ? code : undefined,
    hostname: typeof hostname === 'string' ? hostname : undefined,
    errno: Number.isInteger(errno) ? errno : undefined,
    isPermanent
  };
}

module.exports = { openConnection };
