import { readFileSync } from 'node:fs';
import { type Golden, parseGolden } from './golden.js';

const FOLDER = new URL('../golden/', import.meta.url);

/** The golden data of test/golden, in Node. */
export function loadGolden(): Golden {
  const bytes = readFileSync(new URL('data.bin', FOLDER));
  // A copy: a Node buffer may start at an odd place in its pool, where a Float64Array cannot.
  return parseGolden(readFileSync(new URL('manifest.json', FOLDER), 'utf8'), {
    'data.bin': new Uint8Array(bytes).buffer,
  });
}
