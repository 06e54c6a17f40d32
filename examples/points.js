// Points in a plane, in three clouds: what the examples of softmax regression tell apart.
import { normals, seededRandom } from './common/random.js';

/** The middles of the clouds, x and y of each. */
const CENTRES = [-2, -1, 2, -1, 0, 2];

/**
 * `count` points, each with three features, x, y and 1 (whose weight is a class's bias), and their classes.
 *
 * `features` has the shape [count, 3], `classes` [count].
 */
export function clouds(count) {
  const classes = Int32Array.from({ length: count }, (_, row) => row % 3);
  const noise = normals(seededRandom(11), count * 3);
  const features = noise.map((x, i) =>
    i % 3 === 2 ? 1 : x + CENTRES[2 * classes[Math.floor(i / 3)] + (i % 3)],
  );
  return { features, classes };
}
