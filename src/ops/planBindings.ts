import type { Operand, Operands } from '../backend.js';
import { backendOf, type Context } from '../context.js';
import { bytesOf } from '../dtype.js';
import { invalid } from '../errors.js';
import { checkOptions } from '../options.js';
import { formatShape, sameShape, spanOf } from '../shape.js';
import type { Role, Spec } from '../spec.js';
import { setWork, Tensor, usableState } from '../tensor.js';
import type { Work } from '../work.js';

/** A part of a GPU buffer: dense elements of the dtype that the plan has. */
export interface BufferPart {
  /** Made with `GPUBufferUsage.STORAGE`. */
  readonly buffer: GPUBuffer;
  /** Where the part begins, in bytes; default 0. */
  readonly offset?: number;
  /** Its length in bytes; default: as many as the elements take. */
  readonly size?: number;
}

/** A tensor, or a part of a GPU buffer: dense elements of the dtype that the plan has. */
export type PlanBinding = Tensor | BufferPart;

type Given = Readonly<Record<string, PlanBinding | undefined>>;

const PART_FIELDS: readonly string[] = ['buffer', 'offset', 'size'];

/** A part of a buffer that passed the checks. */
interface AdoptedPart {
  readonly offset: number;
  readonly size: number | undefined;
  readonly operand: Operand;
}

/** A role of the plan. */
interface Slot {
  readonly name: string;
  readonly role: Role;
  readonly rowStride: number;
  readonly elements: number;
  /** Of each buffer the part that was bound last: a buffer's size and usage never change, so it need not be looked at again. */
  readonly adopted: WeakMap<GPUBuffer, AdoptedPart>;
}

/** What a caller binds to the roles of a plan, step after step: everything is checked in each step, at a microsecond or so in all. */
export class PlanBindings {
  readonly #context: Context;
  readonly #op: string;
  readonly #slots: ReadonlyMap<string, Slot>;

  constructor(context: Context, { op, roles }: Spec) {
    this.#context = context;
    this.#op = op;
    this.#slots = new Map(Object.entries(roles).map(([name, role]) => [name, slotOf(name, role)]));
  }

  /** Throws `InvalidArgumentError` for bindings that are missing, too many, or do not fit their role. */
  operands(bindings: unknown): Operands {
    if (typeof bindings !== 'object' || bindings === null) {
      return this.#fail(`encode needs the bindings: { ${this.#names()} }.`);
    }
    const given = bindings as Given;
    for (const name of Object.keys(given)) {
      if (!this.#slots.has(name) && given[name] !== undefined) {
        this.#fail(`there is no binding '${name}' with these options; there are ${this.#names()}.`);
      }
    }
    const operands: Record<string, Operand> = {};
    for (const slot of this.#slots.values()) operands[slot.name] = this.#operand(slot, given[slot.name]);
    return operands;
  }

  /** Tells the tensors that were written where their contents come from. */
  deliver(bindings: object, work: Work): void {
    for (const { name, role } of this.#slots.values()) {
      if (role.access === 'in') continue;
      const binding = (bindings as Given)[name];
      if (binding instanceof Tensor) setWork(binding, work);
    }
  }

  #operand(slot: Slot, binding: PlanBinding | undefined): Operand {
    const { name, role, rowStride } = slot;
    if (binding === undefined || binding === null) {
      return this.#fail(`the binding '${name}' is missing; give a tensor of ${formatShape(role.shape)}.`);
    }
    if (!(binding instanceof Tensor)) return this.#part(slot, binding);
    const state = usableState(this.#op, name, binding);
    if (binding.context !== this.#context) this.#fail(`${name} belongs to another context.`);
    if (binding.dtype !== role.dtype) this.#fail(`${name} is ${binding.dtype}; the plan has ${role.dtype}.`);
    if (!sameShape(binding.shape, role.shape)) {
      this.#fail(`${name} has shape ${formatShape(binding.shape)}; the plan has ${formatShape(role.shape)}.`);
    }
    if (binding.rowStride !== rowStride) {
      this.#fail(`${name} has rowStride ${binding.rowStride}; the plan has ${rowStride}.`);
    }
    return state;
  }

  #part({ name, role, elements, adopted }: Slot, part: BufferPart): Operand {
    checkOptions(`${this.#op}: ${name}`, part, PART_FIELDS);
    const buffer = own(part, 'buffer') as GPUBuffer;
    const offset = own(part, 'offset') ?? 0;
    const size = own(part, 'size');
    const known = adopted.get(buffer);
    if (known !== undefined && known.offset === offset && known.size === size) return known.operand;
    const bytes = elements * bytesOf(role.dtype);
    const end = buffer?.size ?? 0;
    if (size !== undefined && !(Number.isSafeInteger(size) && size >= bytes && offset + size <= end)) {
      this.#fail(`${name}: size is ${size}; the plan needs ${bytes} bytes, the buffer has ${end} in all.`);
    }
    const { backend } = backendOf(this.#context);
    const operand = backend.adopt(`${this.#op}.${name}`, buffer, offset, elements, role.dtype);
    adopted.set(buffer, { offset, size, operand });
    return operand;
  }

  #names(): string {
    return [...this.#slots.keys()].join(', ');
  }

  #fail(message: string): never {
    invalid(this.#op, message);
  }
}

function slotOf(name: string, role: Role): Slot {
  const { shape, rowStride } = role;
  return {
    name,
    role,
    rowStride: rowStride ?? shape.at(-1) ?? 1,
    elements: spanOf(shape, rowStride),
    adopted: new WeakMap(),
  };
}

/** Own properties only: a polluted prototype must not shift a binding. */
function own<K extends keyof BufferPart>(part: BufferPart, key: K): BufferPart[K] | undefined {
  return Object.hasOwn(part, key) ? part[key] : undefined;
}
