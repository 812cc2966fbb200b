'use strict';

/**
 * The server that an example connects to: WhatsApp, or the mock server in the variable WA_SERVER. `node
 * examples/mock-server.mjs` prints the value of the variable: the URL, `#`, and the root key of the server's Noise
 * certificates in hex.
 *
 * @param {object} [baileys] The module namespace of Baileys. It then trusts that key.
 * @returns {Promise<{ url?: string, trustedRoot?: Buffer }>} Both undefined for WhatsApp.
 */
async function chosenServer(baileys) {
  if (!process.env.WA_SERVER) return {};
  const [url, root] = process.env.WA_SERVER.split('#');
  const trustedRoot = Buffer.from(root ?? '', 'hex');
  const { addTrustedRoot, trustTestRoot } = await import('baileys-native/testing');
  if (baileys !== undefined) trustTestRoot(baileys, trustedRoot);
  else addTrustedRoot(trustedRoot);
  return { url, trustedRoot };
}

/**
 * The same as options for `makeWASocket`.
 *
 * @param {object} baileys
 * @returns {Promise<{ waWebSocketUrl?: string }>}
 */
async function serverOptions(baileys) {
  const { url } = await chosenServer(baileys);
  return url === undefined ? {} : { waWebSocketUrl: url };
}

module.exports = { chosenServer, serverOptions };
