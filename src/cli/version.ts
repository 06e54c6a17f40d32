import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The version of this package. */
export function packageVersion(): string {
  // As far from here in `dist` as in `src`; Vite would put the file in place of a `new URL(…, import.meta.url)`.
  const manifest = join(dirname(fileURLToPath(import.meta.url)), '../../package.json');
  return String(JSON.parse(readFileSync(manifest, 'utf8')).version);
}
