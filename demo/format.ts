// Numbers as people read them.

/** Nats and bits, four digits after the point: `1.0297 nats (1.4855 bits)`. */
export function nats(value: number): string {
  if (value === Number.POSITIVE_INFINITY) return 'infinite';
  return `${fixed(value)} nats (${fixed(value / Math.LN2)} bits)`;
}

/** Four digits after the point, with a minus sign and never −0. */
export function fixed(value: number): string {
  const text = value.toFixed(4);
  return Number(text) === 0 ? '0.0000' : text.replace('-', '−');
}

/** Three significant digits: `0.0123`, `4.56`, `1,230`. */
export function digits(value: number): string {
  if (value >= 1000) return count(Number(value.toPrecision(3)));
  return value >= 1e-3 || value === 0 ? String(Number(value.toPrecision(3))) : value.toExponential(2);
}

/** A whole number with its thousands apart. */
export function count(value: number): string {
  return value.toLocaleString('en');
}

export { byteSize as bytes } from '../examples/common/format.js';
