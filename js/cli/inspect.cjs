'use strict';

// `baileys-native inspect`: serves the live view.

const { UsageError, readArguments, wholeNumber } = require('./arguments.cjs');

const USAGE = `Usage: baileys-native inspect [--port N] [--json]

Shows the stanzas of this user's bots in a web page on this machine only. A bot
is shown if BAILEYS_NATIVE_INSPECT=1 is in its environment, or if it calls
inspect() of baileys-native. Contents of messages, keys and codes never leave
the bot's process.

  --port N   port of the page; default: any free port
  --json     prints {"url": ...} instead of text
`;

/** @param {string[]} args */
async function run(args) {
  const parsed = readArguments(args, USAGE, { port: { type: 'string', default: '0' } });
  if (parsed === undefined) return;
  const { values } = parsed;
  const port = wholeNumber(values.port, '--port', { most: 65_535, usage: USAGE });
  const { directoryPath } = require('../inspect/directory.cjs');
  const { Inspector } = require('../inspect/server.cjs');
  const inspector = new Inspector(directoryPath());
  let url;
  try {
    url = await inspector.listen(port);
  } catch (error) {
    if (error.code !== 'EADDRINUSE') throw error;
    throw new UsageError(`port ${port} is in use; choose another one with --port`, USAGE);
  }
  if (values.json) console.log(JSON.stringify({ url }));
  else {
    console.log(`The page is at\n\n  ${url}\n`);
    console.log('Anyone who has this URL can watch. Start bots with BAILEYS_NATIVE_INSPECT=1. Press Ctrl-C to stop.');
  }
  for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => void inspector.close());
}

module.exports = { run };
