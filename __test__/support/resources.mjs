// Releases the resources of tests, whether these pass or fail. A server that still listens, or a session that still
// reconnects, would keep the process of its test file alive.

import { after } from 'node:test';

/** @typedef {{ after(release: () => unknown): void }} Owner A test context, or the result of {@link suiteResources}. */

/**
 * The functions that release the resources of an owner.
 *
 * @type {WeakMap<Owner, (() => unknown)[]>}
 */
const releases = new WeakMap();

/** Returns a list of functions that the hook calls, the latest first. All are called, also if some of them fail. */
function releasedBy(hook) {
  const list = [];
  hook(async () => {
    const errors = [];
    for (const release of list.reverse()) {
      try {
        await release();
      } catch (error) {
        errors.push(error);
      }
    }
    if (errors.length > 0) throw errors[0];
  });
  return list;
}

/**
 * Calls a function when its owner ends: clients are released before the server that was started first.
 *
 * @param {Owner} owner
 * @param {() => unknown} release
 */
export function releaseAfter(owner, release) {
  if (!releases.has(owner))
    releases.set(
      owner,
      releasedBy(hook => owner.after(hook))
    );
  releases.get(owner).push(release);
}

/**
 * Closes a resource when its owner ends. Returns the resource.
 *
 * @template {{ close(): unknown }} T
 * @param {Owner} owner
 * @param {T} resource
 * @returns {T}
 */
export function closeAfter(owner, resource) {
  releaseAfter(owner, () => resource.close());
  return resource;
}

/**
 * The owner of the resources of a suite or file, for its `before` hooks: these have no test context.
 *
 * @returns {Owner}
 */
export function suiteResources() {
  const list = releasedBy(after);
  const owner = { after: release => void list.push(release) };
  releases.set(owner, list);
  return owner;
}
