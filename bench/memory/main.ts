// Prints the table of memory in README.md: `npm run bench:memory`.
import * as library from 'webgpu-loss';
import { markdownTable } from '../report/markdown.js';
import { MEMORY_HEAD, memoryRows } from './rows.js';

console.log(markdownTable(MEMORY_HEAD, await memoryRows(library)));
