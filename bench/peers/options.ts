import { listOf, OptionError, oneOf, readArguments, whole } from '../../scripts/arguments.js';
import { type AnyShape, casesOf, QUICK_LINEAR_SHAPES, QUICK_SHAPES, SHAPES } from '../measure/cases.js';
import type { Case } from '../measure/contender.js';
import { anyShapeFrom, neededBy } from '../run/shapeFrom.js';
import { PEER_OPS } from './contenders/forms.js';
import { PEERS, type PeerName } from './peerNames.js';
import { LAYERS } from './shapes.js';

export const PLACES = ['chromium', 'lavapipe'] as const;

export type PlaceName = (typeof PLACES)[number];

/** What the command line asks for. */
export interface Options {
  readonly places: readonly PlaceName[];
  readonly peers: readonly PeerName[];
  readonly cases: readonly Case[];
  readonly seed: number;
  readonly quick: boolean;
  /** Where the JSON lines go; undefined: nowhere. */
  readonly out: string | undefined;
  /** Files to show instead of measuring. */
  readonly render: readonly string[] | undefined;
  /** Shown as the tables of README.md. */
  readonly markdown: boolean;
  readonly help: boolean;
}

const DEFAULT_SEED = 1851;
const MAX_SEED = 2 ** 32 - 1;

const DEFAULT_SHAPES: readonly AnyShape[] = [...SHAPES, ...LAYERS];
const QUICK: readonly AnyShape[] = [...QUICK_SHAPES, ...QUICK_LINEAR_SHAPES];

const named = (shapes: readonly AnyShape[]): string => shapes.map((shape) => shape.join('x')).join(', ');

export const HELP = `Measures this library beside its peers, in turn, and says which of its goals it reaches.

Usage: npm run bench:peers -- [options]

  --where LIST     ${PLACES.join(', ')}, by commas (default: both)
  --op LIST        ${PEER_OPS.join(', ')}, by commas (default: all)
  --shape LIST     ROWSxCLASSES, by commas (default: ${named(SHAPES)});
                   of linear layers ROWSxFEATURESxCLASSES (default: ${named(LAYERS)})
  --peer LIST      ${PEERS.join(', ')}, by commas (default: all)
  --seed N         seed of the data, 0 to ${MAX_SEED} (default ${DEFAULT_SEED})
  --quick          few samples, and the shapes ${named(QUICK)} unless --shape says otherwise
  --out FILE       add the results there, as JSON lines
  --render LIST    measure nothing: show files of JSON lines, by commas
  --markdown       with --render: the tables of README.md
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
    where: { type: 'string' },
    op: { type: 'string' },
    shape: { type: 'string' },
    peer: { type: 'string' },
    seed: { type: 'string' },
    quick: { type: 'boolean' },
    out: { type: 'string' },
    render: { type: 'string' },
    markdown: { type: 'boolean' },
    help: { type: 'boolean', short: 'h' },
  });
  const { quick = false, help = false, markdown = false, out, shape, render } = values;
  if (out?.trim() === '') throw new OptionError('--out must not be empty');
  if (markdown && render === undefined) throw new OptionError('--markdown shows what --render names');
  const someOf = <T extends string>(
    name: string,
    text: string | undefined,
    all: readonly T[],
  ): readonly T[] => (text === undefined ? all : listOf(name, text).map((each) => oneOf(name, each, all)));
  const shapes =
    shape === undefined
      ? quick
        ? QUICK
        : DEFAULT_SHAPES
      : listOf('--shape', shape).map((text) => anyShapeFrom(text));
  const ops = someOf('--op', values.op, PEER_OPS);
  const cases = casesOf(ops, shapes, ['f32']);
  const missed = values.op === undefined ? undefined : ops.find((op) => !cases.some((of) => of.op === op));
  if (missed !== undefined)
    throw new OptionError(`--shape ${shape} has none for ${missed}; ${neededBy(missed)}`);
  return {
    places: someOf('--where', values.where, PLACES),
    peers: someOf('--peer', values.peer, PEERS),
    cases,
    seed: whole('--seed', values.seed, 0, MAX_SEED, DEFAULT_SEED),
    quick,
    out,
    render: render === undefined ? undefined : listOf('--render', render),
    markdown,
    help,
  };
}
