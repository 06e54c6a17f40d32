// For Vite: WebAssembly of the library, assembled where its text is imported.
import type { Plugin } from 'vite';
import { assembled, HEX } from './assemble.js';

/** Makes `import hex from '….wat?hex'` give the bytes in hexadecimal digits. */
export function wat(): Plugin {
  return {
    name: 'wat',
    enforce: 'pre',
    // An id is a path that still has its query; Node's loader has a URL, which takes it off by itself.
    load: (id) => (id.endsWith(HEX) ? assembled(id.slice(0, -'?hex'.length)) : undefined),
  };
}
