import { readRow, rowStart } from '../../src/cpu/row.js';
import { divideRow, softcapRow } from '../../src/cpu/transform.js';
import type { Layout } from '../../src/shape.js';
import { CONSERVATIVE, inputErrorOf, type KernelFacts, type RowFacts, rowFacts } from '../support/bounds.js';

/** What becomes of the logits before the softmax. */
export interface Transform {
  readonly temperature?: number | undefined;
  readonly softcap?: number | undefined;
}

/** The exact facts of a case, row by row, each made when first asked for. */
export class CaseRows {
  readonly layout: Layout;
  readonly kernel: KernelFacts;
  /** Derivative of the softcap at each logit of a row; all 1 without one. */
  readonly #slopes: Float64Array[] = [];
  readonly #rows: RowFacts[] = [];
  readonly #logits: ArrayLike<number>;
  readonly #transform: Transform;
  readonly #contexts: ArrayLike<number> | undefined;

  /** @param contexts where the case has the same rows several times: which row of `logits` each of its rows is */
  constructor(
    layout: Layout,
    logits: ArrayLike<number>,
    transform: Transform = {},
    kernel: KernelFacts = CONSERVATIVE,
    contexts?: ArrayLike<number>,
  ) {
    this.layout = layout;
    this.#contexts = contexts;
    this.kernel = { ...kernel, inputError: inputErrorOf(transform) };
    this.#logits = logits;
    this.#transform = transform;
  }

  row(of: number): RowFacts {
    const r = this.#at(of);
    const known = this.#rows[r];
    if (known) return known;
    const { temperature = 1, softcap } = this.#transform;
    const logits = this.read(this.#logits, r);
    const slopes = new Float64Array(logits.length).fill(1);
    divideRow(logits, temperature);
    if (softcap !== undefined) softcapRow(logits, softcap, slopes);
    const made = rowFacts(logits, this.kernel);
    this.#rows[r] = made;
    this.#slopes[r] = slopes;
    return made;
  }

  /** Derivative of the softcap at element `i`. */
  slopeAt(i: number): number {
    const r = this.rowOf(i);
    this.row(r);
    return this.#slopes[this.#at(r)]?.[this.classOf(i)] as number;
  }

  #at(row: number): number {
    return this.#contexts === undefined ? row : (this.#contexts[row] as number);
  }

  /** Row `r` of an array of the logits' shape. */
  read(values: ArrayLike<number>, r: number): Float64Array {
    const row = new Float64Array(this.layout.classes);
    readRow(values, this.layout, r, row);
    return row;
  }

  at(i: number): RowFacts {
    return this.row(this.rowOf(i));
  }

  /** The row of element `i` of a dense array. */
  rowOf(i: number): number {
    const { classes, inner } = this.layout;
    return Math.floor(i / (classes * inner)) * inner + (i % inner);
  }

  /** The class of element `i` of a dense array. */
  classOf(i: number): number {
    return Math.floor((i - rowStart(this.layout, this.rowOf(i))) / this.layout.inner);
  }
}
