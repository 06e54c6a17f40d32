import type { Policy } from 'webgpu-loss';
import { listOf, OptionError, oneOf, readArguments, whole } from '../scripts/arguments.js';
import {
  type AnyShape,
  casesOf,
  DTYPES,
  LARGE_LINEAR_SHAPES,
  LINEAR_SHAPES,
  QUICK_LINEAR_SHAPES,
  QUICK_SHAPES,
  SHAPES,
  sweep,
} from './measure/cases.js';
import type { Case, OpName } from './measure/contender.js';
import { OPS } from './measure/tensors.js';
import { ADAPTERS } from './run/adapter.js';
import type { Cases } from './run/bench.js';
import { anyShapeFrom, neededBy } from './run/shapeFrom.js';

/** What the command line asks for. */
export interface Options {
  /** One after the other; undefined: whatever the machine has. */
  readonly adapters: readonly string[] | undefined;
  readonly cases: Cases;
  readonly policies: readonly Partial<Policy>[];
  readonly seed: number;
  readonly quick: boolean;
  /** A git revision to compare with. */
  readonly against: string | undefined;
  /** Where the JSON lines go. */
  readonly out: string | undefined;
  /** The folder of the plots. */
  readonly plots: string | undefined;
  readonly json: boolean;
  /** Files to show instead of measuring. */
  readonly render: readonly string[] | undefined;
  readonly help: boolean;
}

/** The ops whose sweep over class counts is part of a full run. */
const SWEPT: readonly OpName[] = ['softmax', 'logSoftmax', 'logSumExp', 'crossEntropy', 'crossEntropyGrad'];
// More than a GPU has done before it has begun. A software adapter starts a workgroup of the naive kernels for each row of it, one after the other.
const SWEPT_ELEMENTS = 2 ** 22;
const SWEPT_ELEMENTS_SOFTWARE = 2 ** 18;
/** Shapes that have a name on the command line, on software or not. */
const NAMED = new Map<string, (software: boolean) => readonly AnyShape[]>([
  ['named', () => [...SHAPES, ...LINEAR_SHAPES]],
  ['large', () => LARGE_LINEAR_SHAPES],
  ['sweep', (software) => sweep(software ? SWEPT_ELEMENTS_SOFTWARE : SWEPT_ELEMENTS)],
]);
const QUICK: readonly AnyShape[] = [...QUICK_SHAPES, ...QUICK_LINEAR_SHAPES];
const DEFAULT_SEED = 1851;
const MAX_SEED = 2 ** 32 - 1;

function listed(shapes: readonly AnyShape[]): string {
  return shapes.map((shape) => shape.join('x')).join(', ');
}

export const HELP = `Measures the operations of this library: correctness first, then time.

Usage: npm run bench -- [options]

  --adapter LIST   adapters, by commas: ${ADAPTERS.join(', ')}, or parts of adapters' names
                   (default: all of the first four that the machine has)
  --op LIST        operations, by commas (default: all)
                   ${OPS.slice(0, 7).join(', ')},
                   ${OPS.slice(7, 13).join(', ')},
                   ${OPS.slice(13).join(', ')}
  --shape LIST     shapes ROWSxCLASSES, by commas, of linear layers ROWSxFEATURESxCLASSES
                   named: ${listed(SHAPES)};
                   of linear layers ${listed(LINEAR_SHAPES)}
                   large: of linear layers, for hardware: ${listed(LARGE_LINEAR_SHAPES)}
                   sweep: 8 to 262144 classes in powers of two, ${SWEPT_ELEMENTS} elements, in software ${SWEPT_ELEMENTS_SOFTWARE}
                   (default: named,sweep; the sweep with
                   ${SWEPT.join(', ')} unless --op says otherwise)
  --dtype LIST     f32 (default), f16, bf16, by commas
  --policy LIST    also ours under this policy: FIELD=VALUE, by commas; may be given several times
  --against REF    also ours as it was at a git revision, built for it, in turn with ours
  --seed N         seed of the data, 0 to ${MAX_SEED} (default ${DEFAULT_SEED})
  --quick          few samples, and of the shapes ${listed(QUICK)}
                   unless --shape says otherwise
  --out FILE       where the JSON lines go (default: bench/out/, named after the time)
  --plots FOLDER   also draw plots there, as SVG
  --json           print the JSON lines, and no table
  --render LIST    measure nothing: show files of JSON lines, by commas
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
    op: { type: 'string' },
    shape: { type: 'string' },
    dtype: { type: 'string' },
    policy: { type: 'string', multiple: true },
    against: { type: 'string' },
    seed: { type: 'string' },
    quick: { type: 'boolean' },
    out: { type: 'string' },
    plots: { type: 'string' },
    json: { type: 'boolean' },
    render: { type: 'string' },
    help: { type: 'boolean', short: 'h' },
  });
  const { quick = false, json = false, help = false, against, out, plots } = values;
  for (const [name, value] of Object.entries({ against, out, plots })) {
    if (value?.trim() === '') throw new OptionError(`--${name} must not be empty`);
  }
  return {
    adapters: values.adapter === undefined ? undefined : listOf('--adapter', values.adapter),
    cases: casesFor(values, quick),
    policies: (values.policy ?? []).map(policyFrom),
    seed: whole('--seed', values.seed, 0, MAX_SEED, DEFAULT_SEED),
    quick,
    against,
    out,
    plots,
    json,
    render: values.render === undefined ? undefined : listOf('--render', values.render),
    help,
  };
}

interface CaseValues {
  readonly op?: string | undefined;
  readonly shape?: string | undefined;
  readonly dtype?: string | undefined;
}

function casesFor({ op, shape, dtype }: CaseValues, quick: boolean): Cases {
  const asked = op === undefined ? undefined : listOf('--op', op).map((name) => oneOf('--op', name, OPS));
  const dtypes = listOf('--dtype', dtype ?? 'f32').map((name) => oneOf('--dtype', name, DTYPES));
  if (shape === undefined && quick) {
    const cases = casesOf(asked ?? OPS, QUICK, dtypes);
    return { hardware: cases, software: cases };
  }
  const parts = listOf('--shape', shape ?? 'named,sweep').map((name) => {
    const others = (): readonly AnyShape[] => [anyShapeFrom(name, `${[...NAMED.keys()].join(', ')} or `)];
    const ops = asked ?? (name === 'sweep' ? SWEPT : OPS);
    const shapes = NAMED.get(name) ?? others;
    return { name, on: (software: boolean) => casesOf(ops, shapes(software), dtypes) };
  });
  const casesOn = (software: boolean): readonly Case[] => parts.flatMap(({ on }) => on(software));
  const cases = { hardware: casesOn(false), software: casesOn(true) };
  if (shape === undefined) return cases;
  for (const { name } of parts.filter(({ on }) => on(false).length === 0)) {
    const [first = 'softmax'] = asked ?? OPS;
    throw new OptionError(`--shape ${name} is none for ${(asked ?? OPS).join(', ')}; ${neededBy(first)}`);
  }
  const missed = asked?.find((op) => !cases.hardware.some((of) => of.op === op));
  if (missed !== undefined)
    throw new OptionError(`--shape ${shape} has none for ${missed}; ${neededBy(missed)}`);
  return cases;
}

/** `strategy=split-row,workgroupSize=64`; which fields and values there are is for the library to say. */
export function policyFrom(text: string): Partial<Policy> {
  const fields = listOf('--policy', text).map((part) => {
    const [, field, value] = /^(\w+)=(.+)$/.exec(part) ?? [];
    if (field === undefined || value === undefined) {
      throw new OptionError(
        `--policy must be a list such as strategy=split-row,workgroupSize=64, not "${text}"`,
      );
    }
    return [field, valueFrom(value)] as const;
  });
  return Object.fromEntries(fields);
}

function valueFrom(text: string): string | number | boolean {
  if (text === 'true' || text === 'false') return text === 'true';
  const number = Number(text);
  return Number.isNaN(number) ? text : number;
}
