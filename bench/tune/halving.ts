/** Never fewer than these go on to the next stage. */
const LEAST = 4;
/** What takes so many times as long as the best is hopeless, after one look. */
const HOPELESS = 3;

/**
 * Successive halving: all are looked at briefly, the better half twice as long, and so on until few are left.
 *
 * @param score lower is better, for each of those that are left; called with how long to look, in units of the first stage
 */
export async function successiveHalving<T>(
  all: readonly T[],
  score: (left: readonly T[], effort: number) => Promise<readonly number[]>,
): Promise<readonly T[]> {
  let left = all;
  for (let effort = 1; left.length > LEAST; effort *= 2) {
    const scores = await score(left, effort);
    const ranked = left
      .map((item, k) => ({ item, score: scores[k] as number }))
      .sort((a, b) => a.score - b.score);
    const limit = HOPELESS * (ranked[0]?.score as number);
    const kept = ranked.slice(0, Math.max(LEAST, Math.ceil(left.length / 2)));
    left = kept.filter((each) => each.score <= limit).map(({ item }) => item);
  }
  return left;
}
