// `import text from './kernel.wgsl?raw'` and `import hex from './code.wat?hex'` in Node, as Vite has them: node --import ./scripts/raw.js …
import { readFile } from 'node:fs/promises';
import { register } from 'node:module';
import { fileURLToPath } from 'node:url';
import { isMainThread } from 'node:worker_threads';
import { assembled, HEX } from './assemble.js';

// Node runs the hooks in a thread of their own, from the same file.
if (isMainThread) register(import.meta.url);

const QUERY = '?raw';

export async function load(url, context, next) {
  if (url.endsWith(HEX)) {
    return { format: 'module', shortCircuit: true, source: await assembled(fileURLToPath(url)) };
  }
  if (!url.endsWith(QUERY)) return next(url, context);
  const text = await readFile(new URL(url.slice(0, -QUERY.length)), 'utf8');
  return { format: 'module', shortCircuit: true, source: `export default ${JSON.stringify(text)};` };
}
