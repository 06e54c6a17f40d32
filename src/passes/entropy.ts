import type { EntropySettings } from '../ops/entropy.js';
import { entropyEpilogue, entropyStatistic } from '../plan/epilogue/entropy.js';
import type { Pass, PassBuilder } from '../plan/pass.js';
import type { Roles } from '../spec.js';
import { reducing } from './reduction.js';
import { rowsOf, sameNames } from './roles.js';

/** The passes of an entropy: those of its rows, and those that reduce them. */
export function entropyPasses(
  build: PassBuilder,
  { layout, reduction, gradOutput }: EntropySettings,
  roles: Roles,
): readonly Pass[] {
  const { values, divisor, last } = reducing(build, { result: 'entropy', rows: layout.rows, reduction });
  const ofRows = build.build({
    rows: rowsOf(layout),
    epilogue: entropyEpilogue,
    statistic: entropyStatistic,
    roles: { entropy: values, ...sameNames(roles, 'logits', 'gradOutput', 'grad') },
    constants: { gradOutput: typeof gradOutput === 'number' ? gradOutput : 0, divisor },
  });
  return [...ofRows, ...last()];
}
