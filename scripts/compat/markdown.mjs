/** Markdown for docs/compatibility.md. */

/** @param {string[]} cells */
const row = cells => `| ${cells.join(' | ')} |`;

/**
 * @param {string[]} head
 * @param {string[][]} rows
 */
export const table = (head, rows) => [row(head), row(head.map(() => '---')), ...rows.map(row)].join('\n');

/**
 * Escapes text for a cell.
 *
 * @param {string} text
 */
export const cell = text => text.replace(/[\\|[\]<>*_`]/g, character => `\\${character}`).replace(/\s+/g, ' ');
