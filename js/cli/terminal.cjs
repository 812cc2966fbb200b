'use strict';

// Colours and progress for a terminal; plain text for a file or a pipe.

/** ANSI codes that switch a style on and off. */
const STYLES = {
  bold: [1, 22],
  dim: [2, 22],
  red: [31, 39],
  green: [32, 39],
  yellow: [33, 39],
  blue: [34, 39],
  magenta: [35, 39],
  cyan: [36, 39]
};

/** @typedef {keyof typeof STYLES} Style */

/**
 * Returns a function that colours text if the stream is a terminal with colours. NO_COLOR switches colours off.
 *
 * @param {NodeJS.WriteStream} [stream]
 * @returns {(style: Style, text: string) => string}
 */
function painter(stream = process.stdout) {
  const on = stream.isTTY && stream.hasColors() && !process.env.NO_COLOR;
  if (!on) return (_style, text) => text;
  return (style, text) => `\u001b[${STYLES[style][0]}m${text}\u001b[${STYLES[style][1]}m`;
}

const FRAMES = ['|', '/', '-', '\\'];
const FRAME_MS = 120;

/**
 * Shows the current step on stderr: an animated line on a terminal, otherwise one line for each step.
 *
 * @param {NodeJS.WriteStream} [stream]
 */
function progress(stream = process.stderr) {
  const moves = stream.isTTY === true;
  /** @type {NodeJS.Timeout | undefined} */
  let timer;
  let text = '';
  let frame = 0;
  const draw = () => stream.write(`\r\u001b[2K${FRAMES[frame++ % FRAMES.length]} ${text}`);
  return {
    /** @param {string} step */
    step(step) {
      if (step === text) return;
      text = step;
      if (!moves) {
        stream.write(`${step}\n`);
        return;
      }
      draw();
      timer ??= setInterval(draw, FRAME_MS).unref();
    },
    end() {
      if (timer === undefined) return;
      clearInterval(timer);
      timer = undefined;
      stream.write('\r\u001b[2K');
    }
  };
}

/**
 * Formats rows as columns.
 *
 * @param {string[][]} rows
 * @param {number} [leftColumns] The number of columns that are aligned to the left; the others are aligned to the
 *   right.
 */
function table(rows, leftColumns = 1) {
  const widths = rows[0].map((_, column) => Math.max(...rows.map(row => row[column].length)));
  /** @param {string[]} row */
  const line = row =>
    row.map((cell, i) => (i < leftColumns ? cell.padEnd(widths[i]) : cell.padStart(widths[i]))).join('  ');
  return rows.map(row => line(row).trimEnd());
}

/**
 * Horizontal bars, each followed by its value.
 *
 * @param {{ name: string, value: number, text: string }[]} entries
 * @param {number} [width] Width of the longest bar in characters.
 */
function bars(entries, width = 40) {
  const most = Math.max(...entries.map(({ value }) => value), Number.MIN_VALUE);
  const names = Math.max(...entries.map(({ name }) => name.length));
  return entries.map(({ name, value, text }) => {
    const length = Math.max(1, Math.round((value / most) * width));
    return `${name.padEnd(names)}  ${'█'.repeat(length)} ${text}`;
  });
}

/** With less room than this a terminal breaks the lines itself. */
const LEAST_ROOM = 20;

/**
 * Breaks a text at spaces, so that it fits a terminal.
 *
 * @param {string} text
 * @param {number} indent The column of the text, in all lines.
 * @param {number | undefined} [columns] The width of the terminal; undefined for a file or a pipe, where nothing breaks.
 */
function wrap(text, indent, columns = process.stdout.columns) {
  const room = (columns ?? 0) - indent;
  if (room < LEAST_ROOM) return text;
  const lines = [''];
  for (const word of text.split(' ')) {
    const last = lines.length - 1;
    if (lines[last] === '') lines[last] = word;
    else if (lines[last].length + 1 + word.length <= room) lines[last] += ` ${word}`;
    else lines.push(word);
  }
  return lines.join(`\n${' '.repeat(indent)}`);
}

module.exports = { bars, painter, progress, table, wrap };
