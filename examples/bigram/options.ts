import { readArguments, whole } from '../../scripts/arguments.js';
import { PLACEMENT_ARGUMENTS, PLACEMENT_HELP, type Placement, placementOf } from '../common/context.js';

/** What the command line asks for. */
export interface Options extends Placement {
  readonly steps: number;
  readonly vocab: number;
  readonly seed: number;
  readonly json: boolean;
  readonly help: boolean;
}

/** Past this the six matrices of V x V numbers no longer fit in 2 GB. */
const MAX_VOCAB = 8192;
const MAX_STEPS = 10_000;
const MAX_SEED = 2 ** 32 - 1;

export const DEFAULTS: Options = {
  backend: 'auto',
  adapter: 'auto',
  steps: 40,
  vocab: 2048,
  seed: 1851,
  json: false,
  help: false,
};

export const HELP = `Trains a bigram language model of Moby Dick by maximum likelihood.

Usage: npm start -- [options]

${PLACEMENT_HELP}
  --steps N        optimizer steps, 1 to ${MAX_STEPS} (default ${DEFAULTS.steps})
  --vocab N        the N commonest tokens, 1 to ${MAX_VOCAB}, plus one for the rest (default ${DEFAULTS.vocab})
  --seed N         seed of the sampled sentences, 0 to ${MAX_SEED} (default ${DEFAULTS.seed})
  --json           print one JSON object and nothing else
  -h, --help       print this
`;

const ARGUMENTS = {
  ...PLACEMENT_ARGUMENTS,
  steps: { type: 'string' },
  vocab: { type: 'string' },
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
  return {
    ...placementOf(values),
    steps: whole('--steps', values.steps, 1, MAX_STEPS, DEFAULTS.steps),
    vocab: whole('--vocab', values.vocab, 1, MAX_VOCAB, DEFAULTS.vocab),
    seed: whole('--seed', values.seed, 0, MAX_SEED, DEFAULTS.seed),
    json: values.json === true,
    help: false,
  };
}
