// How large the package is in an app: `.size-limit.js` has what is measured and the limits, the README the same in a table.
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { readMarkdown, root, tablesOf } from './markdown.js';

interface Measured {
  readonly name: string;
  readonly passed: boolean;
  /** Bytes. */
  readonly size: number;
  readonly sizeLimit: number;
}

const tool = join(root, 'node_modules/size-limit/bin.js');

/** Sizes in bytes. Above a limit the tool fails, and tells as much. */
async function measure(): Promise<readonly Measured[]> {
  if (!existsSync(join(root, 'dist/index.js'))) throw new Error('there is no build: run `npm run build`');
  const { stdout } = await promisify(execFile)(process.execPath, [tool, '--json'], { cwd: root }).catch(
    (error: { readonly stdout: string }) => error,
  );
  return JSON.parse(stdout) as Measured[];
}

const measured = await measure();

describe('the size of', () => {
  for (const { name, size, sizeLimit } of measured) {
    test(`${name} is within its limit, and not far below it`, () => {
      expect(size).toBeLessThanOrEqual(sizeLimit);
      expect(size).toBeGreaterThan(0.9 * sizeLimit);
    });
  }
});

test('the README states the limits', () => {
  const stated = tablesOf(readMarkdown('README.md'), 'sizes').flatMap(({ rows }) =>
    rows.map(([name, limit]) => [name, limit]),
  );
  expect(stated).toEqual(measured.map(({ name, sizeLimit }) => [name, `${sizeLimit / 1000} kB`]));
});
