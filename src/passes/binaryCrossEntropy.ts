import type { BinaryCrossEntropySettings } from '../ops/binaryCrossEntropy.js';
import {
  binaryCrossEntropyEpilogue,
  binaryCrossEntropyStatistic,
  binaryCrossEntropySumEpilogue,
} from '../plan/epilogue/binaryCrossEntropy.js';
import type { Pass, PassBuilder } from '../plan/pass.js';
import type { Roles } from '../spec.js';
import { meanScale, reducePasses } from './reduction.js';
import { rowsOf, sameNames } from './roles.js';

/** The passes of a binary cross-entropy: those of its rows, and those that reduce their losses. */
export function binaryCrossEntropyPasses(
  build: PassBuilder,
  settings: BinaryCrossEntropySettings,
  roles: Roles,
): readonly Pass[] {
  const { layout, posWeight, gradOutput, reduction, gradTargets } = settings;
  const { rows, classes } = layout;
  const reduced = reduction !== 'none';
  const elements = rows * classes;
  const divisor = reduction === 'mean' ? elements : 1;
  const scale = reduction === 'mean' ? meanScale(elements) : 1;
  const upstreamAs = reduced ? 'upstream' : 'gradOutput';
  const rowPasses = build.build({
    rows: rowsOf(layout),
    epilogue: reduced ? binaryCrossEntropySumEpilogue : binaryCrossEntropyEpilogue,
    ...(reduced ? { statistic: binaryCrossEntropyStatistic } : {}),
    roles: {
      ...sameNames(roles, 'logits', 'targets', 'weight', 'posWeight', 'grad', 'gradTargets'),
      ...('gradOutput' in roles ? { [upstreamAs]: 'gradOutput' } : {}),
      ...(reduced ? { losses: build.scratchVector('losses', rows) } : { loss: 'loss' }),
    },
    flags: { TARGET_GRADIENT: gradTargets, POS_WEIGHT: posWeight !== undefined },
    constants: {
      gradOutput: typeof gradOutput === 'number' ? gradOutput : 1,
      divisor,
      prescale: 1 / scale,
    },
  });
  if (!reduced) return rowPasses;
  const work = { losses: 'losses', loss: 'loss', rows, divisor, census: false, scale, scaled: true };
  return [...rowPasses, ...reducePasses(build, work)];
}
