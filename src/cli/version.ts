import { readFileSync } from 'node:fs';

/** The version of this package. */
export function packageVersion(): string {
  // As far from here in `dist` as in `src`.
  const manifest = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));
  return String(manifest.version);
}
