/** Creates X.509 certificates, also unusual and invalid ones. */

import { constants, createPrivateKey, generateKeyPairSync, randomBytes, sign } from 'node:crypto';
import { isIP } from 'node:net';
import { AsnConvert, OctetString } from '@peculiar/asn1-schema';
import {
  AlgorithmIdentifier,
  AttributeTypeAndValue,
  AttributeValue,
  BasicConstraints,
  Certificate,
  ExtendedKeyUsage,
  Extension,
  Extensions,
  GeneralName,
  KeyUsage,
  KeyUsageFlags,
  Name,
  RelativeDistinguishedName,
  SubjectAlternativeName,
  SubjectPublicKeyInfo,
  TBSCertificate,
  Time,
  Validity,
  Version
} from '@peculiar/asn1-x509';

const DAY = 24 * 60 * 60 * 1000;
const COMMON_NAME = '2.5.4.3';
const ORGANISATION = '2.5.4.10';

/** Object identifiers of extensions. */
const EXTENSIONS = { constraints: '2.5.29.19', usage: '2.5.29.15', purposes: '2.5.29.37', names: '2.5.29.17' };

/** Purposes of an extended key usage. */
export const PURPOSES = {
  server: '1.3.6.1.5.5.7.3.1',
  client: '1.3.6.1.5.5.7.3.2',
  codeSigning: '1.3.6.1.5.5.7.3.3',
  any: '2.5.29.37.0'
};

const ECDSA = { sha256: '1.2.840.10045.4.3.2', sha384: '1.2.840.10045.4.3.3', sha512: '1.2.840.10045.4.3.4' };
const RSA = { sha1: '1.2.840.113549.1.1.5', sha256: '1.2.840.113549.1.1.11', sha512: '1.2.840.113549.1.1.13' };
const RSASSA_PSS = '1.2.840.113549.1.1.10';
/** RSASSA-PSS-params (RFC 8017, appendix A.2.3): SHA-256, MGF1 with SHA-256, a salt of 32 bytes. */
const PSS_PARAMETERS = Buffer.from(
  '3034a00f300d06096086480165030402010500a11c301a06092a864886f70d010108300d06096086480165030402010500a203020120',
  'hex'
);
const NULL = new Uint8Array([5, 0]);

/** Kinds of keys, by name. */
const KEYS = {
  p256: () => generateKeyPairSync('ec', { namedCurve: 'P-256' }),
  p384: () => generateKeyPairSync('ec', { namedCurve: 'P-384' }),
  p521: () => generateKeyPairSync('ec', { namedCurve: 'P-521' }),
  ed25519: () => generateKeyPairSync('ed25519'),
  rsa1024: () => generateKeyPairSync('rsa', { modulusLength: 1024 }),
  rsa2048: () => generateKeyPairSync('rsa', { modulusLength: 2048 }),
  pss: () => generateKeyPairSync('rsa-pss', { modulusLength: 2048 })
};

/** An algorithm identifier and its signing function. */
function signature(key, hash, isPss) {
  const type = key.asymmetricKeyType;
  if (type === 'ed25519') return [new AlgorithmIdentifier({ algorithm: '1.3.101.112' }), data => sign(null, data, key)];
  if (type === 'ec') {
    return [new AlgorithmIdentifier({ algorithm: ECDSA[hash] }), data => sign(hash, data, key)];
  }
  if (type === 'rsa-pss' || isPss) {
    const padding = { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 32 };
    const algorithm = new AlgorithmIdentifier({ algorithm: RSASSA_PSS, parameters: PSS_PARAMETERS });
    return [algorithm, data => sign('sha256', data, { key, ...padding })];
  }
  return [new AlgorithmIdentifier({ algorithm: RSA[hash], parameters: NULL }), data => sign(hash, data, key)];
}

const nameOf = text => {
  const attribute = (type, utf8String) =>
    new RelativeDistinguishedName([new AttributeTypeAndValue({ type, value: new AttributeValue({ utf8String }) })]);
  return new Name([attribute(ORGANISATION, 'baileys-native'), attribute(COMMON_NAME, text)]);
};

const extension = (extnID, critical, value) =>
  new Extension({
    extnID,
    critical,
    extnValue: new OctetString(value instanceof Uint8Array ? value : AsnConvert.serialize(value))
  });

/**
 * @typedef {object} Issued
 * @property {string} cert PEM
 * @property {string} key PEM
 * @property {string} subject
 */

/**
 * @param {object} [options]
 * @param {string} [options.subject] the common name
 * @param {keyof KEYS} [options.keyKind]
 * @param {Issued} [options.issuer] signs it; without it the certificate is self-signed
 * @param {1 | 3} [options.version]
 * @param {boolean | null} [options.isAuthority] `null` for no basic constraints
 * @param {number} [options.pathLength]
 * @param {number | null} [options.usage] flags of its key usage; `null` for none
 * @param {string[]} [options.purposes] the purposes of its extended key usage
 * @param {string[]} [options.names] DNS names and IP addresses
 * @param {[string, boolean, Uint8Array][]} [options.others] further extensions
 * @param {'sha1' | 'sha256' | 'sha384' | 'sha512'} [options.hash]
 * @param {boolean} [options.isPss] signs with PSS by an ordinary RSA key
 * @param {number} [options.from] first day of its validity, counted from today
 * @param {number} [options.to] last day of its validity, counted from today
 * @param {boolean} [options.isTampered] changes the signature
 * @returns {Issued}
 */
export function issue({
  subject = 'localhost',
  keyKind = 'p256',
  issuer,
  version = 3,
  isAuthority = false,
  pathLength,
  usage = isAuthority ? KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign : KeyUsageFlags.digitalSignature,
  purposes,
  names = isAuthority ? [] : ['localhost', '127.0.0.1'],
  others = [],
  hash = 'sha256',
  isPss = false,
  from = -1,
  to = 30,
  isTampered = false
} = {}) {
  const { privateKey, publicKey } = KEYS[keyKind]();
  const signer = issuer === undefined ? privateKey : createPrivateKey(issuer.key);
  const [algorithm, seal] = signature(signer, hash, isPss);
  const serial = randomBytes(16);
  serial[0] = (serial[0] & 0x7f) | 0x40;
  const time = days => new Time(new Date(Date.now() + days * DAY));
  const list = [
    ...(isAuthority === null
      ? []
      : [
          extension(
            EXTENSIONS.constraints,
            true,
            new BasicConstraints({ cA: isAuthority, pathLenConstraint: pathLength })
          )
        ]),
    ...(usage === null ? [] : [extension(EXTENSIONS.usage, true, new KeyUsage(usage))]),
    ...(purposes === undefined ? [] : [extension(EXTENSIONS.purposes, false, new ExtendedKeyUsage(purposes))]),
    ...(names.length === 0
      ? []
      : [extension(EXTENSIONS.names, false, new SubjectAlternativeName(names.map(generalName)))]),
    ...others.map(([id, critical, value]) => extension(id, critical, value))
  ];
  const body = new TBSCertificate({
    version: version === 1 ? Version.v1 : Version.v3,
    serialNumber: Uint8Array.from(serial).buffer,
    signature: algorithm,
    issuer: nameOf(issuer?.subject ?? subject),
    validity: new Validity({ notBefore: time(from).getTime(), notAfter: time(to).getTime() }),
    subject: nameOf(subject),
    subjectPublicKeyInfo: AsnConvert.parse(publicKey.export({ format: 'der', type: 'spki' }), SubjectPublicKeyInfo),
    extensions: version === 1 || list.length === 0 ? undefined : new Extensions(list)
  });
  const bytes = Buffer.from(AsnConvert.serialize(body));
  const value = Uint8Array.from(seal(bytes));
  if (isTampered) value[value.length - 1] ^= 1;
  const certificate = new Certificate({
    tbsCertificate: body,
    signatureAlgorithm: algorithm,
    signatureValue: value.buffer
  });
  const base64 = Buffer.from(AsnConvert.serialize(certificate)).toString('base64');
  return {
    cert: `-----BEGIN CERTIFICATE-----\n${base64.replace(/.{1,64}/g, '$&\n')}-----END CERTIFICATE-----\n`,
    key: privateKey.export({ format: 'pem', type: 'pkcs8' }).toString(),
    subject
  };
}

function generalName(name) {
  return isIP(name) ? new GeneralName({ iPAddress: name }) : new GeneralName({ dNSName: name });
}

export { KeyUsageFlags };
