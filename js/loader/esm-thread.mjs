/** Entry of the hooks thread, on the versions of Node that run module hooks in one. */

import esm from './esm.cjs';

/** @type {import('node:module').LoadHook} */
export async function load(url, context, nextLoad) {
  return esm.loadTarget(url, context) ?? nextLoad(url, context);
}
