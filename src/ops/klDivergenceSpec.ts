import { type KlTarget, klDivergence as klDivergenceOnCpu } from '../cpu/klDivergence.js';
import type { TypedArray } from '../dtype.js';
import { DISTRIBUTION_WORDS, distributionEpilogue } from '../plan/epilogue/distribution.js';
import {
  klDivergenceEpilogue,
  klDivergenceLogProbsEpilogue,
  klDivergenceProbsEpilogue,
} from '../plan/epilogue/klDivergence.js';
import type { Pass, PassBuilder } from '../plan/pass.js';
import { softmaxStatistic, twoSumsStatistic } from '../plan/statistics.js';
import { type Layout, rowShape } from '../shape.js';
import type { Role, Spec } from '../spec.js';
import { meanScale, type Reduction, reducePasses, upstreamOnCpu } from './reduction.js';
import { temperatureConstants } from './temperature.js';

/** All that decides what a divergence computes, checked and complete. */
export interface KlSettings {
  readonly layout: Layout;
  readonly logits: Role;
  readonly target: Role;
  readonly kind: KlTarget;
  readonly temperature: number;
  readonly scaleByTemperatureSquared: boolean;
  readonly reduction: Reduction;
  readonly grad: boolean;
  readonly gradOutput: number | Role;
}

const EPILOGUES = {
  logits: klDivergenceEpilogue,
  probs: klDivergenceProbsEpilogue,
  logProbs: klDivergenceLogProbsEpilogue,
} as const;

export function klDivergenceSpec(settings: KlSettings): Spec {
  const { layout, logits, target, reduction, grad, gradOutput } = settings;
  const matrix: Role = { shape: layout.shape, dtype: 'f32', access: 'out' };
  return {
    op: 'klDivergence',
    roles: {
      logits,
      target,
      ...(typeof gradOutput === 'number' ? {} : { gradOutput }),
      divergence: { ...matrix, shape: reduction === 'none' ? rowShape(layout) : [] },
      ...(grad ? { grad: matrix, gradTarget: matrix } : {}),
    },
    passes: (build) => klPasses(build, settings),
    cpu: (arrays) => {
      runOnCpu(settings, arrays);
      return undefined;
    },
  };
}

/**
 * The distributions first, each from a pass over its matrix; then both matrices again: only against the finished
 * distributions is the divergence a sum of terms that do not cancel.
 */
function klPasses(build: PassBuilder, settings: KlSettings): readonly Pass[] {
  const { layout, kind, temperature, scaleByTemperatureSquared, reduction, grad, gradOutput } = settings;
  const { rows: count, classes, inner } = layout;
  const rows = { count, classes, inner };
  const flags = { TEMPERED: temperature !== 1 };
  const tempered = temperatureConstants(temperature);
  const distributionPasses = (logits: string, distribution: string): readonly Pass[] =>
    build.build({
      rows,
      epilogue: distributionEpilogue,
      statistic: softmaxStatistic,
      roles: { logits, distribution: build.scratchVector(distribution, DISTRIBUTION_WORDS * count) },
      flags,
      constants: tempered,
    });
  const mean = reduction === 'mean';
  const divisor = mean ? count : 1;
  const passes = [...distributionPasses('logits', 'student')];
  if (kind === 'logits') passes.push(...distributionPasses('target', 'teacher'));
  const losses = reduction === 'none' ? 'divergence' : build.scratchVector('losses', count);
  passes.push(
    ...build.build({
      rows,
      epilogue: EPILOGUES[kind],
      statistic: twoSumsStatistic,
      roles: {
        logits: 'logits',
        target: 'target',
        student: 'student',
        ...(kind === 'logits' ? { teacher: 'teacher' } : {}),
        ...(typeof gradOutput === 'number' ? {} : { gradOutput: 'gradOutput' }),
        divergence: losses,
        ...(grad ? { grad: 'grad', gradTarget: 'gradTarget' } : {}),
      },
      flags,
      constants: {
        ...tempered,
        gradOutput: typeof gradOutput === 'number' ? gradOutput : 0,
        divisor,
        // T^2 itself may be no float32 number where T is one.
        gain: scaleByTemperatureSquared ? temperature : 1,
        chain: scaleByTemperatureSquared ? temperature : 1 / temperature,
      },
    }),
  );
  if (reduction !== 'none') {
    const scale = mean ? meanScale(count) : 1;
    passes.push(
      ...reducePasses(build, { losses, loss: 'divergence', rows: count, divisor, census: false, scale }),
    );
  }
  return passes;
}

function runOnCpu(settings: KlSettings, arrays: Readonly<Record<string, TypedArray>>): void {
  const { layout, kind, temperature, scaleByTemperatureSquared, reduction, grad, gradOutput } = settings;
  const result = klDivergenceOnCpu(
    arrays['logits'] as TypedArray,
    arrays['target'] as TypedArray,
    layout.shape,
    {
      axis: layout.axis,
      target: kind,
      temperature,
      scaleByTemperatureSquared,
      reduction,
      grad,
      gradOutput: upstreamOnCpu(gradOutput, arrays),
    },
  );
  arrays['divergence']?.set(result.divergence);
  if (result.grad !== undefined) arrays['grad']?.set(result.grad);
  if (result.gradTarget !== undefined) arrays['gradTarget']?.set(result.gradTarget);
}
