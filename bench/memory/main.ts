// Prints the table of memory in README.md: `npm run bench:memory`.
import * as library from 'webgpu-loss';
import { MEMORY_HEAD, memoryRows } from './rows.js';

for (const cells of [MEMORY_HEAD, MEMORY_HEAD.map(() => '---'), ...(await memoryRows(library))]) {
  console.log(`| ${cells.join(' | ')} |`);
}
