// Softmax regression in a plain page, without a bundler: three clouds of points, told apart by three weights for each class.
//
//   npm run build && npx vite preview --outDir . --open examples/softmax-regression/
import { createContext, crossEntropy, softmax } from 'webgpu-loss';
import { multiply, multiplyTransposed } from '../matrices.js';
import { clouds } from '../points.js';

const [POINTS, FEATURES, CLASSES, RATE, STEPS] = [150, 3, 3, 0.5, 60];
const COLOURS = [[217, 95, 2], [27, 158, 119], [117, 112, 179]]; // biome-ignore format: one line
const { features: points, classes } = clouds(POINTS);

const backend = new URLSearchParams(location.search).get('backend') ?? 'auto';
const ctx = await createContext({ backend }); // by default hardware WebGPU if the browser has it, else the CPU
const weights = new Float32Array(FEATURES * CLASSES);
for (let step = 0; step <= STEPS; step++) {
  const logits = ctx.tensor(multiply(points, weights, POINTS, FEATURES, CLASSES), [POINTS, CLASSES]);
  const { loss, grad } = await crossEntropy(logits, classes, { grad: true });
  const [[nats], slope] = await Promise.all([loss.read(), grad.read()]);
  const gradient = multiplyTransposed(points, slope, POINTS, FEATURES, CLASSES);
  for (let i = 0; i < weights.length; i++) weights[i] -= RATE * gradient[i];
  for (const tensor of [logits, loss, grad]) tensor.destroy();
  if (step % 10 === 0) {
    await draw();
    document.querySelector('[role=status]').textContent =
      `Step ${step} of ${STEPS} on ${ctx.backend}: cross-entropy ${nats.toFixed(4)} nats`;
  }
}
ctx.destroy();

/** The probabilities of the classes over the plane, from -5 to 5, and the points. */
async function draw() {
  const context = document.querySelector('canvas').getContext('2d');
  const { width } = context.canvas;
  const CELLS = 50;
  const plane = Float32Array.from({ length: CELLS * CELLS * FEATURES }, (_, i) => {
    const [cell, feature] = [Math.floor(i / FEATURES), i % FEATURES];
    return [(cell % CELLS) / 5 - 4.9, 4.9 - Math.floor(cell / CELLS) / 5, 1][feature];
  });
  const logits = ctx.tensor(multiply(plane, weights, CELLS ** 2, FEATURES, CLASSES), [CELLS ** 2, CLASSES]);
  const result = await softmax(logits);
  const probs = await result.read();
  for (const tensor of [logits, result]) tensor.destroy();
  for (let cell = 0; cell < CELLS ** 2; cell++) {
    const own = [...probs.subarray(cell * CLASSES, (cell + 1) * CLASSES)];
    const best = own.indexOf(Math.max(...own));
    context.fillStyle = `color-mix(in srgb, rgb(${COLOURS[best]}) ${60 * own[best]}%, white)`;
    context.fillRect((cell % CELLS) * 8, Math.floor(cell / CELLS) * 8, 8, 8);
  }
  for (let row = 0; row < POINTS; row++) {
    context.beginPath();
    context.arc((points[row * 3] + 5) * (width / 10), (5 - points[row * 3 + 1]) * (width / 10), 4, 0, 7);
    context.fillStyle = `rgb(${COLOURS[classes[row]]})`;
    context.fill();
    context.strokeStyle = 'white';
    context.stroke();
  }
}
