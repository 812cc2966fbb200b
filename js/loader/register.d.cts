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
 * is left as it is with the code `BAILEYS_NATIVE_UNSUPPORTED`, and one that was loaded before with `BAILEYS_NATIVE_LATE`.
 *
 * While the event loop is blocked, connections are kept alive in Baileys' place. `BAILEYS_NATIVE_KEEP_ALIVE=off` leaves
 * them to Baileys, and so does, for one connection, `keepAliveWhileBlocked: false` among the options of `makeWASocket`. The
 * types of Baileys do not know it: spread it in, as `{ ...{ keepAliveWhileBlocked: false } }`.
 *
 * @packageDocumentation
 */

/**
 * Whether the hooks are installed in this thread and the addon is loaded: what of Baileys is loaded from then on runs on it.
 * `replaced` tells what was.
 */
export declare function isActive(): boolean;

/** A copy of Baileys that runs on this package. */
export interface Replaced {
  /** The directory of its package.json. */
  root: string;
  version: string;
}

/** The copies of Baileys that have got their socket layer from this package, in this thread and so far. */
export declare function replaced(): Replaced[];
