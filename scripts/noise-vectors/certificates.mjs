/** Certificate chains: a valid one, and others with one fault each. */
import { keyPairOf } from './responder.mjs';

/** @import { KeyPair } from '../shared/noise-crypto.mjs' */
/** @import { BaileysExports } from './responder.mjs' */

/**
 * @param {KeyPair} signer
 * @param {Uint8Array} details
 * @param {BaileysExports} baileys
 */
const signedBy = (signer, details, { Curve }) => ({ details, signature: Curve.sign(signer.private, details) });

/** @param {Uint8Array} bytes */
const flipped = bytes => {
  const copy = Buffer.from(bytes);
  copy[copy.length >> 1] ^= 1;
  return copy;
};

/** The keys that sign the chains. */
export const keys = {
  root: keyPairOf('root'),
  intermediate: keyPairOf('intermediate'),
  serverStatic: keyPairOf('server static'),
  serverEphemeral: keyPairOf('server ephemeral'),
  clientStatic: keyPairOf('client static'),
  clientEphemeral: keyPairOf('client ephemeral'),
  unrelated: keyPairOf('unrelated')
};

const validity = { notBefore: 1700000000, notAfter: 1900000000 };
const leafDetails = { serial: 11, issuerSerial: 5, key: keys.serverStatic.public, ...validity };
const intermediateDetails = { serial: 5, issuerSerial: 0, key: keys.intermediate.public, ...validity };

/**
 * @param {object} details
 * @param {BaileysExports} baileys
 */
const encodeDetails = (details, { proto }) =>
  Buffer.from(proto.CertChain.NoiseCertificate.Details.encode(details).finish());

/**
 * The certificates of a valid chain. Fields of the details and signers can be replaced.
 *
 * @param {{ proto: any, Curve: any }} baileys
 * @param {{ leaf?: object, intermediate?: object, leafSigner?: KeyPair, intermediateSigner?: KeyPair }} [changes]
 */
const parts = (baileys, { leaf = {}, intermediate = {}, leafSigner, intermediateSigner } = {}) => ({
  leaf: signedBy(leafSigner ?? keys.intermediate, encodeDetails({ ...leafDetails, ...leaf }, baileys), baileys),
  intermediate: signedBy(
    intermediateSigner ?? keys.root,
    encodeDetails({ ...intermediateDetails, ...intermediate }, baileys),
    baileys
  )
});

/**
 * @param {any} chain
 * @param {string} which
 * @param {string} field
 * @param {(bytes: any) => Uint8Array | undefined} change
 */
const changed = (chain, which, field, change) => ({
  ...chain,
  [which]: { ...chain[which], [field]: change(chain[which][field]) }
});

/**
 * @param {BaileysExports} baileys
 * @returns {Record<string, Buffer>} encoded chains by their fault
 */
export const chains = baileys => {
  const good = parts(baileys);
  const none = () => undefined;
  const garbage = () => Buffer.from([0xff]);
  /**
   * @param {string} which
   * @param {KeyPair} signer
   * @param {Uint8Array} details
   */
  const withDetails = (which, signer, details) => ({ ...good, [which]: signedBy(signer, details, baileys) });
  const all = {
    good,
    'no leaf': { intermediate: good.intermediate },
    'no leaf details': changed(good, 'leaf', 'details', none),
    'no leaf signature': changed(good, 'leaf', 'signature', none),
    'no intermediate': { leaf: good.leaf },
    'no intermediate details': changed(good, 'intermediate', 'details', none),
    'no intermediate signature': changed(good, 'intermediate', 'signature', none),
    'empty chain': {},
    'leaf details changed': changed(good, 'leaf', 'details', flipped),
    'leaf signature changed': changed(good, 'leaf', 'signature', flipped),
    'leaf signature short': changed(good, 'leaf', 'signature', (/** @type {Uint8Array} */ bytes) => bytes.subarray(1)),
    'leaf signature empty': changed(good, 'leaf', 'signature', () => Buffer.alloc(0)),
    'leaf signed by an unrelated key': parts(baileys, { leafSigner: keys.unrelated }),
    'leaf signed by the root': parts(baileys, { leafSigner: keys.root }),
    'intermediate signature changed': changed(good, 'intermediate', 'signature', flipped),
    'intermediate signed by an unrelated key': parts(baileys, { intermediateSigner: keys.unrelated }),
    'intermediate without key': parts(baileys, { intermediate: { key: undefined } }),
    'intermediate with a short key': parts(baileys, { intermediate: { key: Buffer.alloc(31, 1) } }),
    'intermediate with a prefixed key': parts(baileys, {
      intermediate: { key: Buffer.concat([Buffer.from([5]), keys.intermediate.public]) }
    }),
    'both signatures wrong': parts(baileys, { leafSigner: keys.unrelated, intermediateSigner: keys.unrelated }),
    'issuer of another serial': parts(baileys, { intermediate: { issuerSerial: 1 } }),
    'issuer not named': parts(baileys, { intermediate: { issuerSerial: undefined } }),
    'intermediate details are no protobuf': withDetails('intermediate', keys.root, garbage()),
    'leaf of another issuer': parts(baileys, { leaf: { issuerSerial: 6 } }),
    'leaf for another key': parts(baileys, { leaf: { key: keys.unrelated.public } }),
    'leaf without key': parts(baileys, { leaf: { key: undefined } }),
    'leaf details are no protobuf': withDetails('leaf', keys.intermediate, garbage())
  };
  const encoded = Object.entries(all).map(([name, chain]) => [
    name,
    Buffer.from(baileys.proto.CertChain.encode(chain).finish())
  ]);
  return Object.fromEntries([...encoded, ['chain is no protobuf', Buffer.from([0xff])]]);
};
