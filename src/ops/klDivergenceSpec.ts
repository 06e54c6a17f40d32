import type { KlTarget } from '../cpu/klDivergence.js';
import { DISTRIBUTION_WORDS, distributionEpilogue } from '../plan/epilogue/distribution.js';
import {
  givenDivergenceStatistic,
  klDivergenceEpilogue,
  klDivergenceLogProbsEpilogue,
  klDivergenceProbsEpilogue,
} from '../plan/epilogue/klDivergence.js';
import type { Pass, PassBuilder } from '../plan/pass.js';
import { softmaxStatistic, twoSumsStatistic } from '../plan/statistics.js';
import { type Layout, rowShape } from '../shape.js';
import type { Role, Roles, Spec } from '../spec.js';
import { type Reduction, reducing } from './reduction.js';
import { outputRole, presentRoles, sameNames } from './roles.js';
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
  const roles = presentRoles({
    logits,
    target,
    gradOutput,
    divergence: outputRole(reduction === 'none' ? rowShape(layout) : []),
    grad: grad && outputRole(layout.shape, logits.dtype),
    gradTarget: grad && outputRole(layout.shape, target.dtype),
  });
  return {
    op: 'klDivergence',
    settings,
    roles,
    passes: (build) => klPasses(build, settings, roles),
  };
}

/**
 * The distributions first, each from a pass over its matrix; then both matrices again: only against the finished
 * distributions is the divergence a sum of terms that do not cancel.
 */
function klPasses(build: PassBuilder, settings: KlSettings, roles: Roles): readonly Pass[] {
  const { layout, kind, temperature, scaleByTemperatureSquared, reduction, gradOutput } = settings;
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
  const passes = [...distributionPasses('logits', 'student')];
  if (kind === 'logits') passes.push(...distributionPasses('target', 'teacher'));
  const { values, divisor, last } = reducing(build, { result: 'divergence', rows: count, reduction });
  passes.push(
    ...build.build({
      rows,
      epilogue: EPILOGUES[kind],
      statistic: kind === 'logits' ? twoSumsStatistic : givenDivergenceStatistic,
      roles: {
        ...sameNames(roles, 'logits', 'target', 'gradOutput', 'grad', 'gradTarget'),
        student: 'student',
        ...(kind === 'logits' ? { teacher: 'teacher' } : {}),
        divergence: values,
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
  return [...passes, ...last()];
}
