// Numbers drawn with a seed, so that an example prints the same each time. JavaScript, since some examples run as they are.

/** A source of numbers in [0, 1), the same for the same seed everywhere (mulberry32, public domain, by T. Ettinger). */
export function seededRandom(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** `count` numbers of mean 0 and variance 1, near enough to a normal distribution: sums of twelve. */
export function normals(random, count) {
  return Float32Array.from({ length: count }, () => {
    let sum = -6;
    for (let i = 0; i < 12; i++) sum += random();
    return sum;
  });
}
