// The peers' packages, which only this bench needs.
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import manifest from './package.json' with { type: 'json' };

const folder = fileURLToPath(new URL('.', import.meta.url));
const require = createRequire(import.meta.url);

/** Installs what the lockfile names, unless that is there. */
export function installPeers(): void {
  if (isInstalled()) return;
  console.error(`installing the peers in ${folder} (220 MB)`);
  // Their install scripts do nothing that is needed here.
  execFileSync('npm', ['ci', '--prefix', folder, '--ignore-scripts'], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
}

function isInstalled(): boolean {
  return Object.entries(manifest.dependencies).every(([name, version]) => {
    const path = `${folder}node_modules/${name}/package.json`;
    return existsSync(path) && (require(path) as { version: string }).version === version;
  });
}

/** The peers' versions, as the package file pins them. */
export function peerVersions(): Readonly<Record<string, string>> {
  const { protobufjs: _, ...peers } = manifest.dependencies;
  return peers;
}
