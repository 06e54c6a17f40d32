import { checkAliasing } from '../aliasing.js';
import type {
  Backend,
  CpuStorage,
  Download,
  Executable,
  Operand,
  Operands,
  RunHooks,
  Storage,
} from '../backend.js';
import { arrayOver, bytesOf, inWords, isHalf, type TensorData } from '../dtype.js';
import {
  type DeviceLostError,
  InvalidArgumentError,
  type LossError,
  OutOfMemoryError,
  TargetOutOfRangeError,
} from '../errors.js';
import { decoded, encodeHalf } from '../half.js';
import type { AdapterFacts } from '../info.js';
import type { Policy } from '../plan/policy.js';
import { checkPolicy } from '../plan/wishes.js';
import { Queue } from '../queue.js';
import { elementCount } from '../shape.js';
import { type CpuArray, type CpuArrays, type OutOfRange, type Role, type Spec, shapesOf } from '../spec.js';
import { CLEAN, deriveWork, type Verdict, type Work } from '../work.js';
import { rowMachine } from './float32/machine.js';
import type { RowMachine } from './float32/rows.js';
import { compute } from './forms.js';
import { Memory } from './memory.js';

const FACTS: AdapterFacts = {
  backend: 'cpu',
  vendor: '',
  architecture: '',
  device: '',
  description: '',
  isFallbackAdapter: false,
  features: [],
  languageFeatures: [],
  subgroupMinSize: 0,
  subgroupMaxSize: 0,
  limits: {
    maxBufferSize: Number.MAX_SAFE_INTEGER,
    maxStorageBufferBindingSize: Number.MAX_SAFE_INTEGER,
    maxStorageBuffersPerShaderStage: Number.MAX_SAFE_INTEGER,
    maxComputeWorkgroupsPerDimension: Number.MAX_SAFE_INTEGER,
    // No workgroups here; a policy is checked against what WebGPU guarantees, so that it fails alike on both backends.
    maxComputeInvocationsPerWorkgroup: 256,
    maxComputeWorkgroupSizeX: 256,
    maxComputeWorkgroupStorageSize: 16384,
    minStorageBufferOffsetAlignment: 256,
    minUniformBufferOffsetAlignment: 256,
  },
};

/** Runs a spec on dense arrays by role; writes the outputs. Returns the first target out of range, if any. */
export type CpuRun = (arrays: CpuArrays) => OutOfRange | undefined;

/** How a CPU backend computes. */
export interface CpuRunner {
  readonly reproducible: boolean;
  readonly description: string;
  /** What runs the spec on arrays, once or again and again. Throws or rejects for what it cannot run. */
  prepare(spec: Spec, facts: AdapterFacts): CpuRun | Promise<CpuRun>;
}

/** Each operation in its own way: for float32 results where there is such a form, in float64 otherwise. */
const native = (machine: RowMachine): CpuRunner => ({
  reproducible: false,
  description: `CPU (${machine.language})`,
  prepare: (spec) => (arrays) => compute(spec, arrays, machine),
});

/** A backend that computes as `runner` does, or as fast as it can here. */
export async function openCpu(runner?: CpuRunner): Promise<CpuBackend> {
  return new CpuBackend(runner ?? native(await rowMachine()));
}

/** Runs specs on typed arrays: the fallback where there is no GPU. */
export class CpuBackend implements Backend {
  readonly facts: AdapterFacts;
  readonly reproducible: boolean;
  readonly device = undefined;
  readonly lost: Promise<DeviceLostError> = new Promise(() => undefined);
  readonly queue: Queue = new Queue();
  private readonly runner: CpuRunner;
  private readonly memory: Memory = new Memory();
  private closed = false;

  constructor(runner: CpuRunner) {
    this.runner = runner;
    this.facts = { ...FACTS, description: runner.description };
    this.reproducible = runner.reproducible;
  }

  check(op: string): void {
    if (!this.closed) return;
    throw new InvalidArgumentError(`${op}: the context was destroyed; make a new one with createContext().`, {
      op,
    });
  }

  wishes(op: string, own: Partial<Policy> | undefined, base: Partial<Policy>): Partial<Policy> {
    return checkPolicy(op, own, this, base);
  }

  allocate(op: string, bytes: number): Operand {
    this.check(op);
    try {
      return { storage: { memory: this.memory.take(inWords(bytes)) }, work: CLEAN };
    } catch (cause) {
      throw new OutOfMemoryError(
        `${op}: ${bytes} bytes could not be allocated. Split the batch into smaller calls.`,
        { op, adapter: this.facts, cause },
      );
    }
  }

  upload(storage: Storage, data: TensorData): Promise<LossError | undefined> {
    this.check('tensor');
    new Uint8Array((storage as CpuStorage).memory).set(
      new Uint8Array(data.buffer, data.byteOffset, data.byteLength),
    );
    return Promise.resolve(undefined);
  }

  download(storage: Storage, bytes: number): Download {
    this.check('read');
    const { memory } = storage as CpuStorage;
    return {
      failure: Promise.resolve(undefined),
      bytes: Promise.resolve(memory.slice(0, bytes)),
    };
  }

  free(storage: Storage): void {
    this.memory.give((storage as CpuStorage).memory);
  }

  adopt(op: string): Operand {
    throw new InvalidArgumentError(
      `${op}: the context runs on the CPU and has no GPU buffers. Use ctx.tensor(array, shape), or a WebGPU context.`,
      { op },
    );
  }

  async run(spec: Spec, _wishes: unknown, inputs: Operands, hooks: RunHooks): Promise<void> {
    this.check(spec.op);
    checkAliasing(spec, inputs);
    const once = (run: CpuRun): void => this.runOnce(spec, inputs, hooks, run);
    await this.queue.add(() => {
      const prepared = this.runner.prepare(spec, this.facts);
      return prepared instanceof Promise ? prepared.then(once) : once(prepared);
    });
  }

  private runOnce(spec: Spec, inputs: Operands, { ready, deliver }: RunHooks, run: CpuRun): void {
    ready();
    const operands: Record<string, Operand> = { ...inputs };
    for (const [name, { shape, dtype, access }] of Object.entries(spec.roles)) {
      if (access === 'out') operands[name] = this.allocate(spec.op, elementCount(shape) * bytesOf(dtype));
    }
    const work = this.execute(spec, operands, run);
    const outputs = Object.entries(operands).filter(([name]) => spec.roles[name]?.access !== 'in');
    deliver(Object.fromEntries(outputs.map(([name, { storage }]) => [name, { storage, work }])));
  }

  async plan(spec: Spec): Promise<Executable> {
    this.check(spec.op);
    const run = await this.runner.prepare(spec, this.facts);
    return {
      passes: [],
      scratchBytes: 0,
      encode: (_encoder, operands) => {
        this.check(spec.op);
        checkAliasing(spec, operands);
        return this.execute(spec, operands, run);
      },
      trim: () => undefined,
      destroy: () => undefined,
    };
  }

  destroy(): void {
    this.closed = true;
  }

  /** Runs the spec now; the outcome is known at once, but told when a result is read, as on a GPU. */
  private execute(spec: Spec, operands: Operands, run: CpuRun): Work {
    const arrays: Record<string, CpuArray> = {};
    const inputs: Work[] = [];
    const packed: (() => void)[] = [];
    for (const [name, { storage, work }] of Object.entries(operands)) {
      const { shape, dtype, access } = spec.roles[name] as Role;
      const elements = arrayOver(dtype, (storage as CpuStorage).memory, elementCount(shape));
      const values = decoded(dtype, elements);
      arrays[name] = values;
      if (access !== 'out') inputs.push(work);
      if (access === 'in' || !isHalf(dtype)) continue;
      // Rounded once, from what the runner computes in.
      const results = this.reproducible ? values : Float64Array.from(values);
      arrays[name] = results;
      packed.push(() => elements.set(encodeHalf(dtype, results)));
    }
    const found = run(arrays);
    for (const pack of packed) pack();
    if (found === undefined) return deriveWork(inputs);
    const error = new TargetOutOfRangeError(
      { ...found, classes: spec.targetClasses ?? 0, ignorable: spec.ignorable ?? true },
      { op: spec.op, shapes: shapesOf(spec.roles), adapter: this.facts },
    );
    const verdict: Verdict = { ask: async () => error, retain: () => undefined, release: () => undefined };
    return deriveWork(inputs, undefined, [verdict]);
  }
}
