// For Vite: the shaders of the library, shortened where they are imported as text.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Plugin } from 'vite';
import { wgslShortener } from './shortenWgsl.js';

const shaders = fileURLToPath(new URL('../shaders', import.meta.url));

/** Makes `import text from '….wgsl?raw'` give the short form of a shader; see `wgslShortener`. */
export function shortWgsl(): Plugin {
  const files = readdirSync(shaders, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.wgsl'))
    .map((file) => join(shaders, file));
  const shorten = wgslShortener(files.map((file) => readFileSync(file, 'utf8')));
  return {
    name: 'short-wgsl',
    enforce: 'pre',
    load(id) {
      const [file = '', query] = id.split('?');
      if (query !== 'raw' || !files.includes(file)) return undefined;
      return `export default ${JSON.stringify(shorten(readFileSync(file, 'utf8')))};`;
    },
  };
}
