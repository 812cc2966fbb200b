'use strict';

const { isIP } = require('node:net');
const { constants } = require('node:os');
const { getSystemErrorMap, getSystemErrorName } = require('node:util');

/** @type {Record<string, new (message?: string) => TransportError>} */
const CLASSES = { Error, RangeError };

/**
 * The JSON of src/failure.rs. `errors` are the failures of several attempts.
 *
 * @typedef {object} Description
 * @property {string} [name]
 * @property {string} [message]
 * @property {string} [code]
 * @property {string} [reason]
 * @property {number} [errno] The negative number of the operating system, or of libuv if there is a `hostname`.
 * @property {string} [syscall]
 * @property {string} [address]
 * @property {number} [port]
 * @property {string} [hostname] The name that could not be resolved.
 * @property {string[]} [presented] The names of the certificate that does not have the name `expected`.
 * @property {string[]} [commonNames]
 * @property {string} [expected]
 * @property {Description[]} [errors]
 * @property {Description} [textOf] The error has the message of this one.
 */

/** @typedef {{ reason?: string, host?: string, address?: string, port?: number }} Details */
/** @typedef {NodeJS.ErrnoException & Details} TransportError */

/**
 * Creates the error that Node or `ws` would give for a failure of the transport.
 *
 * @param {Description} description
 * @returns {TransportError}
 */
function transportError({
  name,
  message,
  code,
  reason,
  errno,
  syscall,
  address,
  port,
  hostname,
  presented,
  commonNames,
  expected,
  errors,
  textOf
}) {
  if (textOf) return new Error(textOfError(transportError(textOf)));
  if (errors) {
    const causes = errors.map(each => transportError(each));
    return Object.assign(new AggregateError(causes), { code: causes[0].code });
  }
  const error = new (CLASSES[name ?? ''] ?? Error)(message);
  if (hostname !== undefined) return Object.assign(error, { errno, code, syscall: 'getaddrinfo', hostname });
  if (errno) {
    errno = libuvNumber(errno, syscall);
    code = getSystemErrorName(errno);
    error.message = `${syscall} ${code}${address === undefined ? '' : ` ${address}:${port}`}`;
    Object.assign(error, { errno, code, syscall });
    if (address !== undefined) Object.assign(error, { address, port });
    return error;
  }
  if (code !== undefined) error.code = code;
  if (reason !== undefined) error.reason = reason;
  if (presented) describeWrongName(error, presented, commonNames ?? [], expected ?? '');
  return error;
}

/**
 * Converts the number of a system error to that of libuv, which Node.js reports. They only differ on Windows: there the
 * errors of sockets have numbers of Winsock, for example WSAECONNREFUSED for ECONNREFUSED. libuv reports an aborted
 * connection as a reset one if it was read.
 *
 * @param {number} errno The negative number of the operating system.
 * @param {string} [syscall]
 * @param {Record<string, number>} [numbers] The numbers of the operating system by their names.
 */
function libuvNumber(errno, syscall, numbers = constants.errno) {
  const winsock = Object.keys(numbers).find(name => name.startsWith('WSA') && numbers[name] === -errno);
  if (winsock === undefined) return errno;
  const name = syscall === 'read' && winsock === 'WSAECONNABORTED' ? 'ECONNRESET' : winsock.slice('WSA'.length);
  for (const [number, [known]] of getSystemErrorMap()) if (known === name) return number;
  return errno;
}

/**
 * The message of an error. An AggregateError has none; the messages of its errors are joined.
 *
 * @param {Error & { errors?: Error[] }} error
 */
function textOfError({ message, errors = [] }) {
  return message || errors.map(error => error.message).join('; ');
}

/**
 * Adds the reason and message that Node's `tls.checkServerIdentity` gives.
 *
 * @param {TransportError} error
 * @param {string[]} presented
 * @param {string[]} commonNames
 * @param {string} serverName
 */
function describeWrongName(error, presented, commonNames, serverName) {
  const addresses = presented.filter(name => name.startsWith('IP Address:'));
  if (isIP(serverName)) {
    const list = addresses.map(name => name.slice('IP Address:'.length)).join(', ');
    error.reason = `IP: ${serverName} is not in the cert's list: ${list}`;
  } else if (presented.some(name => name.startsWith('DNS:'))) {
    error.reason = `Host: ${serverName}. is not in the cert's altnames: ${presented.join(', ')}`;
  } else if (commonNames.length > 0) {
    error.reason = `Host: ${serverName}. is not cert's CN: ${commonNames}`;
  } else {
    error.reason = 'Cert does not contain a DNS name';
  }
  error.host = serverName;
  error.message = `Hostname/IP does not match certificate's altnames: ${error.reason}`;
}

module.exports = { libuvNumber, transportError, textOfError };
