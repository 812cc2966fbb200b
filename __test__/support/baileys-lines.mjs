// The three lines of Baileys, file by file, each beside what stands in for it.

import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { importFiles, PACKAGES, RELEASES } from '../../scripts/shared/baileys.mjs';

const require = createRequire(import.meta.url);
const { createCodec } = require('../../js/codec/binary-node.cjs');
const { createNoiseHandlerFactory } = require('../../js/baileys/noise-handler.cjs');

/** The root of this package. */
export const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** The names of the lines, as the dialects of the codec are called. */
export const LINE_NAMES = RELEASES.map(release => release.dialect);

/** The package that a line is installed as. */
export const packageOf = name => PACKAGES[name];

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
  const [encode, decode, constants, noise, defaults, crypto, proto] = await importFiles(PACKAGES[name], [
    'encode',
    'decode',
    'constants',
    'noiseHandler',
    'defaults',
    'crypto',
    'proto'
  ]);
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
