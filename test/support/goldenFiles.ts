import { readFileSync } from 'node:fs';
import { type Golden, parseGolden } from './golden.js';

const FOLDER = new URL('../golden/', import.meta.url);

/** The golden data of test/golden, in Node; or of a copy of that folder, with a slash at its end. */
export function loadGolden(folder: URL = FOLDER): Golden {
  const bytes = readFileSync(new URL('data.bin', folder));
  // A copy: a Node buffer may start at an odd place in its pool, where a Float64Array cannot.
  return parseGolden(readFileSync(new URL('manifest.json', folder), 'utf8'), {
    'data.bin': new Uint8Array(bytes).buffer,
  });
}
