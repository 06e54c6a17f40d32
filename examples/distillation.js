// Distillation: a student learns what a teacher thinks of every class, not only which one is right, by minimising the divergence of
// its distribution from the teacher's, both softened by a temperature.
//
//   npm run build && node examples/distillation.js
//
// The teacher also looks at products of two features. The student cannot: it has one weight for each feature and class.
import { createContext, klDivergence } from 'webgpu-loss';
import { gpu } from 'webgpu-loss/node';
import { normals, seededRandom } from './common/random.js';
import { multiply, multiplyTransposed } from './matrices.js';

const [ROWS, FEATURES, CLASSES] = [256, 16, 10];
const [STEPS, RATE, TEMPERATURE] = [100, 0.5, 2];
const random = seededRandom(3);
const ctx = await createContext({ gpu: gpu() }); // hardware WebGPU if there is any, else the CPU

const features = normals(random, ROWS * FEATURES);
const products = features.map((x, i) => x * features[i ^ 1]); // of neighbours
const ofFeatures = multiply(features, normals(random, FEATURES * CLASSES), ROWS, FEATURES, CLASSES);
const ofProducts = multiply(products, normals(random, FEATURES * CLASSES), ROWS, FEATURES, CLASSES);
const known = ofFeatures.map((x, i) => x + 0.3 * ofProducts[i]);
const teacher = ctx.tensor(known, [ROWS, CLASSES]);

const weights = new Float32Array(FEATURES * CLASSES); // the student: at first, every class is equally likely
for (let step = 0; step <= STEPS; step++) {
  const logits = multiply(features, weights, ROWS, FEATURES, CLASSES);
  const student = ctx.tensor(logits, [ROWS, CLASSES]);
  const { divergence, grad, gradTarget } = await klDivergence(student, teacher, {
    target: 'logits',
    temperature: TEMPERATURE,
    scaleByTemperatureSquared: true, // so that the size of the gradient does not depend on the temperature
    grad: true,
  });
  if (step % 25 === 0) {
    const [nats] = await divergence.read();
    const same = bestClasses(logits).filter((best, row) => best === bestClasses(known)[row]).length;
    console.log(
      `step ${step}: divergence ${nats.toFixed(2)} nats, the same class in ${same} of ${ROWS} rows`,
    );
  }
  const slope = multiplyTransposed(features, await grad.read(), ROWS, FEATURES, CLASSES);
  for (let i = 0; i < weights.length; i++) weights[i] -= RATE * slope[i];
  for (const tensor of [student, divergence, grad, gradTarget]) tensor.destroy();
}
ctx.destroy();

/** The class with the largest logit of each row. */
function bestClasses(logits) {
  return Array.from({ length: ROWS }, (_, row) => {
    const own = logits.subarray(row * CLASSES, (row + 1) * CLASSES);
    return own.indexOf(Math.max(...own));
  });
}
