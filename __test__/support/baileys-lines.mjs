// The functions of three release lines of Baileys, and our replacements for them.

import { createRequire } from 'node:module';
import { importFiles, PACKAGES, RELEASES } from '../../scripts/shared/baileys.mjs';

const require = createRequire(import.meta.url);
const { createCodec } = require('../../js/codec/binary-node.cjs');
const { createNoiseHandlerFactory } = require('../../js/baileys/noise-handler.cjs');

/** The names of the release lines, which are also the names of the dialects. */
export const LINE_NAMES = RELEASES.map(release => release.dialect);

/**
 * The package that a line is installed as.
 *
 * @param {string} name
 */
export const packageOf = name => PACKAGES[name];

const loaded = new Map();

/**
 * One release line: `theirs` is Baileys' codec with its `constants`, `ours` is our codec. The same for
 * `makeNoiseHandler`.
 *
 * @param {import('../../js/shared/baileys-layout.cjs').Dialect} name
 */
export function loadLine(name) {
  if (!loaded.has(name)) loaded.set(name, load(name));
  return loaded.get(name);
}

/** @param {import('../../js/shared/baileys-layout.cjs').Dialect} name */
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
