import type { KlSettings } from '../ops/klDivergenceSpec.js';
import { DISTRIBUTION_WORDS, distributionEpilogue } from '../plan/epilogue/distribution.js';
import {
  givenDivergenceStatistic,
  klDivergenceEpilogue,
  klDivergenceLogProbsEpilogue,
  klDivergenceProbsEpilogue,
  twoSumsStatistic,
} from '../plan/epilogue/klDivergence.js';
import type { Pass, PassBuilder } from '../plan/pass.js';
import { softmaxStatistic } from '../plan/statistics.js';
import type { Roles } from '../spec.js';
import { reducing } from './reduction.js';
import { rowsOf, sameNames } from './roles.js';
import { temperatureConstants } from './temperature.js';

const EPILOGUES = {
  logits: klDivergenceEpilogue,
  probs: klDivergenceProbsEpilogue,
  logProbs: klDivergenceLogProbsEpilogue,
} as const;

/**
 * The distributions first, each from a pass over its matrix; then both matrices again: only against the finished
 * distributions is the divergence a sum of terms that do not cancel.
 */
export function klDivergencePasses(build: PassBuilder, settings: KlSettings, roles: Roles): readonly Pass[] {
  const { layout, kind, temperature, scaleByTemperatureSquared, reduction, gradOutput } = settings;
  const rows = rowsOf(layout);
  const flags = { TEMPERED: temperature !== 1 };
  const tempered = temperatureConstants(temperature);
  const distributionPasses = (logits: string, distribution: string): readonly Pass[] =>
    build.build({
      rows,
      epilogue: distributionEpilogue,
      statistic: softmaxStatistic,
      roles: { logits, distribution: build.scratchVector(distribution, DISTRIBUTION_WORDS * layout.rows) },
      flags,
      constants: tempered,
    });
  const passes = [...distributionPasses('logits', 'student')];
  if (kind === 'logits') passes.push(...distributionPasses('target', 'teacher'));
  const { values, divisor, last } = reducing(build, { result: 'divergence', rows: layout.rows, reduction });
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
