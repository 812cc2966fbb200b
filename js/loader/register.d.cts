/**
 * When this module is loaded, every copy of `baileys` or `@whiskeysockets/baileys` that the thread loads later gets its
 * socket layer from `baileys-native`:
 *
 * ```sh
 * node --import baileys-native/register app.js
 * node --require baileys-native/register app.js
 * ```
 *
 * It also works as the first `require` of a CommonJS program. In an ES module a static `import` of it is too late: use
 * one of the flags, or import Baileys afterwards with `await import()`.
 *
 * If Baileys is not replaced, it uses its own JavaScript code, and one process warning has one of these codes:
 *
 * | code | reason |
 * | --- | --- |
 * | `BAILEYS_NATIVE_UNAVAILABLE` | the addon cannot be loaded |
 * | `BAILEYS_NATIVE_UNSUPPORTED` | the release of Baileys is not supported |
 * | `BAILEYS_NATIVE_LATE` | Baileys was loaded before this module |
 * | `BAILEYS_NATIVE_PATCHED` | some files are patched, or newer than this package; only these are not replaced |
 * | `BAILEYS_NATIVE_FORK` | a fork whose files were changed |
 * | `BAILEYS_NATIVE_BYPASSED` | Baileys opened a connection that was not replaced, for example because it is bundled |
 * | `BAILEYS_NATIVE_AGENT` | one connection: its agent or proxy is not supported |
 * | `BAILEYS_NATIVE_TLS` | one connection: the server needs TLS features that the addon does not have |
 *
 * Environment variables: `BAILEYS_NATIVE=off` disables this module. `BAILEYS_NATIVE_PROMISE_TIMEOUT=off` does not
 * replace `promiseTimeout`. `BAILEYS_NATIVE_PACKAGES` names forks of Baileys, separated by commas.
 *
 * While the event loop is blocked, the addon sends the keep-alive queries of connections. To turn this off, set
 * `BAILEYS_NATIVE_KEEP_ALIVE=off`, or `keepAliveWhileBlocked: false` in the configuration of one socket. Baileys' types
 * do not have this option; TypeScript accepts it in a variable: `const config = { auth, keepAliveWhileBlocked: false
 * }`.
 *
 * @packageDocumentation
 */

import type { ReplacedCopy } from '../../index.js';

export type { ReplacedCopy };

/**
 * Whether the hooks of `baileys-native/register` are installed in this thread and the addon is loaded. Supported copies
 * of Baileys that are loaded from now on are replaced. {@link replaced} lists the copies that were replaced.
 */
export declare function isActive(): boolean;

/**
 * The copies of Baileys in this thread that got their socket layer from this package, in the order of loading. Empty if
 * Baileys uses its own JavaScript code or is not loaded yet.
 */
export declare function replaced(): ReplacedCopy[];
