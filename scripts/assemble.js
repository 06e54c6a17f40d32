// The text format of WebAssembly, as modules import it: `import hex from './code.wat?hex'` gives the assembled bytes in hexadecimal digits,
// which compress as well as the bytes do. JavaScript, since Node's hooks run it as it is.
import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import openWabt from 'wabt';

export const HEX = '.wat?hex';

/** The source of the module that a file of WebAssembly text stands for. Throws with line and column where the text is wrong. */
export async function assembled(file) {
  const wabt = await openWabt();
  const parsed = wabt.parseWat(basename(file), readFileSync(file, 'utf8'), { simd: true });
  try {
    parsed.validate();
    return `export default '${Buffer.from(parsed.toBinary({}).buffer).toString('hex')}';`;
  } finally {
    parsed.destroy();
  }
}
