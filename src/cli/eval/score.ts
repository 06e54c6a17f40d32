// Scores rows of logits, a chunk of rows at a time.
import type { Context } from '../../context.js';
import { TargetOutOfRangeError } from '../../errors.js';
import { crossEntropy } from '../../ops/crossEntropy.js';
import { logitStats } from '../../ops/logitStats.js';
import { elementCount, formatShape, sameShape } from '../../shape.js';
import type { Tensor } from '../../tensor.js';
import type { ArrayFile } from '../files/arrayFile.js';
import { FileError } from '../files/byteSource.js';
import { storedBytes } from '../files/stored.js';
import {
  divideInto,
  type FloatsDType,
  floatsOf,
  isFloats,
  isWholes,
  tensorDType,
  wholesOf,
} from './elements.js';
import { type Summary, Tally } from './tally.js';

/** Bytes of logits in memory at a time, but one row at least. */
const CHUNK_BYTES = 2 ** 24;
/** So that the values of a chunk's rows stay small beside its logits, also where rows are short. */
const MOST_ROWS = 2 ** 18;

export interface ScoreOptions {
  readonly ignoreIndex: number;
  /** Divides the logits first. */
  readonly temperature: number;
  /** Of the calibration error. */
  readonly bins: number;
  /** Default 16 MiB. */
  readonly chunkBytes?: number;
  /** Called after each chunk with the number of rows done. */
  readonly onProgress?: (rows: number) => void;
}

/** How the rows of two files belong together. */
export interface Rows {
  readonly rows: number;
  readonly classes: number;
  readonly dtype: FloatsDType;
}

/** Checks that the targets are one whole number for each row of logits. Throws FileError. */
export function matchFiles(logits: ArrayFile, targets: ArrayFile): Rows {
  const { dtype, shape } = logits;
  if (!isFloats(dtype)) {
    throw new FileError(
      logits.name,
      `holds whole numbers (${dtype}); logits are floats. Are the two files swapped?`,
    );
  }
  if (!isWholes(targets.dtype)) {
    throw new FileError(
      targets.name,
      `holds floats (${targets.dtype}); one class index a row is needed, a whole number. Are the two files swapped?`,
    );
  }
  const classes = shape.at(-1);
  if (classes === undefined || classes === 0) {
    throw new FileError(
      logits.name,
      `has the shape ${formatShape(shape)}; a last axis of classes is needed.`,
    );
  }
  const perRow = shape.slice(0, -1);
  // Logits of one row may come with a target that has a dimension of its own.
  const single = shape.length === 1 && sameShape(targets.shape, [1]);
  if (!single && !sameShape(targets.shape, perRow)) {
    throw new FileError(
      targets.name,
      `has the shape ${formatShape(targets.shape)}; logits of shape ${formatShape(shape)} need targets of shape ${formatShape(perRow)}.`,
    );
  }
  return { rows: elementCount(perRow), classes, dtype };
}

/** Looks at all targets before anything is computed. Throws TargetOutOfRangeError with the row in the file. */
export async function checkTargets(
  targets: ArrayFile,
  { rows, classes }: Rows,
  ignoreIndex: number,
): Promise<void> {
  const room = new Uint8Array(storedBytes(targets.dtype) * Math.min(rows, MOST_ROWS));
  for (let first = 0; first < rows; first += MOST_ROWS) {
    const values = await readWholes(targets, room, first, Math.min(rows - first, MOST_ROWS));
    for (let r = 0; r < values.length; r++) {
      const value = values[r] as number;
      if (value === ignoreIndex || (value >= 0 && value < classes)) continue;
      throw new TargetOutOfRangeError({ row: first + r, value, classes }, { op: 'eval' });
    }
  }
}

async function readWholes(
  file: ArrayFile,
  room: Uint8Array<ArrayBuffer>,
  first: number,
  count: number,
): Promise<ArrayLike<number>> {
  const bytes = room.subarray(0, count * storedBytes(file.dtype));
  await file.read(bytes, first);
  return wholesOf(file.dtype, bytes, count);
}

/**
 * Scores all rows of `logits`, of which no more than a chunk is in memory. `checkTargets` must have passed.
 *
 * @throws FileError, LossError
 */
export async function score(
  context: Context,
  logits: ArrayFile,
  targets: ArrayFile,
  { rows, classes, dtype }: Rows,
  options: ScoreOptions,
): Promise<Summary> {
  const { ignoreIndex, temperature, bins, chunkBytes = CHUNK_BYTES, onProgress } = options;
  const rowBytes = classes * storedBytes(dtype);
  const most = Math.min(
    rows,
    MOST_ROWS,
    Math.max(1, Math.floor(Math.min(chunkBytes, context.info.limits.maxBufferSize) / rowBytes)),
  );
  const room = new Uint8Array(most * rowBytes);
  const targetRoom = new Uint8Array(most * storedBytes(targets.dtype));
  const type = tensorDType(dtype, temperature);
  const converts = dtype === 'f64' || temperature !== 1;
  const floats = new Float32Array(converts ? most * classes : 0);
  const tally = new Tally(bins);

  const upload = (first: number, count: number): Tensor => {
    const bytes = room.subarray(0, count * rowBytes);
    if (!converts) {
      const elements = floatsOf(dtype, bytes, count * classes) as Float32Array | Uint16Array;
      return context.tensor(elements, [count, classes], type);
    }
    const values = floats.subarray(0, count * classes);
    const bad = divideInto(values, dtype, bytes, temperature);
    if (bad < 0) return context.tensor(values, [count, classes]);
    throw new FileError(
      logits.name,
      `row ${first + Math.floor(bad / classes)} has a logit that is too large for float32${temperature === 1 ? '' : ` once divided by ${temperature}`}.`,
    );
  };

  const countAt = (first: number): number => Math.min(most, rows - first);
  const readLogits = (first: number): Promise<void> =>
    logits.read(room.subarray(0, countAt(first) * rowBytes), first * classes);

  let next = rows > 0 ? readLogits(0) : Promise.resolve();
  for (let first = 0; first < rows; first += most) {
    const count = countAt(first);
    await next;
    const indices = await readWholes(targets, targetRoom, first, count);
    const kept = (r: number): boolean => indices[r] !== ignoreIndex;
    const tensor = upload(first, count);
    // A tensor has a copy: what comes next is read while the device computes.
    if (first + count < rows) next = readLogits(first + count);
    next.catch(() => undefined);
    // An ignored row is computed like the others, with a target that does no harm.
    const harmless = Int32Array.from({ length: count }, (_, r) => (kept(r) ? (indices[r] as number) : 0));
    tally.add(count, kept, await rowValues(tensor, harmless));
    onProgress?.(first + count);
  }
  return tally.summary();
}

/** What is asked of each row. Destroys `logits`. */
async function rowValues(logits: Tensor, targets: Int32Array): Promise<Parameters<Tally['add']>[2]> {
  const { logSumExp, entropy, argmax, targetLogProb, targetRank } = await logitStats(logits, targets);
  // From log S + (max - x) rather than lse - x, which loses digits where logits are large.
  const top = await crossEntropy(logits, argmax, { reduction: 'none', ignoreIndex: -1 });
  const wanted = [targetLogProb, top.loss, entropy, targetRank] as readonly Tensor[];
  const [logProbs, surprises, entropies, ranks] = await Promise.all(wanted.map((tensor) => tensor.read()));
  for (const tensor of [logits, logSumExp, argmax, ...wanted]) tensor.destroy();
  return {
    losses: (logProbs as Float32Array).map((logProb) => -logProb),
    surprises: surprises as Float32Array,
    entropies: entropies as Float32Array,
    ranks: ranks as Int32Array,
  };
}
