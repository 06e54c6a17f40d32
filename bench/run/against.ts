// Another revision of the library, built in a folder of its own.

import { execFile } from 'node:child_process';
import { mkdtemp, rename, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { OptionError } from '../../scripts/arguments.js';

const run = promisify(execFile);
const root = fileURLToPath(new URL('../..', import.meta.url));

export interface Build {
  /** The short hash of the revision. */
  readonly revision: string;
  /** The address of its entry point, to be imported. */
  readonly entry: string;
  /** Removes it. */
  remove(): Promise<void>;
}

/**
 * Builds a git revision with the packages that are installed here.
 *
 * @throws OptionError where there is no such revision; Error where it does not build
 */
export async function buildRevision(reference: string): Promise<Build> {
  const revision = await resolveRevision(reference);
  const folder = await mkdtemp(join(tmpdir(), 'webgpu-loss-revision-'));
  const remove = (): Promise<void> => rm(folder, { recursive: true, force: true });
  const tree = join(folder, 'tree');
  try {
    await git('worktree', 'add', '--detach', tree, revision);
    try {
      await symlink(join(root, 'node_modules'), join(tree, 'node_modules'), 'junction');
      await run('npm', ['run', 'build', '--silent'], { cwd: tree });
      // All that is needed of it: a run that is interrupted leaves no work tree behind.
      for (const part of ['dist', 'package.json']) await rename(join(tree, part), join(folder, part));
    } finally {
      await git('worktree', 'remove', '--force', tree);
    }
  } catch (cause) {
    await remove();
    throw new Error(`${reference} (${revision}) does not build: ${(cause as Error).message}`, { cause });
  }
  return { revision, entry: pathToFileURL(join(folder, 'dist', 'index.js')).href, remove };
}

async function resolveRevision(reference: string): Promise<string> {
  try {
    return await git('rev-parse', '--short', '--verify', '--end-of-options', `${reference}^{commit}`);
  } catch (cause) {
    throw new OptionError(`--against needs a git revision, such as HEAD~1 or main, not "${reference}"`, {
      cause,
    });
  }
}

async function git(...args: string[]): Promise<string> {
  return (await run('git', args, { cwd: root })).stdout.trim();
}
