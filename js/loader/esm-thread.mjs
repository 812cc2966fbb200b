/** Entry of the hooks thread, for versions of Node that run module hooks in a thread. */

import esm from './esm.cjs';

/** @type {import('node:module').LoadHook} */
export async function load(url, context, nextLoad) {
  return esm.loadTarget(url, context) ?? nextLoad(url, context);
}
