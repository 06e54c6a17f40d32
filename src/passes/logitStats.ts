import type { LogitStatsSettings } from '../ops/logitStats.js';
import {
  LAST_WORDS,
  LOGIT_STATS_WORDS,
  logitStatsEpilogue,
  logitStatsStatistic,
  logitStatsUnpackEpilogue,
  nextTopEpilogue,
  nextTopStatistic,
  PACKED_WORDS,
} from '../plan/epilogue/logitStats.js';
import type { Pass, PassBuilder } from '../plan/pass.js';
import { listCapacity } from '../plan/policy.js';
import type { Roles } from '../spec.js';
import { censusPasses } from './census.js';
import { rowsOf, sameNames } from './roles.js';

/** The passes of `logitStats`: the census of its targets, the values and lists of its rows, and what is left of long lists. */
export function logitStatsPasses(
  build: PassBuilder,
  { layout, targets, topK }: LogitStatsSettings,
  roles: Roles,
): readonly Pass[] {
  const { rows: count, classes } = layout;
  if (count === 0) return [];
  const rows = { ...rowsOf(layout), lists: true };
  // The argmax is a list of one. What does not fit in a thread's list is left to further rounds over the row. Room in powers of two:
  // few shaders serve all lengths.
  const wanted = topK ?? 1;
  const capacity = listCapacity(build.policy(rows).workgroupSize, LOGIT_STATS_WORDS, build.facts);
  const rounds = Math.ceil(wanted / capacity);
  const listed = Math.ceil(wanted / rounds);
  const room = 2 ** Math.ceil(Math.log2(listed));
  const sizes = { LIST: room };

  const values = sameNames(roles, 'logSumExp', 'entropy', 'argmax', 'targetLogProb', 'targetRank');
  const list = sameNames(roles, 'topKValues', 'topKIndices');
  const last = rounds > 1 ? { last: build.scratchVector('last', count * LAST_WORDS) } : {};
  // Values and lists together are more than a kernel can bind.
  const packs = targets !== undefined && topK !== undefined;
  const packed = packs ? { packed: build.scratchVector('packed', count * PACKED_WORDS) } : {};

  const passes = [
    ...(targets === undefined
      ? []
      : censusPasses(build, { rows: count, classes, weight: undefined, ignored: {} })),
    ...build.build({
      rows,
      epilogue: logitStatsEpilogue,
      statistic: logitStatsStatistic(room),
      roles: {
        ...sameNames(roles, 'logits', 'targets'),
        ...(packs ? packed : values),
        ...list,
        ...last,
      },
      sizes,
      constants: { wanted: topK ?? 0, listed },
    }),
  ];
  for (let round = 1; round < rounds; round++) {
    passes.push(
      ...build.build({
        rows,
        epilogue: nextTopEpilogue,
        statistic: nextTopStatistic(room),
        roles: { logits: 'logits', known: 'last', last: 'last', ...list },
        aliases: { last: 'known' },
        sizes,
        constants: { wanted, taken: round * listed, listed },
      }),
    );
  }
  if (packs) {
    passes.push(
      ...build.build({ rows, epilogue: logitStatsUnpackEpilogue, roles: { ...packed, ...values } }),
    );
  }
  return passes;
}
