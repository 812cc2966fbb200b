/** The test files of the addon on Bun or Deno, which both implement `node:test`. */

import { spawn } from 'node:child_process';
import { mkdirSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { basename, join } from 'node:path';
import { ROOT } from '../shared/root.mjs';
import { FOLDER } from './runtimes.mjs';

/** The tests of `__test__/compat` are about Node.js itself: its flags, launchers and package managers. */
const FOLDERS = ['__test__/addon', '__test__/lifecycle'];

/** The process of a test file is killed if it prints nothing for this time, in milliseconds. */
const IDLE_LIMIT = 300_000;

/** The XML entities in the reports of Bun and Deno. @type {Record<string, string>} */
const ENTITIES = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'", '#10': '\n', '#39': "'", '#x27': "'", '#34': '"' };

/**
 * @typedef {object} FileResult
 * @property {string} file Name without the folder and `.test.mjs`.
 * @property {number} passed Number of tests.
 * @property {string[]} failed Names of tests; the name of the file if it failed outside of a test.
 * @property {string} output The end of its output, if a test failed.
 */

/** @param {readonly string[]} parts Parts of names; empty: all. @returns {string[]} */
export function suiteFiles(parts) {
  return FOLDERS.flatMap(folder => readdirSync(join(ROOT, folder)).map(name => `${folder}/${name}`))
    .filter(file => file.endsWith('.test.mjs'))
    .filter(file => parts.length === 0 || parts.some(part => file.includes(part)));
}

/** @param {string} file */
export const nameOf = file => basename(file, '.test.mjs');

/** @param {string} text */
function unescaped(text) {
  return text.replace(/&([#\w]+);/g, (all, name) => ENTITIES[name] ?? all);
}

/**
 * @param {string} path A JUnit report.
 * @returns {{ passed: number, skipped: number, failed: string[] }}
 */
function readReport(path) {
  let text;
  try {
    text = readFileSync(path, 'utf8');
  } catch {
    return { passed: 0, skipped: 0, failed: [] };
  }
  let passed = 0;
  let skipped = 0;
  const failed = new Set();
  for (const part of text.split('<testcase ').slice(1)) {
    const [, name = ''] = /^name="([^"]*)"/.exec(part) ?? [];
    const body = part.slice(0, part.indexOf('</testcase>') + 1 || undefined);
    if (/<(?:failure|error)\b/.test(body)) failed.add(unescaped(name));
    else if (/<skipped\b/.test(body)) skipped += 1;
    else passed += 1;
  }
  return { passed, skipped, failed: [...failed] };
}

/**
 * @param {import('./runtimes.mjs').Runtime} runtime
 * @param {string} binary
 * @param {string} file
 * @returns {Promise<FileResult>}
 */
export function runFile({ name, testArgs }, binary, file) {
  const folder = join(FOLDER, 'reports', name);
  mkdirSync(folder, { recursive: true });
  const report = join(folder, `${nameOf(file)}.xml`);
  rmSync(report, { force: true });
  const args = testArgs?.(file, report) ?? [];
  const child = spawn(binary, args, { cwd: ROOT, stdio: ['ignore', 'pipe', 'pipe'] });
  const timer = setTimeout(() => child.kill('SIGKILL'), IDLE_LIMIT);
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', text => {
      output += text;
      timer.refresh();
    });
  }
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code, signal) => {
      clearTimeout(timer);
      const { passed, skipped, failed } = readReport(report);
      if (failed.length === 0 && (code !== 0 || passed + skipped === 0)) failed.push(nameOf(file));
      output += `\nThe process has ended with ${signal ?? `exit code ${code}`}.`;
      resolve({ file: nameOf(file), passed, failed, output: failed.length > 0 ? output.slice(-4000) : '' });
    });
  });
}
