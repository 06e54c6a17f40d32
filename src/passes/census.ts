import { CENSUS_WORDS, censusEpilogue } from '../plan/epilogue/census.js';
import type { Constants, Pass, PassBuilder } from '../plan/pass.js';
import { censusStatistic } from '../plan/statistics.js';
import type { Role } from '../spec.js';

/** The pass that counts class-index targets into the scratch buffer `census`. */
export function censusPasses(
  build: PassBuilder,
  work: {
    readonly rows: number;
    readonly classes: number;
    /** The role with a weight for each class, if there is one. */
    readonly weight: string | undefined;
    readonly ignored: Constants;
  },
): readonly Pass[] {
  const { rows, classes, weight, ignored } = work;
  if (rows === 0) return [];
  build.scratchVector('census', CENSUS_WORDS);
  return build.build({
    rows: { count: 1, classes: rows, inner: 1, ofRows: true },
    epilogue: censusEpilogue,
    statistic: censusStatistic,
    roles: { targets: 'targets', census: 'census', ...(weight && { weight }) },
    constants: { ...ignored, extent: classes },
  });
}

/** `ignoreIndex` where the targets' dtype can hold it: no u32 equals -100. */
export function ignoredConstant(targets: Role, ignoreIndex: number): Constants {
  const [least, most] = targets.dtype === 'i32' ? [-(2 ** 31), 2 ** 31 - 1] : [0, 2 ** 32 - 1];
  return ignoreIndex >= least && ignoreIndex <= most ? { ignoreIndex } : {};
}
