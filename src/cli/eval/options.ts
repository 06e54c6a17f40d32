import { OptionError, readArguments, whole } from '../arguments.js';
import { type Placement, placementOf } from '../context.js';
import { type Place, placeOf } from '../files/arrayFile.js';

/** What the command line asks for. */
export interface EvalOptions {
  readonly logits: Place;
  readonly targets: Place;
  readonly placement: Placement;
  readonly ignoreIndex: number;
  readonly temperature: number;
  /** Of the calibration error. */
  readonly bins: number;
  readonly json: boolean;
}

const MOST_BINS = 1000;
const MOST_INDEX = 2 ** 53 - 1;

export const HELP: string = `Scores logits in a file against the right classes: loss, perplexity, entropy, accuracy, calibration.

Usage: npx webgpu-loss eval LOGITS TARGETS [options]

  LOGITS           .npy or safetensors, floats of any shape; the last axis is the classes. Read piece by piece
  TARGETS          .npy or safetensors, whole numbers: the right class of each row, the shape without the last axis
                   A tensor of a safetensors file is named as file.safetensors:name, or with the next two options;
                   without a name it is the only one, or the one called "logits" or "targets"

  --logits NAME    the tensor of LOGITS
  --targets NAME   the tensor of TARGETS, or of LOGITS if TARGETS is left out
  --ignore-index N targets that are not scored (default -100)
  --temperature T  divides the logits, above 0 (default 1)
  --bins N         bins of the calibration error, 1 to ${MOST_BINS} (default 15)
  --backend NAME   auto (default): a GPU if there is any, else the CPU;  webgpu: any adapter or fail;  cpu
  --adapter NAME   hardware, swiftshader, lavapipe, or a part of an adapter's name: that one or fail
  --json           print one JSON object and nothing else
  -h, --help       print this
`;

const ARGUMENTS = {
  logits: { type: 'string' },
  targets: { type: 'string' },
  'ignore-index': { type: 'string' },
  temperature: { type: 'string' },
  bins: { type: 'string' },
  backend: { type: 'string' },
  adapter: { type: 'string' },
  json: { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
} as const;

/**
 * Reads the arguments of `eval`; undefined if they ask for help.
 *
 * @throws OptionError on an unknown option, a missing file, a bad value
 */
export function parseOptions(args: readonly string[]): EvalOptions | undefined {
  const { values, positionals } = readArguments(args, ARGUMENTS, 2);
  if (values.help === true) return undefined;
  const [logitsFile, targetsFile] = positionals;
  if (logitsFile === undefined) throw new OptionError('the file of the logits is missing');
  const logits = named('--logits', placeOf(logitsFile), values.logits);
  if (targetsFile === undefined && values.targets === undefined) {
    throw new OptionError('the file of the targets is missing');
  }
  const other = targetsFile === undefined ? { path: logits.path } : placeOf(targetsFile);
  return {
    logits,
    targets: named('--targets', other, values.targets),
    placement: placementOf(values),
    ignoreIndex: whole('--ignore-index', values['ignore-index'], -MOST_INDEX, MOST_INDEX, -100),
    temperature: positive('--temperature', values.temperature, 1),
    bins: whole('--bins', values.bins, 1, MOST_BINS, 15),
    json: values.json === true,
  };
}

function named(option: string, place: Place, name: string | undefined): Place {
  if (name === undefined) return place;
  if (name === '') throw new OptionError(`${option} must not be empty`);
  if (place.tensor !== undefined && place.tensor !== name) {
    throw new OptionError(`${option} ${name} and ${place.path}:${place.tensor} name different tensors`);
  }
  return { path: place.path, tensor: name };
}

function positive(name: string, text: string | undefined, fallback: number): number {
  if (text === undefined) return fallback;
  const value = text.trim() === '' ? Number.NaN : Number(text);
  if (!(value > 0 && Number.isFinite(value))) {
    throw new OptionError(`${name} must be a number above 0, not "${text}"`);
  }
  return value;
}
