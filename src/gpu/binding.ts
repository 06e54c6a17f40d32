import type { GpuStorage, Operands } from '../backend.js';
import { bytesOf, inWords } from '../dtype.js';
import { InvalidArgumentError, OutOfMemoryError } from '../errors.js';
import type { AdapterFacts } from '../info.js';
import type { Dispatch, Pass, RowPass, Source } from '../plan/pass.js';
import type { Part, ProductPass } from '../plan/product.js';
import { inFours } from '../plan/variant.js';
import type { Spec } from '../spec.js';
import type { Pipeline } from './pipelines.js';

const UNIFORM = 0x40; // GPUBufferUsage.UNIFORM; the global is missing in Node.
// See shaders/lib/params.wgsl: 28 numbers, the last of them always 0, then two numbers for each of 16 bindings.
const PLACES_WORD = 28;
const PARAMS_BYTES = 4 * (PLACES_WORD + 32);
// A sum over no rows binds an empty vector, and WebGPU no empty buffer; ours are at least this large.
const SMALLEST_BINDING = 16;

/** A dispatch with everything bound: nothing is created to encode it. */
export interface BoundDispatch {
  readonly pipeline: GPUComputePipeline;
  readonly group: GPUBindGroup;
  readonly grid: readonly [number, number];
}

/** What of a plan is bound. */
interface Bindable {
  readonly spec: Pick<Spec, 'op'>;
  readonly passes: readonly Pass[];
}

/** A plan on particular buffers. */
export interface Bound {
  readonly dispatches: readonly BoundDispatch[];
  readonly params: GPUBuffer;
}

/** Binds a plan's passes: one uniform buffer for all dispatches, one bind group each. */
export function bindPlan(
  device: GPUDevice,
  facts: AdapterFacts,
  plan: Bindable,
  pipelines: readonly Pipeline[],
  scratch: ReadonlyMap<string, GPUBuffer>,
  operands: Operands,
): Bound {
  const stride = align(PARAMS_BYTES, facts.limits.minUniformBufferOffsetAlignment);
  const count = plan.passes.reduce((sum, pass) => sum + pass.dispatches.length, 0);
  const params = createParams(device, facts, plan, Math.max(1, count) * stride);
  try {
    return {
      dispatches: bindDispatches(device, facts, plan, pipelines, scratch, operands, params, stride),
      params,
    };
  } catch (error) {
    params.destroy();
    throw error;
  }
}

/** The dispatches, with their parameters `stride` bytes apart in the mapped buffer `params`. */
function bindDispatches(
  device: GPUDevice,
  facts: AdapterFacts,
  plan: Bindable,
  pipelines: readonly Pipeline[],
  scratch: ReadonlyMap<string, GPUBuffer>,
  operands: Operands,
  params: GPUBuffer,
  stride: number,
): readonly BoundDispatch[] {
  const words = params.getMappedRange();
  const dispatches: BoundDispatch[] = [];
  plan.passes.forEach((pass, i) => {
    const { pipeline, layout, key } = pipelines[i] as Pipeline;
    for (const { grid, parts, write } of 'classes' in pass ? rowTasks(pass) : productTasks(pass)) {
      const offset = dispatches.length * stride;
      const view = new DataView(words, offset, PARAMS_BYTES);
      write(view);
      const entries: GPUBindGroupEntry[] = [
        {
          binding: 0,
          resource: { __proto__: null, buffer: params, offset, size: PARAMS_BYTES } as GPUBufferBinding,
        },
      ];
      parts.forEach((part, index) => {
        const storage = storageOf(part, scratch, operands);
        const range = rangeOf(part, storage.byteOffset, facts);
        view.setUint32((PLACES_WORD + 2 * index) * 4, range.first, true);
        view.setUint32((PLACES_WORD + 2 * index + 1) * 4, part.stride, true);
        if (part.fours && storage.byteOffset % (4 * bytesOf(part.dtype)) !== 0) {
          throw misaligned(plan, part, storage.byteOffset);
        }
        entries.push({
          binding: index + 1,
          resource: {
            __proto__: null,
            buffer: storage.buffer,
            offset: range.offset,
            size: range.size,
          } as GPUBufferBinding,
        });
      });
      const group = device.createBindGroup({
        __proto__: null,
        label: key,
        layout,
        entries,
      } as GPUBindGroupDescriptor);
      dispatches.push({ pipeline, group, grid });
    }
  });
  params.unmap();
  return dispatches;
}

/** Mapped, so that filling it needs no submission. Where there is no memory for that, `createBuffer` throws. */
function createParams(device: GPUDevice, facts: AdapterFacts, plan: Bindable, size: number): GPUBuffer {
  const { op } = plan.spec;
  try {
    return device.createBuffer({
      __proto__: null,
      label: `webgpu-loss ${op} params`,
      size,
      usage: UNIFORM,
      mappedAtCreation: true,
    } as GPUBufferDescriptor);
  } catch (cause) {
    throw new OutOfMemoryError(
      `${op}: out of memory: no ${size} bytes for parameters. Destroy tensors that are no longer needed, or split the batch.`,
      { op, adapter: facts, cause },
    );
  }
}

function storageOf(part: Part, scratch: ReadonlyMap<string, GPUBuffer>, operands: Operands): GpuStorage {
  if (part.scratch) return { buffer: scratch.get(part.from) as GPUBuffer, byteOffset: 0, owned: true };
  return operands[part.from]?.storage as GpuStorage;
}

/** A dispatch on its way to the device: the parts of buffers in the order of its bindings, and what writes its parameters. */
interface Task {
  readonly grid: readonly [number, number];
  readonly parts: readonly Part[];
  readonly write: (params: DataView) => void;
}

function rowTasks(pass: RowPass): readonly Task[] {
  return pass.dispatches.map((dispatch) => ({
    grid: dispatch.grid,
    parts: pass.variant.bindings.map(({ role, access }) => ({
      ...rowPart(pass, dispatch, access === 'vector', pass.sources[role] as Source),
      fours: inFours(access),
    })),
    write: (params) => writeConstants(params, pass, dispatch),
  }));
}

function productTasks({ dispatches }: ProductPass): readonly Task[] {
  return dispatches.map(({ grid, parts, numbers }) => ({
    grid,
    parts,
    write: (params) => {
      for (const [i, value] of numbers.entries()) params.setUint32(i * 4, value, true);
    },
  }));
}

/** The part of a source that a dispatch over rows works on. */
function rowPart(
  { inner, classes }: RowPass,
  { firstRow, rows }: Dispatch,
  isVector: boolean,
  { from, scratch, dtype, stride, elements, firstRow: base }: Source,
): Omit<Part, 'fours'> {
  const shared = { from, scratch, dtype, stride };
  if (isVector || stride === 0) return { ...shared, start: 0, elements };
  const blocks = rows / inner;
  const length = Math.min(classes * inner, stride);
  return { ...shared, start: ((firstRow - base) / inner) * stride, elements: (blocks - 1) * stride + length };
}

/** The range of a buffer that holds a part: an aligned offset, and the elements from there to the part's first one. */
function rangeOf(
  { start, elements, dtype, fours }: Part,
  byteOffset: number,
  { limits }: AdapterFacts,
): { readonly offset: number; readonly size: number; readonly first: number } {
  const bytes = bytesOf(dtype);
  const at = byteOffset + start * bytes;
  const offset =
    Math.floor(at / limits.minStorageBufferOffsetAlignment) * limits.minStorageBufferOffsetAlignment;
  const first = (at - offset) / bytes;
  // Whole words, as WebGPU wants, or whole groups of four: a part of the last one may belong to something else.
  const end = fours ? align(first + elements, 4) : first + elements;
  return { offset, size: elements === 0 ? SMALLEST_BINDING : inWords(end * bytes), first };
}

function misaligned(plan: Bindable, { from, dtype }: Part, byteOffset: number): InvalidArgumentError {
  return new InvalidArgumentError(
    `${plan.spec.op}: ${from} starts at byte ${byteOffset}, which is no multiple of ${4 * bytesOf(dtype)}, but the plan loads four classes at once. ` +
      'Make the plan with policy: { vec4: false }, or align the buffer.',
    { op: plan.spec.op },
  );
}

function writeConstants(view: DataView, pass: RowPass, { firstRow, rows, grid }: Dispatch): void {
  const { constants } = pass;
  const { ignoreIndex } = constants;
  const uints = [
    rows,
    firstRow,
    pass.classes,
    pass.inner,
    grid[0],
    pass.segment,
    pass.segments,
    constants.extent ?? 0,
    ignoreIndex ?? 0,
    ignoreIndex === undefined ? 0 : 1,
    pass.records,
    constants.wanted ?? 0,
    constants.taken ?? 0,
    constants.listed ?? 0,
  ];
  const floats = [
    constants.gradOutput,
    constants.divisor,
    constants.keep,
    constants.spread,
    constants.prescale,
    constants.postscale,
    constants.gapScale,
    constants.chain,
    constants.cap,
    constants.uncap,
    constants.zLoss,
    constants.gain,
    constants.gradFilter,
  ];
  for (const [i, value] of uints.entries()) view.setUint32(i * 4, value, true);
  for (const [i, value] of floats.entries()) view.setFloat32((uints.length + i) * 4, value ?? 0, true);
}

function align(value: number, to: number): number {
  return Math.ceil(value / to) * to;
}
