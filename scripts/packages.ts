// Packages that one bench, test or example alone needs: in a folder with a package file and a lockfile of their own, installed when they are
// first asked for.
import { execFileSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs';

interface Manifest {
  readonly dependencies: Readonly<Record<string, string>>;
}

/**
 * Installs what the lockfile in `folder` (its path ends in a slash) names, unless the versions that its package file pins are there. `what`
 * is said then.
 *
 * Safe when several processes do it at once: each installs into a folder of its own and renames it; the first one stays.
 */
export function installPackages(folder: string, { dependencies }: Manifest, what: string): void {
  const there = () =>
    Object.entries(dependencies).every(([name, version]) => {
      const path = `${folder}node_modules/${name}/package.json`;
      return existsSync(path) && JSON.parse(readFileSync(path, 'utf8')).version === version;
    });
  if (there()) return;
  console.error(`installing ${what} in ${folder}`);
  const part = mkdtempSync(`${folder}.part-`);
  try {
    for (const file of ['package.json', 'package-lock.json', '.npmrc']) {
      if (existsSync(`${folder}${file}`)) copyFileSync(`${folder}${file}`, `${part}/${file}`);
    }
    // Their install scripts do nothing that is needed here.
    execFileSync('npm', ['ci', '--prefix', part, '--ignore-scripts'], {
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    if (there()) return;
    rmSync(`${folder}node_modules`, { recursive: true, force: true });
    renameSync(`${part}/node_modules`, `${folder}node_modules`);
  } catch (error) {
    if (!there()) throw error;
  } finally {
    rmSync(part, { recursive: true, force: true });
  }
}
