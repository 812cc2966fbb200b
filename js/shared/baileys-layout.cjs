'use strict';

/**
 * Package names, releases and files of Baileys: the only list of them. The loader, the testing kit, the scripts, the
 * benches and the tests read it.
 */

/** Packages with one of these names are Baileys. */
const PACKAGE_NAMES = ['baileys', '@whiskeysockets/baileys'];

/**
 * Query that asks the loader for a file of Baileys as it was published. Node ignores it if the loader is not active.
 */
const OFF_QUERY = 'baileys-native=off';

/** Files below the root of the package. */
const FILES = /** @type {const} */ ({
  main: 'lib/index.js',
  proto: 'WAProto/index.js',
  defaults: 'lib/Defaults/index.js',
  client: 'lib/Socket/Client/index.js',
  clientTypes: 'lib/Socket/Client/types.js',
  webSocketClient: 'lib/Socket/Client/websocket.js',
  socket: 'lib/Socket/socket.js',
  companion: 'lib/Utils/companion-reg-client-utils.js',
  crypto: 'lib/Utils/crypto.js',
  generics: 'lib/Utils/generics.js',
  noiseHandler: 'lib/Utils/noise-handler.js',
  validateConnection: 'lib/Utils/validate-connection.js',
  binary: 'lib/WABinary/index.js',
  constants: 'lib/WABinary/constants.js',
  decode: 'lib/WABinary/decode.js',
  encode: 'lib/WABinary/encode.js',
  jidUtils: 'lib/WABinary/jid-utils.js'
});

/** @typedef {'7' | '6.7' | '6.17'} Dialect Releases with the same wire format and signatures of the replaced exports. */

/**
 * @typedef {object} Release A published release of Baileys that this package is compared with.
 * @property {Dialect} dialect
 * @property {string} packageName Name that this repository installs it under.
 * @property {string} version
 * @property {2 | 3} dictionary Version of its token dictionary.
 * @property {string} supported Releases of the same dialect, in words.
 */

/** @type {readonly Release[]} */
const RELEASES = [
  {
    dialect: '7',
    packageName: 'baileys',
    version: '7.0.0-rc14',
    dictionary: 3,
    supported: '7.0.0-rc.1 to 7.0.0-rc14'
  },
  {
    dialect: '6.7',
    packageName: 'baileys-6.7.24',
    version: '6.7.24',
    dictionary: 3,
    supported: '6.7.19 to 6.7.24'
  },
  {
    dialect: '6.17',
    packageName: 'baileys-6.17.16',
    version: '6.17.16',
    dictionary: 2,
    supported: '6.17.16, 6.7.14 to 6.7.16'
  }
];

module.exports = { FILES, OFF_QUERY, PACKAGE_NAMES, RELEASES };
