// The filter of the page. All its words must match; a word with `-` before it must not match.

/**
 * @typedef {{ tag: string, attrs: [string, string | { hidden: number }][], text?: string, bytes?: number, hidden?:
 *   number, children?: Tree[], omitted?: number }} Tree
 * @typedef {{ kind: 'node', n: number, at: number, direction: 'in' | 'out', connection: string, own?: boolean, node: Tree, ms?:
 *   number, outcome?: string, answer?: number, question?: number, haystack?: string, fits?: boolean, element?: HTMLElement }} Row
 */

/** All nodes of a tree. @param {Tree} node @returns {Generator<Tree>} */
export function* nodes(node) {
  yield node;
  for (const child of node.children ?? []) yield* nodes(child);
}

/** All visible attribute values of a tree. @param {Tree} tree */
function* values(tree) {
  for (const { attrs } of nodes(tree))
    for (const [name, value] of attrs) if (typeof value === 'string') yield [name, value];
}

/** The text that words without a prefix are searched in. @param {Row} row */
function haystack(row) {
  row.haystack ??= [...nodes(row.node)]
    .map(
      ({ tag, attrs, text = '' }) =>
        `${tag} ${attrs.map(([name, value]) => `${name}=${typeof value === 'string' ? value : ''}`).join(' ')} ${text}`
    )
    .join('\n')
    .toLowerCase();
  return row.haystack;
}

/** @type {Record<string, (argument: string) => (row: Row) => boolean>} */
const KINDS = {
  tag: tag => row => [...nodes(row.node)].some(node => node.tag.toLowerCase() === tag),
  jid: part => row =>
    [...values(row.node)].some(([, value]) => value.includes('@') && value.toLowerCase().includes(part)),
  dir: direction => row => row.direction === direction,
  conn: name => row => row.connection.replace(' ', '').includes(name),
  slow: ms => row => row.ms !== undefined && row.ms >= Number(ms)
};

/** `@name` or `@name=value`. @param {string} term @returns {(row: Row) => boolean} */
function attribute(term) {
  const [name, value] = term.split('=', 2);
  return row =>
    [...nodes(row.node)].some(({ attrs }) =>
      attrs.some(
        ([key, shown]) =>
          key.toLowerCase() === name &&
          (value === undefined || (typeof shown === 'string' && shown.toLowerCase() === value))
      )
    );
}

/** @param {string} word @returns {(row: Row) => boolean} */
function term(word) {
  if (word.startsWith('-') && word.length > 1) {
    const other = term(word.slice(1));
    return row => !other(row);
  }
  if (word.startsWith('@') && word.length > 1) return attribute(word.slice(1));
  const colon = word.indexOf(':');
  const kind = word.slice(0, colon);
  // `w:p` is a word without a prefix. `tag:` without a value matches everything.
  if (colon > 0 && Object.hasOwn(KINDS, kind))
    return colon + 1 < word.length ? KINDS[kind](word.slice(colon + 1)) : () => true;
  return row => haystack(row).includes(word);
}

/** @param {string} text @returns {(row: Row) => boolean} */
export function parseFilter(text) {
  const terms = text.toLowerCase().split(/\s+/).filter(Boolean).map(term);
  return row => terms.every(matches => matches(row));
}
