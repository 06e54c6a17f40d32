import { execFile } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { brotliCompressSync } from 'node:zlib';
import { pack } from 'tar-stream';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { unpackOnce, unpackProgram, unpackTar } from '../../scripts/unpack.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'webgpu-loss-test-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const fill = async (to: string) => writeFileSync(join(to, 'file'), 'content');

describe('unpackOnce', () => {
  test('fills the folder once', async () => {
    let fills = 0;
    const count = async (to: string) => {
      fills++;
      await fill(to);
    };
    const first = await unpackOnce('thing', count, [join(folder, 'a')]);
    expect(await unpackOnce('thing', count, [join(folder, 'a')])).toBe(first);
    expect(fills).toBe(1);
    expect(readFileSync(join(first, 'file'), 'utf8')).toBe('content');
    expect(statSync(first).mode & 0o777, 'other users may use it').toBe(0o755);
  });

  test('takes the next place where the first cannot be written', async () => {
    writeFileSync(join(folder, 'in the way'), '');
    const roots = [join(folder, 'in the way', 'cache'), join(folder, 'b')];
    expect(await unpackOnce('thing', fill, roots)).toBe(join(folder, 'b', 'thing'));
  });

  test.runIf(process.getuid?.() === 0)('does not trust a folder that another user made', async () => {
    mkdirSync(join(folder, 'theirs', 'thing'), { recursive: true });
    chownSync(join(folder, 'theirs'), 12_345, 12_345);
    chownSync(join(folder, 'theirs', 'thing'), 12_345, 12_345);
    const roots = [join(folder, 'theirs'), join(folder, 'ours')];
    expect(await unpackOnce('thing', fill, roots)).toBe(join(folder, 'ours', 'thing'));
  });

  test('says why no place will do', async () => {
    writeFileSync(join(folder, 'in the way'), '');
    await expect(unpackOnce('thing', fill, [join(folder, 'in the way')])).rejects.toThrow(
      /thing.*in the way/,
    );
  });

  test('leaves nothing behind when filling fails, so that the next call starts afresh', async () => {
    const failing = async (to: string) => {
      await fill(to);
      throw new Error('disk full');
    };
    await expect(unpackOnce('thing', failing, [folder])).rejects.toThrow('disk full');
    expect(readdirSync(folder)).toEqual([]);
    expect(existsSync(join(await unpackOnce('thing', fill, [folder]), 'file'))).toBe(true);
  });

  test('several processes at once end with one whole folder', async () => {
    const module = fileURLToPath(new URL('../../scripts/unpack.ts', import.meta.url));
    const script = join(folder, 'script.mts');
    const root = join(folder, 'root');
    // Every one of them is still filling when the others start.
    writeFileSync(
      script,
      `import { unpackOnce } from ${JSON.stringify(module)};
       import { writeFileSync } from 'node:fs';
       import { setTimeout } from 'node:timers/promises';
       const path = await unpackOnce('thing', async (to) => {
         writeFileSync(to + '/first', process.pid.toString());
         await setTimeout(1500);
         writeFileSync(to + '/last', process.pid.toString());
       }, [${JSON.stringify(root)}]);
       console.log(path);`,
    );
    const repository = fileURLToPath(new URL('../..', import.meta.url));
    const runs = await Promise.all(
      [1, 2, 3].map(() =>
        promisify(execFile)(process.execPath, ['--import', 'tsx', script], { cwd: repository }),
      ),
    );
    expect(runs.map(({ stdout }) => stdout.trim())).toEqual(Array(3).fill(join(root, 'thing')));
    expect(readdirSync(root)).toEqual(['thing']);
    const [first, last] = ['first', 'last'].map((name) => readFileSync(join(root, 'thing', name), 'utf8'));
    expect(first).toBe(last);
  });
});

describe('unpackTar', () => {
  async function archive(
    ...entries: [Parameters<ReturnType<typeof pack>['entry']>[0], string?][]
  ): Promise<string> {
    const packed = pack();
    for (const [header, content = ''] of entries) {
      packed.entry(header, content);
    }
    packed.finalize();
    const path = join(folder, 'archive.tar.br');
    writeFileSync(path, brotliCompressSync(await buffer(packed)));
    return path;
  }

  test('restores folders, files and the right to run them', async () => {
    const path = await archive(
      [{ name: 'lib/', type: 'directory' }],
      [{ name: 'lib/program', mode: 0o755 }, 'run me'],
      [{ name: 'deep/er/text', mode: 0o644 }, 'read me'],
    );
    const to = join(folder, 'to');
    await unpackTar(path, to);
    expect(readFileSync(join(to, 'lib/program'), 'utf8')).toBe('run me');
    expect(statSync(join(to, 'lib/program')).mode & 0o100).toBe(0o100);
    expect(readFileSync(join(to, 'deep/er/text'), 'utf8')).toBe('read me');
    expect(statSync(join(to, 'deep/er/text')).mode & 0o111).toBe(0);
  });

  test.each(['../outside', 'a/../../outside'])('refuses %s', async (name) => {
    const path = await archive([{ name }, 'x']);
    await expect(unpackTar(path, join(folder, 'to'))).rejects.toThrow('outside its folder');
    expect(existsSync(join(folder, 'outside'))).toBe(false);
  });

  test('refuses a link', async () => {
    const path = await archive([{ name: 'link', type: 'symlink', linkname: '/' }]);
    await expect(unpackTar(path, join(folder, 'to'))).rejects.toThrow('symlink');
  });

  test('rejects a damaged archive', async () => {
    const path = await archive([{ name: 'file' }, 'x'.repeat(10_000)]);
    writeFileSync(path, readFileSync(path).subarray(0, 40));
    await expect(unpackTar(path, join(folder, 'to'))).rejects.toThrow();
  });
});

test('unpackProgram makes a program that runs', async () => {
  const packed = join(folder, 'program.br');
  writeFileSync(packed, brotliCompressSync('#!/bin/sh\necho it runs\n'));
  chmodSync(packed, 0o644);
  await unpackProgram(packed, join(folder, 'program'));
  const { stdout } = await promisify(execFile)(join(folder, 'program'));
  expect(stdout).toBe('it runs\n');
});
