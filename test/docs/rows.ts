// Rows of numbers as the documents print them, and options as they write them.
import { TargetOutOfRangeError, type Tensor } from '../../src/index.js';

/** `0, -Inf, NaN` as an array. */
export function numbers(list: string): Float32Array<ArrayBuffer> {
  return Float32Array.from(list.split(', '), (text) => Number(text.replace('Inf', 'Infinity')));
}

/** What reading the tensor gives, as a document prints it. */
export async function format(tensor: Tensor): Promise<string> {
  try {
    return formatNumbers(await tensor.read());
  } catch (error) {
    if (error instanceof TargetOutOfRangeError) return 'rejects';
    throw error;
  }
}

export function formatNumbers(values: Iterable<number>): string {
  return Array.from(values, formatNumber).join(', ');
}

function formatNumber(value: number): string {
  if (Number.isNaN(value)) return 'NaN';
  if (!Number.isFinite(value)) return value > 0 ? '+Inf' : '-Inf';
  // Four digits; a gradient of -0 is 0, and one below 2^-125 may be.
  return String(Math.abs(value) < 2 ** -125 ? 0 : Number(value.toPrecision(4)));
}

/** The options that a cell has in backticks: `{ grad: true, reduction: 'none' }`. */
export function optionsIn(cell: string): Record<string, unknown> {
  const [text = ''] = /\{.*\}/.exec(cell) ?? [];
  return JSON.parse(text.replaceAll(/(\w+):/g, '"$1":').replaceAll("'", '"'));
}
