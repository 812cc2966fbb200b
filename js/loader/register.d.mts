/**
 * Loading this module gives every copy of `baileys` or `@whiskeysockets/baileys` that the thread loads from then on its
 * socket layer from `baileys-native`:
 *
 * ```sh
 * node --import baileys-native/register app.js
 * node --require baileys-native/register app.js
 * ```
 *
 * It also works as the first `require` of a CommonJS program. An ES module must import it before Baileys is *linked*: by
 * one of the flags, or by importing Baileys with `await import()` afterwards.
 *
 * `BAILEYS_NATIVE=off` in the environment makes it do nothing. Where the addon cannot be loaded it emits one process
 * warning with the code `BAILEYS_NATIVE_UNAVAILABLE` and leaves Baileys as it is; a release of Baileys that it does not know
 * is left as it is with the code `BAILEYS_NATIVE_UNSUPPORTED`, and one that was required before with `BAILEYS_NATIVE_LATE`.
 * Patched files are left as they are with the code `BAILEYS_NATIVE_PATCHED`, changed forks with `BAILEYS_NATIVE_FORK`.
 * `BAILEYS_NATIVE_WAITS=off` leaves `promiseTimeout` to Baileys; `BAILEYS_NATIVE_PACKAGES` names forks, separated by commas.
 *
 * While the event loop is blocked, connections are kept alive in Baileys' place. `BAILEYS_NATIVE_KEEP_ALIVE=off` leaves
 * them to Baileys; so does `keepAliveWhileBlocked: false` in the configuration of one socket, which Baileys' types do not
 * know (TypeScript takes it in an object that is a variable: `const config = { auth, keepAliveWhileBlocked: false }`).
 *
 * @packageDocumentation
 */

/**
 * Whether the hooks of `baileys-native/register` are installed in this thread and the addon is loaded: what is loaded from
 * now on is replaced where it is a Baileys that is known. {@link replaced} tells what has been.
 */
export declare function isActive(): boolean;

/** A copy of Baileys that runs on this package. */
export interface ReplacedCopy {
  /** Directory of its package.json. */
  root: string;
  version: string;
  /** Names of the exports that are replaced, sorted. A patched file keeps its own. */
  exports: string[];
}

/**
 * The copies of Baileys that this thread has loaded with their socket layer from this package, in the order of loading.
 * Empty where Baileys runs on its JavaScript, whatever the reason, and before it is loaded.
 */
export declare function replaced(): ReplacedCopy[];
