// The peers' packages, which only this bench needs.
import { fileURLToPath } from 'node:url';
import { installPackages } from '../../scripts/packages.js';
import manifest from './package.json' with { type: 'json' };

export function installPeers(): void {
  installPackages(fileURLToPath(new URL('.', import.meta.url)), manifest, 'the peers (220 MB)');
}

/** The peers' versions, as the package file pins them. */
export function peerVersions(): Readonly<Record<string, string>> {
  const { protobufjs: _, ...peers } = manifest.dependencies;
  return peers;
}
