// Matrix products, where a call has more to do than rows.
import { bytesOf, type DType } from '../dtype.js';
import { LimitExceededError } from '../errors.js';
import type { PassBuilder } from './pass.js';
import { chooseTiles, type Tiles } from './policy.js';

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

/** Everything that decides a product's shader. Equal keys, equal text. */
export interface ProductVariant {
  readonly key: string;
  readonly bindings: readonly { readonly role: string; readonly write: boolean }[];
  readonly kernel: ProductKernel;
  /** By the name of the kernel role; the last one is written. */
  readonly parts: Readonly<Record<string, Part>>;
  /** The roles that are read in groups of four, line by line. */
  readonly lines: readonly string[];
  readonly flags: Readonly<Record<string, boolean>>;
  readonly tiles: Tiles;
}

export interface ProductDispatch {
  readonly grid: readonly [number, number];
  /** What the kernel gets besides its buffers: the first members of `Params` in shaders/product/params.wgsl. */
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
  /** Onto what C holds. */
  readonly adds?: boolean;
  /** Sums are added up in parts of so many terms, which lie `partStride` elements apart in C; default: one part. */
  readonly part?: number;
  readonly partStride?: number;
}

const FEW = 4;

/** The pass of a product. */
export function productPass(build: PassBuilder, product: Product): ProductPass {
  const { rows, columns, depth, a, aByRows, b, bByRows, c, bias, skips, adds = false } = product;
  const part = product.part ?? Math.max(FEW, Math.ceil(depth / FEW) * FEW);
  const parts = Math.max(1, Math.ceil(depth / part));
  const tiles = chooseTiles(build.facts, build.wishes);
  const down = Math.ceil(rows / tiles.rows);
  const across = Math.ceil(columns / tiles.columns);
  // Neighbouring workgroups read the same lines of the longer operand, while these are in the cache.
  const downFirst = rows <= columns;
  const operands = {
    a: operand(build, a),
    b: operand(build, b),
    ...(bias && { bias: operand(build, bias) }),
    ...(skips && { targets: targetsOf(skips) }),
    c: operand(build, c),
  };
  const count = parts * (product.partStride ?? 0);
  const result = {
    ...operands.c,
    elements: operands.c.elements + Math.max(0, count - (product.partStride ?? 0)),
  };
  return makePass(build, {
    kernel: 'product',
    name: product.name,
    parts: { ...operands, c: result },
    flags: {
      A_BY_ROWS: aByRows,
      B_BY_ROWS: bByRows,
      SKIPS_TERMS: skips?.what === 'terms',
      SKIPS_ROWS: skips?.what === 'rows',
      BIASED: bias !== undefined,
      DOWN_FIRST: downFirst,
    },
    tiles,
    groups: parts * down * across,
    numbers: [rows, columns, depth, part, down, across],
    rest: [
      ...[adds ? 1 : 0, product.partStride ?? 0, skips?.firstRow ?? 0],
      ...[(skips?.ignoreIndex ?? 0) >>> 0, skips === undefined ? 0 : 1],
    ],
    lines: { a, b, ...(bias && { bias }) },
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
  const { from, parts, partStride, c } = work;
  const b = operand(build, { ...from, count: 1, length: parts * partStride });
  const elements = c.count * c.length;
  const tiles = chooseTiles(build.facts, build.wishes);
  return makePass(build, {
    kernel: 'sum-of-parts',
    name: work.name,
    parts: { b, c: operand(build, c) },
    flags: {},
    tiles,
    groups: Math.ceil(elements / FEW / tiles.threads),
    numbers: [1, elements, parts, 0, 0, 0],
    rest: [0, partStride, 0, 0, 0],
    lines: { b: { ...from, count: 1, length: parts * partStride } },
  });
}

/** The pass that adds up the columns of a matrix of `depth` lines. */
export function columnSumsPass(
  build: PassBuilder,
  work: { readonly name: string; readonly matrix: Lines; readonly c: Lines; readonly adds: boolean },
): ProductPass {
  const { matrix, c } = work;
  const tiles = chooseTiles(build.facts, build.wishes);
  return makePass(build, {
    kernel: 'column-sums',
    name: work.name,
    parts: { b: operand(build, matrix), c: operand(build, c) },
    flags: {},
    tiles,
    groups: Math.ceil(c.length / FEW / tiles.threads),
    numbers: [1, c.length, matrix.count, 0, 0, 0],
    rest: [work.adds ? 1 : 0, 0, 0, 0, 0],
    lines: { b: matrix },
  });
}

type Parts = Readonly<Record<string, Part>>;

interface Making {
  readonly kernel: ProductKernel;
  readonly name: string;
  readonly parts: Parts;
  readonly flags: Readonly<Record<string, boolean>>;
  readonly tiles: Tiles;
  readonly groups: number;
  /** The numbers before the grid's width, and those behind it. */
  readonly numbers: readonly number[];
  readonly rest: readonly number[];
  /** What is read in groups of four, by role. */
  readonly lines: Readonly<Record<string, Lines>>;
}

function makePass(build: PassBuilder, making: Making): ProductPass {
  const { kernel, parts, flags, tiles, lines } = making;
  const names = Object.keys(parts);
  const bindings = names.map((role) => ({ role, write: role === 'c' }));
  const shapes = names.map((role) => {
    const { fours, dtype } = parts[role] as Part;
    return [role, ...(fours ? ['vec4'] : []), ...(dtype === 'f16' || dtype === 'bf16' ? [dtype] : [])].join(
      ':',
    );
  });
  const on = Object.entries(flags).filter(([, value]) => value);
  const { grid, width } = gridOf(build, making.groups);
  const lineNumbers = ['a', 'b'].flatMap((name) => [lines[name]?.count ?? 0, lengthOf(lines[name])]);
  const bytes = Object.values(parts).reduce((sum, { elements, dtype }) => sum + elements * bytesOf(dtype), 0);
  return {
    variant: {
      key: [
        kernel,
        making.name,
        tiles.name,
        shapes.join(','),
        ...on.map(([name]) => name.toLowerCase()),
      ].join('/'),
      bindings,
      kernel,
      parts,
      lines: Object.keys(lines),
      flags,
      tiles,
    },
    dispatches:
      making.groups === 0
        ? []
        : [
            {
              grid,
              numbers: [...making.numbers, width, ...making.rest, ...lineNumbers],
              parts: Object.values(parts),
            },
          ],
    bytes,
  };
}

function gridOf(build: PassBuilder, groups: number): { grid: readonly [number, number]; width: number } {
  const most = build.facts.limits.maxComputeWorkgroupsPerDimension;
  const height = Math.max(1, Math.ceil(groups / most));
  const width = Math.ceil(groups / height);
  return { grid: [width, height], width };
}

/** Elements of a line that may be read. */
function lengthOf(lines: Lines | undefined): number {
  if (lines === undefined) return 0;
  return lines.padded ? Math.ceil(lines.length / FEW) * FEW : lines.length;
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
