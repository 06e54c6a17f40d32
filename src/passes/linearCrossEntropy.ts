import { bytesOf, WORD_BYTES } from '../dtype.js';
import { LimitExceededError } from '../errors.js';
import type { LinearCrossEntropySettings } from '../ops/linearCrossEntropySpec.js';
import { type Pass, type PassBuilder, paddedRow, type RowWork } from '../plan/pass.js';
import { chooseTiles, partOf, THREAD_TILE } from '../plan/policy.js';
import { columnSumsPass, type Lines, productPass, type Skips, sumPartsPass } from '../plan/product.js';
import { elementCount } from '../shape.js';
import type { Role, Roles } from '../spec.js';
import { type LossFrame, lossPasses, rowWork } from './crossEntropy.js';
import { sameNames } from './roles.js';

/** The passes of a linear cross-entropy: those of its rows between the census of their targets and the reduction of their losses. */
export function linearCrossEntropyPasses(
  build: PassBuilder,
  settings: LinearCrossEntropySettings,
  roles: Roles,
): readonly Pass[] {
  build.checkArithmetic('product');
  const { classWeight } = settings;
  return lossPasses(build, settings, classWeight && 'classWeight', (frame) =>
    new LinearPasses(build, settings, roles, frame).all(),
  );
}

/**
 * The passes of the rows, a chunk of them at a time: their logits by a product, over them their gradient, and from that the gradients of
 * the operands by two more products (the way of Liger's fused linear cross-entropy, https://arxiv.org/abs/2410.10989). The logits of a
 * chunk are all that there ever is of them. What is larger than a binding, the matrix of weights and its gradient, is worked on in
 * stretches of classes.
 */
class LinearPasses {
  readonly #build: PassBuilder;
  readonly #settings: LinearCrossEntropySettings;
  readonly #roles: Roles;
  readonly #frame: LossFrame;
  readonly #features: number;
  readonly #backward: boolean;
  /** Rows of a chunk, and classes of a stretch. */
  readonly #chunk: number;
  readonly #stretch: number;
  /** Terms in a part of the sums over a stretch of classes, and parts in all; one where they are added up in one go. */
  readonly #part: number;
  readonly #parts: number;

  constructor(build: PassBuilder, settings: LinearCrossEntropySettings, roles: Roles, frame: LossFrame) {
    const { layout, hidden, weight, gradHidden, gradWeight, gradBias } = settings;
    this.#build = build;
    this.#settings = settings;
    this.#roles = roles;
    this.#frame = frame;
    this.#features = hidden.shape.at(-1) as number;
    this.#backward = gradHidden || gradWeight || gradBias;
    const { limits } = build.facts;
    const lineBytes = (weight.rowStride ?? this.#features) * bytesOf(weight.dtype);
    // Of the weights and, in 32 bits, their gradient; with room for an offset that is not aligned.
    const room = limits.maxStorageBufferBindingSize - limits.minStorageBufferOffsetAlignment;
    const most = Math.floor(room / Math.max(lineBytes, 4 * this.#features) / 4) * 4;
    if (most < 4) throw this.#tooLarge('four rows of weight', 4 * lineBytes);
    this.#stretch = Math.min(layout.classes, most);
    const stretches = Math.ceil(layout.classes / this.#stretch);
    const tiles = chooseTiles(build.facts, build.wishes);
    // By one row of tiles: the results of a row must not depend on how many rows there are.
    const across = Math.ceil(this.#features / tiles.columns);
    this.#part = gradHidden ? partOf(this.#stretch, across, tiles) : this.#stretch;
    this.#parts = gradHidden ? stretches * Math.ceil(this.#stretch / this.#part) : 1;
    this.#chunk = this.#chunkRows(room);
  }

  /** Rows whose logits, and partial sums, fit in the scratch memory that there may be, and in a binding. */
  #chunkRows(room: number): number {
    const { layout, maxScratchBytes } = this.#settings;
    const { rows, classes } = layout;
    if (rows === 0) return 0;
    const logits = WORD_BYTES * paddedRow(classes);
    const partial = this.#parts > 1 ? WORD_BYTES * paddedRow(this.#parts * this.#features) : 0;
    // What there is for all rows: their losses, the reduction of these, and what rows hand over that are split.
    const [statistics, record] = this.#build.handoverWords(this.#rows(0, rows));
    const fixed = this.#build.scratchBytes + WORD_BYTES * paddedRow(rows * (statistics + record));
    const left = maxScratchBytes - fixed;
    const most = Math.floor(Math.min(left / (logits + partial), room / Math.max(logits, partial)));
    if (most < 1) {
      throw this.#tooLarge(
        `maxScratchBytes is ${maxScratchBytes}, and one row of logits`,
        fixed + logits + partial,
      );
    }
    const chunks = Math.ceil(rows / most);
    const even = Math.ceil(rows / chunks / THREAD_TILE) * THREAD_TILE;
    return Math.min(even, most, rows);
  }

  #tooLarge(what: string, bytes: number): LimitExceededError {
    return new LimitExceededError(
      `linearCrossEntropy: ${what} takes ${bytes} bytes; a binding of this adapter holds ` +
        `${this.#build.facts.limits.maxStorageBufferBindingSize}. Raise maxScratchBytes, split the batch, or use an adapter with larger limits.`,
      { op: 'linearCrossEntropy', adapter: this.#build.facts },
    );
  }

  all(): readonly Pass[] {
    const { rows, classes } = this.#settings.layout;
    this.#build.scratchMatrix('logits', this.#chunk, classes);
    if (rows === 0) return this.#backward ? this.#weightGradients(0, 0) : [];
    const passes: Pass[] = [];
    for (let first = 0; first < rows; first += this.#chunk) {
      passes.push(...this.#chunkPasses(first, Math.min(this.#chunk, rows - first)));
    }
    return passes;
  }

  #chunkPasses(first: number, count: number): readonly Pass[] {
    const { gradHidden } = this.#settings;
    return [
      ...this.#stretches((from, classes) => this.#logits(first, count, from, classes)),
      ...this.#build.build(this.#rows(first, count)),
      ...(gradHidden ? this.#hiddenGradient(first, count) : []),
      ...(this.#backward ? this.#weightGradients(first, count) : []),
    ];
  }

  /** The cross-entropy of some rows, with its gradient over their logits. */
  #rows(first: number, count: number): RowWork {
    const { layout, gradFilter } = this.#settings;
    return rowWork(this.#settings, this.#frame, {
      rows: { count, first, classes: layout.classes, inner: 1 },
      logits: 'logits',
      grad: this.#backward ? 'logits' : undefined,
      gradFilter: this.#backward ? gradFilter : 0,
      others: {
        ...('classWeight' in this.#roles ? { weight: 'classWeight' } : {}),
        ...sameNames(this.#roles, 'gradOutput', 'logSumExp'),
      },
    });
  }

  #stretches(of: (from: number, classes: number) => readonly Pass[]): readonly Pass[] {
    const { classes } = this.#settings.layout;
    const passes: Pass[] = [];
    for (let from = 0; from < classes; from += this.#stretch) {
      passes.push(...of(from, Math.min(this.#stretch, classes - from)));
    }
    return passes;
  }

  #logits(first: number, rows: number, from: number, columns: number): readonly Pass[] {
    return [
      productPass(this.#build, {
        name: 'logits',
        rows,
        columns,
        depth: this.#features,
        a: this.#lines('hidden', first, rows),
        aByRows: true,
        b: this.#lines('weight', from, columns),
        bByRows: false,
        c: this.#scratchLogits(rows, from, columns),
        bias: 'bias' in this.#roles ? this.#vector('bias', from, columns) : undefined,
      }),
    ];
  }

  /** Sums over all classes: in parts, for there are few results and many terms. */
  #hiddenGradient(first: number, rows: number): readonly Pass[] {
    const features = this.#features;
    const part = this.#part;
    const parts = this.#parts;
    const whole = this.#lines('gradHidden', first, rows);
    const partStride = rows * features;
    if (parts > 1) this.#build.scratchVector('parts', parts * this.#chunk * features);
    let done = 0;
    const products = this.#stretches((from, depth) => {
      const start = done * partStride;
      done += Math.ceil(depth / part);
      return [
        productPass(this.#build, {
          name: 'hidden-gradient',
          rows,
          columns: features,
          depth,
          a: this.#scratchLogits(rows, from, depth),
          aByRows: true,
          b: this.#lines('weight', from, depth),
          bByRows: true,
          c: parts > 1 ? this.#scratch('parts', start, rows, features) : whole,
          skips: this.#skips('rows', first, rows),
          skipsZeros: this.#settings.gradFilter > 0,
          ...(parts > 1 && { part, partStride }),
        }),
      ];
    });
    if (parts === 1) return products;
    const from = this.#scratch('parts', 0, rows, features);
    return [
      ...products,
      sumPartsPass(this.#build, { name: 'hidden-gradient', from, parts: done, partStride, c: whole }),
    ];
  }

  #weightGradients(first: number, rows: number): readonly Pass[] {
    const { gradWeight, gradBias, gradFilter } = this.#settings;
    const adds = first > 0;
    return this.#stretches((from, classes) => [
      ...(gradWeight
        ? [
            productPass(this.#build, {
              name: 'weight-gradient',
              rows: classes,
              columns: this.#features,
              depth: rows,
              a: this.#scratchLogits(rows, from, classes),
              aByRows: false,
              b: this.#lines('hidden', first, rows),
              bByRows: true,
              c: this.#lines('gradWeight', from, classes),
              skips: this.#skips('terms', first, rows),
              skipsZeros: gradFilter > 0,
              adds,
            }),
          ]
        : []),
      ...(gradBias
        ? [
            columnSumsPass(this.#build, {
              name: 'bias-gradient',
              matrix: this.#scratchLogits(rows, from, classes),
              c: this.#vector('gradBias', from, classes),
              adds,
            }),
          ]
        : []),
    ]);
  }

  /** Ignored rows count as 0, whatever they hold. */
  #skips(what: Skips['what'], firstRow: number, rows: number): Skips | undefined {
    const { ignoreIndex } = this.#frame.ignored;
    return ignoreIndex === undefined || rows === 0 ? undefined : { what, firstRow, rows, ignoreIndex };
  }

  /** Some rows of a role. */
  #lines(from: string, first: number, count: number): Lines {
    const { dtype, rowStride } = this.#roles[from] as Role;
    const stride = rowStride ?? this.#features;
    return { from, scratch: false, dtype, start: first * stride, stride, count, length: this.#features };
  }

  #vector(from: string, start: number, length: number): Lines {
    const { dtype, shape } = this.#roles[from] as Role;
    return { from, scratch: false, dtype, start, stride: elementCount(shape), count: 1, length };
  }

  #scratch(from: string, start: number, count: number, length: number): Lines {
    return { from, scratch: true, dtype: 'f32', start, stride: length, count, length };
  }

  #scratchLogits(count: number, start: number, length: number): Lines {
    const stride = paddedRow(this.#settings.layout.classes);
    return { ...this.#scratch('logits', start, count, length), stride, padded: true };
  }
}
