// The same as main.js, in a page: docs/train-a-classifier.md explains it.
//
//   npm run build && npm ci --prefix examples/digits/packages && npx vite preview --outDir . --open examples/digits/
//
// ?epochs=10&backend=auto (or webgpu, cpu)
import { createContext } from 'webgpu-loss';
import { seededRandom } from '../common/random.js';
import { loadDigits, take } from './data.js';
import { newNetwork } from './network.js';
import { epoch, test } from './train.js';

const options = new URLSearchParams(location.search);
const epochs = Number(options.get('epochs') ?? 10);
const status = document.querySelector('[role=status]');

const digits = await loadDigits(async (file) => (await fetch(file)).json()).catch((error) => {
  status.textContent = error.message;
  throw error;
});
const ctx = await createContext({ backend: options.get('backend') ?? 'auto' });
const random = seededRandom(5);
const network = newNetwork(random);
await show('Before:');
for (let i = 1; i <= epochs; i++) {
  status.textContent = `Epoch ${i} of ${epochs} on ${ctx.backend}`;
  const nats = await epoch(ctx, network, digits.train, random);
  await show(`Epoch ${i}: cross-entropy ${nats.toFixed(3)};`);
}
status.textContent = `Done after ${epochs} epochs on ${ctx.backend}`;
ctx.destroy();

/** A line about the held-out digits, and the first of them with the network's answers, wrong ones in a frame. */
async function show(when) {
  const { crossEntropy, accuracy, best } = await test(ctx, network, digits.test);
  const line = document.createElement('li');
  line.textContent = `${when} held out ${crossEntropy.toFixed(3)} nats, ${(100 * accuracy).toFixed(1)}% right`;
  document.querySelector('ul').append(line);

  const context = document.querySelector('canvas').getContext('2d');
  context.fillStyle = 'white';
  context.fillRect(0, 0, 640, 360);
  context.font = '20px system-ui, sans-serif';
  for (let i = 0; i < 96; i++) {
    const [x, y] = [(i % 16) * 40 + 6, Math.floor(i / 16) * 60 + 4];
    const { images, labels } = take(digits.test, [i]);
    const grey = Array.from(images, (ink) => 255 * (1 - ink));
    const pixels = Uint8ClampedArray.from(grey.flatMap((shade) => [shade, shade, shade, 255]));
    context.putImageData(new ImageData(pixels, 28, 28), x, y);
    const right = best[i] === labels[0];
    context.fillStyle = right ? '#1b7a3d' : '#c0141c';
    context.fillText(String(best[i]), x + 8, y + 48);
    context.strokeStyle = context.fillStyle;
    if (!right) context.strokeRect(x - 4, y - 2, 36, 56);
  }
}
