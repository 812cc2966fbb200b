'use strict';

/**
 * The result of one check.
 *
 * @typedef {object} Result
 * @property {'ok' | 'note' | 'warning' | 'fault' | 'skipped'} status `fault`: this package or the connection does not
 *   work. `warning`: it may not work. `note`: information.
 * @property {string} check The subject: `node`, `binary`, `baileys` and so on.
 * @property {string} message
 * @property {string} [advice] What to do.
 * @property {Record<string, unknown>} [data] Additional data for `--json`.
 */

/**
 * @param {Result['status']} status
 * @returns {(check: string, message: string, more?: Pick<Result, 'advice' | 'data'>) => Result}
 */
const maker = status => (check, message, more) => ({ status, check, message, ...more });

const [ok, note, warning, fault, skipped] = /** @type {Result['status'][]} */ ([
  'ok',
  'note',
  'warning',
  'fault',
  'skipped'
]).map(maker);

module.exports = { fault, note, ok, skipped, warning };
