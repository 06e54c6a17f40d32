import { aligned, bits, byteSize, percent, seconds, thousands } from '../common/format.js';
import { CONTEXT } from './batch.js';
import type { Memory } from './memory.js';
import type { Sizes } from './model.js';
import type { Extent } from './options.js';
import type { Baselines, Text } from './text.js';
import type { Progress } from './train.js';

/** Everything a run found out. */
export interface Report {
  readonly backend: 'webgpu' | 'cpu';
  /** Which adapter, and why. */
  readonly why: string;
  readonly text: Text;
  readonly extent: Extent;
  readonly sizes: Sizes;
  readonly memory: Memory;
  readonly rate: number;
  readonly seed: number;
  readonly baselines: Baselines;
  /** How many places of the held-out text were measured, and the cross-entropy there before and after the training, nats a token. */
  readonly places: number;
  readonly before: number;
  readonly after: number;
  readonly history: readonly Progress[];
  /** Milliseconds: a step (median), the whole training, the whole program. */
  readonly milliseconds: { readonly step: number; readonly training: number; readonly total: number };
  readonly sample: string;
}

/** What is to be done, before it is done. */
export function formatHeader({
  text,
  sizes,
  memory,
  extent,
  why,
  backend,
}: Pick<Report, 'text' | 'sizes' | 'memory' | 'extent' | 'why' | 'backend'>): string {
  const { classes, features, rows } = sizes;
  const { learned, heldOut, types, rest, restShare } = text;
  const vocabulary =
    rest === undefined
      ? `all ${thousands(classes)} tokens of o200k_base`
      : `the ${thousands(rest)} commonest tokens and one for the rest (${percent(restShare)} of the text)`;
  return [
    'A language model of Moby Dick, trained through linearCrossEntropy',
    aligned([
      [
        'text',
        `${thousands(learned.length + heldOut.length)} tokens, ${thousands(types)} different ones; the last ${thousands(heldOut.length)} are held out`,
      ],
      ['model', `${vocabulary}; ${CONTEXT} tokens of context, ${thousands(features)} features`],
      ['training', `${thousands(extent.steps)} steps of ${thousands(rows)} tokens`],
      [
        'logits',
        `${byteSize(memory.logits)} that are never held: ${thousands(rows)} x ${thousands(classes)} of them, and their gradient`,
      ],
      [
        'scratch',
        backend === 'cpu'
          ? 'none on a device: the CPU works on a few rows at a time'
          : `${byteSize(memory.scratch)} in their place`,
      ],
      [
        'memory',
        `parameters ${byteSize(memory.parameters)}, gradients ${byteSize(memory.gradients)}, optimizers ${byteSize(memory.optimizer)}`,
      ],
      ['adapter', why],
    ]),
  ].join('\n');
}

/** What came of it, for people. */
export function formatReport(report: Report): string {
  const { baselines, before, after, places, milliseconds, sizes, extent } = report;
  const { uniform, unigram, unigramHeldOut } = baselines;
  const last = report.history.at(-1)?.crossEntropy ?? Number.NaN;
  return [
    aligned([
      [
        'uniform',
        `${uniform.toFixed(4)} nats/token: every token equally likely, ln ${thousands(sizes.classes)}`,
      ],
      [
        'unigram',
        `${unigram.toFixed(4)} nats/token: the entropy of the text's frequencies, without a context`,
      ],
      ['learned text', `${last.toFixed(4)} nats/token: the last batches`],
      [
        'held-out text',
        `${after.toFixed(4)} nats/token (${bits(after)} bits) at ${thousands(places)} places; ${before.toFixed(4)} before the training`,
      ],
      [
        'perplexity',
        `${perplexity(after)} a token; of the frequencies ${perplexity(unigramHeldOut)} (${unigramHeldOut.toFixed(4)} nats)`,
      ],
      [
        'time',
        `${milliseconds.step.toFixed(1)} ms a step (median), ${seconds(milliseconds.training)} s for ${extent.steps} steps,` +
          ` ${seconds(milliseconds.total)} s in all`,
      ],
    ]),
    '',
    `Text drawn from the model (seed ${report.seed}):`,
    `  ${report.sample}`,
  ].join('\n');
}

/** The same for programs. The text itself is left out. */
export function toJson(report: Report): Record<string, unknown> {
  const { text, before, after, why, ...rest } = report;
  return {
    ...rest,
    adapter: why,
    text: {
      learned: text.learned.length,
      heldOut: text.heldOut.length,
      types: text.types,
      restShare: text.restShare,
    },
    heldOut: { before, after, perplexity: Math.exp(after) },
  };
}

function perplexity(nats: number): string {
  return thousands(Number(Math.exp(nats).toPrecision(4)));
}
