import { invalid } from '../errors.js';

/** Refuses what cannot divide logits: it must be above 0, and with its inverse a normal float32 number. */
export function checkScale(op: string, name: string, value: number): void {
  const normal = (x: number): boolean => x >= 2 ** -126 && Number.isFinite(Math.fround(x));
  if (typeof value === 'number' && normal(value) && normal(1 / value)) return;
  invalid(op, `${name} is ${String(value)}; use a number above 0, from 1.2e-38 to 8.5e37.`);
}
