/** Creates certificates at run time. */

import { generate } from 'selfsigned';

const DAY = 24 * 60 * 60 * 1000;

/**
 * @param {object} [options]
 * @param {string[]} [options.names] DNS names
 * @param {string[]} [options.addresses] IP addresses
 * @param {string} [options.commonName]
 * @param {boolean} [options.isAuthority] whether it may sign others
 * @param {{ cert: string, key: string }} [options.issuer] signs it; without it the certificate is self-signed
 * @param {number} [options.from] first day of its validity, counted from today
 * @param {number} [options.to] last day of its validity, counted from today
 * @returns {Promise<{ cert: string, key: string }>} PEM
 */
export async function certificate({
  names = ['localhost'],
  addresses = ['127.0.0.1'],
  isAuthority = false,
  commonName = isAuthority ? 'Test Authority' : 'Test Server',
  issuer,
  from = -1,
  to = 30
} = {}) {
  const altNames = [...names.map(value => ({ type: 2, value })), ...addresses.map(ip => ({ type: 7, ip }))];
  const extensions = [
    { name: 'basicConstraints', cA: isAuthority, critical: true },
    { name: 'keyUsage', digitalSignature: true, keyCertSign: isAuthority, cRLSign: isAuthority, critical: true }
  ];
  if (altNames.length > 0) extensions.push({ name: 'subjectAltName', altNames });
  const pems = await generate([{ name: 'commonName', value: commonName }], {
    keyType: 'ec',
    algorithm: 'sha256',
    notBeforeDate: new Date(Date.now() + from * DAY),
    notAfterDate: new Date(Date.now() + to * DAY),
    extensions,
    ca: issuer && { cert: issuer.cert, key: issuer.key }
  });
  return { cert: pems.cert, key: pems.private };
}
