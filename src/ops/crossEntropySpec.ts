import { isFloat } from '../dtype.js';
import { crossEntropyIndexEpilogue } from '../plan/epilogue/crossEntropyIndex.js';
import { crossEntropyProbsEpilogue } from '../plan/epilogue/crossEntropyProbs.js';
import type { Constants, Pass, PassBuilder } from '../plan/pass.js';
import { softmaxStatistic, weightedSoftmaxStatistic } from '../plan/statistics.js';
import { type Layout, rowShape } from '../shape.js';
import type { Role, Roles, Spec } from '../spec.js';
import { censusPasses, ignoredConstant } from './census.js';
import { type Reduction, reducing } from './reduction.js';
import { outputRole, presentRoles, sameNames } from './roles.js';
import { temperatureConstants } from './temperature.js';

/** A cross-entropy with every choice made. */
export interface CrossEntropySettings {
  readonly layout: Layout;
  readonly logits: Role;
  /** Of an integer dtype: class indices, one a row. Of a float dtype: probabilities, the shape of the logits. */
  readonly targets: Role;
  readonly weight: Role | undefined;
  readonly ignoreIndex: number;
  readonly labelSmoothing: number;
  readonly temperature: number;
  readonly softcap: number | undefined;
  readonly zLoss: number;
  readonly reduction: Reduction;
  readonly grad: boolean | 'in-place';
  /** A number, or the role of a tensor: one value a row for 'none', a single one otherwise. */
  readonly gradOutput: number | Role;
  readonly gradTargets: boolean;
  readonly returnLogSumExp: boolean;
}

/** The roles and passes of a cross-entropy. */
export function crossEntropySpec(settings: CrossEntropySettings): Spec {
  const { layout, targets } = settings;
  const roles = rolesOf(settings);
  const indices = !isFloat(targets.dtype);
  return {
    op: 'crossEntropy',
    settings,
    roles,
    passes: (build) => passesOf(settings, roles, build),
    ...(indices && layout.rows > 0 ? { targetClasses: layout.classes } : {}),
  };
}

function rolesOf(settings: CrossEntropySettings): Roles {
  const { layout, logits, targets, weight, reduction, grad, gradOutput, gradTargets, returnLogSumExp } =
    settings;
  const perRow = outputRole(rowShape(layout));
  return presentRoles({
    logits: grad === 'in-place' ? { ...logits, access: 'in-out' } : logits,
    targets,
    weight,
    gradOutput,
    loss: reduction === 'none' ? perRow : outputRole([]),
    grad: grad === true && outputRole(layout.shape, logits.dtype),
    gradTargets: gradTargets && outputRole(layout.shape, targets.dtype),
    logSumExp: returnLogSumExp && perRow,
  });
}

function passesOf(settings: CrossEntropySettings, roles: Roles, build: PassBuilder): readonly Pass[] {
  const { layout, targets, labelSmoothing, temperature, softcap, zLoss, reduction, grad, gradOutput } =
    settings;
  const { rows, classes, inner } = layout;
  const indices = !isFloat(targets.dtype);
  const passes: Pass[] = [];
  const ignored = ignoredConstant(targets, settings.ignoreIndex);
  // The mean over probabilities divides by the rows, over class indices by what the census counts.
  const census = indices && reduction === 'mean' && rows > 0;
  const { values, divisor, last } = reducing(build, { result: 'loss', rows, reduction, census });
  const constants: Constants = {
    ...ignored,
    gradOutput: typeof gradOutput === 'number' ? gradOutput : 0,
    divisor,
    keep: 1 - labelSmoothing,
    spread: labelSmoothing / classes,
    ...temperatureConstants(temperature),
    chain: 1 / temperature,
    zLoss,
    ...(softcap === undefined ? {} : { cap: softcap, uncap: 1 / (softcap * temperature) }),
  };
  if (indices) {
    const weighted = 'weight' in roles;
    passes.push(...censusPasses(build, { rows, classes, weighted, ignored }));
  }
  const smoothing = labelSmoothing > 0;
  passes.push(
    ...build.build({
      rows: { count: rows, classes, inner },
      epilogue: indices ? crossEntropyIndexEpilogue : crossEntropyProbsEpilogue,
      statistic: indices && !smoothing ? softmaxStatistic : weightedSoftmaxStatistic,
      roles: {
        logits: 'logits',
        targets: 'targets',
        loss: values,
        ...sameNames(roles, 'weight', 'gradOutput', 'logSumExp', 'gradTargets'),
        ...(census ? { census: 'census' } : {}),
        ...(grad === false ? {} : { grad: grad === true ? 'grad' : 'logits' }),
      },
      aliases: grad === 'in-place' ? { grad: 'logits' } : {},
      flags: {
        SMOOTHING: indices && smoothing,
        TARGET_GRADIENT: 'gradTargets' in roles,
        // A soft cap needs the values divided, not their differences.
        TEMPERED: temperature !== 1 && softcap === undefined,
        SOFTCAP: softcap !== undefined,
        Z_LOSS: zLoss !== 0,
      },
      constants,
    }),
  );
  passes.push(...last());
  return passes;
}
