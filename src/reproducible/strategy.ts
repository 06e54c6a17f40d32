// The kernels of shaders/strategy in JavaScript, each written once for all statistics and epilogues.
import type { RowPass } from '../plan/pass.js';
import { BLOCK } from '../plan/policy.js';
import { isApart, type KernelName } from '../plan/variant.js';
import type { Kernel } from './kernel.js';
import type { AnyEpilogue, AnyStatistic } from './statistic.js';

type Finish = NonNullable<AnyEpilogue['rowFinish']>;
type Load = NonNullable<AnyEpilogue['rowLoad']>;

/** All rows of a pass. */
export function runStrategy(
  kernel: Kernel,
  epilogue: AnyEpilogue,
  statistic: AnyStatistic | undefined,
  rows: number,
): void {
  STRATEGIES[kernel.variant.kernel](kernel, epilogue, statistic as AnyStatistic, rows);
}

const STRATEGIES: Readonly<
  Record<KernelName, (kernel: Kernel, epilogue: AnyEpilogue, statistic: AnyStatistic, rows: number) => void>
> = {
  'row-per-thread': rowPerThread,
  'row-per-thread-apart': rowPerThread,
  'row-per-workgroup': rowPerWorkgroup,
  'row-per-workgroup-apart': rowPerWorkgroup,
  'split-partial': ({ pass, variant }, _epilogue, statistic, rows) => {
    const words = variant.statistic?.words ?? 0;
    eachSegment(pass, rows, (row, segment, start, end) => {
      const stat = reduce(statistic, variant.workgroupSize, row, start, end);
      statistic.store((row * pass.segments + segment) * words, stat);
    });
  },
  'split-finish': (kernel, epilogue, statistic, rows) => {
    const { workgroupSize } = kernel.variant;
    const { segments } = kernel.pass;
    const words = kernel.variant.statistic?.words ?? 0;
    for (let row = 0; row < rows; row++) {
      const lanes = Array.from({ length: workgroupSize }, () => statistic.zero());
      for (let s = 0; s < segments; s++) {
        statistic.merge(lanes[s % workgroupSize], statistic.load((row * segments + s) * words));
      }
      const result = (epilogue.rowFinish as Finish)(row, mergeTree(statistic, lanes));
      epilogue.rowOutput?.(row, result);
      epilogue.rowStore?.(kernel.recordAt(row), result);
    }
  },
  rows: (_kernel, epilogue, _statistic, rows) => {
    for (let row = 0; row < rows; row++) epilogue.rowOutput?.(row, (epilogue.rowLoad as Load)(row));
  },
  map,
  'map-rows': map, // whose rows have one segment
  'map-straddling': map,
};

function rowPerThread(kernel: Kernel, epilogue: AnyEpilogue, statistic: AnyStatistic, rows: number): void {
  for (let row = 0; row < rows; row++) {
    const stat = statistic.zero();
    for (let c = 0; c < kernel.classes; c += BLOCK) statistic.absorb(stat, row, c, 4);
    finish(kernel, epilogue, row, stat);
  }
}

function rowPerWorkgroup(kernel: Kernel, epilogue: AnyEpilogue, statistic: AnyStatistic, rows: number): void {
  const { classes, variant } = kernel;
  for (let row = 0; row < rows; row++) {
    finish(kernel, epilogue, row, reduce(statistic, variant.workgroupSize, row, 0, classes));
  }
}

/** A row with its statistic: its own results, and its elements, or what another kernel needs to write them. */
function finish(kernel: Kernel, epilogue: AnyEpilogue, row: number, stat: unknown): void {
  const { classes, flags, variant } = kernel;
  const result = (epilogue.rowFinish as Finish)(row, stat);
  epilogue.rowOutput?.(row, result);
  if (!flags.EMITS) return;
  if (isApart(variant.kernel)) epilogue.rowStore?.(kernel.recordAt(row), result);
  else emitAll(epilogue, row, result, 0, classes);
}

function map({ pass }: Kernel, epilogue: AnyEpilogue, _statistic: AnyStatistic, rows: number): void {
  eachSegment(pass, rows, (row, _segment, start, end) => {
    emitAll(epilogue, row, (epilogue.rowLoad as Load)(row), start, end);
  });
}

function eachSegment(
  { classes, segment, segments }: RowPass,
  rows: number,
  visit: (row: number, segment: number, start: number, end: number) => void,
): void {
  for (let row = 0; row < rows; row++) {
    for (let s = 0; s < segments; s++) {
      visit(row, s, s * segment, Math.min((s + 1) * segment, classes));
    }
  }
}

/** What a workgroup makes of the classes from `start` to `end`. */
function reduce(
  statistic: AnyStatistic,
  width: number,
  row: number,
  start: number,
  end: number,
): ReturnType<AnyStatistic['zero']> {
  const lanes = Array.from({ length: width }, () => statistic.zero());
  for (let lane = 0; lane < width; lane++) {
    for (let c = start + lane * 4; c < end; c += width * BLOCK) {
      statistic.absorb(lanes[lane], row, c, width * 4);
    }
  }
  return mergeTree(statistic, lanes);
}

/** The binary tree over neighbouring lanes. */
function mergeTree<Stat>(statistic: AnyStatistic, lanes: readonly Stat[]): Stat {
  for (let distance = 1; distance < lanes.length; distance *= 2) {
    for (let at = 0; at + distance < lanes.length; at += 2 * distance) {
      statistic.merge(lanes[at], lanes[at + distance]);
    }
  }
  return lanes[0] as Stat;
}

function emitAll(epilogue: AnyEpilogue, row: number, result: unknown, start: number, end: number): void {
  const emit = epilogue.emit as NonNullable<AnyEpilogue['emit']>;
  for (let c = start; c < end; c++) emit(row, result, c);
}
