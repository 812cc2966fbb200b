'use strict';

/** Names of Baileys' for what has another one here. */
const OTHER_NAMES = new Map([
  ['waWebSocketUrl', 'url'],
  ['defaultQueryTimeoutMs', 'queryTimeoutMs'],
  ['options', 'headers'],
  ['creds', 'auth']
]);

/** What was probably meant by a name that is not known. */
function suggestion(name, known) {
  const other = OTHER_NAMES.get(name);
  if (known.has(other)) return other;
  // `qrTimeout` of Baileys', for one.
  const plain = name.toLowerCase().replace(/ms$/, '');
  return [...known].find(candidate => candidate.toLowerCase().replace(/ms$/, '') === plain);
}

/**
 * Refuses options that would be ignored: a session that connects elsewhere, or waits longer, than it was told to. Those that are
 * `undefined` are not given.
 *
 * @param {object} options
 * @param {Set<string>} known
 * @param {string} [prefix] of the names, in the message
 */
function refuseUnknown(options, known, prefix = '') {
  for (const [name, value] of Object.entries(options)) {
    if (known.has(name) || value === undefined) continue;
    const meant = suggestion(name, known);
    const hint = meant === undefined ? '' : `; did you mean ${prefix}${meant}?`;
    throw new TypeError(`${prefix}${name} is no option of NativeSession${hint}`);
  }
}

module.exports = { refuseUnknown };
