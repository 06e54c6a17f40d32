// In Node, Deno and Bun: BACKEND WHERE, with WHERE `navigator` or, for the package webgpu, `node`.
import { gpu } from 'webgpu-loss/node';
import { losses } from './losses.js';

const [backend, where] = process.argv.slice(2);
console.log(JSON.stringify(await losses({ backend, ...(where === 'node' ? { gpu: gpu() } : {}) })));
