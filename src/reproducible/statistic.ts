// What the interpreter knows of statistics and epilogues: the functions that shaders/strategy calls.
import type { Kernel } from './kernel.js';

/** What a row is reduced to. */
export interface Statistic<Stat> {
  zero(): Stat;
  /** Takes in the classes c … c + 3, and the same for three further steps. */
  absorb(stat: Stat, row: number, c: number, step: number): void;
  /** Into `a`. */
  merge(a: Stat, b: Stat): void;
  store(at: number, stat: Stat): void;
  load(at: number): Stat;
}

/** What becomes of a row's statistic. */
export interface Epilogue<Stat, Row> {
  readonly rowFinish?: (row: number, stat: Stat) => Row;
  readonly rowOutput?: (row: number, result: Row) => void;
  readonly rowStore?: (at: number, result: Row) => void;
  readonly rowLoad?: (row: number) => Row;
  /** Of one class; a kernel's `emit` does four. */
  readonly emit?: (row: number, result: Row, c: number) => void;
  /** For a sum: the term of one class, as bits. */
  readonly terms?: (row: number, c: number) => number;
  /** For a weighted softmax: the coefficients of the classes. */
  readonly coefficients?: Coefficients;
}

/** A weight and a probability for each class, as bits: their product is the coefficient. */
export interface Coefficients {
  weightBits(c: number): number;
  probabilityBits(row: number, c: number): number;
}

// biome-ignore lint/suspicious/noExplicitAny: which statistic meets which epilogue is known by name only.
export type AnyEpilogue = Epilogue<any, any>;
// biome-ignore lint/suspicious/noExplicitAny: as above.
export type AnyStatistic = Statistic<any>;

export type MakeEpilogue = (kernel: Kernel) => AnyEpilogue;
export type MakeStatistic = (kernel: Kernel, epilogue: AnyEpilogue) => AnyStatistic;
