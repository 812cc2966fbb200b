// Creates two kinds of certificates when a server starts: X.509 for TLS, and the chain of the Noise handshake.
//
// The X.509 part encodes DER itself: node:crypto cannot issue certificates, and packages that can have a dozen
// dependencies, which all users of this package would install.

import { generateKeyPairSync, randomBytes, sign } from 'node:crypto';
import { addTrustedRoot } from '../connect/trust.cjs';

/** @import { KeyObject } from 'node:crypto' */
/** @import { Curve, RawKeyPair } from './types.d.ts' */

const DAY_MS = 24 * 60 * 60 * 1000;

/* ------------------------------------------------------------------------------------------------ TLS ---- */

const OID = {
  ecdsaWithSha256: '2a8648ce3d040302',
  commonName: '550403',
  basicConstraints: '551d13',
  keyUsage: '551d0f',
  extendedKeyUsage: '551d25',
  subjectAltName: '551d11',
  serverAuth: '2b06010505070301'
};

/**
 * @param {number} tag
 * @param {...Uint8Array} contents
 */
function der(tag, ...contents) {
  const body = Buffer.concat(contents);
  if (body.length < 0x80) return Buffer.concat([Buffer.from([tag, body.length]), body]);
  const length = Buffer.from(body.length.toString(16).padStart(body.length > 0xff ? 4 : 2, '0'), 'hex');
  return Buffer.concat([Buffer.from([tag, 0x80 | length.length]), length, body]);
}

/** @param {...Uint8Array} contents */
const sequence = (...contents) => der(0x30, ...contents);
/** @param {Uint8Array} bytes */
const integer = bytes => der(0x02, bytes);
/** @param {string} hex */
const oid = hex => der(0x06, Buffer.from(hex, 'hex'));
/** @param {Uint8Array} bytes */
const octets = bytes => der(0x04, bytes);
/** @param {Uint8Array} bytes */
const bits = (bytes, unused = 0) => der(0x03, Buffer.from([unused]), bytes);
/** @param {boolean} value */
const boolean = value => der(0x01, Buffer.from([value ? 0xff : 0]));
/** @param {string} text */
const utf8 = text => der(0x0c, Buffer.from(text, 'utf8'));
/** @param {Date} date */
const utcTime = date => der(0x17, Buffer.from(date.toISOString().replace(/^\d\d|[-:T]|\.\d+/g, ''), 'latin1'));

/** @param {string} text */
const name = text => sequence(der(0x31, sequence(oid(OID.commonName), utf8(text))));
/**
 * @param {string} id
 * @param {boolean} critical
 * @param {Uint8Array} value
 */
const extension = (id, critical, value) => sequence(oid(id), ...(critical ? [boolean(true)] : []), octets(value));

/**
 * @param {object} certificate
 * @param {string} certificate.subject
 * @param {string} certificate.issuer
 * @param {KeyObject} certificate.publicKey
 * @param {KeyObject} certificate.signingKey
 * @param {Date} certificate.notBefore
 * @param {Date} certificate.notAfter
 * @param {Buffer[]} certificate.extensions
 */
function issue({ subject, issuer, publicKey, signingKey, notBefore, notAfter, extensions }) {
  const algorithm = sequence(oid(OID.ecdsaWithSha256));
  const serial = randomBytes(16);
  serial[0] = (serial[0] & 0x7f) | 0x40; // positive, without leading zeros
  const body = sequence(
    der(0xa0, integer(Buffer.from([2]))), // version 3
    integer(serial),
    algorithm,
    name(issuer),
    sequence(utcTime(notBefore), utcTime(notAfter)),
    name(subject),
    publicKey.export({ format: 'der', type: 'spki' }),
    der(0xa3, sequence(...extensions))
  );
  const certificate = sequence(body, algorithm, bits(sign('sha256', body, signingKey)));
  const base64 = certificate.toString('base64').replace(/.{1,64}/g, '$&\n');
  return `-----BEGIN CERTIFICATE-----\n${base64}-----END CERTIFICATE-----\n`;
}

/**
 * Creates a certificate authority and a server certificate for `localhost`, `127.0.0.1` and `::1`.
 *
 * @param {object} [options]
 * @param {Date} [options.notBefore] Default: a day ago.
 * @param {Date} [options.notAfter] Default: in thirty days.
 * @param {string[]} [options.hosts] DNS names; default: the loopback names and addresses.
 * @returns {{ ca: string, cert: string, key: string }} PEM. `cert` is the server's certificate followed by the
 *   authority's.
 */
export function createTlsCertificate({ notBefore, notAfter, hosts } = {}) {
  const validity = {
    notBefore: notBefore ?? new Date(Date.now() - DAY_MS),
    notAfter: notAfter ?? new Date(Date.now() + 30 * DAY_MS)
  };
  const authority = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const server = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const issuer = 'baileys-native test authority';

  const ca = issue({
    subject: issuer,
    issuer,
    publicKey: authority.publicKey,
    signingKey: authority.privateKey,
    ...validity,
    extensions: [
      extension(OID.basicConstraints, true, sequence(boolean(true))),
      extension(OID.keyUsage, true, bits(Buffer.from([0x06]), 1)) // keyCertSign, cRLSign
    ]
  });

  /** @param {string} text */
  const dns = text => der(0x82, Buffer.from(text, 'latin1'));
  /** @param {number[]} bytes */
  const address = bytes => der(0x87, Buffer.from(bytes));
  const names = hosts?.map(dns) ?? [dns('localhost'), address([127, 0, 0, 1]), address([...Array(15).fill(0), 1])];
  const cert = issue({
    subject: hosts?.[0] ?? 'localhost',
    issuer,
    publicKey: server.publicKey,
    signingKey: authority.privateKey,
    ...validity,
    extensions: [
      extension(OID.basicConstraints, true, sequence()),
      extension(OID.keyUsage, true, bits(Buffer.from([0x80]), 7)), // digitalSignature
      extension(OID.extendedKeyUsage, false, sequence(oid(OID.serverAuth))),
      extension(OID.subjectAltName, false, sequence(...names))
    ]
  });
  return { ca, cert: cert + ca, key: server.privateKey.export({ format: 'pem', type: 'pkcs8' }).toString() };
}

/* ---------------------------------------------------------------------------------------------- Noise ---- */

/** Faults of a chain that a client must refuse. They are documented at `CertificateFault` in `index.d.cts`. */
export const BROKEN_CHAINS = [
  'wrong-root',
  'wrong-issuer',
  'wrong-leaf-key',
  'tampered-leaf',
  'tampered-intermediate',
  'expired',
  'no-leaf'
];

/** @param {Uint8Array} bytes */
const flipLastBit = bytes => {
  const changed = Buffer.from(bytes);
  changed[changed.length - 1] ^= 1;
  return changed;
};

/**
 * The keys of a server's Noise certificates. The root key replaces WhatsApp's root key; clients must be told to trust
 * it, see {@link trustTestRoot}.
 */
export class NoiseAuthority {
  #curve;
  #proto;
  #root;
  #intermediate;
  #leaf;

  /**
   * @param {{ curve: Curve, proto: any }} baileys
   * @param {RawKeyPair} [root]
   */
  constructor({ curve, proto }, root) {
    this.#curve = curve;
    this.#proto = proto;
    /** @param {RawKeyPair} pair */
    const keep = pair => ({ private: Buffer.from(pair.private), public: Buffer.from(pair.public) });
    this.#root = keep(root ?? curve.generateKeyPair());
    this.#intermediate = keep(curve.generateKeyPair());
    this.#leaf = keep(curve.generateKeyPair());
  }

  /** Creates a new static key pair. */
  rotate() {
    const { private: secret, public: open } = this.#curve.generateKeyPair();
    this.#leaf = { private: Buffer.from(secret), public: Buffer.from(open) };
  }

  /** The public key that clients must trust, 32 bytes. */
  get rootKey() {
    return Buffer.from(this.#root.public);
  }

  /** The static key pair of the handshake. Its public key is in the leaf certificate. */
  get staticKeyPair() {
    return this.#leaf;
  }

  /**
   * The encoded CertChain.
   *
   * @param {string} [fault] One of {@link BROKEN_CHAINS}.
   */
  chain(fault) {
    const day = DAY_MS / 1000;
    const now = Math.floor(Date.now() / 1000);
    const validity =
      fault === 'expired'
        ? { notBefore: now - 60 * day, notAfter: now - 30 * day }
        : { notBefore: now - day, notAfter: now + 30 * day };
    const intermediate = this.#certificate(
      { serial: 1, issuerSerial: fault === 'wrong-issuer' ? 7 : 0, key: this.#intermediate.public, ...validity },
      fault === 'wrong-root' ? this.#curve.generateKeyPair() : this.#root
    );
    const leafKey = fault === 'wrong-leaf-key' ? this.#curve.generateKeyPair().public : this.#leaf.public;
    const leaf = this.#certificate({ serial: 2, issuerSerial: 1, key: leafKey, ...validity }, this.#intermediate);
    if (fault === 'tampered-leaf') leaf.details = flipLastBit(leaf.details);
    if (fault === 'tampered-intermediate') intermediate.details = flipLastBit(intermediate.details);
    const { CertChain } = this.#proto;
    return Buffer.from(CertChain.encode(fault === 'no-leaf' ? { intermediate } : { leaf, intermediate }).finish());
  }

  /**
   * @param {object} details
   * @param {RawKeyPair} issuer
   */
  #certificate(details, issuer) {
    const { Details } = this.#proto.CertChain.NoiseCertificate;
    const encoded = Buffer.from(Details.encode(details).finish());
    return { details: encoded, signature: this.#curve.sign(issuer.private, encoded) };
  }
}

/**
 * Makes a loaded Baileys trust a mock server: it overwrites the bytes of `WA_CERT_DETAILS.PUBLIC_KEY`. For tests only:
 * until the returned function is called, this Baileys does not trust WhatsApp.
 *
 * A Baileys without that constant (6.17, 7.0.0-rc.1 to rc.9) does not check the root of the chain. Under
 * `baileys-native/register` the root is checked; then the key is trusted in addition to WhatsApp's.
 *
 * @param {any} target Baileys' module namespace, or its `WA_CERT_DETAILS`.
 * @param {Uint8Array} rootKey `server.rootKey`, 32 bytes.
 * @returns {() => void} Restores the former key.
 */
export function trustTestRoot(target, rootKey) {
  const details = target.WA_CERT_DETAILS ?? target.default?.WA_CERT_DETAILS ?? target;
  if (!Number.isInteger(details.SERIAL)) throw new TypeError('expected the Baileys module or its WA_CERT_DETAILS');
  if (rootKey?.length !== 32) throw new TypeError('a root key has 32 bytes');
  const key = details.PUBLIC_KEY;
  if (key === undefined) return addTrustedRoot(rootKey);
  if (!(key instanceof Uint8Array) || key.length !== 32)
    throw new TypeError('WA_CERT_DETAILS.PUBLIC_KEY is not a 32-byte key');
  const former = Uint8Array.from(key);
  key.set(rootKey);
  return () => key.set(former);
}
