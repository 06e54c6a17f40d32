// Runs in the page: the conformance checks on the browser's own WebGPU, called one by one from outside.
import { createContext } from '../../../src/index.js';
import { parseGolden } from '../../support/golden.js';
import { runChecks } from '../run.js';
import type { Target } from '../target.js';

declare global {
  interface Window {
    conformance: Promise<Target>;
  }
}

async function start(): Promise<Target> {
  const [manifest, data] = await Promise.all([fetch('./manifest.json'), fetch('./data.bin')]);
  return runChecks({
    target: 'chromium',
    golden: parseGolden(await manifest.text(), { 'data.bin': await data.arrayBuffer() }),
    createContext: (options) => createContext({ backend: 'webgpu', ...options }),
  });
}

window.conformance = start();
