import { logSoftmaxGradEpilogue } from '../plan/epilogue/logSoftmaxGrad.js';
import { logSumExpGradEpilogue } from '../plan/epilogue/logSumExpGrad.js';
import { softmaxGradEpilogue } from '../plan/epilogue/softmaxGrad.js';
import type { Pass, PassBuilder, RowWork } from '../plan/pass.js';
import { sumStatistic } from '../plan/statistics.js';
import type { Layout } from '../shape.js';
import type { Roles } from '../spec.js';
import { rowsOf, sameNames } from './roles.js';

type Op = 'softmaxGrad' | 'logSoftmaxGrad' | 'logSumExpGrad';

const KERNELS: Readonly<Record<Op, Pick<RowWork, 'epilogue' | 'statistic'>>> = {
  softmaxGrad: { epilogue: softmaxGradEpilogue, statistic: sumStatistic },
  logSoftmaxGrad: { epilogue: logSoftmaxGradEpilogue, statistic: sumStatistic },
  logSumExpGrad: { epilogue: logSumExpGradEpilogue },
};

/** The passes of a gradient that is asked for by itself. */
export function gradPasses(build: PassBuilder, op: Op, layout: Layout, roles: Roles): readonly Pass[] {
  return build.build({
    rows: rowsOf(layout),
    ...KERNELS[op],
    roles: sameNames(roles, ...Object.keys(roles)),
  });
}
