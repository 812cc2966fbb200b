'use strict';

/**
 * What one check has found.
 *
 * @typedef {object} Result
 * @property {'ok' | 'note' | 'warning' | 'fault' | 'skipped'} status A `fault` keeps this package, or the connection, from
 *   working; a `warning` may do so; a `note` is a fact to know.
 * @property {string} check The subject: `node`, `binary`, `baileys` and so on.
 * @property {string} message
 * @property {string} [advice] What to do.
 * @property {Record<string, unknown>} [data] More for `--json`.
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
