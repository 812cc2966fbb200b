'use strict';

// Deno frees the native objects of an environment after its event `unload`, and still runs timers and immediates after
// that. A native function that uses a freed object would end the process.

const isDeno = process.versions.deno !== undefined;

/**
 * On Deno, calls `callback` at `unload`.
 *
 * @param {() => void} callback
 */
function onUnload(callback) {
  if (isDeno) /** @type {any} */ (globalThis).addEventListener('unload', callback);
}

/**
 * Makes the functions of the addon do nothing after `unload`. On other runtimes it returns the addon as it is.
 *
 * @template {object} Addon
 * @param {Addon} binding Its classes are changed.
 * @returns {Addon}
 */
function guardedForDeno(binding) {
  if (!isDeno) return binding;
  let isUnloaded = false;
  onUnload(() => {
    isUnloaded = true;
  });

  /** @param {Function} native */
  const guarded = native =>
    /** @this {unknown} @param {unknown[]} args */
    function (...args) {
      return isUnloaded ? undefined : native.apply(this, args);
    };

  /**
   * @param {object} target Gets the guarded methods and getters.
   * @param {object} source
   */
  const defineGuarded = (target, source) => {
    for (const [name, property] of Object.entries(Object.getOwnPropertyDescriptors(source))) {
      if (name === 'constructor') continue;
      for (const part of /** @type {const} */ (['value', 'get'])) {
        if (typeof property[part] === 'function') property[part] = guarded(property[part]);
      }
      Object.defineProperty(target, name, property);
    }
    return target;
  };

  /** @type {any} */
  const { createCore, ...others } = binding;
  for (const { prototype } of Object.values(others)) {
    if (prototype !== undefined) defineGuarded(prototype, prototype);
  }
  /** @param {unknown} environment */
  const createGuardedCore = environment => defineGuarded({}, createCore(environment));
  return { ...others, createCore: createGuardedCore };
}

module.exports = { guardedForDeno, onUnload };
