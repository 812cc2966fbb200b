// The resolver of the machine may be slow, and its error for an unknown name may change between two calls. Tests that
// compare clients need one answer for both.

import dns from 'node:dns';

/** A name that does not exist. */
export const UNKNOWN_NAME = 'nowhere.invalid';

const { lookup } = dns;

/** The error of this machine's resolver for {@link UNKNOWN_NAME}. @type {Promise<NodeJS.ErrnoException> | undefined} */
let answer;

/** Asks the resolver once for {@link UNKNOWN_NAME}. */
const errorOfUnknownName = () =>
  (answer ??= new Promise((resolve, reject) =>
    lookup(UNKNOWN_NAME, error => (error ? resolve(error) : reject(new Error(`${UNKNOWN_NAME} exists`))))
  ));

/**
 * Until the owner ends, `dns.lookup` fails for {@link UNKNOWN_NAME} with the same error each time. Resolves with the error.
 *
 * @param {{ after(release: () => void): void }} owner
 */
export async function replaceResolver(owner) {
  const error = await errorOfUnknownName();
  dns.lookup = /** @type {typeof lookup} */ (
    (name, ...rest) =>
      name === UNKNOWN_NAME ? void setImmediate(rest.at(-1), error) : Reflect.apply(lookup, dns, [name, ...rest])
  );
  owner.after(() => void (dns.lookup = lookup));
  return error;
}
