import Table from 'cli-table3';
import type { AdapterFacts, Policy } from 'webgpu-loss';
import type { Shape } from '../measure/cases.js';
import { isDifferent } from '../measure/quantiles.js';
import type { Ranked } from './tuneShape.js';

/** What tuning found out on one adapter. */
export interface TuneReport {
  readonly date: string;
  readonly adapter: AdapterFacts;
  readonly versions: Readonly<Record<string, string>>;
  readonly dtype: string;
  readonly ops: readonly string[];
  readonly seed: number;
  readonly shapes: readonly { readonly shape: Shape; readonly ranked: readonly Ranked[] }[];
}

/** The best policy for a shape; the default, `{}`, unless another leaves no doubt that it is faster. */
export function bestOf(ranked: readonly Ranked[]): Partial<Policy> {
  const best = ranked[0];
  return best !== undefined && best.speedup.median > 1 && isDifferent(best.speedup) ? best.policy : {};
}

/** A table of the finalists, and the best policies in the form that `createContext` takes. */
export function formatReport({ adapter, versions, dtype, ops, seed, shapes }: TuneReport): string {
  const table = new Table({
    head: ['rows x classes', 'policy', 'x default', 'middle half'],
    style: { head: [], border: [], compact: true },
    colAligns: ['right', 'left', 'right', 'right'],
  });
  for (const { shape, ranked } of shapes) {
    for (const { policy, speedup } of ranked) {
      const { median, p25, p75 } = speedup;
      table.push([
        shape.join(' x '),
        textOf(policy),
        median.toFixed(2),
        `${p25.toFixed(2)} - ${p75.toFixed(2)}`,
      ]);
    }
  }
  const software = Object.entries(versions).map(([what, version]) => `${what} ${version}`);
  return [
    adapter.description || adapter.device,
    `  ${software.join(', ')}; ${dtype}, ${ops.join(', ')}; seed ${seed}`,
    table.toString(),
    '',
    ...shapes.map(({ shape: [, classes], ranked }) => callOf(classes, bestOf(ranked))),
  ].join('\n');
}

function callOf(classes: number, policy: Partial<Policy>): string {
  const call =
    Object.keys(policy).length === 0 ? 'createContext()' : `createContext({ policy: ${literal(policy)} })`;
  return `${call} // ${classes} classes`;
}

function textOf(policy: Partial<Policy>): string {
  return Object.keys(policy).length === 0 ? 'the default' : literal(policy);
}

/** As it is written in TypeScript. */
function literal(policy: Partial<Policy>): string {
  const fields = Object.entries(policy).map(
    ([field, value]) => `${field}: ${typeof value === 'string' ? `'${value}'` : value}`,
  );
  return `{ ${fields.join(', ')} }`;
}
