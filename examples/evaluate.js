// Evaluates a model: loss, perplexity, accuracy and top-5 accuracy from one read of the logits, batch by batch.
//
//   npm run build && node examples/evaluate.js
//
// The targets are drawn from the model's own distribution. So it is as uncertain as it should be: the cross-entropy comes out
// near the mean entropy, which is its expected value.
import { createContext, logitStats } from 'webgpu-loss';
import { gpu } from 'webgpu-loss/node';
import { normals, seededRandom } from './common/random.js';

const [BATCHES, ROWS, CLASSES] = [8, 256, 1000];
const random = seededRandom(7);
const ctx = await createContext({ gpu: gpu() }); // hardware WebGPU if there is any, else the CPU

const sums = { loss: 0, entropy: 0, first: 0, five: 0 };
for (let batch = 0; batch < BATCHES; batch++) {
  const { logits, targets } = nextBatch();
  const tensor = ctx.tensor(logits, [ROWS, CLASSES]);
  const stats = await logitStats(tensor, targets);
  const [logProbs, ranks, entropies] = await Promise.all(
    [stats.targetLogProb, stats.targetRank, stats.entropy].map((result) => result.read()),
  );
  for (let row = 0; row < ROWS; row++) {
    sums.loss -= logProbs[row];
    sums.entropy += entropies[row];
    sums.first += ranks[row] === 0 ? 1 : 0; // no class has a larger logit
    sums.five += ranks[row] < 5 ? 1 : 0;
  }
  for (const each of [tensor, ...Object.values(stats)]) each.destroy();
}
ctx.destroy();

const mean = (sum) => sum / (BATCHES * ROWS);
console.log(`rows            ${BATCHES * ROWS} of ${CLASSES} classes`);
console.log(`cross-entropy   ${mean(sums.loss).toFixed(3)} nats`);
console.log(`mean entropy    ${mean(sums.entropy).toFixed(3)} nats`);
console.log(`perplexity      ${Math.exp(mean(sums.loss)).toFixed(1)}`);
console.log(`accuracy        ${(100 * mean(sums.first)).toFixed(1)}%`);
console.log(`top-5 accuracy  ${(100 * mean(sums.five)).toFixed(1)}%`);

/**
 * Logits as a model would give them, and a class for each row, drawn from their softmax: the largest of the logits with Gumbel noise
 * added is such a draw.
 */
function nextBatch() {
  const logits = normals(random, ROWS * CLASSES).map((x) => 3 * x);
  const noisy = logits.map((x) => x - Math.log(-Math.log(random())));
  const targets = Int32Array.from({ length: ROWS }, (_, row) => {
    const own = noisy.subarray(row * CLASSES, (row + 1) * CLASSES);
    return own.indexOf(Math.max(...own));
  });
  return { logits, targets };
}
