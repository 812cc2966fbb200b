'use strict';

const { isIP } = require('node:net');
const { getSystemErrorName } = require('node:util');

const CLASSES = { Error, RangeError };

/**
 * Creates the error that Node or `ws` would give for a failure of the transport.
 *
 * @param {any} description the JSON of src/failure.rs
 * @returns {NodeJS.ErrnoException}
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
  const error = new (CLASSES[name] ?? Error)(message);
  if (errno) {
    code = getSystemErrorName(errno);
    error.message = `${syscall} ${code}${address === undefined ? '' : ` ${address}:${port}`}`;
    Object.assign(error, { errno, code, syscall });
    if (address !== undefined) Object.assign(error, { address, port });
    return error;
  }
  if (code !== undefined) error.code = code;
  if (reason !== undefined) error.reason = reason;
  if (presented) describeWrongName(error, presented, commonNames, expected);
  return error;
}

/**
 * The message of an error. An AggregateError has none; the messages of its errors are joined.
 *
 * @param {any} error
 */
function textOfError({ message, errors }) {
  return message || errors.map(error => error.message).join('; ');
}

/** Adds the reason and message that Node's `tls.checkServerIdentity` gives. */
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

module.exports = { transportError, textOfError };
