// Whether a device computes as the interpreter does: a few rows through the kernels of every strategy, compared bit by bit.
import type { Operand, Operands } from '../backend.js';
import type { DType } from '../dtype.js';
import { WebGpuUnavailableError } from '../errors.js';
import type { GpuBackend } from '../gpu/backend.js';
import { type CrossEntropySettings, crossEntropySpec } from '../ops/crossEntropySpec.js';
import type { Arithmetic } from '../plan/arithmetic.js';
import { makePlan } from '../plan/plan.js';
import { elementCount, layoutOf } from '../shape.js';
import type { Role, Spec } from '../spec.js';
import { interpret } from './interpreter.js';

/** A call and its inputs, as words by role. */
interface Trial {
  readonly spec: Spec;
  readonly inputs: Readonly<Record<string, Uint32Array<ArrayBuffer>>>;
}

/** Throws `WebGpuUnavailableError` unless the device gives the interpreter's bits. */
export async function selfTest(op: string, backend: GpuBackend, arithmetic: Arithmetic): Promise<void> {
  await Promise.all(trials().map((trial) => compare(op, backend, arithmetic, trial)));
}

async function compare(
  op: string,
  backend: GpuBackend,
  arithmetic: Arithmetic,
  { spec, inputs }: Trial,
): Promise<void> {
  const arrays: Record<string, Uint32Array> = {};
  for (const [name, { shape, access }] of Object.entries(spec.roles)) {
    arrays[name] = inputs[name] ?? new Uint32Array(access === 'out' ? elementCount(shape) : 0);
  }
  interpret(await makePlan(spec, backend.facts, {}, arithmetic), arrays);
  const results = await runOn(backend, op, spec, inputs);
  for (const [name, actual] of Object.entries(results)) {
    const expected = arrays[name] as Uint32Array;
    const at = actual.findIndex((word, i) => word !== expected[i]);
    if (at < 0) continue;
    const hex = (word: number | undefined): string => `0x${(word ?? 0).toString(16).padStart(8, '0')}`;
    const { description, vendor } = backend.facts;
    throw new WebGpuUnavailableError(
      `${op}: the adapter (${description || vendor || 'unnamed'}) cannot compute reproducibly: in a test, element ${at} of ${name} is ` +
        `${hex(actual[at])} and not ${hex(expected[at])}. Use backend: 'cpu', or leave reproducible out.`,
      { op, adapter: backend.facts },
    );
  }
}

/** The outputs of a call, as words by role. */
async function runOn(
  backend: GpuBackend,
  op: string,
  spec: Spec,
  inputs: Trial['inputs'],
): Promise<Record<string, Uint32Array>> {
  const operands: Record<string, Operand> = {};
  let outputs: Operands = {};
  try {
    for (const [name, words] of Object.entries(inputs)) {
      operands[name] = backend.allocate(op, words.byteLength);
      await backend.upload((operands[name] as Operand).storage, words);
    }
    const deliver = (made: Operands): void => {
      outputs = made;
    };
    await backend.run(spec, {}, operands, { ready: () => undefined, deliver });
    const results: Record<string, Uint32Array> = {};
    for (const [name, { storage, work }] of Object.entries(outputs)) {
      const { shape } = spec.roles[name] as Role;
      const { failure, bytes } = backend.download(storage, 4 * elementCount(shape));
      const error = (await work.failure) ?? (await failure);
      if (error !== undefined) throw error;
      results[name] = new Uint32Array(await bytes);
    }
    return results;
  } finally {
    for (const { storage, work } of Object.values({ ...operands, ...outputs })) {
      backend.free(storage);
      for (const verdict of work.verdicts) {
        verdict.retain();
        verdict.release();
      }
    }
  }
}

/** Rows for a thread, for a workgroup, and split; class indices and probabilities; some weights that are subnormal. */
function trials(): Trial[] {
  const short = logitsOf(24, 21);
  const middle = logitsOf(3, 331);
  const long = logitsOf(1, 16_900);
  return [
    trial([24, 21], 'i32', { reduction: 'mean' }, short, {
      targets: Uint32Array.from({ length: 24 }, (_, r) => (r * 5) % 21),
      weight: words(Float32Array.from({ length: 21 }, (_, c) => (c % 4 === 1 ? 9e-39 : 0.3 + c / 7))),
    }),
    trial([3, 331], 'f32', { temperature: 0.7, zLoss: 0.01 }, middle, {
      targets: words(middle.map((x) => Math.abs(x % 1))),
    }),
    trial([1, 16_900], 'i32', { grad: false }, long, { targets: Uint32Array.of(4321) }),
  ];
}

function trial(
  shape: readonly [number, number],
  dtype: DType,
  options: Partial<CrossEntropySettings>,
  logits: Float32Array<ArrayBuffer>,
  inputs: Trial['inputs'],
): Trial {
  const [rows, classes] = shape;
  const role = (of: readonly number[], type: DType = 'f32'): Role => ({
    shape: of,
    dtype: type,
    access: 'in',
  });
  const spec = crossEntropySpec({
    layout: layoutOf('selfTest', shape),
    logits: role(shape),
    targets: role(dtype === 'f32' ? shape : [rows], dtype),
    weight: 'weight' in inputs ? role([classes]) : undefined,
    ignoreIndex: -100,
    labelSmoothing: 0,
    temperature: 1,
    softcap: undefined,
    zLoss: 0,
    reduction: 'none',
    grad: true,
    gradOutput: 1.7,
    gradTargets: false,
    returnLogSumExp: true,
    ...options,
  });
  return { spec, inputs: { logits: words(logits), ...inputs } };
}

function words(values: Float32Array<ArrayBuffer>): Uint32Array<ArrayBuffer> {
  return new Uint32Array(values.buffer);
}

/** Rows over the whole range of exp, in an order that mixes large and small terms; a few with huge or subnormal numbers. */
function logitsOf(rows: number, classes: number): Float32Array<ArrayBuffer> {
  let state = classes;
  const next = (): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
  return Float32Array.from({ length: rows * classes }, (_, i) => {
    const row = Math.floor(i / classes);
    const x = next();
    if (row % 8 === 5) return (x - 0.5) * 6e38;
    if (row % 8 === 6) return (x - 0.5) * 1e-37;
    return 12 - (row % 2 === 0 ? 6 : 100) * x * x;
  });
}
