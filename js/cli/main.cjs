#!/usr/bin/env node
'use strict';

// `npx baileys-native`: runs a command and prints its errors.

const { UsageError } = require('./arguments.cjs');
const { packageVersion } = require('./version.cjs');

/** @type {Record<string, () => { run(args: string[]): Promise<number | void> }>} */
const COMMANDS = {
  doctor: () => require('./doctor/index.cjs'),
  decode: () => require('./decode.cjs'),
  encode: () => require('./encode.cjs'),
  replay: () => require('./replay.cjs'),
  bench: () => require('./bench.cjs'),
  demo: () => require('./demo.cjs'),
  inspect: () => require('./inspect.cjs')
};

const USAGE = `Usage: baileys-native COMMAND [options]

  doctor [FILE]    checks machine and project: binary, Baileys, flag, TLS, proxy
  decode [INPUT]   prints a stanza from hex, base64, a file or a pipe
  encode [INPUT]   writes a stanza from JSON, as decode --json prints it
  replay FILE      times the decoder on a session that inspect has exported
  bench --quick    Baileys on JavaScript and on this package, about a minute
  demo             a bot on both layers against a server on this machine
  inspect          shows the stanzas of running bots in a web page

  --json           prints JSON instead of text (all commands)
  --help           explains a command: baileys-native COMMAND --help
  --version        prints the version of baileys-native

Exit codes: 0 success, 1 the check or the command failed, 2 wrong usage.
`;

/** @param {string[]} args */
async function main([name, ...rest]) {
  if (name === '--version') return console.log(packageVersion());
  if (name === undefined || name === '--help' || name === '-h') return process.stdout.write(USAGE);
  if (!Object.hasOwn(COMMANDS, name)) {
    throw new UsageError(`there is no command "${name}". Commands: ${Object.keys(COMMANDS).join(', ')}`);
  }
  const code = await COMMANDS[name]().run(rest);
  if (typeof code === 'number') process.exitCode = code;
}

// If the reader of the pipe ends, such as `head`, this is not an error: `inspect` continues.
process.stdout.on('error', error => {
  if (/** @type {any} */ (error).code !== 'EPIPE') throw error;
});

main(process.argv.slice(2)).catch(error => {
  const usage = error instanceof UsageError;
  const hint = usage && error.usage === undefined ? '\nbaileys-native --help lists the commands.' : '';
  process.stderr.write(`baileys-native: ${error.message}${usage && error.usage ? `\n\n${error.usage}` : `${hint}\n`}`);
  process.exitCode = usage ? 2 : 1;
});
