// Figures as tables show them.
import type { Quantiles } from '../measure/quantiles.js';

/** Three digits that count; nothing for what was not measured. */
export function digits(value: number | undefined): string {
  if (value === undefined) return '';
  return value >= 100 ? value.toFixed(0) : value.toPrecision(3);
}

/** Rows × classes, or rows × features × classes. */
export function shapeText(shape: readonly number[]): string {
  return shape.map((size) => size.toLocaleString('en')).join(' × ');
}

/** The middle half. */
export function spreadOf({ p25, p75 }: Quantiles): string {
  return `${digits(p25)} - ${digits(p75)}`;
}

/** The median with the middle half. */
export function withSpread(ratio: Quantiles | undefined): string {
  return ratio === undefined ? '' : `${digits(ratio.median)} (${spreadOf(ratio)})`;
}
