// Numbers as the reports of the examples have them.

export function thousands(value: number): string {
  return value.toLocaleString('en-US');
}

/** A share of 1. */
export function percent(share: number): string {
  return `${(100 * share).toFixed(share < 0.01 ? 2 : 1)}%`;
}

export function seconds(milliseconds: number): string {
  return (milliseconds / 1000).toFixed(1);
}

/** Nats as bits. */
export function bits(nats: number): string {
  return (nats / Math.LN2).toFixed(4);
}

/** Named lines, indented, their texts below each other. */
export function aligned(lines: readonly (readonly [name: string, text: string])[]): string {
  const width = Math.max(...lines.map(([name]) => name.length));
  return lines.map(([name, text]) => `  ${name.padEnd(width)}   ${text}`).join('\n');
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

const UNITS = ['bytes', 'KiB', 'MiB', 'GiB', 'TiB'] as const;

/** A number of bytes in the largest unit of which there is one. */
export function byteSize(value: number): string {
  const power = Math.min(UNITS.length - 1, Math.max(0, Math.floor(Math.log2(value) / 10)));
  return `${Number((value / 1024 ** power).toPrecision(4))} ${UNITS[power]}`;
}
