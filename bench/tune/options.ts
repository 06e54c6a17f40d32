import type { FloatDType } from 'webgpu-loss';
import { listOf, OptionError, oneOf, readArguments, whole } from '../../scripts/arguments.js';
import { DTYPES, SHAPES, type Shape } from '../measure/cases.js';
import type { OpName } from '../measure/contender.js';
import { ROW_OPS } from '../measure/tensors.js';
import { shapeFrom } from '../run/shapeFrom.js';

/** What the command line asks for. */
export interface Options {
  readonly adapter: string;
  readonly dtype: FloatDType;
  readonly shapes: readonly Shape[];
  readonly ops: readonly OpName[];
  readonly seed: number;
  readonly out: string | undefined;
  readonly json: boolean;
  readonly help: boolean;
}

const DEFAULT_OPS: readonly OpName[] = ['softmax', 'logSumExp', 'crossEntropyGrad'];
const DEFAULT_SEED = 1851;
const MAX_SEED = 2 ** 32 - 1;

export const HELP = `Looks for the policy that is fastest on an adapter, for each length of row.

Usage: npm run tune -- [options]

  --adapter NAME   auto (default): hardware, else SwiftShader from npm
                   hardware, swiftshader, lavapipe, or a part of an adapter's name: that one or fail
  --dtype NAME     f32 (default), f16 or bf16
  --shape LIST     shapes ROWSxCLASSES, by commas (default: ${SHAPES.map((shape) => shape.join('x')).join(', ')})
  --op LIST        what a policy must be good at, by commas (default: ${DEFAULT_OPS.join(', ')});
                   any operation on logits that are there
  --seed N         seed of the data, 0 to ${MAX_SEED} (default ${DEFAULT_SEED})
  --out FILE       also write the results there, as JSON
  --json           print the JSON, and no table
  -h, --help       print this
`;

/**
 * Reads the command line.
 *
 * @param args without the program's name
 * @throws OptionError on an unknown option, a missing or a bad value
 */
export function parseOptions(args: readonly string[]): Options {
  const values = readArguments(args, {
    adapter: { type: 'string' },
    dtype: { type: 'string' },
    shape: { type: 'string' },
    op: { type: 'string' },
    seed: { type: 'string' },
    out: { type: 'string' },
    json: { type: 'boolean' },
    help: { type: 'boolean', short: 'h' },
  });
  const { adapter = 'auto', out, json = false, help = false } = values;
  if (adapter.trim() === '') throw new OptionError('--adapter must not be empty');
  if (adapter === 'cpu')
    throw new OptionError('--adapter cpu has no policy to tune; name an adapter of WebGPU');
  if (out?.trim() === '') throw new OptionError('--out must not be empty');
  return {
    adapter,
    dtype: oneOf('--dtype', values.dtype ?? 'f32', DTYPES),
    shapes:
      values.shape === undefined ? SHAPES : listOf('--shape', values.shape).map((text) => shapeFrom(text)),
    ops:
      values.op === undefined
        ? DEFAULT_OPS
        : listOf('--op', values.op).map((name) => oneOf('--op', name, ROW_OPS)),
    seed: whole('--seed', values.seed, 0, MAX_SEED, DEFAULT_SEED),
    out,
    json,
    help,
  };
}
