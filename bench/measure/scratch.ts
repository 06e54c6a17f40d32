// linearCrossEntropy with more and with less memory for its logits than it takes by itself.
import { bytesOf } from '../../src/dtype.js';
import { paddedRow } from '../../src/plan/pass.js';
import { type Case, type Contender, LeftOut } from './contender.js';
import { type OursOptions, oursContender } from './ours.js';
import { isLinear } from './tensors.js';

const MIB = 2 ** 20;
/** Chunks of the contender that has several in every case. */
const CHUNKS = 8;
/** What a row takes besides its logits, whatever chunk it is in: losses, and the statistics of its segments. */
const ROW_BYTES = 128;
const BYTES_OF_A_CLASS = 1 / 128;
/** Rows of a tile: fewer are not cut into chunks. */
const TILE_ROWS = 8;

/** Bytes of all logits of a case, as a plan holds them: float32, rows of whole groups of four. */
export function logitsBytes({ rows, classes }: Pick<Case, 'rows' | 'classes'>): number {
  return rows * paddedRow(classes) * bytesOf('f32');
}

/** The same kernels and tiles with memory for all logits: one chunk. Left out where the adapter does not have it. */
export function materialisedContender(options: OursOptions): Contender {
  const ours = oursContender({ ...options, maxScratchBytes: Number.MAX_SAFE_INTEGER });
  return {
    name: 'materialised',
    async prepare(of, data) {
      const { library, context } = options;
      if (!isLinear(of.op) || context.device === undefined) return undefined;
      const needed = logitsBytes(of);
      const leftOut = (why: string): LeftOut =>
        new LeftOut(`the logits take ${(needed / MIB).toFixed(0)} MiB: ${why}`);
      const { maxStorageBufferBindingSize: most } = context.info.limits;
      const tooSmall = (): LeftOut =>
        leftOut(`a binding of this adapter holds ${(most / MIB).toFixed(0)} MiB`);
      if (needed > most) throw tooSmall();
      const prepared = await ours.prepare(of, data).catch((error: unknown) => {
        const { LimitExceededError, OutOfMemoryError } = library;
        if (!(error instanceof LimitExceededError || error instanceof OutOfMemoryError)) throw error;
        throw leftOut(error.message);
      });
      if ((prepared?.scratchBytes ?? 0) >= needed) return prepared;
      prepared?.destroy();
      throw tooSmall();
    },
  };
}

/** Bytes for an eighth of the logits, in whole tiles. */
export function chunkedBytes(of: Case): number {
  const rows = Math.ceil(of.rows / CHUNKS / TILE_ROWS) * TILE_ROWS;
  return logitsBytes({ ...of, rows }) + Math.ceil(of.rows * (ROW_BYTES + of.classes * BYTES_OF_A_CLASS));
}

/** With memory for an eighth of the logits, so that there are chunks even where by itself it would have one. */
export function chunkedContender(options: OursOptions): Contender {
  return {
    name: 'ours-chunked',
    async prepare(of, data) {
      if (!isLinear(of.op) || options.context.device === undefined || of.rows <= TILE_ROWS) return undefined;
      const prepared = await oursContender({ ...options, maxScratchBytes: chunkedBytes(of) }).prepare(
        of,
        data,
      );
      if ((prepared?.scratchBytes ?? 0) < logitsBytes(of)) return prepared;
      prepared?.destroy();
      throw new LeftOut('rows so short are not cut into chunks');
    },
  };
}
