import type { Operand, Operands } from '../backend.js';
import { backendOf, type Context, tensorOf } from '../context.js';
import { checkData, type DType, FLOATS, type TensorData } from '../dtype.js';
import { invalid } from '../errors.js';
import type { Policy } from '../plan/policy.js';
import { elementCount, formatShape, type Layout, sameShape } from '../shape.js';
import type { Role, Spec } from '../spec.js';
import { held, setWork, Tensor, throwIfAborted, usableState } from '../tensor.js';
import type { Reduction } from './reduction.js';

/** Options that every operation takes. */
export interface CallOptions {
  /** Overrides of the tuning policy for this call; see `Policy`. */
  readonly policy?: Partial<Policy>;
  /** Rejects with `AbortedError` if it fires before the work is submitted. */
  readonly signal?: AbortSignal;
}

/** Class indices, one a row: a tensor, or an array where the rows have one dimension. */
export type IndexTargets = Tensor | Int32Array | Uint32Array;

/** Numbers, one for each row or class: a tensor, or an array where they have one dimension. */
export type Vector = Tensor | Float32Array;

/** What a spec needs to know of an argument. */
export type Argument = Pick<Tensor, 'shape' | 'dtype' | 'rowStride'>;

/** One call of an operation: gathers its tensors, uploads its small arrays, runs its spec. */
export class Call {
  readonly op: string;
  readonly context: Context;
  readonly #policy: Partial<Policy>;
  readonly #signal: AbortSignal | undefined;
  readonly #inputs: Map<string, Tensor> = new Map();
  readonly #arrays: Map<string, { readonly data: TensorData; readonly shape: readonly number[] }> = new Map();

  /** @param lead The tensor whose context the call runs on. */
  constructor(op: string, name: string, lead: unknown, options: CallOptions) {
    this.op = op;
    if (!(lead instanceof Tensor)) {
      invalid(op, `${name} must be a Tensor; make one with ctx.tensor(array, shape).`);
    }
    this.context = lead.context;
    const { backend, policy } = backendOf(lead.context);
    backend.check(op);
    this.#policy = backend.wishes(op, options.policy, policy);
    this.#signal = options.signal;
    throwIfAborted(op, this.#signal);
  }

  /** A tensor argument of floats; checks whose it is and that it lives. */
  matrix(name: string, value: unknown, shape?: readonly number[]): Tensor {
    return this.#tensor(name, value, FLOATS, shape === undefined ? undefined : [shape]);
  }

  /**
   * An argument of one of `shapes`: a tensor, or an array where the shape has one dimension (or one element).
   * The first of `shapes` is the one that messages name.
   */
  vector(
    name: string,
    value: unknown,
    dtypes: readonly DType[],
    shapes: readonly (readonly number[])[],
  ): Argument {
    if (value instanceof Tensor) return this.#tensor(name, value, dtypes, shapes);
    const { data, dtype } = checkData(this.op, name, value);
    const shape = shapes.find(
      (candidate) => candidate.length <= 1 && elementCount(candidate) === data.length,
    );
    if (shape === undefined) {
      const [wanted = []] = shapes;
      this.#fail(
        `${name} has ${data.length} elements where shape ${formatShape(wanted)} is needed` +
          (wanted.length > 1 ? `; give ctx.tensor(array, ${formatShape(wanted)}).` : '.'),
      );
    }
    this.#checkDType(name, dtype, dtypes);
    // Uploaded when all arguments are known to be good.
    this.#arrays.set(name, { data, shape });
    return { shape, dtype, rowStride: shape.at(-1) ?? 1 };
  }

  /** An upstream gradient: any number, or a tensor of `shape` for reduction 'none' and of shape [] otherwise. */
  upstream(value: number | Vector, reduction: Reduction, shape: readonly number[]): number | Role {
    if (typeof value === 'number') return value;
    const tensor = this.vector('gradOutput', value, ['f32'], [reduction === 'none' ? shape : []]);
    const role = inputRole(this.op, 'gradOutput', tensor);
    return reduction === 'none' ? role : { ...role, broadcast: true };
  }

  #tensor(
    name: string,
    value: unknown,
    dtypes: readonly DType[],
    shapes: readonly (readonly number[])[] | undefined,
  ): Tensor {
    if (!(value instanceof Tensor))
      this.#fail(`${name} must be a Tensor; make one with ctx.tensor(array, shape).`);
    if (value.context !== this.context) {
      this.#fail(`${name} belongs to another context. Make all tensors of a call with the same one.`);
    }
    usableState(this.op, name, value);
    this.#checkDType(name, value.dtype, dtypes);
    if (shapes !== undefined && !shapes.some((shape) => sameShape(shape, value.shape))) {
      invalid(
        this.op,
        `${name} has shape ${formatShape(value.shape)} where ${shapes.map(formatShape).join(' or ')} is needed.`,
        { shapes: { [name]: value.shape, expected: shapes[0] ?? [] } },
      );
    }
    this.#inputs.set(name, value);
    return value;
  }

  #checkDType(name: string, dtype: DType, dtypes: readonly DType[]): void {
    if (!dtypes.includes(dtype)) this.#fail(`${name} is ${dtype}; ${dtypes.join(' or ')} is needed.`);
  }

  #fail(message: string): never {
    invalid(this.op, message);
  }

  /** Runs `spec` on the arguments gathered; gives its outputs by role. A role written in place gives its own tensor back. */
  async run<Results extends object = Record<string, Tensor>>(spec: Spec): Promise<Results> {
    const { backend } = backendOf(this.context);
    const uploads: Tensor[] = [];
    try {
      for (const [name, { data, shape }] of this.#arrays) {
        const tensor = this.context.tensor(data, shape);
        uploads.push(tensor);
        this.#inputs.set(name, tensor);
      }
      // The states themselves, not copies: an earlier call in the queue may still change what a tensor says of its contents.
      const states = [...this.#inputs].map(
        ([name, tensor]) => [name, usableState(this.op, name, tensor)] as const,
      );
      const results: Record<string, Tensor> = {};
      const deliver = (outputs: Operands): void => {
        for (const [name, operand] of Object.entries(outputs))
          results[name] = this.#result(spec, name, operand);
      };
      const ready = (): void => throwIfAborted(this.op, this.#signal);
      await held(
        states.map(([, state]) => state),
        () => backend.run(spec, this.#policy, Object.fromEntries(states), { ready, deliver }),
      );
      return results as Results;
    } finally {
      for (const tensor of uploads) tensor.destroy();
    }
  }

  #result(spec: Spec, name: string, operand: Operand): Tensor {
    const { shape, dtype } = spec.roles[name] as Role;
    const input = this.#inputs.get(name);
    if (input === undefined) return tensorOf(this.context, shape, dtype, operand);
    setWork(input, operand.work);
    return input;
  }
}

/** A role read from a tensor, with its own row stride where rows are padded; only rows along the last axis can be. */
export function inputRole(op: string, name: string, tensor: Argument, layout?: Layout): Role {
  const { shape, dtype, rowStride } = tensor;
  if (rowStride === (shape.at(-1) ?? 1)) return { shape, dtype, access: 'in' };
  if (layout === undefined || layout.axis !== shape.length - 1) {
    invalid(
      op,
      `${name} has padded rows (rowStride ${rowStride}); that works only for matrices whose class axis is the last.`,
      { shapes: { [name]: shape } },
    );
  }
  return { shape, dtype, access: 'in', rowStride };
}

/** The options of `CallOptions`. */
export const CALL_OPTIONS: readonly string[] = ['policy', 'signal'];
