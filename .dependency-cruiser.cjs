'use strict';

/**
 * Which part of js/ and scripts/ may import which; `npm run lint:imports` checks it. Roles are the folders of js/. Node's
 * own modules are not listed. `index.cjs`, the command-line program, the loader and the live view are entries: they may
 * use all roles below them.
 */

/** The roles that each role may use beside itself. */
const ROLES = {
  shared: [],
  observe: [],
  addon: ['shared', 'observe'],
  codec: ['addon', 'shared'],
  connect: ['shared'],
  ws: ['addon', 'connect', 'observe', 'shared'],
  baileys: ['addon', 'codec', 'connect', 'observe', 'shared', 'ws'],
  session: ['addon', 'codec', 'connect', 'observe', 'shared'],
  loader: ['baileys', 'connect', 'inspect', 'shared'],
  inspect: ['observe', 'session', 'shared'],
  prometheus: ['addon', 'session'],
  // The mock server checks the addon, so it must not use it.
  testing: ['shared', 'connect'],
  cli: ['addon', 'codec', 'inspect', 'loader', 'shared', 'testing']
};

/** Not installed everywhere: the addon by platform, and a package that one bench compares with. */
const OPTIONAL = ['^whatsapp-rust-bridge$', '^baileys-native-', '\\.node$'];

/** @type {import('dependency-cruiser').IConfiguration} */
module.exports = {
  forbidden: [
    { name: 'no-circle', severity: 'error', from: {}, to: { circular: true } },
    {
      name: 'resolvable',
      severity: 'error',
      from: { pathNot: ['^examples/', '^scripts/try-programs/project/'] },
      to: { couldNotResolve: true, pathNot: OPTIONAL }
    },
    {
      name: 'no-development-dependency',
      comment: 'The published files use Node, this package and the packages that a program has installed itself.',
      severity: 'error',
      from: { path: '^js/' },
      to: { dependencyTypes: ['npm', 'npm-dev'], dependencyTypesNot: ['npm-peer'] }
    },
    ...Object.entries(ROLES).map(([role, used]) => ({
      name: `role-${role}`,
      comment: `js/${role} may use ${used.length === 0 ? 'no other role' : used.join(', ')}.`,
      severity: /** @type {const} */ ('error'),
      from: { path: `^js/${role}/` },
      to: {
        path: '^js/',
        pathNot: [...[role, ...used].map(each => `^js/${each}/`), ...(role === 'cli' ? ['^js/index\\.cjs$'] : [])]
      }
    })),
    {
      name: 'only-js-knows-the-addon',
      comment: 'Scripts and benches use the published exports; these files of js/ are the exceptions.',
      severity: 'error',
      from: { path: '^(scripts|bench)/' },
      to: { path: '^js/(codec|connect|session|ws|observe)/' }
    }
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '^(js/addon/native\\.|js/inspect/page/)' },
    moduleSystems: ['cjs', 'es6'],
    enhancedResolveOptions: {
      conditionNames: ['import', 'require', 'node', 'default'],
      exportsFields: ['exports'],
      extensions: ['.cjs', '.mjs', '.js', '.json', '.ts', '.mts', '.cts']
    }
  }
};
