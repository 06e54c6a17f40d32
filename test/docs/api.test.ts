// The API reference in docs/api is what the docstrings give, of every entry point.
import { execFile } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, describe, expect, test } from 'vitest';
import packages from '../../scripts/docs/package.json' with { type: 'json' };
import * as cpu from '../../src/cpu.js';
import * as library from '../../src/index.js';
import { needPackages } from '../support/packages.js';
import { readMarkdown, root } from './markdown.js';

const out = mkdtempSync(join(tmpdir(), 'webgpu-loss-docs-'));
afterAll(() => rmSync(out, { recursive: true }));

const filesOf = (folder: string) =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.md'))
    .sort();

describe('npm run docs', () => {
  needPackages(join(root, 'scripts/docs/'), packages, 'TypeDoc (50 MB)');

  // It fails where a docstring is missing or links to nothing. Where this does: run it, and commit what it writes.
  test('writes what is in docs/api', async () => {
    const command = ['--import', 'tsx', 'scripts/docs/main.ts', '--out', out];
    await promisify(execFile)(process.execPath, command, { cwd: root });
    expect(filesOf(out)).toEqual(filesOf(join(root, 'docs/api')));
    for (const file of filesOf(out)) {
      expect(readFileSync(join(root, 'docs/api', file), 'utf8'), file).toBe(
        readFileSync(join(out, file), 'utf8'),
      );
    }
  });
});

test('every entry point has its page, under its name', () => {
  const { exports } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const entries = Object.keys(exports).filter((entry) => entry !== './package.json');
  for (const entry of entries.map((each) => each.replace('.', 'webgpu-loss'))) {
    expect(readMarkdown(`docs/api/${entry}.md`).headings[0]).toBe(entry);
  }
});

test('every function that is exported has its section', () => {
  for (const [page, exported] of Object.entries({ 'webgpu-loss': library, 'webgpu-loss/cpu': cpu })) {
    const { headings } = readMarkdown(`docs/api/${page}.md`);
    for (const [name, value] of Object.entries(exported)) {
      const isClass = typeof value === 'function' && value.prototype instanceof Error;
      expect(headings).toContain(isClass ? name : `${name}()`);
    }
  }
});
