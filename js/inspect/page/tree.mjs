// Shows a stanza as a tree that can be folded.

/** A node with at most this many children is open at first. */
const OPEN = 12;

/** @param {string} name @param {string} className @param {...(Node | string)} children */
export function make(name, className, ...children) {
  const element = document.createElement(name);
  if (className) element.className = className;
  element.append(...children);
  return element;
}

/** @param {number} length @param {string} unit */
function veiled(length, unit) {
  const element = make('span', 'veiled', `${length} ${length === 1 ? unit : `${unit}s`}`);
  element.title = 'Hidden: this does not leave the process.';
  return element;
}

/** @param {import('./filter.mjs').Tree} node */
function head({ tag, attrs, text, bytes, hidden }) {
  /** @type {(Node | string)[]} */
  const parts = [make('span', 'tag', tag)];
  for (const [name, value] of attrs) {
    const shown = typeof value === 'string' ? make('span', 'value', `"${value}"`) : veiled(value.hidden, 'character');
    parts.push(' ', make('span', 'name', name), '=', shown);
  }
  if (text !== undefined) parts.push(' ', make('span', 'value', `“${text}”`));
  if (bytes !== undefined) parts.push(' ', veiled(bytes, 'byte'));
  if (hidden !== undefined) parts.push(' ', veiled(hidden, 'character'));
  return parts;
}

/** @param {import('./filter.mjs').Tree} node @returns {HTMLElement} */
function branch(node) {
  const { children, omitted = 0 } = node;
  if (children === undefined || (children.length === 0 && omitted === 0)) return make('div', 'leaf', ...head(node));
  const list = make('ul', '', ...children.map(child => make('li', '', branch(child))));
  if (omitted > 0) list.append(make('li', '', make('div', 'leaf', `… and ${omitted} more`)));
  const details = /** @type {HTMLDetailsElement} */ (make('details', '', make('summary', '', ...head(node)), list));
  details.open = children.length <= OPEN;
  return details;
}

/** @param {import('./filter.mjs').Tree} node */
export function treeOf(node) {
  const tree = make('div', 'tree', branch(node));
  const first = tree.firstElementChild;
  if (first instanceof HTMLDetailsElement) first.open = true;
  return tree;
}
