// Matrix products, where a call has more to do than rows.
import { bytesOf, type DType } from '../dtype.js';
import { LimitExceededError } from '../errors.js';
import { type PassBuilder, paddedRow } from './pass.js';
import { chooseTiles, type Tiles } from './policy.js';
import { type Packing, packingOf } from './variant.js';

/** A part of a buffer that a dispatch works on. */
export interface Part {
  /** A role of the call, or the name of a scratch buffer. */
  readonly from: string;
  readonly scratch: boolean;
  readonly dtype: DType;
  /** Its first element, counted from the first of the role, and how many there are to its last. */
  readonly start: number;
  readonly elements: number;
  /** Elements from one line to the next. */
  readonly stride: number;
  /** Bound as groups of four elements. */
  readonly fours: boolean;
}

/** What a kernel of products does. */
export type ProductKernel = 'product' | 'sum-of-parts' | 'column-sums';

/** One role of a product's kernel. */
export interface ProductBinding {
  readonly role: string;
  readonly write: boolean;
  readonly packing: Packing;
  /** As groups of four elements. */
  readonly fours: boolean;
}

/** Everything that decides a product's shader. Equal keys, equal text. */
export interface ProductVariant {
  readonly key: string;
  readonly kernel: ProductKernel;
  readonly bindings: readonly ProductBinding[];
  readonly flags: Readonly<Record<string, boolean>>;
  readonly tiles: Tiles;
}

/** What a kernel gets besides its buffers: the first members of `Params` in shaders/product/params.wgsl, in order. */
export const PRODUCT_NUMBERS = [
  'rows',
  'columns',
  'depth',
  'part',
  'tiles_down',
  'tiles_across',
  'grid_width',
  'adds',
  'part_stride',
  'first_row',
  'ignore_index',
  'ignores',
  'a_lines',
  'a_length',
  'b_lines',
  'b_length',
] as const;

/** Absent ones are 0. */
type ProductNumbers = Readonly<Partial<Record<(typeof PRODUCT_NUMBERS)[number], number>>>;

export interface ProductDispatch {
  readonly grid: readonly [number, number];
  /** In the order of `PRODUCT_NUMBERS`. */
  readonly numbers: readonly number[];
  readonly parts: readonly Part[];
}

/** One kernel of a product. */
export interface ProductPass {
  readonly variant: ProductVariant;
  readonly dispatches: readonly ProductDispatch[];
  /** Bytes that it reads and writes, each element counted once. */
  readonly bytes: number;
}

/** A matrix in a role or a scratch buffer: lines of neighbouring elements. */
export interface Lines {
  readonly from: string;
  readonly scratch: boolean;
  readonly dtype: DType;
  /** Its first element. */
  readonly start: number;
  readonly stride: number;
  readonly count: number;
  /** Elements of a line. */
  readonly length: number;
  /** What lies between the lines is ours to read and write. */
  readonly padded?: boolean;
}

/** Rows of the call that count as 0, whatever they hold. */
export interface Skips {
  /** `terms`: of the sums, in B. `rows`: of C. */
  readonly what: 'terms' | 'rows';
  readonly firstRow: number;
  readonly rows: number;
  readonly ignoreIndex: number;
}

/** C = A B, or C += A B. Sums of `depth` terms for `rows` x `columns` elements. */
export interface Product {
  /** What it is, for people: the first part of its variant's name. */
  readonly name: string;
  readonly rows: number;
  readonly columns: number;
  readonly depth: number;
  readonly a: Lines;
  /** Lines of A are its rows, else its columns. */
  readonly aByRows: boolean;
  readonly b: Lines;
  readonly bByRows: boolean;
  readonly c: Lines;
  /** A vector that is added to each row of C. */
  readonly bias?: Lines | undefined;
  readonly skips?: Skips | undefined;
  /** Where all of a block of A is 0 (not -0), B counts as 0 too, and is not read. For f32. */
  readonly skipsZeros?: boolean;
  /** Onto what C holds. */
  readonly adds?: boolean;
  /** Sums are added up in parts of so many terms, which lie `partStride` elements apart in C; default: one part. */
  readonly part?: number;
  readonly partStride?: number;
}

const FEW = 4;

/** The pass of a product. */
export function productPass(build: PassBuilder, product: Product): ProductPass {
  const { name, rows, columns, depth, a, aByRows, b, bByRows, c, bias, skips, adds = false } = product;
  const { skipsZeros = false } = product;
  const { part = Math.max(FEW, paddedRow(depth)), partStride = 0 } = product;
  const parts = Math.max(1, Math.ceil(depth / part));
  const tiles = chooseTiles(build.facts, build.wishes);
  const down = Math.ceil(rows / tiles.rows);
  const across = Math.ceil(columns / tiles.columns);
  const result = operand(build, c);
  return makePass(build, {
    kernel: 'product',
    name,
    tiles,
    parts: {
      a: operand(build, a),
      b: operand(build, b),
      ...(bias && { bias: operand(build, bias) }),
      ...(skips && { targets: targetsOf(skips) }),
      c: { ...result, elements: result.elements + (parts - 1) * partStride },
    },
    flags: {
      A_BY_ROWS: aByRows,
      B_BY_ROWS: bByRows,
      SKIPS_TERMS: skips?.what === 'terms',
      SKIPS_ROWS: skips?.what === 'rows',
      SKIPS_ZEROS: skipsZeros,
      BIASED: bias !== undefined,
      // Neighbouring workgroups read the same lines of the longer operand, while these are in the cache.
      DOWN_FIRST: rows <= columns,
    },
    groups: parts * down * across,
    numbers: {
      rows,
      columns,
      depth,
      part,
      tiles_down: down,
      tiles_across: across,
      adds: adds ? 1 : 0,
      part_stride: partStride,
      ...(skips && { first_row: skips.firstRow, ignore_index: skips.ignoreIndex, ignores: 1 }),
      a_lines: a.count,
      a_length: lengthOf(a),
      b_lines: b.count,
      b_length: lengthOf(b),
    },
  });
}

/** The pass that adds up the parts of a product: `parts` matrices in `from`, `partStride` elements apart, each dense. */
export function sumPartsPass(
  build: PassBuilder,
  work: {
    readonly name: string;
    readonly from: Lines;
    readonly parts: number;
    readonly partStride: number;
    readonly c: Lines;
  },
): ProductPass {
  const { name, parts, partStride, c } = work;
  const line = { ...work.from, count: 1, length: parts * partStride };
  return columnsPass(build, {
    kernel: 'sum-of-parts',
    name,
    b: line,
    c,
    numbers: { columns: c.count * c.length, depth: parts, part_stride: partStride },
  });
}

/** The pass that adds up the columns of a matrix of `depth` lines. */
export function columnSumsPass(
  build: PassBuilder,
  work: { readonly name: string; readonly matrix: Lines; readonly c: Lines; readonly adds: boolean },
): ProductPass {
  const { name, matrix, c, adds } = work;
  return columnsPass(build, {
    kernel: 'column-sums',
    name,
    b: matrix,
    c,
    numbers: { columns: c.length, depth: matrix.count, adds: adds ? 1 : 0 },
  });
}

/** A pass in which each thread adds up four columns of B. */
function columnsPass(
  build: PassBuilder,
  work: {
    readonly kernel: ProductKernel;
    readonly name: string;
    readonly b: Lines;
    readonly c: Lines;
    readonly numbers: ProductNumbers & { readonly columns: number };
  },
): ProductPass {
  const { kernel, name, b, c, numbers } = work;
  // Each thread reads what is its own.
  const tiles = chooseTiles(build.facts, { ...build.wishes, subgroups: false });
  return makePass(build, {
    kernel,
    name,
    tiles,
    parts: { b: operand(build, b), c: operand(build, c) },
    flags: {},
    groups: Math.ceil(numbers.columns / FEW / tiles.threads),
    numbers: { rows: 1, ...numbers, b_lines: b.count, b_length: lengthOf(b) },
  });
}

interface Making {
  readonly kernel: ProductKernel;
  readonly name: string;
  readonly tiles: Tiles;
  /** By the name of the kernel role. */
  readonly parts: Readonly<Record<string, Part>>;
  readonly flags: ProductVariant['flags'];
  readonly groups: number;
  /** All but the width of the grid. */
  readonly numbers: ProductNumbers;
}

function makePass(
  build: PassBuilder,
  { kernel, name, tiles, flags, groups, ...making }: Making,
): ProductPass {
  const bindings = Object.entries(making.parts).map(([role, { dtype, fours }]) => ({
    role,
    write: role === 'c',
    packing: packingOf(dtype),
    fours,
  }));
  const shapes = bindings.map(({ role, packing, fours }) =>
    [role, ...(fours ? ['vec4'] : []), ...(packing === 'none' ? [] : [packing])].join(':'),
  );
  const on = Object.keys(flags).filter((flag) => flags[flag]);
  const key = [kernel, name, tiles.name, shapes.join(','), ...on.map((flag) => flag.toLowerCase())].join('/');
  const grid = build.gridOf(groups, `the results of ${name}`);
  const numbers: ProductNumbers = { ...making.numbers, grid_width: grid[0] };
  const parts = Object.values(making.parts);
  return {
    variant: { key, kernel, bindings, flags, tiles },
    dispatches:
      groups === 0 ? [] : [{ grid, numbers: PRODUCT_NUMBERS.map((each) => numbers[each] ?? 0), parts }],
    bytes: parts.reduce((sum, { elements, dtype }) => sum + elements * bytesOf(dtype), 0),
  };
}

/** Elements of a line that may be read. */
function lengthOf({ length, padded }: Lines): number {
  return padded ? paddedRow(length) : length;
}

/** How a matrix is bound. Throws `LimitExceededError` where one binding cannot hold it. */
function operand(build: PassBuilder, lines: Lines): Part {
  const { from, scratch, dtype, start, stride, count } = lines;
  const length = lengthOf(lines);
  const elements = count === 0 ? 0 : (count - 1) * stride + length;
  const bytes = elements * bytesOf(dtype);
  const { maxStorageBufferBindingSize } = build.facts.limits;
  if (bytes > maxStorageBufferBindingSize) {
    throw new LimitExceededError(
      `${build.op}: ${from} takes ${bytes} bytes at once; one binding of this adapter holds ${maxStorageBufferBindingSize}. ` +
        'Split the batch into calls of fewer rows.',
      { op: build.op, adapter: build.facts },
    );
  }
  const fours =
    (build.wishes.vec4 ?? true) &&
    [length, start, ...(count > 1 ? [stride] : [])].every((n) => n % FEW === 0);
  return { from, scratch, dtype, start, elements, stride, fours };
}

function targetsOf({ firstRow, rows }: Skips): Part {
  return {
    from: 'targets',
    scratch: false,
    dtype: 'i32',
    start: 0,
    elements: firstRow + rows,
    stride: 1,
    fours: false,
  };
}
