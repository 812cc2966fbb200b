// Numbers and tables for a terminal.

/** A rounded number with commas. @param {number} value */
export const rounded = value => Math.round(value).toLocaleString('en-US');

/**
 * The rows of a table as lines. The first column is aligned to the left, the others to the right.
 *
 * @param {string[][]} rows
 * @param {string} [separator]
 */
export function alignColumns(rows, separator = '  ') {
  const widths = rows[0].map((_, column) => Math.max(...rows.map(row => row[column].length)));
  return rows.map(row =>
    row
      .map((cell, column) => (column === 0 ? cell.padEnd(widths[0]) : cell.padStart(widths[column])))
      .join(separator)
      .trimEnd()
  );
}
