import { isFloat } from '../dtype.js';
import type { CrossEntropySettings, LossTerms } from '../ops/crossEntropySpec.js';
import { crossEntropyIndexEpilogue } from '../plan/epilogue/crossEntropyIndex.js';
import { crossEntropyProbsEpilogue } from '../plan/epilogue/crossEntropyProbs.js';
import type { Constants, Pass, PassBuilder, Rows, RowWork } from '../plan/pass.js';
import { softmaxStatistic, weightedSoftmaxStatistic } from '../plan/statistics.js';
import type { Roles } from '../spec.js';
import { censusPasses, ignoredConstant } from './census.js';
import { reducing } from './reduction.js';
import { rowsOf, sameNames } from './roles.js';
import { temperatureConstants } from './temperature.js';

/** The passes of a cross-entropy. */
export function crossEntropyPasses(
  build: PassBuilder,
  settings: CrossEntropySettings,
  roles: Roles,
): readonly Pass[] {
  const { layout, grad } = settings;
  return lossPasses(build, settings, 'weight' in roles ? 'weight' : undefined, (frame) =>
    build.build(
      rowWork(settings, frame, {
        rows: rowsOf(layout),
        logits: 'logits',
        grad: grad === false ? undefined : grad === true ? 'grad' : 'logits',
        others: sameNames(roles, 'weight', 'gradOutput', 'logSumExp', 'gradTargets'),
      }),
    ),
  );
}

/** What the passes of the rows must know of those around them. */
export interface LossFrame {
  /** Where the losses of the rows go. */
  readonly values: string;
  readonly divisor: number;
  /** The mean is over what the census counts. */
  readonly census: boolean;
  readonly ignored: Constants;
}

/** The passes of a loss: the census of its targets, those of its rows, and those that reduce their losses. */
export function lossPasses(
  build: PassBuilder,
  { layout: { rows, classes }, targets, reduction, ignoreIndex }: LossTerms,
  weight: string | undefined,
  ofRows: (frame: LossFrame) => readonly Pass[],
): readonly Pass[] {
  const indices = !isFloat(targets.dtype);
  const ignored = ignoredConstant(targets, ignoreIndex);
  // The mean over probabilities divides by the rows, over class indices by what the census counts.
  const census = indices && reduction === 'mean' && rows > 0;
  const { values, divisor, last } = reducing(build, { result: 'loss', rows, reduction, census });
  const before = indices ? censusPasses(build, { rows, classes, weight, ignored }) : [];
  // Those of the rows are made when all other scratch memory is known, so that they may take what is left of it.
  const after = last();
  return [...before, ...ofRows({ values, divisor, census, ignored }), ...after];
}

/** Rows of logits to work on. */
interface LossRows {
  readonly rows: Rows;
  readonly logits: string;
  /** Where the gradient goes: over the logits if it is the same. */
  readonly grad: string | undefined;
  /** Further roles. */
  readonly others: Readonly<Record<string, string>>;
  /** Share of the factor of p in a row's gradient up to which an entry counts as 0; default: none does. */
  readonly gradFilter?: number;
}

/** What the passes of some rows are to do. */
export function rowWork(
  terms: LossTerms,
  { values, divisor, census, ignored }: LossFrame,
  { rows, logits, grad, others, gradFilter = 0 }: LossRows,
): RowWork {
  const { layout, targets, labelSmoothing, temperature, softcap, zLoss, gradOutput } = terms;
  const indices = !isFloat(targets.dtype);
  const smoothing = labelSmoothing > 0;
  return {
    rows,
    epilogue: indices ? crossEntropyIndexEpilogue : crossEntropyProbsEpilogue,
    statistic: indices && !smoothing ? softmaxStatistic : weightedSoftmaxStatistic,
    roles: {
      logits,
      targets: 'targets',
      loss: values,
      ...others,
      ...(census ? { census: 'census' } : {}),
      ...(grad && { grad }),
    },
    aliases: grad === logits ? { grad: 'logits' } : {},
    flags: {
      SMOOTHING: indices && smoothing,
      TARGET_GRADIENT: 'gradTargets' in others,
      // A soft cap needs the values divided, not their differences.
      TEMPERED: temperature !== 1 && softcap === undefined,
      SOFTCAP: softcap !== undefined,
      Z_LOSS: zLoss !== 0,
      GRAD_FILTER: gradFilter > 0,
    },
    constants: {
      ...ignored,
      gradOutput: typeof gradOutput === 'number' ? gradOutput : 0,
      divisor,
      keep: 1 - labelSmoothing,
      spread: labelSmoothing / layout.classes,
      ...temperatureConstants(temperature),
      chain: 1 / temperature,
      zLoss,
      gradFilter,
      ...(softcap === undefined ? {} : { cap: softcap, uncap: 1 / (softcap * temperature) }),
    },
  };
}
