// What a context with `reproducible: true` needs besides; loaded only then.
import source from '../../shaders/arithmetic/reproducible.wgsl?raw';
import type { CpuRunner } from '../cpu/backend.js';
import type { AdapterFacts } from '../info.js';
import type { Arithmetic } from '../plan/arithmetic.js';
import { makePlan } from '../plan/plan.js';
import type { CpuArrays, Spec } from '../spec.js';
import { covers, interpret } from './interpreter.js';

/** The same bits on every device. */
export const reproducibleArithmetic: Arithmetic = { name: 'reproducible', source, covers };

/** The words of arrays, by role. */
function wordsOf(arrays: CpuArrays): Record<string, Uint32Array> {
  return Object.fromEntries(
    Object.entries(arrays).map(([name, { buffer, byteOffset, length }]) => [
      name,
      new Uint32Array(buffer, byteOffset, length),
    ]),
  );
}

/** Runs a spec's GPU plan in JavaScript. */
export const reproducibleRunner: CpuRunner = {
  reproducible: true,
  description: 'CPU (JavaScript, reproducible float32 arithmetic)',
  prepare: async (spec: Spec, facts: AdapterFacts) => {
    const plan = await makePlan(spec, facts, {}, reproducibleArithmetic);
    return (arrays: CpuArrays) => interpret(plan, wordsOf(arrays));
  },
};

export { selfTest } from './selfTest.js';
