'use strict';

/**
 * The server that an example connects to: WhatsApp, unless WA_SERVER names a mock server. Its value is what
 * `node examples/mock-server.mjs` prints: the URL, and behind `#` the root key of the server's Noise certificates in hex.
 *
 * @param {object} [baileys] The module namespace of Baileys, which is then made to trust that key.
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
