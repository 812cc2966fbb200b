// Published programs that use Baileys, and how a proxy is set for each.

/**
 * @typedef {object} Program
 * @property {string} name The package.
 * @property {string} version
 * @property {string[]} packages Other packages that are installed with it.
 * @property {string} baileys The name under which it uses Baileys.
 * @property {string} [node] The version of Node that it needs, if the running one may be older.
 * @property {string} starter The file of `project` that starts it.
 * @property {Record<string, string>} [env] Environment variables of the starter.
 * @property {'http' | 'socks'} proxy
 * @property {string} configuration How the proxy is set, for the table.
 * @property {(url: string) => Record<string, string>} proxyEnv The environment variables that set the proxy.
 */

/** @type {Program[]} */
export const PROGRAMS = [
  {
    name: '@openclaw/whatsapp',
    version: '2026.9.6',
    packages: ['openclaw@2026.9.6'],
    baileys: 'baileys',
    node: '24',
    starter: 'web-login.mjs',
    env: { TRY_ENTRY: 'dist/login-qr-api.js' },
    proxy: 'http',
    configuration: 'HTTPS_PROXY',
    proxyEnv: url => ({ HTTPS_PROXY: url })
  },
  {
    name: '@builderbot/provider-baileys',
    version: '1.3.13',
    packages: ['@builderbot/bot@1.3.13', 'socks-proxy-agent@8.0.5'],
    baileys: 'baileys',
    starter: 'builderbot.mjs',
    proxy: 'socks',
    configuration: 'agent: SocksProxyAgent',
    proxyEnv: url => ({ TRY_SOCKS_PROXY: url })
  },
  {
    // Has no option for a proxy.
    name: 'clawdbot',
    version: '2026.1.24-3',
    packages: [],
    baileys: '@whiskeysockets/baileys',
    node: '24',
    starter: 'web-login.mjs',
    env: { TRY_ENTRY: 'dist/web/login-qr.js' },
    proxy: 'http',
    configuration: 'BAILEYS_NATIVE_PROXY=env',
    proxyEnv: url => ({ BAILEYS_NATIVE_PROXY: 'env', HTTPS_PROXY: url })
  }
];
