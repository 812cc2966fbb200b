'use strict';

/** Options that have another name in Baileys: Baileys' name, then ours. */
const OTHER_NAMES = new Map([
  ['waWebSocketUrl', 'url'],
  ['defaultQueryTimeoutMs', 'queryTimeoutMs'],
  ['options', 'headers'],
  ['creds', 'auth']
]);

/**
 * The known name that is most like an unknown one, or undefined.
 *
 * @param {string} name
 * @param {Set<string>} known
 */
function suggestion(name, known) {
  const other = OTHER_NAMES.get(name);
  if (other !== undefined && known.has(other)) return other;
  // For example Baileys' `qrTimeout` for our `qrTimeoutMs`.
  const plain = name.toLowerCase().replace(/ms$/, '');
  return [...known].find(candidate => candidate.toLowerCase().replace(/ms$/, '') === plain);
}

/**
 * Throws for an unknown option. If it were ignored, the session could connect to a wrong server or wait too long.
 * Options that are `undefined` are skipped.
 *
 * @param {object} options
 * @param {Set<string>} known
 * @param {string} [prefix] written before the names in the message
 */
function refuseUnknown(options, known, prefix = '') {
  for (const [name, value] of Object.entries(options)) {
    if (known.has(name) || value === undefined) continue;
    const meant = suggestion(name, known);
    const hint = meant === undefined ? '' : `. Did you mean ${prefix}${meant}?`;
    throw new TypeError(`NativeSession has no option ${prefix}${name}${hint}`);
  }
}

module.exports = { refuseUnknown };
