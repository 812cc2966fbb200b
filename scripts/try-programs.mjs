/**
 * `npm run try:programs`: runs published programs that use Baileys with this package. Each program is installed from
 * npm into a temporary folder, together with the packed tarballs of this package, and started unmodified with `--import
 * baileys-native/register`. It connects to a mock server on loopback, directly and through a proxy, until it has a QR
 * code. It also runs with `BAILEYS_NATIVE=off`: then it must not run natively.
 */

import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import platform from '../js/addon/platform.cjs';
import { ROOT } from './shared/root.mjs';
import { PROGRAMS } from './try-programs/programs.mjs';
import { install, runProgram } from './try-programs/run.mjs';

const USAGE = `Usage: npm run try:programs -- [options] [part of a program's name]…

  --keep   does not delete the folder of the installed programs, and prints its path
`;

const { values, positionals } = parseArgs({
  options: { keep: { type: 'boolean', default: false }, help: { type: 'boolean', short: 'h', default: false } },
  allowPositionals: true
});

/** @typedef {import('./try-programs/run.mjs').ProgramResult} ProgramResult */
/** @typedef {import('./try-programs/run.mjs').LayerRoute} LayerRoute */

/** @param {ProgramResult} result */
const isNative = ({ isActive, replaced, connections, offersCompression }) =>
  isActive === true && replaced?.length === 1 && connections === 1 && !offersCompression;

/** @type {Record<LayerRoute, (result: ProgramResult) => boolean>} */
const IS_EXPECTED = {
  direct: result => isNative(result) && result.proxied === 0,
  proxy: result => isNative(result) && result.proxied > 0,
  off: ({ isActive, connections, offersCompression }) => !isActive && connections === 0 && offersCompression
};

/**
 * Whether a text is a QR code: what Baileys encodes, or an image of it.
 *
 * @param {string | undefined} qr
 */
const isQr = (qr = '') => /^2@[\w+/=]+(?:,[\w+/=]+){3,4}$/.test(qr) || qr.startsWith('data:image/png;base64,');

/**
 * Packs this package and its binary for this platform.
 *
 * @param {string} folder
 * @returns {string[]} The tarballs.
 */
function packed(folder) {
  const { currentPlatform, nameOf } = platform;
  const args = [join(ROOT, 'scripts/pack.mjs'), join(folder, 'tarballs'), '--only', nameOf(currentPlatform())];
  return execFileSync(process.execPath, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] })
    .trim()
    .split('\n');
}

async function main() {
  if (values.help) return void process.stdout.write(USAGE);
  const wanted = PROGRAMS.filter(
    ({ name }) => positionals.length === 0 || positionals.some(part => name.includes(part))
  );
  if (wanted.length === 0) throw new RangeError(`No program has ${positionals.join(' or ')} in its name.`);
  const parent = mkdtempSync(join(tmpdir(), 'baileys-native-programs-'));
  const rows = [];
  let faults = 0;
  try {
    const tarballs = packed(parent);
    for (const program of wanted) {
      console.error(`installing ${program.name}@${program.version}`);
      const folder = await install(program, tarballs, parent);
      for (const route of /** @type {LayerRoute[]} */ (['direct', 'proxy', 'off'])) {
        const result = await runProgram(program, folder, route);
        const isRight = isQr(result.qr) && IS_EXPECTED[route](result);
        if (!isRight) {
          faults++;
          console.error(`${program.name}, ${route}: ${result.failure ?? JSON.stringify(result)}`);
        }
        rows.push({
          program: `${program.name} ${program.version}`,
          Baileys: result.replaced?.[0]?.version ?? '',
          route: { direct: 'direct', proxy: `${program.proxy}, ${program.configuration}`, off: 'direct, off' }[route],
          QR: isQr(result.qr),
          native: isNative(result),
          'bytes through the proxy': result.proxied,
          result: isRight ? 'ok' : 'WRONG'
        });
      }
    }
  } finally {
    if (values.keep) console.error(`The programs are in ${parent}`);
    else rmSync(parent, { recursive: true, force: true, maxRetries: 3 });
  }
  console.table(rows);
  if (faults > 0) process.exitCode = 1;
}

await main();
process.exit(); // timers of the servers would keep the process alive
