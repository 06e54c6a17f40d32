// Software that comes packed inside an npm package (@sparticuz/chromium) is unpacked once, into node_modules/.cache.
import { createReadStream, createWriteStream } from 'node:fs';
import { chmod, lstat, mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir, userInfo } from 'node:os';
import { dirname, join, resolve, sep } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { fileURLToPath } from 'node:url';
import { createBrotliDecompress } from 'node:zlib';
import { extract } from 'tar-stream';

const repository = fileURLToPath(new URL('..', import.meta.url));

/** The folders that may hold unpacked software, the preferred one first. */
export function cacheRoots(): string[] {
  return [
    join(repository, 'node_modules', '.cache', 'webgpu-loss'),
    // node_modules may be read-only; one folder a user, since a temporary folder is everyone's.
    join(tmpdir(), `webgpu-loss-${userInfo().uid}`),
  ];
}

/** Where @sparticuz/chromium keeps its packed files, and its version; `undefined` if it is not installed. */
export async function packedChromium(): Promise<{ bin: string; version: string } | undefined> {
  const require = createRequire(import.meta.url);
  let main: string;
  try {
    main = require.resolve('@sparticuz/chromium');
  } catch {
    return undefined;
  }
  const root = resolve(dirname(main), '..', '..');
  const { version } = require(join(root, 'package.json')) as { version: string };
  return { bin: join(root, 'bin'), version };
}

/**
 * The folder `name` with what `fill` puts into it, filled at the first call and found again later.
 *
 * Safe when several processes do it at once: each fills a folder of its own and renames it; the first one stays.
 */
export async function unpackOnce(
  name: string,
  fill: (folder: string) => Promise<void>,
  roots: readonly string[] = cacheRoots(),
): Promise<string> {
  const refusals: string[] = [];
  for (const root of roots) {
    const final = join(root, name);
    try {
      if (await isOwnFolder(final)) {
        return final;
      }
      await mkdir(root, { recursive: true, mode: 0o755 });
      if (!(await isOwnFolder(root))) {
        throw new Error(`${root} belongs to someone else`);
      }
    } catch (error) {
      refusals.push(String(error));
      continue;
    }
    let part: string;
    try {
      part = await mkdtemp(`${final}.part-`);
    } catch (error) {
      refusals.push(String(error));
      continue;
    }
    try {
      await fill(part);
      await chmod(part, 0o755);
      await rename(part, final);
    } catch (error) {
      await rm(part, { recursive: true, force: true });
      if (!(await isOwnFolder(final))) {
        throw error;
      }
    }
    return final;
  }
  throw new Error(`No folder to unpack ${name} into: ${refusals.join('; ')}`);
}

/** True for a folder that only this user and root could have filled: programs are run from it. */
async function isOwnFolder(path: string): Promise<boolean> {
  try {
    const found = await lstat(path);
    const uid = userInfo().uid; // -1 on Windows
    return (
      found.isDirectory() &&
      (uid === -1 || found.uid === uid || found.uid === 0 || path.startsWith(repository))
    );
  } catch (error) {
    if (isMissing(error)) {
      return false;
    }
    throw error;
  }
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT';
}

/** Unpacks a brotli-compressed tar archive: its files and folders, nothing outside `folder`. */
export async function unpackTar(archive: string, folder: string): Promise<void> {
  const entries = extract();
  const reading = pipeline(createReadStream(archive), createBrotliDecompress(), entries);
  const unpacking = (async () => {
    for await (const entry of entries) {
      const to = resolve(folder, entry.header.name);
      if (!to.startsWith(resolve(folder) + sep)) {
        throw new Error(`${archive} holds ${entry.header.name}, which is outside its folder`);
      }
      if (entry.header.type === 'directory') {
        await mkdir(to, { recursive: true });
        entry.resume();
      } else if (entry.header.type === 'file') {
        await mkdir(dirname(to), { recursive: true });
        await pipeline(entry, createWriteStream(to, { mode: entry.header.mode ?? 0o644 }));
      } else {
        throw new Error(`${archive} holds a ${entry.header.type}, which is not expected`);
      }
    }
  })();
  await Promise.all([reading, unpacking]);
}

/** Unpacks one brotli-compressed program. */
export async function unpackProgram(archive: string, to: string): Promise<void> {
  await pipeline(createReadStream(archive), createBrotliDecompress(), createWriteStream(to, { mode: 0o755 }));
}
