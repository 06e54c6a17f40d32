import { OptionError, readArguments, whole } from '../../scripts/arguments.js';
import {
  type OpenedContext,
  PLACEMENT_ARGUMENTS,
  PLACEMENT_HELP,
  type Placement,
  placementOf,
} from '../common/context.js';
import { MOST_FEATURES } from './model.js';
import { ALL_TOKENS } from './text.js';

/** How large the model and its training are. */
export interface Extent {
  /** How many of the commonest tokens have an id of their own; `'all'`: the whole vocabulary of o200k_base. */
  readonly vocabulary: number | 'all';
  /** Tokens to learn from in a step. */
  readonly batch: number;
  /** Of the hidden states, embeddings and weights. */
  readonly features: number;
  readonly steps: number;
  /** Places of the held-out text to measure on. */
  readonly places: number;
}

/** What the command line asks for; what it leaves out is decided by what computes. */
export interface Options extends Placement, Partial<Extent> {
  readonly rate: number;
  readonly seed: number;
  readonly json: boolean;
  readonly help: boolean;
}

const MOST = {
  vocabulary: 16_384,
  batch: 4096,
  features: MOST_FEATURES,
  steps: 100_000,
  places: 100_000,
  seed: 2 ** 32 - 1,
};

/** What a GPU does in little time, and what a processor does in seconds. */
export const EXTENTS: Readonly<Record<'gpu' | 'processor', Extent>> = {
  gpu: { vocabulary: 'all', batch: 1024, features: 128, steps: 500, places: MOST.places },
  processor: { vocabulary: 2047, batch: 128, features: 32, steps: 200, places: 1024 },
};

export const DEFAULTS: Options = {
  backend: 'auto',
  adapter: 'auto',
  rate: 0.02,
  seed: 1851,
  json: false,
  help: false,
};

const { gpu: GPU, processor: PROCESSOR } = EXTENTS;

export const HELP = `Trains a language model of Moby Dick whose head covers the ${ALL_TOKENS} tokens of o200k_base, by linearCrossEntropy.

Usage: npm run language-model -- [options]

${PLACEMENT_HELP}
  --vocabulary N   the N commonest tokens, 1 to ${MOST.vocabulary}, plus one for the rest; or all: the whole vocabulary
                   (default ${GPU.vocabulary} on a GPU, ${PROCESSOR.vocabulary} on a software adapter and on the CPU)
  --batch N        tokens to learn from in a step, 1 to ${MOST.batch} (default ${GPU.batch}; ${PROCESSOR.batch})
  --features N     length of hidden states and embeddings, 1 to ${MOST.features} (default ${GPU.features}; ${PROCESSOR.features})
  --steps N        optimizer steps, 1 to ${MOST.steps} (default ${GPU.steps}; ${PROCESSOR.steps})
  --rate X         learning rate, above 0, at most 1; it falls to 0 along a cosine (default ${DEFAULTS.rate})
  --places N       places of the held-out text to measure on, 1 to ${MOST.places} (default all; ${PROCESSOR.places})
  --seed N         seed of the batches and of the text that is drawn, 0 to ${MOST.seed} (default ${DEFAULTS.seed})
  --json           print one JSON object and nothing else
  -h, --help       print this
`;

const ARGUMENTS = {
  ...PLACEMENT_ARGUMENTS,
  vocabulary: { type: 'string' },
  batch: { type: 'string' },
  features: { type: 'string' },
  steps: { type: 'string' },
  rate: { type: 'string' },
  places: { type: 'string' },
  seed: { type: 'string' },
  json: { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
} as const;

/**
 * Reads the command line.
 *
 * @param args without the program's name
 * @throws OptionError on an unknown option, a missing or a bad value
 */
export function parseOptions(args: readonly string[]): Options {
  const values = readArguments(args, ARGUMENTS);
  if (values.help === true) return { ...DEFAULTS, help: true };
  const extent: { -readonly [K in keyof Extent]?: Extent[K] } = {};
  for (const name of ['batch', 'features', 'steps', 'places'] as const) {
    if (values[name] !== undefined) extent[name] = whole(`--${name}`, values[name], 1, MOST[name], 1);
  }
  if (values.vocabulary !== undefined) extent.vocabulary = vocabularyOf(values.vocabulary);
  return {
    ...placementOf(values),
    ...extent,
    rate: rateOf(values.rate),
    seed: whole('--seed', values.seed, 0, MOST.seed, DEFAULTS.seed),
    json: values.json === true,
    help: false,
  };
}

/** What is asked for, and for what is left out what suits what computes. */
export function extentFor(kind: OpenedContext['kind'], options: Partial<Extent>): Extent {
  return { ...EXTENTS[kind === 'hardware' ? 'gpu' : 'processor'], ...options };
}

function vocabularyOf(text: string): Extent['vocabulary'] {
  if (text === 'all') return text;
  if (!/^\d+$/.test(text) || Number(text) < 1 || Number(text) > MOST.vocabulary) {
    throw new OptionError(
      `--vocabulary must be all or a whole number from 1 to ${MOST.vocabulary}, not "${text}"`,
    );
  }
  return Number(text);
}

function rateOf(text: string | undefined): number {
  if (text === undefined) return DEFAULTS.rate;
  const rate = text.trim() === '' ? Number.NaN : Number(text);
  if (!(rate > 0 && rate <= 1)) {
    throw new OptionError(`--rate must be a number above 0 and at most 1, not "${text}"`);
  }
  return rate;
}
