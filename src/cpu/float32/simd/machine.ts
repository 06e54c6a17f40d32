// The work on rows in WebAssembly, four classes at a time: rows.wat. Blocks are copied into its memory and back.
import { PlainBlock, plain, scaleRow, workThrough } from '../plain.js';
import { MOST_ROWS, type RowMachine } from '../rows.js';
import hex from './rows.wat?hex';

interface Exports {
  readonly memory: WebAssembly.Memory;
  measure(row: number, rows: number, classes: number, scale: number, facts: number, keep: number): void;
  scale(row: number, rows: number, classes: number, facts: number): void;
  shift(row: number, rows: number, classes: number, scale: number, facts: number): void;
}

/** Where the rows begin in memory, behind the facts: a multiple of 16. */
const ROWS_AT = 16 * MOST_ROWS;
/** Bytes that must be there behind the last row. */
const MARGIN = 16;
const PAGE = 65536;
/** Memory grows to hold a row, and never shrinks: rows of more than 64 MiB are left to JavaScript. */
const MOST_CLASSES = 2 ** 24;

/** Within these, the reciprocal of a temperature is a good float32. */
const inReach = (temperature: number): boolean => temperature >= 2 ** -64 && temperature <= 2 ** 64;

/** Rows in the memory of WebAssembly. What is out of the reach of float32 arithmetic is computed there by JavaScript. */
class SimdBlock extends PlainBlock {
  private readonly code: Exports;

  constructor(code: Exports, classes: number) {
    const { buffer } = code.memory;
    const rows = new Float32Array(buffer, ROWS_AT);
    super(rows, rows, classes, new Float64Array(buffer, 0, 2 * MOST_ROWS));
    this.code = code;
  }

  override softmax(temperature: number): void {
    const { facts } = this;
    this.measure(temperature, true);
    for (let k = 0; k < 2 * this.rows; k += 2) facts[k] = 1 / (1 + (facts[k + 1] as number));
    this.scale();
  }

  override measure(temperature: number, keep: boolean): void {
    if (!inReach(temperature)) super.measure(temperature, keep);
    else this.code.measure(ROWS_AT, this.rows, this.classes, 1 / temperature, 0, Number(keep));
  }

  override scale(): void {
    const { rows, classes, facts, out } = this;
    for (let k = 0; k < rows; k++) {
      const factor = Math.abs(facts[2 * k] as number);
      if (!(factor > 2 ** 126 && factor < Number.POSITIVE_INFINITY)) continue;
      // That row alone: its neighbours have the bits that they have in other company.
      scaleRow(out, k * classes, (k + 1) * classes, facts[2 * k] as number);
      facts[2 * k] = 1;
    }
    this.code.scale(ROWS_AT, rows, classes, 0);
  }

  override shift(temperature: number): void {
    if (!inReach(temperature)) super.shift(temperature);
    else this.code.shift(ROWS_AT, this.rows, this.classes, 1 / temperature, 0);
  }
}

/** Rejects where there is no WebAssembly, no SIMD in it, or where a policy of the page forbids it. */
export async function openSimd(): Promise<RowMachine> {
  const bytes = Uint8Array.from(hex.match(/../g) as string[], (byte) => Number.parseInt(byte, 16));
  const { instance } = await WebAssembly.instantiate(bytes);
  const code = instance.exports as unknown as Exports;
  const { memory } = code;

  /** Makes room for a row; false where there is none. */
  const holds = (classes: number): boolean => {
    const missing = ROWS_AT + 4 * classes + MARGIN - memory.buffer.byteLength;
    if (missing <= 0) return true;
    if (classes > MOST_CLASSES) return false;
    try {
      memory.grow(Math.ceil(missing / PAGE));
      return true;
    } catch {
      return false;
    }
  };

  return {
    language: 'WebAssembly',
    eachBlock(layout, logits, out, work) {
      if (!holds(layout.classes)) return plain.eachBlock(layout, logits, out, work);
      workThrough(new SimdBlock(code, layout.classes), false, layout, logits, out, work);
    },
  };
}
