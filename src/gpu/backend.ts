import { checkAliasing } from '../aliasing.js';
import type {
  Backend,
  Download,
  Executable,
  GpuStorage,
  Operand,
  Operands,
  RunHooks,
  Storage,
} from '../backend.js';
import { bytesOf, type DType, inWords, type TensorData, WORD_BYTES } from '../dtype.js';
import { type DeviceLostError, invalid, LimitExceededError, type LossError } from '../errors.js';
import type { AdapterFacts } from '../info.js';
import { type Arithmetic, nativeArithmetic } from '../plan/arithmetic.js';
import { makePlan, type Plan } from '../plan/plan.js';
import type { Policy } from '../plan/policy.js';
import { checkPolicy } from '../plan/wishes.js';
import { Queue } from '../queue.js';
import { spanOf } from '../shape.js';
import type { Role, Spec } from '../spec.js';
import { CLEAN } from '../work.js';
import { type Bound, bindPlan } from './binding.js';
import { CENSUS, CensusVerdict } from './census.js';
import { LossDevice } from './device.js';
import { encodeAll, workOf } from './encoding.js';
import type { Pipeline } from './pipelines.js';
import { download } from './readback.js';

// GPUBufferUsage; the global is missing in Node.
const COPY_SRC = 0x4;
const COPY_DST = 0x8;
const STORAGE = 0x80;

const SMALLEST_BUFFER = 16;

/** Runs specs on a GPUDevice. */
export class GpuBackend implements Backend {
  readonly facts: AdapterFacts;
  readonly reproducible: boolean;
  readonly device: GPUDevice;
  readonly lost: Promise<DeviceLostError>;
  readonly queue: Queue = new Queue();
  readonly #runtime: LossDevice;
  readonly #ownsDevice: boolean;
  readonly #arithmetic: Arithmetic;

  constructor(
    device: GPUDevice,
    facts: AdapterFacts,
    ownsDevice: boolean,
    arithmetic: Arithmetic = nativeArithmetic,
  ) {
    this.device = device;
    this.facts = facts;
    this.#ownsDevice = ownsDevice;
    this.#arithmetic = arithmetic;
    this.reproducible = arithmetic.name === 'reproducible';
    this.#runtime = new LossDevice(device, facts);
    this.lost = this.#runtime.lost;
  }

  check(op: string): void {
    this.#runtime.check(op);
  }

  wishes(op: string, own: Partial<Policy> | undefined, base: Partial<Policy>): Partial<Policy> {
    return checkPolicy(op, own, this, base);
  }

  allocate(op: string, bytes: number): Operand {
    this.check(op);
    this.#checkSize(op, bytes);
    const { result, failure } = this.#runtime.scoped(op, () => this.#createBuffer(op, bytes));
    return { storage: result, work: { failure, verdicts: [] } };
  }

  upload(storage: Storage, data: TensorData): Promise<LossError | undefined> {
    const { buffer, byteOffset, owned } = storage as GpuStorage;
    this.check('tensor');
    if (!owned && (byteOffset % WORD_BYTES !== 0 || data.byteLength % WORD_BYTES !== 0)) {
      invalid(
        'write',
        'WebGPU writes whole words of 4 bytes, and the tensor begins or ends within one; write to its buffer instead.',
        { adapter: this.facts },
      );
    }
    return this.#runtime.scoped('tensor', () => {
      if (data.length > 0)
        this.device.queue.writeBuffer(buffer, byteOffset, wholeWords(data) as GPUAllowSharedBufferSource);
    }).failure;
  }

  download(storage: Storage, bytes: number): Download {
    const { buffer, byteOffset } = storage as GpuStorage;
    this.check('read');
    return download(this.#runtime, buffer, byteOffset, bytes);
  }

  free(storage: Storage): void {
    const { buffer, owned } = storage as GpuStorage;
    if (owned) buffer.destroy();
  }

  adopt(op: string, buffer: GPUBuffer, byteOffset: number, elements: number, dtype: DType): Operand {
    this.check(op);
    const size = bytesOf(dtype);
    const fail = (what: string): never => {
      invalid(op, what, { adapter: this.facts });
    };
    if (typeof buffer?.size !== 'number' || typeof buffer.usage !== 'number')
      fail('the buffer must be a GPUBuffer.');
    if ((buffer.usage & STORAGE) === 0) fail('the buffer lacks GPUBufferUsage.STORAGE.');
    if (!Number.isSafeInteger(byteOffset) || byteOffset < 0 || byteOffset % size !== 0) {
      fail(`byteOffset is ${byteOffset}; ${dtype} needs a multiple of ${size} from 0.`);
    }
    // Bindings are whole words.
    const bytes = inWords(byteOffset + elements * size) - byteOffset;
    if (byteOffset + bytes > buffer.size) {
      fail(`the tensor needs ${bytes} bytes from byte ${byteOffset}, the buffer has ${buffer.size}.`);
    }
    return { storage: { buffer, byteOffset, owned: false }, work: CLEAN };
  }

  async run(
    spec: Spec,
    wishes: Partial<Policy>,
    given: Operands,
    { ready, deliver }: RunHooks,
  ): Promise<void> {
    this.check(spec.op);
    checkAliasing(spec, given);
    const aligned = Object.entries(given).every(([name, { storage }]) => {
      const { dtype } = spec.roles[name] as Role;
      return (storage as GpuStorage).byteOffset % (4 * bytesOf(dtype)) === 0;
    });
    const granted = aligned ? wishes : { ...wishes, vec4: false };
    const preparing = this.#prepare(spec, granted, Object.values(spec.roles));
    preparing.catch(() => undefined);
    await this.queue.add(async () => {
      const { plan, pipelines } = await preparing;
      await this.#runtime.throttle();
      // Time has passed: the device may be lost.
      this.check(spec.op);
      ready();
      this.#submit(plan, pipelines, given, deliver);
    });
  }

  /** One go, without an await: error scopes, and what the tensors say of themselves, must fit the submission. */
  #submit(
    plan: Plan,
    pipelines: readonly Pipeline[],
    given: Operands,
    deliver: (outputs: Operands) => void,
  ): void {
    const { spec } = plan;
    const { result, failure } = this.#runtime.scoped(spec.op, () => {
      const operands: Record<string, Operand> = { ...given };
      for (const [name, role] of Object.entries(spec.roles)) {
        if (role.access !== 'out') continue;
        operands[name] = { storage: this.#createBuffer(`${spec.op}.${name}`, roleBytes(role)), work: CLEAN };
      }
      const scratch = this.createScratch(spec.op, plan.scratch);
      let bound: Bound;
      try {
        bound = bindPlan(this.device, this.facts, plan, pipelines, scratch, operands);
      } catch (error) {
        for (const name of Object.keys(operands))
          if (!(name in given)) this.free((operands[name] as Operand).storage);
        for (const buffer of scratch.values()) buffer.destroy();
        throw error;
      }
      if (bound.dispatches.length > 0) {
        const encoder = this.device.createCommandEncoder({ label: spec.op });
        encodeAll(encoder, bound.dispatches);
        this.#runtime.submit(encoder.finish());
      }
      bound.params.destroy();
      const verdict = this.verdictOf(spec, scratch.get(CENSUS));
      for (const [name, buffer] of scratch) {
        if (name !== CENSUS || verdict === undefined) buffer.destroy();
      }
      return { operands, verdict };
    });
    const work = workOf(spec, result.operands, failure, result.verdict);
    const outputs = Object.entries(result.operands).filter(([name]) => spec.roles[name]?.access !== 'in');
    deliver(Object.fromEntries(outputs.map(([name, { storage }]) => [name, { storage, work }])));
  }

  async plan(spec: Spec, wishes: Partial<Policy>): Promise<Executable> {
    this.check(spec.op);
    const [{ plan, pipelines }, { openExecutable }] = await Promise.all([
      this.#prepare(spec, wishes, []),
      import('./executable.js'),
    ]);
    return openExecutable(this, this.#runtime, plan, pipelines);
  }

  destroy(): void {
    this.#runtime.close();
    if (this.#ownsDevice) this.device.destroy();
  }

  /** The verdict on class-index targets, with a first holder: whoever asked for it. */
  verdictOf(spec: Spec, census: GPUBuffer | undefined): CensusVerdict | undefined {
    if (spec.targetClasses === undefined || census === undefined) return undefined;
    return new CensusVerdict(this.#runtime, census, spec);
  }

  /** The plan of a spec and its pipelines, with room for all scratch buffers and for what has these roles. */
  async #prepare(
    spec: Spec,
    wishes: Partial<Policy>,
    roles: readonly Role[],
  ): Promise<{ readonly plan: Plan; readonly pipelines: readonly Pipeline[] }> {
    const plan = await makePlan(spec, this.facts, wishes, this.#arithmetic);
    for (const bytes of [...plan.scratch.values(), ...roles.map(roleBytes)]) this.#checkSize(spec.op, bytes);
    const compiling = plan.passes.map(({ variant }) => this.#runtime.pipelines.get(variant));
    return { plan, pipelines: await Promise.all(compiling) };
  }

  createScratch(op: string, sizes: ReadonlyMap<string, number>): Map<string, GPUBuffer> {
    const scratch = new Map<string, GPUBuffer>();
    for (const [name, bytes] of sizes) scratch.set(name, this.#createBuffer(`${op} ${name}`, bytes).buffer);
    return scratch;
  }

  #createBuffer(label: string, bytes: number): GpuStorage {
    const buffer = this.device.createBuffer({
      __proto__: null,
      label: `webgpu-loss ${label}`,
      size: Math.max(SMALLEST_BUFFER, inWords(bytes)),
      usage: STORAGE | COPY_SRC | COPY_DST,
    } as GPUBufferDescriptor);
    return { buffer, byteOffset: 0, owned: true };
  }

  #checkSize(op: string, bytes: number): void {
    const { maxBufferSize } = this.facts.limits;
    if (bytes > maxBufferSize) {
      throw new LimitExceededError(
        `${op}: needs a buffer of ${bytes} bytes; this adapter allows ${maxBufferSize}. Split the batch into smaller calls.`,
        { op, adapter: this.facts },
      );
    }
  }
}

function roleBytes({ shape, rowStride, dtype }: Role): number {
  return spanOf(shape, rowStride) * bytesOf(dtype);
}

/** WebGPU writes whole words: an odd number of 16-bit elements gets one more. */
function wholeWords(data: TensorData): TensorData {
  if (data.byteLength % WORD_BYTES === 0) return data;
  const padded = new Uint16Array(data.length + 1);
  padded.set(data);
  return padded;
}
