import { logSumExpEpilogue } from '../plan/epilogue/logSumExp.js';
import type { Pass, PassBuilder } from '../plan/pass.js';
import { softmaxStatistic } from '../plan/statistics.js';
import type { Layout } from '../shape.js';
import { rowsOf } from './roles.js';

/** The pass of a log-sum-exp. */
export function logSumExpPasses(build: PassBuilder, layout: Layout): readonly Pass[] {
  return build.build({
    rows: rowsOf(layout),
    epilogue: logSumExpEpilogue,
    statistic: softmaxStatistic,
    roles: { logits: 'logits', output: 'output' },
  });
}
