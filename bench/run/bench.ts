import type { AdapterFacts, Context, Policy } from 'webgpu-loss';
import { benchCase, type Outcome } from '../measure/benchCase.js';
import { trafficOf } from '../measure/bytes.js';
import type { Case, Contender } from '../measure/contender.js';
import { type CopyForm, copyContender, cpuCopyContender, fastestCopy } from '../measure/copy.js';
import { dataOf } from '../measure/data.js';
import { filteredContender } from '../measure/filtered.js';
import { flopsOf } from '../measure/flops.js';
import { naiveContender } from '../measure/naive.js';
import { type Library, oursContender } from '../measure/ours.js';
import { chunkedContender, materialisedContender } from '../measure/scratch.js';
import type { Row } from '../report/row.js';
import type { OpenContext } from './adapter.js';
import { effortFor, isSoftware, rotationOf } from './effort.js';
import { nameOfPolicy } from './policyName.js';

/** What is measured on a GPU, and in its place where a processor's cores do the work. */
export interface Cases {
  readonly hardware: readonly Case[];
  readonly software: readonly Case[];
}

/** What is measured on one adapter. */
export interface BenchPlan {
  readonly adapter: string;
  readonly cases: Cases;
  readonly seed: number;
  readonly quick: boolean;
  /** Ours under each of them, besides the default policy. */
  readonly policies: readonly Partial<Policy>[];
}

/** Another build of the library, and what it is called. */
export interface Rival {
  readonly name: string;
  readonly library: Library;
}

export interface Surroundings {
  readonly library: Library;
  readonly open: OpenContext;
  readonly versions: Readonly<Record<string, string>>;
  readonly rival?: Rival;
}

/** Measures the cases one after the other, each on a device of its own: nothing is compiled yet, nothing left over. */
export async function* bench(
  { adapter, cases, seed, quick, policies }: BenchPlan,
  { library, open, versions, rival }: Surroundings,
): AsyncGenerator<{ readonly of: Case; readonly rows: readonly Row[] }> {
  // What no adapter, or not this one, can grant is refused before anything is measured.
  for (const policy of policies) (await open(policy)).destroy();
  const copies = new CopyForms();
  const looked = await open();
  const { hardware, software } = cases;
  const chosen = isSoftware(looked.info) ? software : hardware;
  looked.destroy();
  for (const of of chosen) {
    const context = await open();
    try {
      const data = dataOf(of, seed);
      const contenders = await contendersOf(context, of, copies, library, policies, rival);
      const outcomes = await benchCase(of, data, contenders, effortFor(context.info, quick));
      const known = { adapter, seed, quick, policies, versions, info: context.info };
      yield { of, rows: outcomes.map((outcome) => rowOf(of, outcome, known)) };
    } finally {
      context.destroy();
    }
  }
}

async function contendersOf(
  context: Context,
  of: Case,
  copies: CopyForms,
  library: Library,
  policies: readonly Partial<Policy>[],
  rival: Rival | undefined,
): Promise<Contender[]> {
  const { device, info } = context;
  const rotate = rotationOf(info);
  const ours = [
    oursContender({ library, context, rotate }),
    ...policies.map((policy) =>
      oursContender({ library, context, rotate, policy, name: nameOfPolicy(policy) }),
    ),
  ];
  if (rival !== undefined) {
    const options = device === undefined ? { backend: 'cpu' as const } : { device };
    const other = await rival.library.createContext(options);
    ours.push(oursContender({ library: rival.library, context: other, rotate, name: rival.name }));
  }
  if (device === undefined) return [...ours, cpuCopyContender()];
  return [
    ...ours,
    chunkedContender({ library, context, rotate }),
    materialisedContender({ library, context, rotate }),
    filteredContender({ library, context, rotate }),
    naiveContender(device, 64, rotate),
    naiveContender(device, 256, rotate),
    copyContender(device, await copies.for(device, trafficOf(of).bytes), rotate),
  ];
}

/** The form of the copy kernel for about so many bytes, chosen when first asked for. */
export class CopyForms {
  readonly #known = new Map<number, CopyForm>();

  async for(device: GPUDevice, bytes: number): Promise<CopyForm> {
    const size = Math.round(Math.log2(bytes));
    const form = this.#known.get(size) ?? (await fastestCopy(device, bytes));
    this.#known.set(size, form);
    return form;
  }
}

/** What the rows of a case have in common. */
export interface Known extends Pick<BenchPlan, 'adapter' | 'seed' | 'quick' | 'policies'> {
  readonly versions: Readonly<Record<string, string>>;
  readonly info: AdapterFacts;
}

export function rowOf(
  of: Case,
  outcome: Outcome,
  { adapter, seed, quick, policies, versions, info }: Known,
): Row {
  const { timing, passes, firstCallMs, ...rest } = outcome;
  const { bytes, formula } = trafficOf(of);
  const work = flopsOf(of);
  // The copy has none.
  const computes = work !== undefined && outcome.contender !== 'copy';
  const { backend, vendor, architecture, device, description } = info;
  const { isFallbackAdapter, subgroupMinSize, subgroupMaxSize } = info;
  const policy = policies.find((each) => nameOfPolicy(each) === outcome.contender);
  return {
    date: new Date().toISOString(),
    ...of,
    ...rest,
    ...(policy && { policy: { ...policy } }),
    adapter: {
      name: adapter,
      backend,
      vendor,
      architecture,
      device,
      description,
      isFallbackAdapter,
      subgroupMinSize,
      subgroupMaxSize,
    },
    versions: { ...versions },
    seed,
    bytes,
    formula,
    ...(computes && { flops: work.flops, flopsFormula: work.formula }),
    ...(timing && {
      timing: { ...timing, ratios: { ...timing.ratios } },
      gigabytesPerSecond: bytes / timing.ms.median / 1e6,
      ...(computes && { gigaflopsPerSecond: work.flops / timing.ms.median / 1e6 }),
    }),
    // A quick run finds in the caches of the driver what earlier ones have compiled.
    ...(firstCallMs !== undefined && !quick && { firstCallMs }),
    ...(passes && { passes: passes.map((pass) => ({ ...pass, grids: pass.grids.map(([x, y]) => [x, y]) })) }),
  };
}
