// One line of results, as JSON: what was measured, where, with what, and what came of it.

import { z } from 'zod';
import type { OpName } from '../measure/contender.js';
import { ALL_OPS } from '../measure/tensors.js';

const quantiles = z.object({
  p5: z.number(),
  p25: z.number(),
  median: z.number(),
  p75: z.number(),
  p95: z.number(),
});

const rowSchema = z.object({
  date: z.iso.datetime(),
  op: z.enum(ALL_OPS as [OpName, ...OpName[]]),
  rows: z.int().positive(),
  /** Of a hidden state, where the logits are those of a linear layer. */
  features: z.int().positive().optional(),
  classes: z.int().positive(),
  dtype: z.enum(['f32', 'f16', 'bf16']),
  /** `ours`, `ours` under a policy or at a revision, `materialised`, `naive-64`, `copy`, a peer, … */
  contender: z.string().min(1),
  policy: z.record(z.string(), z.unknown()).optional(),
  adapter: z.object({
    /** As it was asked for: `lavapipe`, `cpu`, … */
    name: z.string(),
    backend: z.string(),
    vendor: z.string(),
    architecture: z.string(),
    device: z.string(),
    description: z.string(),
    isFallbackAdapter: z.boolean(),
    subgroupMinSize: z.int(),
    subgroupMaxSize: z.int(),
  }),
  /** Of this library (`webgpu-loss`, and the git `revision`), of Node, of Dawn (`webgpu`), of the `platform`, … */
  versions: z.record(z.string(), z.string()),
  seed: z.int(),
  /** The least that has to be moved, and how that comes about. */
  bytes: z.int().positive(),
  formula: z.string(),
  /** Multiplications and additions of the matrix products, and how they come about. */
  flops: z.int().positive().optional(),
  flopsFormula: z.string().optional(),
  /** Bytes of GPU memory besides inputs and results, as the plan says. */
  scratchBytes: z.int().nonnegative().optional(),
  /** The most bytes of GPU memory that were allocated at a time, inputs and results among them, where an allocator says so. */
  peakBytes: z.int().positive().optional(),
  /** Whether float32 products may round their operands to TensorFloat-32, where that is a choice. */
  tf32: z.boolean().optional(),
  /** Worst error / bound against the float64 oracle. */
  errorOverBound: z.number().optional(),
  /** What was wrong. It was not timed, then. */
  wrong: z.string().optional(),
  /** Why it was not timed although nothing is wrong with it. */
  leftOut: z.string().optional(),
  timing: z
    .object({
      clock: z.enum(['timestamps', 'wall']),
      batch: z.int().positive(),
      rounds: z.int().positive(),
      /** Milliseconds of one execution. */
      ms: quantiles,
      /** Time of the other / own time, by the name of the other; to `copy` it is the fraction of the copy's bandwidth. */
      ratios: z.record(z.string(), quantiles),
    })
    .optional(),
  /** Bytes of the formula in 10^9 bytes a second, at the median. */
  gigabytesPerSecond: z.number().optional(),
  /** 10^9 of the `flops` a second, at the median. */
  gigaflopsPerSecond: z.number().optional(),
  firstCallMs: z.number().optional(),
  encodeUs: z.number().optional(),
  passes: z
    .array(
      z.object({
        variant: z.string(),
        grids: z.array(z.tuple([z.int(), z.int()])),
        bytes: z.int(),
      }),
    )
    .optional(),
});

export type Row = z.infer<typeof rowSchema>;

/** Reads JSON lines. Throws an `Error` that names the line that is none, and what about it. */
export function parseRows(text: string, file: string): Row[] {
  return text
    .split('\n')
    .map((line, k) => ({ line, where: `${file}:${k + 1}` }))
    .filter(({ line }) => line.trim() !== '')
    .map(({ line, where }) => parseRow(line, where));
}

function parseRow(line: string, where: string): Row {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch (cause) {
    throw new Error(`${where} is no JSON: ${(cause as Error).message}`, { cause });
  }
  const parsed = rowSchema.safeParse(value);
  if (!parsed.success) throw new Error(`${where} is no row of a bench:\n${z.prettifyError(parsed.error)}`);
  return parsed.data;
}
