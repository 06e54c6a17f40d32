// Packages that one bench alone needs: in a folder with a package file and a lockfile of their own, installed when they are first asked for.
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';

interface Manifest {
  readonly dependencies: Readonly<Record<string, string>>;
}

/** Installs what the lockfile in `folder` names, unless the versions that its package file pins are there. `what` is said then. */
export function installPackages(folder: string, { dependencies }: Manifest, what: string): void {
  const there = Object.entries(dependencies).every(([name, version]) => {
    const path = `${folder}node_modules/${name}/package.json`;
    return existsSync(path) && JSON.parse(readFileSync(path, 'utf8')).version === version;
  });
  if (there) return;
  console.error(`installing ${what} in ${folder}`);
  // Their install scripts do nothing that is needed here.
  execFileSync('npm', ['ci', '--prefix', folder, '--ignore-scripts'], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
}
