// How text of WebAssembly gets into modules; that Vite's way works is shown by every target, of which `chromium` takes another build.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, test } from 'vitest';
import { assembled } from '../../scripts/assemble.js';

const root = fileURLToPath(new URL('../..', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'webgpu-loss-wat-'));
afterAll(() => rmSync(folder, { recursive: true }));

function file(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

test('the bytes are those of the module, in hexadecimal digits', async () => {
  const source = await assembled(file('empty.wat', '(module)'));
  expect(source).toBe("export default '0061736d01000000';");
});

test('a mistake is told with its line', async () => {
  const unknown = file('unknown.wat', '(module\n  (func (call $nowhere)))');
  await expect(assembled(unknown)).rejects.toThrow(/unknown\.wat:2:.*nowhere/);
  const untyped = file('untyped.wat', '(module\n\n  (func (result i32) (f32.const 1)))');
  await expect(assembled(untyped)).rejects.toThrow(/untyped\.wat:3:.*type mismatch/);
});

test('Node runs the sources with it', () => {
  const code = `
    import { createContext } from './src/index.ts';
    console.log((await createContext({ backend: 'cpu' })).info.description);`;
  const line = ['--import', 'tsx', '--import', './scripts/raw.js', '--input-type=module', '--eval', code];
  expect(execFileSync(process.execPath, line, { cwd: root, encoding: 'utf8' })).toBe('CPU (WebAssembly)\n');
});
