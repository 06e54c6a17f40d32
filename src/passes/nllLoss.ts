import type { NllLossSettings } from '../ops/nllLoss.js';
import { nllLossEpilogue } from '../plan/epilogue/nllLoss.js';
import type { Pass, PassBuilder } from '../plan/pass.js';
import type { Roles } from '../spec.js';
import { censusPasses, ignoredConstant } from './census.js';
import { reducing } from './reduction.js';
import { rowsOf, sameNames } from './roles.js';

/** The passes of a negative log-likelihood: the census of its targets, those of its rows, and those that reduce their losses. */
export function nllLossPasses(
  build: PassBuilder,
  { layout, targets, weight, gradOutput, ignoreIndex, reduction }: NllLossSettings,
  roles: Roles,
): readonly Pass[] {
  const { rows, classes } = layout;
  const ignored = ignoredConstant(targets, ignoreIndex);
  const counted = censusPasses(build, { rows, classes, weight: weight && 'weight', ignored });
  const census = reduction === 'mean' && rows > 0;
  const { values, divisor, last } = reducing(build, { result: 'loss', rows, reduction, census });
  const ofRows = build.build({
    rows: rowsOf(layout),
    epilogue: nllLossEpilogue,
    roles: {
      loss: values,
      ...sameNames(roles, 'logProbs', 'targets', 'weight', 'gradOutput', 'grad'),
      ...(census ? { census: 'census' } : {}),
    },
    constants: { ...ignored, gradOutput: typeof gradOutput === 'number' ? gradOutput : 0, divisor },
  });
  return [...counted, ...ofRows, ...last()];
}
