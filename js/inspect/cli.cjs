#!/usr/bin/env node
'use strict';

// `baileys-native`: the command of the package.

const { readFileSync } = require('node:fs');
const { join } = require('node:path');
const { parseArgs } = require('node:util');

const USAGE = `Usage: baileys-native inspect [--port N]

Shows the stanzas of the processes of this user that take part, in a web page on this machine alone.
A process takes part with BAILEYS_NATIVE_INSPECT=1 in its environment, or by inspect() of baileys-native.

  --port N   the page's port; any free one by default
  --help     this text
  --version  the version of baileys-native
`;

const version = () => JSON.parse(readFileSync(join(__dirname, '../../package.json'), 'utf8')).version;

async function main() {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { port: { type: 'string', default: '0' }, help: { type: 'boolean' }, version: { type: 'boolean' } }
  });
  if (values.version) return console.log(version());
  if (values.help) return process.stdout.write(USAGE);
  const port = Number(values.port);
  if (positionals.length !== 1 || positionals[0] !== 'inspect') throw new Error('the one command is "inspect"');
  if (!/^\d{1,5}$/.test(values.port) || port > 65_535) throw new Error(`"${values.port}" is not a port`);

  const { directoryPath } = require('./directory.cjs');
  const { Inspector } = require('./server.cjs');
  const inspector = new Inspector(directoryPath());
  console.log(`The page is at\n\n  ${await inspector.listen(port)}\n`);
  console.log('Whoever has this URL can watch. Processes take part with BAILEYS_NATIVE_INSPECT=1. Ctrl-C ends.');
  for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => void inspector.close());
}

main().catch(error => {
  const inUse = error.code === 'EADDRINUSE' ? 'the port is in use; choose another one with --port' : undefined;
  process.stderr.write(`baileys-native: ${inUse ?? error.message}\n\n${USAGE}`);
  process.exitCode = 2;
});
