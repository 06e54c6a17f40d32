const SPREAD = Math.sqrt(3);

/** About normal, none beyond ±3.5. The same everywhere: sums and products alone. */
export function normal(next: () => number): number {
  return (next() + next() + next() + next() - 2) * SPREAD;
}
