// The three lines of Baileys, file by file, each beside what stands in for it.

import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const require = createRequire(import.meta.url);
const { createCodec } = require('../../js/codec/binary-node.cjs');
const { createNoiseHandlerFactory } = require('../../js/baileys/noise-handler.cjs');

/** The root of this package. */
export const ROOT = fileURLToPath(new URL('../..', import.meta.url));

const LINES = { 7: 'baileys', 6.7: 'baileys-6.7.24', 6.17: 'baileys-6.17.16' };

/** The names of the lines, as the dialects of the codec are called. */
export const LINE_NAMES = ['7', '6.7', '6.17'];

/** The package that a line is installed as. */
export const packageOf = name => LINES[name];

const loaded = new Map();

/**
 * One line: `theirs` is Baileys' codec with its `constants`, `ours` stands in for it; `makeNoiseHandler` likewise.
 *
 * @param {'7' | '6.7' | '6.17'} name
 */
export function loadLine(name) {
  if (!loaded.has(name)) loaded.set(name, load(name));
  return loaded.get(name);
}

async function load(name) {
  const library = join(dirname(require.resolve(`${LINES[name]}/package.json`)), 'lib');
  // Its modules import each other in a circle, which only the package's own way in can begin.
  await import(LINES[name]);
  const read = async path => {
    const namespace = await import(pathToFileURL(join(library, path)).href);
    // A CommonJS module shows names that Node's lexer missed only on `default`.
    return { ...namespace.default, ...namespace };
  };
  const [encode, decode, constants, noise, defaults, crypto, proto] = await Promise.all(
    [
      'WABinary/encode.js',
      'WABinary/decode.js',
      'WABinary/constants.js',
      'Utils/noise-handler.js',
      'Defaults/index.js',
      'Utils/crypto.js',
      '../WAProto/index.js'
    ].map(read)
  );
  const certDetails = () => defaults.WA_CERT_DETAILS;
  return {
    name,
    constants,
    certDetails,
    header: defaults.NOISE_WA_HEADER,
    curve: crypto.Curve,
    proto: proto.proto,
    theirs: {
      encodeBinaryNode: encode.encodeBinaryNode,
      decodeBinaryNode: decode.decodeBinaryNode,
      decodeDecompressedBinaryNode: decode.decodeDecompressedBinaryNode,
      decompressingIfRequired: decode.decompressingIfRequired,
      makeNoiseHandler: noise.makeNoiseHandler
    },
    ours: { ...createCodec(name), makeNoiseHandler: createNoiseHandlerFactory({ dialect: name, certDetails }) }
  };
}
