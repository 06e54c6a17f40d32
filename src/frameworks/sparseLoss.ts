import type { Context } from '../context.js';
import { invalid, type LossError } from '../errors.js';
import type { LossDevice } from '../gpu/device.js';
import type { CrossEntropyTerms } from '../ops/crossEntropy.js';
import type { OpPlan } from '../ops/plan.js';
import { type CrossEntropyBindings, planCrossEntropy } from '../ops/planCrossEntropy.js';
import { checkOptions } from '../options.js';
import type { Policy } from '../plan/policy.js';
import { checkShape, elementCount, formatShape, layoutOf, sameShape } from '../shape.js';
import type { Tensor } from '../tensor.js';
import { contextOn } from './context.js';

/** How a loss is made that a framework differentiates; the terms are those of `crossEntropy`. The class axis is the last. */
export interface SparseLossOptions
  extends Pick<CrossEntropyTerms, 'ignoreIndex' | 'labelSmoothing' | 'temperature' | 'softcap' | 'zLoss'> {
  /** `'mean'` (default) divides by the weight of the rows that are kept; `'sum'` adds up. */
  readonly reduction?: 'mean' | 'sum';
  /** A weight for each class. */
  readonly weight?: Float32Array;
  /** Overrides of the tuning policy; see `Policy`. */
  readonly policy?: Partial<Policy>;
}

const TERMS = ['ignoreIndex', 'labelSmoothing', 'temperature', 'softcap', 'zLoss', 'reduction', 'policy'];

/** Where a framework's arrays lie, dense and from byte 0. */
export interface LossBuffers {
  /** f32, [rows, classes]. */
  readonly logits: GPUBuffer;
  /** i32, one a row; copied out, as all that is small. */
  readonly labels: GPUBuffer;
  /** Gets a copy of the loss: one f32. */
  readonly loss?: GPUBuffer;
  /** One f32; 1 where there is none. */
  readonly gradOutput?: GPUBuffer;
  /** Gets the gradient: f32, [rows, classes]. Without it, only the loss is computed. */
  readonly grad?: GPUBuffer;
}

type Plan = OpPlan<CrossEntropyBindings>;

/** A loss made ready for a number of rows. What is small has buffers of its own, so that a plan meets few sets of buffers. */
interface Sized {
  readonly labels: Tensor;
  readonly loss: Tensor;
  readonly gradOutput: Tensor;
  /** Computes the loss alone; absent where nobody asks for that. */
  readonly value: Plan | undefined;
  readonly gradient: Plan;
}

/** The cross-entropy of class indices on buffers of a framework: what the adapters for training have in common. */
export class SparseLoss {
  readonly #op: string;
  readonly #context: Context;
  readonly #runtime: LossDevice;
  readonly #options: SparseLossOptions;
  readonly #weight: Tensor | undefined;
  readonly #hasValue: boolean;
  readonly #sizes: Map<string, Promise<Sized>> = new Map();
  readonly #ready: Map<string, Sized> = new Map();
  #last: Tensor | undefined;
  /** Settles when the device has said what it thinks of all steps; what went wrong first is `failure` then. */
  #outcome: Promise<unknown> = Promise.resolve();
  #failure: LossError | undefined;
  #disposed = false;

  private constructor(
    op: string,
    context: Context,
    runtime: LossDevice,
    options: SparseLossOptions,
    hasValue: boolean,
  ) {
    this.#op = op;
    this.#context = context;
    this.#runtime = runtime;
    // The caller's object may change before the next shape is prepared.
    this.#options = { ...options };
    this.#weight = options.weight && context.tensor(options.weight, [options.weight.length]);
    this.#hasValue = hasValue;
  }

  /**
   * @param others options of the adapter itself, which are not looked at here
   * @param hasValue whether the loss is computed without its gradient, too
   */
  static async open(
    op: string,
    device: GPUDevice,
    options: SparseLossOptions,
    others: readonly string[],
    hasValue: boolean,
  ): Promise<SparseLoss> {
    checkOptions(op, options, [...TERMS, 'weight', ...others]);
    const { reduction = 'mean', weight } = options;
    if (reduction !== 'mean' && reduction !== 'sum') {
      invalid(op, `reduction is '${String(reduction)}'; an optimizer needs one number: use 'mean' or 'sum'.`);
    }
    if (weight !== undefined && !(weight instanceof Float32Array)) {
      invalid(op, 'weight must be a Float32Array, one number for each class.');
    }
    const [context, { LossDevice }] = await Promise.all([contextOn(device), import('../gpu/device.js')]);
    return new SparseLoss(op, context, new LossDevice(device, context.info), options, hasValue);
  }

  /** Compiles, once for all shapes of so many classes, and makes buffers, once for each number of rows. */
  prepare(shape: readonly number[]): Promise<Sized> {
    this.check();
    checkShape(this.#op, 'shape', shape);
    const { rows, classes } = layoutOf(this.#op, shape);
    if (rows === 0) invalid(this.#op, `logits ${formatShape(shape)} have no rows, and so no loss.`);
    const key = keyOf(rows, classes);
    const known = this.#sizes.get(key);
    if (known !== undefined) return known;
    const made = this.#make(rows, classes).then((sized) => {
      if (this.#disposed) {
        free(sized);
        this.check();
      }
      this.#ready.set(key, sized);
      return sized;
    });
    this.#sizes.set(key, made);
    made.catch(() => this.#sizes.delete(key));
    return made;
  }

  /** What `prepare` made for logits of this shape, if it has. */
  find(shape: readonly number[]): Sized | undefined {
    const classes = shape.at(-1) ?? 0;
    return this.#ready.get(keyOf(elementCount(shape) / classes, classes));
  }

  /** Throws unless labels of this shape and dtype belong to the logits: one a row, with or without a last axis of size 1. */
  checkLabels(logits: readonly number[], labels: readonly number[], dtype: string, cast: string): void {
    const rows = logits.slice(0, -1);
    if (!sameShape(labels, rows) && !sameShape(labels, [...rows, 1])) {
      invalid(
        this.#op,
        `labels have shape ${formatShape(labels)} where ${formatShape(rows)} is needed: one class index for each row of logits.`,
        { shapes: { logits, labels } },
      );
    }
    if (dtype !== 'int32') invalid(this.#op, `labels are ${dtype}; int32 is needed: ${cast}.`);
  }

  /** Throws what a call must not go on with: it was disposed of, the device is gone, or an earlier call failed there. */
  check(): void {
    if (this.#disposed) invalid(this.#op, 'it was disposed of; make a new one.');
    this.#runtime.check(this.#op);
    if (this.#failure !== undefined) throw this.#failure;
  }

  /** Submits one step. All that the framework recorded before must have been submitted. */
  run(sized: Sized, buffers: LossBuffers): void {
    const { device } = this.#runtime;
    const { labels, loss, gradOutput, value, gradient } = sized;
    const { grad } = buffers;
    const { result: plan, failure } = this.#runtime.scoped(this.#op, () => {
      const encoder = device.createCommandEncoder({ label: this.#op });
      encoder.copyBufferToBuffer(buffers.labels, 0, labels.buffer as GPUBuffer, 0, labels.shape[0]! * 4);
      if (buffers.gradOutput !== undefined)
        encoder.copyBufferToBuffer(buffers.gradOutput, 0, gradOutput.buffer as GPUBuffer, 0, 4);
      const bindings = {
        logits: { buffer: buffers.logits },
        targets: labels,
        loss,
        ...(this.#weight && { weight: this.#weight }),
      };
      const used = grad === undefined ? (value as Plan) : gradient;
      used.encode(
        encoder,
        grad === undefined ? bindings : { ...bindings, grad: { buffer: grad }, gradOutput },
      );
      if (buffers.loss !== undefined)
        encoder.copyBufferToBuffer(loss.buffer as GPUBuffer, 0, buffers.loss, 0, 4);
      device.queue.submit([encoder.finish()]);
      return used;
    });
    plan.trim();
    this.#last = loss;
    this.#outcome = Promise.all([this.#outcome, failure]).then(([, error]) => {
      this.#failure ??= error;
    });
  }

  /** The loss of the last step, in nats; rejects with what went wrong in it. */
  async read(): Promise<number> {
    this.check();
    if (this.#last === undefined) invalid(this.#op, 'nothing was computed yet; call the loss first.');
    // Asked for now: a later step writes over it.
    const values = this.#last.read();
    values.catch(() => undefined);
    await this.#outcome;
    if (this.#failure !== undefined) throw this.#failure;
    return (await values)[0] as number;
  }

  dispose(): void {
    if (this.#disposed) return;
    this.#disposed = true;
    for (const sized of this.#ready.values()) free(sized);
    this.#weight?.destroy();
  }

  async #make(rows: number, classes: number): Promise<Sized> {
    const { weight, ...terms } = this.#options;
    const context = this.#context;
    if (weight !== undefined && weight.length !== classes) {
      invalid(this.#op, `weight has ${weight.length} elements, the logits have ${classes} classes.`);
    }
    const shape = [rows, classes];
    const common = { ...terms, shape, targets: 'index', weight: weight !== undefined } as const;
    const [value, gradient] = await Promise.all([
      this.#hasValue ? planCrossEntropy(context, common) : undefined,
      planCrossEntropy(context, { ...common, grad: true, gradOutput: 'scalar' }),
    ]);
    return {
      value,
      gradient,
      labels: context.tensor(new Int32Array(rows), [rows]),
      loss: context.tensor(new Float32Array(1), []),
      gradOutput: context.tensor(Float32Array.of(1), []),
    };
  }
}

function keyOf(rows: number, classes: number): string {
  return `${rows} x ${classes}`;
}

function free({ labels, loss, gradOutput, value, gradient }: Sized): void {
  for (const tensor of [labels, loss, gradOutput]) tensor.destroy();
  for (const plan of [value, gradient]) plan?.destroy();
}
