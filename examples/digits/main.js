// Learns to read handwritten digits, and is tested on 2,000 that it has not seen. docs/train-a-classifier.md explains it.
//
//   npm run build && npm ci --prefix examples/digits/packages && node examples/digits/main.js
//
// Options: --epochs 10, --backend auto (or webgpu, cpu).
import { readFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { createContext } from 'webgpu-loss';
import { gpu } from 'webgpu-loss/node';
import { seededRandom } from '../common/random.js';
import { loadDigits } from './data.js';
import { newNetwork } from './network.js';
import { epoch, test } from './train.js';

const { values } = parseArgs({
  options: { epochs: { type: 'string', default: '10' }, backend: { type: 'string', default: 'auto' } },
});
const epochs = Number(values.epochs);
if (!(epochs >= 0)) throw new RangeError(`--epochs is ${values.epochs}; use a number from 0`);
const digits = await loadDigits(async (file) => JSON.parse(await readFile(file, 'utf8')));
console.log(`${digits.train.labels.length} digits to learn from, ${digits.test.labels.length} held out`);

const ctx = await createContext({ backend: values.backend, gpu: gpu() });
const random = seededRandom(5);
const network = newNetwork(random);
console.log(`before: ${await heldOut()}`);
for (let i = 1; i <= epochs; i++) {
  const nats = await epoch(ctx, network, digits.train, random);
  console.log(`epoch ${i}: cross-entropy ${nats.toFixed(3)}; ${await heldOut()}`);
}
ctx.destroy();

async function heldOut() {
  const { crossEntropy, accuracy } = await test(ctx, network, digits.test);
  return `held out ${crossEntropy.toFixed(3)} nats, ${(100 * accuracy).toFixed(1)}% right`;
}
