import { aligned, bits, percent, seconds, thousands } from '../common/format.js';
import type { Corpus } from './corpus.js';
import type { OracleAgreement } from './oracle.js';
import type { Measures } from './theory.js';
import type { Progress } from './train.js';

/** The training has reached the counting solution when no more than this is left of the divergence, nats a token. */
export const GOAL = 0.01;

/** Everything a run found out. */
export interface Report {
  readonly backend: 'webgpu' | 'cpu';
  /** Which adapter, and why. */
  readonly why: string;
  readonly corpus: Corpus;
  readonly steps: number;
  readonly seed: number;
  /** H(q), nats a token. */
  readonly floor: number;
  /** Of the trained model, in float64. */
  readonly measures: Measures;
  readonly oracle: OracleAgreement;
  readonly history: readonly Progress[];
  /** Milliseconds: a step (median), the whole training, the whole program. */
  readonly milliseconds: { readonly step: number; readonly training: number; readonly total: number };
  readonly sentences: readonly string[];
}

/** What is to be done, before it is done. */
export function formatHeader({ vocabulary, tokens, types, restShare, bigrams }: Corpus, why: string): string {
  const size = vocabulary.length;
  return [
    'A bigram language model of Moby Dick, trained by maximum likelihood',
    `  text      ${thousands(tokens)} tokens, ${thousands(types)} different ones, ${thousands(bigrams.total)} bigrams`,
    `  model     the ${thousands(size - 1)} commonest tokens and one for the rest (${percent(restShare)} of the text):` +
      ` ${thousands(size)} x ${thousands(size)} logits`,
    `  adapter   ${why}`,
  ].join('\n');
}

/** What came of it, for people. */
export function formatReport(report: Report): string {
  const { measures, floor, oracle, milliseconds } = report;
  const size = report.corpus.vocabulary.length;
  const lines: [name: string, text: string][] = [
    ['untrained', `${Math.log(size).toFixed(4)} nats/token: every token equally likely, ln ${size}`],
    ['cross-entropy', `${measures.crossEntropy.toFixed(4)} nats/token (${bits(measures.crossEntropy)} bits)`],
    [
      'floor',
      `${floor.toFixed(4)} nats/token: the text's own entropy of the next token given the previous one`,
    ],
    [
      'divergence',
      `${measures.divergence.toFixed(5)} nats/token: ${reached(report) ? 'at most' : 'still more than'} ${GOAL},` +
        ` the counting solution is ${reached(report) ? '' : 'not yet '}reached`,
    ],
    [
      'perplexity',
      `${measures.perplexity.toFixed(2)} (the counting solution's: ${Math.exp(floor).toFixed(2)})`,
    ],
    [
      'counting',
      `largest weighted |p - count| ${scientific(measures.maxDifference)}, ${percent(measures.totalVariation)} of the` +
        ` probability misplaced, same likeliest next token for ${percent(measures.sameBest)} of the text`,
    ],
    [
      'CPU oracle',
      `largest difference in ${oracle.rows} rows: loss ${scientific(oracle.loss)} nats,` +
        ` gradient ${scientific(oracle.gradient)} (float64, same logits)`,
    ],
    [
      'time',
      `${milliseconds.step.toFixed(1)} ms a step (median), ${seconds(milliseconds.training)} s for ${report.steps} steps,` +
        ` ${seconds(milliseconds.total)} s in all`,
    ],
  ];
  return [
    aligned(lines),
    '',
    `Sentences drawn from the model (seed ${report.seed}):`,
    ...report.sentences.map((sentence) => `  ${sentence}`),
  ].join('\n');
}

/** The same for programs. Logits, counts and vocabulary are left out. */
export function toJson(report: Report): Record<string, unknown> {
  const { corpus, floor, measures, oracle } = report;
  const { crossEntropy, divergence, perplexity, ...counting } = measures;
  return {
    backend: report.backend,
    adapter: report.why,
    corpus: {
      tokens: corpus.tokens,
      types: corpus.types,
      bigrams: corpus.bigrams.total,
      vocabulary: corpus.vocabulary.length,
      restShare: corpus.restShare,
    },
    steps: report.steps,
    crossEntropy,
    floor,
    divergence,
    goal: GOAL,
    reached: reached(report),
    perplexity,
    counting,
    oracle,
    milliseconds: report.milliseconds,
    history: report.history.map((each) => ({ ...each, divergence: each.crossEntropy - floor })),
    seed: report.seed,
    sentences: report.sentences,
  };
}

function reached({ measures }: Report): boolean {
  return measures.divergence <= GOAL;
}

function scientific(value: number): string {
  return value.toExponential(1);
}
