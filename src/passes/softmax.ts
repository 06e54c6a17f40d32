import { logSoftmaxEpilogue } from '../plan/epilogue/logSoftmax.js';
import { softmaxEpilogue } from '../plan/epilogue/softmax.js';
import type { Pass, PassBuilder } from '../plan/pass.js';
import { softmaxStatistic } from '../plan/statistics.js';
import type { Epilogue } from '../plan/variant.js';
import type { Layout } from '../shape.js';
import { rowsOf } from './roles.js';
import { temperatureConstants } from './temperature.js';

const EPILOGUES: Readonly<Record<'softmax' | 'logSoftmax', Epilogue>> = {
  softmax: softmaxEpilogue,
  logSoftmax: logSoftmaxEpilogue,
};

/** The passes of a softmax, or of its logarithm. */
export function softmaxPasses(
  build: PassBuilder,
  op: 'softmax' | 'logSoftmax',
  layout: Layout,
  temperature: number,
): readonly Pass[] {
  return build.build({
    rows: rowsOf(layout),
    epilogue: EPILOGUES[op],
    statistic: softmaxStatistic,
    roles: { logits: 'logits', output: 'output' },
    flags: { TEMPERED: temperature !== 1 },
    constants: temperatureConstants(temperature),
  });
}
