// Training and testing of a classifier: the same code in Node (main.js) and in a page (page.js).
import { crossEntropy, logitStats } from 'webgpu-loss';
import { CLASSES, shuffle, take } from './data.js';
import { backward, forward } from './network.js';

const BATCH = 50;
const RATE = 0.3;

/** One step of gradient descent on a batch; gives its mean cross-entropy, in nats. */
export async function step(ctx, network, { images, labels }) {
  const { hidden, logits } = forward(network, images);
  const x = ctx.tensor(logits, [labels.length, CLASSES]);
  const { loss, grad } = await crossEntropy(x, labels, { grad: true });
  const [[nats], gradLogits] = await Promise.all([loss.read(), grad.read()]);
  for (const tensor of [x, loss, grad]) tensor.destroy();

  const gradients = backward(network, images, hidden, gradLogits);
  for (const [name, gradient] of Object.entries(gradients)) {
    for (let i = 0; i < gradient.length; i++) network[name][i] -= RATE * gradient[i];
  }
  return nats;
}

/** One look at every digit, in an order of its own; gives the mean of the batches' cross-entropies. */
export async function epoch(ctx, network, digits, random) {
  const order = Array.from(digits.labels.keys());
  shuffle(order, random);
  let sum = 0;
  let steps = 0;
  for (let at = 0; at < order.length; at += BATCH, steps++) {
    sum += await step(ctx, network, take(digits, order.slice(at, at + BATCH)));
  }
  return sum / steps;
}

/** How good the network is on digits: their mean cross-entropy, the class it finds likeliest for each, and the share that is right. */
export async function test(ctx, network, { images, labels }) {
  const logits = ctx.tensor(forward(network, images).logits, [labels.length, CLASSES]);
  const stats = await logitStats(logits, labels);
  const [logProbs, best] = await Promise.all([stats.targetLogProb.read(), stats.argmax.read()]);
  for (const tensor of [logits, ...Object.values(stats)]) tensor.destroy();
  return {
    crossEntropy: -logProbs.reduce((sum, each) => sum + each, 0) / labels.length,
    accuracy: best.filter((digit, row) => digit === labels[row]).length / labels.length,
    best,
  };
}
