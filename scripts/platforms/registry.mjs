/** An npm registry on loopback that has only the packages of this project. */

import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { execFileSync } from 'node:child_process';
import { basename } from 'node:path';

/**
 * @param {string[]} tarballs
 * @returns {Promise<{ url: string, served: string[], stop: () => void }>} `served`: names of the downloaded tarballs.
 */
export async function startRegistry(tarballs) {
  const packages = new Map(
    tarballs.map(path => {
      const data = readFileSync(path);
      const manifest = JSON.parse(execFileSync('tar', ['-xzOf', path, 'package/package.json'], { encoding: 'utf8' }));
      return [manifest.name, { data, manifest, file: basename(path) }];
    })
  );
  /** @type {string[]} */
  const served = [];
  const server = createServer((request, response) => {
    const path = decodeURIComponent(new URL(request.url ?? '/', 'http://localhost').pathname).slice(1);
    const tarball = [...packages.values()].find(({ file }) => path === `tarballs/${file}`);
    if (tarball !== undefined) {
      served.push(tarball.manifest.name);
      response.end(tarball.data);
      return;
    }
    const found = packages.get(path);
    if (found === undefined) {
      response.statusCode = 404;
      response.end('{}');
      return;
    }
    const { data, manifest, file } = found;
    const dist = {
      tarball: `${url}tarballs/${file}`,
      shasum: createHash('sha1').update(data).digest('hex'),
      integrity: `sha512-${createHash('sha512').update(data).digest('base64')}`
    };
    response.setHeader('content-type', 'application/json');
    response.end(
      JSON.stringify({
        name: manifest.name,
        'dist-tags': { latest: manifest.version },
        versions: { [manifest.version]: { ...manifest, _id: `${manifest.name}@${manifest.version}`, dist } },
        time: { [manifest.version]: '2020-01-01T00:00:00.000Z', modified: '2020-01-01T00:00:00.000Z' }
      })
    );
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = /** @type {import('node:net').AddressInfo} */ (server.address());
  const url = `http://127.0.0.1:${port}/`;
  const stop = () => {
    server.closeAllConnections();
    server.close();
  };
  return { url, served, stop };
}
