// Runs plans in JavaScript, with the bits that the kernels give on a device.
import { CENSUS_WORDS, NO_ROW } from '../plan/epilogue/census.js';
import type { RowPass, Source } from '../plan/pass.js';
import type { Plan } from '../plan/plan.js';
import type { OutOfRange } from '../spec.js';
import { censusEpilogue } from './epilogue/census.js';
import { crossEntropyIndexEpilogue } from './epilogue/crossEntropyIndex.js';
import { crossEntropyProbsEpilogue } from './epilogue/crossEntropyProbs.js';
import { logSoftmaxEpilogue, logSumExpEpilogue, softmaxEpilogue } from './epilogue/distribution.js';
import { entropyEpilogue } from './epilogue/entropy.js';
import { logSoftmaxGradEpilogue } from './epilogue/logSoftmaxGrad.js';
import { logSumExpGradEpilogue } from './epilogue/logSumExpGrad.js';
import { nllLossEpilogue } from './epilogue/nllLoss.js';
import { reduceEpilogue } from './epilogue/reduce.js';
import { softmaxGradEpilogue } from './epilogue/softmaxGrad.js';
import { Kernel } from './kernel.js';
import { censusStatistic } from './statistic/census.js';
import { entropyStatistic } from './statistic/entropy.js';
import { softmaxStatistic } from './statistic/softmax.js';
import { sumStatistic } from './statistic/sum.js';
import { weightedSoftmaxStatistic } from './statistic/weightedSoftmax.js';
import type { MakeEpilogue, MakeStatistic } from './statistic.js';
import { runStrategy } from './strategy.js';

const EPILOGUES: ReadonlyMap<string, MakeEpilogue> = new Map<string, MakeEpilogue>([
  ['census', censusEpilogue],
  ['cross-entropy-index', crossEntropyIndexEpilogue],
  ['cross-entropy-probs', crossEntropyProbsEpilogue],
  ['entropy', entropyEpilogue],
  ['log-softmax', logSoftmaxEpilogue],
  ['log-softmax-grad', logSoftmaxGradEpilogue],
  ['log-sum-exp', logSumExpEpilogue],
  ['log-sum-exp-grad', logSumExpGradEpilogue],
  ['nll-loss', nllLossEpilogue],
  ['reduce', reduceEpilogue],
  ['softmax', softmaxEpilogue],
  ['softmax-grad', softmaxGradEpilogue],
]);

const STATISTICS: ReadonlyMap<string, MakeStatistic> = new Map<string, MakeStatistic>([
  ['census', censusStatistic],
  ['entropy', entropyStatistic],
  ['softmax', softmaxStatistic],
  ['sum', sumStatistic],
  ['weighted-softmax', weightedSoftmaxStatistic],
]);

/** Whether an epilogue has a form here; then its kernels have one in the reproducible arithmetic. */
export function covers(epilogue: string): boolean {
  return EPILOGUES.has(epilogue);
}

/**
 * Runs the passes of a plan on the words of the call's arrays, by role; writes the outputs. Returns the first target out of range, if
 * any.
 */
export function interpret(plan: Plan, arrays: Readonly<Record<string, Uint32Array>>): OutOfRange | undefined {
  const scratch = new Map([...plan.scratch].map(([name, bytes]) => [name, new Uint32Array(bytes / 4)]));
  const buffers = ({ from, scratch: isScratch }: Source): Uint32Array =>
    (isScratch ? scratch.get(from) : arrays[from]) as Uint32Array;
  // An op with other passes is refused before it has a plan.
  for (const pass of plan.passes as readonly RowPass[]) {
    const { epilogue, statistic } = pass.variant;
    const kernel = new Kernel(pass, buffers);
    const made = (EPILOGUES.get(epilogue.name) as MakeEpilogue)(kernel);
    const reduced =
      statistic === undefined ? undefined : (STATISTICS.get(statistic.name) as MakeStatistic)(kernel, made);
    const rows = pass.dispatches.reduce((sum, dispatch) => sum + dispatch.rows, 0);
    runStrategy(kernel, made, reduced, rows);
  }
  return outOfRange(plan, scratch.get('census'));
}

function outOfRange({ spec }: Plan, census: Uint32Array | undefined): OutOfRange | undefined {
  if (spec.targetClasses === undefined || census === undefined) return undefined;
  const [, , row, raw] = census.subarray(0, CENSUS_WORDS) as unknown as [number, number, number, number];
  if (row === NO_ROW) return undefined;
  return { row, value: spec.roles['targets']?.dtype === 'i32' ? raw | 0 : raw };
}
