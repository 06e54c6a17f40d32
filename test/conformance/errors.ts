// Every class of error, provoked: what it says, that nothing was submitted before it, and that no wrong number is read instead.

import * as cpu from '../../src/cpu.js';
import {
  AbortedError,
  CompileError,
  type Context,
  createContext,
  crossEntropy,
  DeviceLostError,
  InvalidArgumentError,
  klDivergence,
  LimitExceededError,
  LossError,
  logitStats,
  logSoftmax,
  logSoftmaxGrad,
  logSumExp,
  logSumExpGrad,
  OutOfMemoryError,
  planCrossEntropy,
  planEntropy,
  planKlDivergence,
  planLogitStats,
  planLogSoftmax,
  planLogSoftmaxGrad,
  planLogSumExp,
  planLogSumExpGrad,
  planNllLoss,
  planSoftmax,
  planSoftmaxGrad,
  softmax,
  softmaxGrad,
  TargetOutOfRangeError,
  type Tensor,
  ValidationError,
  WebGpuUnavailableError,
} from '../../src/index.js';
import {
  type Attempt,
  assert,
  check,
  equal,
  gpuCheck,
  type Keep,
  refusesAll,
  rejects,
  sameBits,
  show,
} from './assert.js';
import type { Check, Env } from './check.js';
import {
  bitsOf,
  Calls,
  COPY_DST,
  COPY_SRC,
  contextOn,
  counting,
  foreignBuffer,
  intercept,
  STORAGE,
} from './device.js';

/** Every error of the contract, provoked. */
export function errorChecks(): Check[] {
  return [
    ...invalidArgumentChecks(),
    ...limitChecks(),
    ...memoryChecks(),
    ...validationChecks(),
    ...compileChecks(),
    ...scopeChecks(),
    ...lossChecks(),
    ...availabilityChecks(),
    ...abortChecks(),
    ...targetChecks(),
  ];
}

// ---- arguments

const ROWS = 3;
const CLASSES = 5;
const SHAPE = [ROWS, CLASSES];

/** Tensors that fit each other, and what does not fit them. */
interface Arguments {
  readonly ctx: Context;
  readonly logits: Tensor;
  /** f32 [3]. */
  readonly perRow: Tensor;
  /** i32 [3]. */
  readonly targets: Tensor;
  /** f32 [3, 4]. */
  readonly narrow: Tensor;
  /** i32 [3, 5]. */
  readonly integers: Tensor;
  readonly cube: Tensor;
  readonly scalar: Tensor;
  readonly noClass: Tensor;
  readonly destroyed: Tensor;
  /** f32 [3, 5] of another context. */
  readonly stranger: Tensor;
}

async function makeArguments(env: Env, ctx: Context, keep: Keep): Promise<Arguments> {
  const other = keep(await contextOn(env, {}));
  const of = (context: Context, shape: readonly number[]) =>
    keep(context.tensor(new Float32Array(shape.reduce((product, size) => product * size, 1)), shape));
  const destroyed = of(ctx, SHAPE);
  destroyed.destroy();
  return {
    ctx,
    logits: of(ctx, SHAPE),
    perRow: of(ctx, [ROWS]),
    targets: keep(ctx.tensor(new Int32Array(ROWS), [ROWS])),
    narrow: of(ctx, [ROWS, CLASSES - 1]),
    integers: keep(ctx.tensor(new Int32Array(ROWS * CLASSES), SHAPE)),
    cube: of(ctx, [2, 3, 4]),
    scalar: of(ctx, []),
    noClass: of(ctx, [2, 0]),
    destroyed,
    stranger: of(other, SHAPE),
  };
}

/** Objects that are no typed array the library takes, with what the message must say. */
function wrongArrays(length: number): [string, unknown, RegExp][] {
  const memory = sharedMemory();
  const detached = new Float32Array(length);
  structuredClone(detached.buffer, { transfer: [detached.buffer] });
  return [
    ['Float64Array', new Float64Array(length), /Float64Array.*Float32Array\.from/],
    ['BigInt64Array', new BigInt64Array(length), /BigInt64Array.*Int32Array\.from/],
    [
      'BigUint64Array',
      new BigUint64Array(length),
      /Float32Array, Int32Array, Uint32Array or .*Uint16Array, got BigUint64Array/,
    ],
    ['Int16Array', new Int16Array(length), /Int16Array/],
    ['Uint8Array', new Uint8Array(length), /Uint8Array/],
    ['Uint8ClampedArray', new Uint8ClampedArray(length), /Uint8ClampedArray/],
    ['array', Array(length).fill(0), /got Array/],
    ['ArrayBuffer', new ArrayBuffer(length * 4), /got ArrayBuffer/],
    ['DataView', new DataView(new ArrayBuffer(length * 4)), /got DataView/],
    ['null', null, /got Null/],
    ['text', 'abc', /got String/],
    ['object', { length }, /got Object/],
    ['shared memory', new Float32Array(memory, 0, length), /shared.*copy/],
    ['detached', detached, /detached/],
  ];
}

/** Shared memory, also in a page that may not name its constructor. */
function sharedMemory(): ArrayBuffer {
  return new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true }).buffer as unknown as ArrayBuffer;
}

/** What every op refuses of the tensor it is called on, its other options, and its axis. */
function commonAttempts(
  op: string,
  call: (lead: never, options?: never) => unknown,
  made: Arguments,
  lead: string,
): Attempt[] {
  const { logits } = made;
  const named = new RegExp(`${op}.*${lead}.*Tensor`);
  const options: [string, unknown, RegExp][] = [
    ['null', null, /options must be an object/],
    ['a number', 5, /options must be an object/],
    ['an unknown name', { axs: 1 }, /unknown option 'axs'.*axis/],
    ['a policy that is null', { policy: null }, /policy/],
    ['a policy that is a number', { policy: 3 }, /policy/],
    ['an unknown policy', { policy: { threads: 4 } }, /policy.*threads.*strategy/],
    ['a strategy', { policy: { strategy: 'fast' } }, /strategy.*'fast'.*row-per-thread/],
    ['a workgroup of 48', { policy: { workgroupSize: 48 } }, /workgroupSize is 48.*power of two/],
    ['a workgroup of 2^20', { policy: { workgroupSize: 2 ** 20 } }, /workgroupSize.*power of two/],
    ['a segment', { policy: { segment: 100 } }, /segment is 100.*multiple/],
    ['subgroups', { policy: { subgroups: 1 } }, /subgroups must be true or false/],
    ['vec4', { policy: { vec4: 'no' } }, /vec4 must be true or false/],
    ['a signal that is none', { signal: 'stop' }, /signal/],
  ];
  for (const axis of [2, -3, 0.5, Number.NaN, Number.POSITIVE_INFINITY, '1', null, [1]]) {
    options.push([`axis ${show(axis)}`, { axis }, /axis.*\[3, 5\].*-2 … 1/]);
  }
  return [
    [`${op}()`, () => call(undefined as never), named],
    [`${op}(null)`, () => call(null as never), named],
    [`${op}(array)`, () => call(new Float32Array(15) as never), named],
    [`${op}(object)`, () => call({ ...made.logits, dtype: 'f32' } as never), named],
    [`${op}(i32)`, () => call(made.integers as never), /i32.*f32/],
    [`${op}(destroyed)`, () => call(made.destroyed as never), /destroyed/],
    ...options.map(
      ([what, value, words]): Attempt => [
        `${op} with ${what}`,
        () => call(logits as never, value as never),
        words,
      ],
    ),
  ];
}

function opAttempts(made: Arguments): Attempt[] {
  const { logits, perRow, targets, narrow, integers, cube, scalar, noClass, destroyed, stranger } = made;
  const attempts: Attempt[] = [];
  for (const op of [softmax, logSoftmax, logSumExp]) {
    attempts.push(
      ...commonAttempts(op.name, op, made, 'logits'),
      [`${op.name} of a scalar`, () => op(scalar), /\[\].*class axis/],
      [`${op.name} of no class`, () => op(noClass), /size 0.*at least one class/],
    );
  }
  attempts.push([
    'logSumExp with keepDims',
    () => logSumExp(logits, { keepDims: 'yes' as never }),
    /keepDims.*true or false/,
  ]);
  for (const [op, lead] of [
    [softmaxGrad, 'probs'],
    [logSoftmaxGrad, 'logProbs'],
  ] as const) {
    const name = op.name;
    attempts.push(
      ...commonAttempts(name, (first: never, options?: never) => op(first, logits, options), made, lead),
      [`${name} without gradOutput`, () => op(logits, undefined as never), /gradOutput.*Tensor/],
      [`${name} with an array`, () => op(logits, new Float32Array(15) as never), /gradOutput.*Tensor/],
      [`${name}, other shape`, () => op(logits, narrow), /gradOutput.*\[3, 4\].*\[3, 5\]/],
      [`${name}, other dtype`, () => op(logits, integers), /gradOutput.*i32.*f32/],
      [`${name}, other context`, () => op(logits, stranger), /another context/],
      [`${name}, destroyed`, () => op(logits, destroyed), /gradOutput.*destroyed/],
      [`${name} of a scalar`, () => op(scalar, scalar), /class axis/],
      [`${name} of no class`, () => op(noClass, noClass), /class axis|at least one class/],
    );
  }
  attempts.push(
    ...commonAttempts(
      'logSumExpGrad',
      (first: never, options?: never) => logSumExpGrad(first, perRow, perRow, options),
      made,
      'logits',
    ),
    [
      'logSumExpGrad, lse of another shape',
      () => logSumExpGrad(logits, logits, perRow),
      /lse.*\[3, 5\].*\[3\]/,
    ],
    [
      'logSumExpGrad, g of another shape',
      () => logSumExpGrad(logits, perRow, logits),
      /gradOutput.*\[3, 5\].*\[3\]/,
    ],
    [
      'logSumExpGrad, lse too short',
      () => logSumExpGrad(logits, new Float32Array(2), perRow),
      /lse.*2.*\[3\]/,
    ],
    [
      'logSumExpGrad, g too long',
      () => logSumExpGrad(logits, perRow, new Float32Array(4)),
      /gradOutput.*4.*\[3\]/,
    ],
    ['logSumExpGrad, lse of i32', () => logSumExpGrad(logits, targets, perRow), /lse.*i32.*f32/],
    [
      'logSumExpGrad, g of i32',
      () => logSumExpGrad(logits, perRow, new Int32Array(3) as never),
      /gradOutput.*i32/,
    ],
    ['logSumExpGrad, lse missing', () => logSumExpGrad(logits, undefined as never, perRow), /lse/],
    ['logSumExpGrad, other context', () => logSumExpGrad(logits, stranger, perRow), /another context/],
    ['logSumExpGrad, destroyed', () => logSumExpGrad(logits, perRow, destroyed), /destroyed/],
  );
  attempts.push(...crossEntropyAttempts(made), ...klDivergenceAttempts(made), ...logitStatsAttempts(made));
  for (const [kind, array, words] of wrongArrays(ROWS)) {
    attempts.push(
      [`logSumExpGrad, lse: ${kind}`, () => logSumExpGrad(logits, array as never, perRow), words],
      [`logSumExpGrad, gradOutput: ${kind}`, () => logSumExpGrad(logits, perRow, array as never), words],
      [`crossEntropy, targets: ${kind}`, () => crossEntropy(logits, array as never), words],
    );
    if (kind !== 'shared memory') continue;
    attempts.push([
      `crossEntropy, weight: ${kind}`,
      () => crossEntropy(logits, targets, { weight: array as never }),
      words,
    ]);
  }
  attempts.push([
    'crossEntropy, targets of a cube as an array',
    () => crossEntropy(cube, new Int32Array(6)),
    /targets has 6.*\[2, 3\].*ctx\.tensor/,
  ]);
  return attempts;
}

function crossEntropyAttempts({
  ctx,
  logits,
  perRow,
  targets,
  narrow,
  integers,
  destroyed,
  stranger,
}: Arguments): Attempt[] {
  const made = { ctx, logits, perRow, targets, narrow, integers, destroyed, stranger } as Arguments;
  const withOptions = (options: object, on: Tensor = targets) => crossEntropy(logits, on, options as never);
  const attempts: Attempt[] = commonAttempts(
    'crossEntropy',
    (first: never, options?: never) => crossEntropy(first, targets, options),
    made,
    'logits',
  );
  attempts.push(
    ['crossEntropy without targets', () => crossEntropy(logits, undefined as never), /targets/],
    ['crossEntropy, a number as targets', () => crossEntropy(logits, 3 as never), /targets/],
    ['crossEntropy, too few targets', () => crossEntropy(logits, new Int32Array(2)), /targets has 2.*\[3\]/],
    [
      'crossEntropy, too many targets',
      () => crossEntropy(logits, new Uint32Array(4)),
      /targets has 4.*\[3\]/,
    ],
    [
      'crossEntropy, targets of another shape',
      () => crossEntropy(logits, integers),
      /targets.*\[3, 5\].*\[3\]/,
    ],
    [
      'crossEntropy, probs of another shape',
      () => crossEntropy(logits, narrow),
      /targets.*\[3, 4\].*\[3, 5\]/,
    ],
    ['crossEntropy, probs one a row', () => crossEntropy(logits, perRow), /targets.*\[3\].*\[3, 5\]/],
    ['crossEntropy, probs as an array', () => crossEntropy(logits, new Float32Array(15)), /ctx\.tensor/],
    ['crossEntropy, targets destroyed', () => crossEntropy(logits, destroyed), /targets.*destroyed/],
    ['crossEntropy, targets of another context', () => crossEntropy(logits, stranger), /another context/],
    ['weight too short', () => withOptions({ weight: new Float32Array(4) }), /weight has 4.*\[5\]/],
    ['weight of i32', () => withOptions({ weight: new Int32Array(5) }), /weight is i32.*f32/],
    ['weight of another shape', () => withOptions({ weight: logits }), /weight.*\[3, 5\].*\[5\]/],
    ['weight null', () => withOptions({ weight: null }), /weight.*Null/],
    ['weight destroyed', () => withOptions({ weight: destroyed }), /weight.*destroyed/],
    ['weight of another context', () => withOptions({ weight: stranger }), /weight.*another context/],
    [
      'gradOutput of three for a mean',
      () => withOptions({ gradOutput: new Float32Array(3) }),
      /gradOutput has 3.*\[\]/,
    ],
    [
      'gradOutput of one for none',
      () => withOptions({ gradOutput: new Float32Array(1), reduction: 'none' }),
      /gradOutput has 1.*\[3\]/,
    ],
    ['gradOutput of i32', () => withOptions({ gradOutput: new Int32Array(1) }), /gradOutput is i32.*f32/],
    ['gradOutput text', () => withOptions({ gradOutput: '1' }), /gradOutput/],
    ['gradOutput null', () => withOptions({ gradOutput: null }), /gradOutput/],
    [
      'gradOutput of the logits’ shape',
      () => withOptions({ gradOutput: logits, reduction: 'none' }),
      /gradOutput.*\[3, 5\].*\[3\]/,
    ],
    ['ignoreIndex 1.5', () => withOptions({ ignoreIndex: 1.5 }), /ignoreIndex is 1\.5.*whole number/],
    ['ignoreIndex NaN', () => withOptions({ ignoreIndex: Number.NaN }), /ignoreIndex is NaN.*whole number/],
    ['ignoreIndex text', () => withOptions({ ignoreIndex: '3' }), /ignoreIndex.*whole number/],
    ['ignoreIndex null', () => withOptions({ ignoreIndex: null }), /ignoreIndex.*whole number/],
    [
      'ignoreIndex of probabilities',
      () => withOptions({ ignoreIndex: 1 }, logits),
      /ignoreIndex.*probabilities.*leave it out/,
    ],
    [
      'labelSmoothing below 0',
      () => withOptions({ labelSmoothing: -0.1 }),
      /labelSmoothing is -0\.1.*0 to 1/,
    ],
    ['labelSmoothing above 1', () => withOptions({ labelSmoothing: 1.1 }), /labelSmoothing is 1\.1.*0 to 1/],
    ['labelSmoothing NaN', () => withOptions({ labelSmoothing: Number.NaN }), /labelSmoothing is NaN/],
    ['labelSmoothing text', () => withOptions({ labelSmoothing: '0.1' }), /labelSmoothing/],
    ['reduction avg', () => withOptions({ reduction: 'avg' }), /reduction is 'avg'.*'none', 'mean' or 'sum'/],
    ['reduction null', () => withOptions({ reduction: null }), /reduction is 'null'/],
    ['grad yes', () => withOptions({ grad: 'yes' }), /grad is 'yes'.*'in-place'/],
    ['grad 1', () => withOptions({ grad: 1 }), /grad is '1'/],
    ['grad null', () => withOptions({ grad: null }), /grad is 'null'/],
    [
      'gradTargets text',
      () => withOptions({ gradTargets: 'yes', grad: true }, logits),
      /gradTargets must be true or false/,
    ],
    ['returnLogSumExp 1', () => withOptions({ returnLogSumExp: 1 }), /returnLogSumExp must be true or false/],
    // An array that is right, before an argument that is wrong: nothing of it may reach the device either.
    [
      'good targets, bad weight',
      () => crossEntropy(logits, new Int32Array(3), { weight: new Float32Array(2) }),
      /weight has 2/,
    ],
    [
      'good targets, bad smoothing',
      () => crossEntropy(logits, new Int32Array(3), { labelSmoothing: 2 }),
      /labelSmoothing/,
    ],
    // Written and read at once: the results would depend on who is first.
    [
      'in place over the targets',
      () => crossEntropy(logits, logits, { grad: 'in-place' }),
      /logits and targets.*separate/,
    ],
  );
  return attempts;
}

function klDivergenceAttempts(made: Arguments): Attempt[] {
  const { logits, perRow, narrow, integers, scalar, noClass, destroyed, stranger } = made;
  const withOptions = (options: object) =>
    klDivergence(logits, logits, { target: 'logits', ...options } as never);
  const on = (first: Tensor, second: Tensor) => klDivergence(first, second, { target: 'probs' });
  return [
    ...commonAttempts(
      'klDivergence',
      (first: never, options: object | null | undefined = {}) =>
        klDivergence(
          first,
          logits,
          (typeof options === 'object' && options ? { target: 'logits', ...options } : options) as never,
        ),
      made,
      'logits',
    ),
    [
      'klDivergence without options',
      () => klDivergence(logits, logits, undefined as never),
      /options must be an object/,
    ],
    [
      'klDivergence, target not said',
      () => withOptions({ target: undefined }),
      /option target is 'undefined'.*'logits', 'probs' or 'logProbs'/,
    ],
    ['klDivergence, target', () => withOptions({ target: 'log' }), /option target is 'log'.*'logProbs'/],
    ['klDivergence, no target', () => on(logits, undefined as never), /target must be a Tensor/],
    ['klDivergence, target an array', () => on(logits, new Float32Array(15) as never), /ctx\.tensor/],
    ['klDivergence, target of another shape', () => on(logits, narrow), /target.*\[3, 4\].*\[3, 5\]/],
    ['klDivergence, target one a row', () => on(logits, perRow), /target.*\[3\].*\[3, 5\]/],
    ['klDivergence, target of i32', () => on(logits, integers), /target is i32.*f32/],
    ['klDivergence, target destroyed', () => on(logits, destroyed), /target.*destroyed/],
    ['klDivergence, another context', () => on(logits, stranger), /target.*another context/],
    ['klDivergence of a scalar', () => on(scalar, scalar), /class axis/],
    ['klDivergence of no class', () => on(noClass, noClass), /at least one class/],
    ['klDivergence, temperature 0', () => withOptions({ temperature: 0 }), /temperature is 0.*above 0/],
    [
      'klDivergence, temperature NaN',
      () => withOptions({ temperature: Number.NaN }),
      /temperature is NaN.*above 0/,
    ],
    [
      'klDivergence, scaleByTemperatureSquared',
      () => withOptions({ scaleByTemperatureSquared: 1 }),
      /scaleByTemperatureSquared is '1'.*true or false/,
    ],
    [
      'klDivergence, reduction',
      () => withOptions({ reduction: 'batchmean' }),
      /reduction is 'batchmean'.*'mean'/,
    ],
    ['klDivergence, grad', () => withOptions({ grad: 'in-place' }), /grad is 'in-place'.*true or false/],
    [
      'klDivergence, gradOutput of three for a mean',
      () => withOptions({ gradOutput: new Float32Array(3) }),
      /gradOutput has 3.*\[\]/,
    ],
  ];
}

function logitStatsAttempts(made: Arguments): Attempt[] {
  const { logits, perRow, targets, narrow, noClass, scalar, destroyed } = made;
  const call = (lead: never, options?: never) => logitStats(lead, undefined, options);
  const attempts = commonAttempts('logitStats', call, made, 'logits');
  for (const topK of [0, 6, -1, 2.5, Number.NaN, Number.POSITIVE_INFINITY, '3', null, [1]]) {
    attempts.push([
      `logitStats, topK ${show(topK)}`,
      () => logitStats(logits, targets, { topK: topK as never }),
      /topK is .*from 1 to 5, the number of classes/,
    ]);
  }
  attempts.push(
    ['logitStats of a scalar', () => logitStats(scalar), /\[\].*class axis/],
    ['logitStats of no class', () => logitStats(noClass), /size 0.*at least one class/],
    ['logitStats, targets of f32', () => logitStats(logits, perRow), /targets is f32; i32 or u32/],
    ['logitStats, options for targets', () => logitStats(logits, { topK: 1 } as never), /targets.*Object/],
    ['logitStats, null for targets', () => logitStats(logits, null as never), /targets.*Null/],
    ['logitStats, targets too short', () => logitStats(logits, new Int32Array(2)), /targets has 2.*\[3\]/],
    ['logitStats, a matrix of targets', () => logitStats(logits, narrow), /targets/],
    ['logitStats, targets destroyed', () => logitStats(logits, destroyed), /targets.*destroyed/],
    [
      'logitStats, ignoreIndex',
      () => logitStats(logits, targets, { ignoreIndex: -100 } as never),
      /unknown option 'ignoreIndex'.*topK/,
    ],
  );
  return attempts;
}

function planAttempts(made: Arguments): Attempt[] {
  const { ctx } = made;
  const attempts: Attempt[] = [];
  const plans = [
    planSoftmax,
    planLogSoftmax,
    planLogSumExp,
    planCrossEntropy,
    planNllLoss,
    planEntropy,
    planSoftmaxGrad,
    planLogSoftmaxGrad,
    planLogSumExpGrad,
    planKlDivergence,
    planLogitStats,
  ] as const;
  for (const make of plans) {
    const name = make.name;
    const call = (options: unknown, context: unknown = ctx) =>
      (make as (context: never, options: never) => Promise<unknown>)(context as never, options as never);
    const base = {
      shape: SHAPE,
      ...(make === planCrossEntropy ? { targets: 'index' } : {}),
      ...(make === planKlDivergence ? { target: 'logits' } : {}),
    };
    attempts.push(
      [`${name} without options`, () => call(undefined), /options must be an object/],
      [`${name} without a shape`, () => call({ ...base, shape: undefined }), /shape/],
      [`${name} without a context`, () => call(base, null), /context.*createContext/],
      [
        `${name} with a device for a context`,
        () => call(base, { backend: 'webgpu' }),
        /context.*createContext/,
      ],
      [`${name}, text for a shape`, () => call({ ...base, shape: '3,5' }), /shape.*whole numbers/],
      [`${name}, half a row`, () => call({ ...base, shape: [1.5, 5] }), /1\.5.*whole numbers/],
      [`${name}, no class`, () => call({ ...base, shape: [3, 0] }), /at least one class/],
      [`${name}, a scalar`, () => call({ ...base, shape: [] }), /class axis/],
      [`${name}, dtype`, () => call({ ...base, dtype: 'f64' }), /dtype is 'f64'.*'f32'/],
      [`${name}, integer logits`, () => call({ ...base, dtype: 'i32' }), /dtype is 'i32'.*'f32'/],
      [`${name}, axis`, () => call({ ...base, axis: 2 }), /axis 2/],
      [`${name}, unknown option`, () => call({ ...base, shpe: [1] }), /unknown option 'shpe'.*shape/],
      [`${name}, rowStride too small`, () => call({ ...base, rowStride: 4 }), /rowStride is 4.*from 5/],
      [`${name}, rowStride 5.5`, () => call({ ...base, rowStride: 5.5 }), /rowStride is 5\.5/],
      [
        `${name}, rowStride of another axis`,
        () => call({ ...base, axis: 0, rowStride: 8 }),
        /rowStride.*class axis last/,
      ],
      [`${name}, strategy`, () => call({ ...base, policy: { strategy: 'fast' } }), /strategy/],
      [`${name}, policy null`, () => call({ ...base, policy: null }), /policy/],
    );
  }
  const entropy = (options: object) =>
    planCrossEntropy(ctx, { shape: SHAPE, targets: 'index', ...options } as never);
  attempts.push(
    [
      'planLogSumExp, keepDims',
      () => planLogSumExp(ctx, { shape: SHAPE, keepDims: 'yes' as never }),
      /keepDims.*true or false/,
    ],
    ['planLogitStats, topK', () => planLogitStats(ctx, { shape: SHAPE, topK: 6 }), /topK is 6.*from 1 to 5/],
    [
      'planLogitStats, a tensor of targets',
      () => planLogitStats(ctx, { shape: SHAPE, targets: made.targets as never }),
      /targets must be true or false.*binding/,
    ],
    [
      'planLogitStats, targetDtype',
      () => planLogitStats(ctx, { shape: SHAPE, targets: true, targetDtype: 'f32' as never }),
      /targetDtype is 'f32'.*'i32' or 'u32'/,
    ],
    [
      'planCrossEntropy, targets',
      () => entropy({ targets: 'classes' }),
      /targets is 'classes'.*'index' or 'probs'/,
    ],
    ['planCrossEntropy, no targets', () => entropy({ targets: undefined }), /targets.*'index' or 'probs'/],
    [
      'planCrossEntropy, targetDtype',
      () => entropy({ targetDtype: 'f32' }),
      /targetDtype is 'f32'.*'i32' or 'u32'/,
    ],
    [
      'planCrossEntropy, weight tensor',
      () => entropy({ weight: made.perRow }),
      /weight must be true or false.*binding/,
    ],
    [
      'planCrossEntropy, rows of a mean',
      () => entropy({ gradOutput: 'rows' }),
      /gradOutput is 'rows'.*'mean'.*'scalar'/,
    ],
    [
      'planCrossEntropy, scalar of none',
      () => entropy({ gradOutput: 'scalar', reduction: 'none' }),
      /gradOutput.*'none'.*'rows'/,
    ],
    [
      'planKlDivergence, target not said',
      () => planKlDivergence(ctx, { shape: SHAPE } as never),
      /option target is 'undefined'.*'logProbs'/,
    ],
    [
      'planKlDivergence, rows of a mean',
      () => planKlDivergence(ctx, { shape: SHAPE, target: 'probs', gradOutput: 'rows' }),
      /gradOutput is 'rows'.*'mean'.*'scalar'/,
    ],
    [
      'planKlDivergence, temperature',
      () => planKlDivergence(ctx, { shape: SHAPE, target: 'probs', temperature: -1 }),
      /temperature is -1/,
    ],
    ['planCrossEntropy, gradOutput tensor', () => entropy({ gradOutput: made.perRow }), /gradOutput/],
    ['planCrossEntropy, smoothing', () => entropy({ labelSmoothing: 3 }), /labelSmoothing/],
    ['planCrossEntropy, reduction', () => entropy({ reduction: 'avg' }), /reduction/],
    ['planCrossEntropy, grad', () => entropy({ grad: 'yes' }), /grad is 'yes'/],
    ['planCrossEntropy, ignoreIndex', () => entropy({ ignoreIndex: 0.5 }), /ignoreIndex/],
    [
      'planCrossEntropy, ignoreIndex of probs',
      () => entropy({ targets: 'probs', ignoreIndex: 3 }),
      /ignoreIndex.*probabilities/,
    ],
  );
  return attempts;
}

function tensorAttempts({ ctx, logits, destroyed }: Arguments): Attempt[] {
  const six = new Float32Array(6);
  const attempts: Attempt[] = wrongArrays(6).map(([kind, array, words]) => [
    `tensor of ${kind}`,
    () => ctx.tensor(array as never, [2, 3]),
    words,
  ]);
  const shapes: [unknown, RegExp][] = [
    [undefined, /shape must be an array/],
    [null, /shape must be an array/],
    [6, /shape must be an array/],
    ['6', /shape must be an array/],
    [Int32Array.of(6), /shape must be an array/],
    [[2, 4], /\[2, 4\] has 8 elements, data has 6/],
    [[], /\[\] has 1 elements, data has 6/],
    [[-2, -3], /-2.*whole numbers/],
    [[1.5, 4], /1\.5.*whole numbers/],
    [[Number.NaN], /NaN.*whole numbers/],
    [[Number.POSITIVE_INFINITY], /Infinity.*whole numbers/],
    [['2', 3], /2.*whole numbers/],
    [[null], /whole numbers/],
    [[2 ** 30, 2 ** 30], /too many/],
    [[2 ** 53], /whole numbers|too many/],
  ];
  for (const [shape, words] of shapes) {
    attempts.push([`tensor of shape ${show(shape)}`, () => ctx.tensor(six, shape as never), words]);
  }
  for (const dtype of ['i32', 'u32']) {
    const words = /holds f32 \(Float32Array\).*dtype/;
    attempts.push([`tensor of dtype ${dtype}`, () => ctx.tensor(six, [6], dtype as never), words]);
  }
  for (const dtype of ['f64', '', null, 5]) {
    const words = /dtype '.*' is unknown; use one of f32/;
    attempts.push([`tensor of dtype ${show(dtype)}`, () => ctx.tensor(six, [6], dtype as never), words]);
  }
  attempts.push(
    [
      'tensor of Int32Array as f32',
      () => ctx.tensor(new Int32Array(2), [2], 'f32'),
      /i32.*Int32Array.*'f32'/,
    ],
    ['write of another dtype', () => logits.write(new Int32Array(15)), /i32.*Int32Array.*'f32'/],
    ['write of another length', () => logits.write(new Float32Array(14)), /15 elements.*14/],
    ['write of an array', () => logits.write([1, 2] as never), /write.*Array/],
    ['write to a destroyed tensor', () => destroyed.write(new Float32Array(15)), /destroyed/],
  );
  return attempts;
}

function foreignAttempts({ ctx }: Arguments, device: GPUDevice, keep: Keep): Attempt[] {
  const usage = (flags: number) => keep(device.createBuffer({ size: 64, usage: flags }));
  const good = usage(STORAGE | COPY_SRC | COPY_DST);
  const from = (what: string, buffer: unknown, shape: unknown, options: unknown, words: RegExp): Attempt => [
    `fromBuffer, ${what}`,
    () => ctx.fromBuffer(buffer as never, shape as never, options as never),
    words,
  ];
  return [
    from('nothing', undefined, [4], {}, /GPUBuffer/),
    from('null', null, [4], {}, /GPUBuffer/),
    from('an array', new Float32Array(16), [4], {}, /GPUBuffer/),
    from('no STORAGE', usage(COPY_SRC | COPY_DST), [4], {}, /STORAGE/),
    from('too large a shape', good, [17], {}, /68 bytes.*has 64/),
    from('an offset behind the end', good, [16], { byteOffset: 4 }, /64 bytes from byte 4.*64/),
    from('rows that do not fit', good, [3, 5], { rowStride: 6 }, /68 bytes.*64/),
    from('byteOffset 2', good, [4], { byteOffset: 2 }, /byteOffset is 2.*multiple of 4/),
    from('byteOffset -4', good, [4], { byteOffset: -4 }, /byteOffset is -4/),
    from('byteOffset 1.5', good, [4], { byteOffset: 1.5 }, /byteOffset is 1\.5/),
    from('byteOffset NaN', good, [4], { byteOffset: Number.NaN }, /byteOffset is NaN/),
    from('byteOffset text', good, [4], { byteOffset: '4' }, /byteOffset/),
    from('byteOffset null', good, [4], { byteOffset: null }, /byteOffset/),
    from('dtype f64', good, [4], { dtype: 'f64' }, /dtype 'f64'.*f32/),
    from('dtype null', good, [4], { dtype: null }, /dtype/),
    from('rowStride too small', good, [2, 5], { rowStride: 4 }, /rowStride is 4.*from 5/),
    from('rowStride 5.5', good, [2, 5], { rowStride: 5.5 }, /rowStride is 5\.5/),
    from('rowStride of a scalar', good, [], { rowStride: 4 }, /rowStride/),
    from('a shape that is none', good, 4, {}, /shape must be an array/),
    from('half an element', good, [0.5], {}, /0\.5.*whole numbers/),
    from('an unknown option', good, [4], { offset: 16 }, /unknown option 'offset'.*byteOffset/),
    from('options null', good, [4], null, /options must be an object/),
  ];
}

/** Runs attempts on a context that counts; nothing may have been made, written or submitted by then or soon after. */
export function refusalCheck(
  name: string,
  how: 'throws' | 'rejects',
  attemptsOf: (made: Arguments, env: Env, keep: Keep) => readonly Attempt[],
): Check {
  return check(name, async (env, keep) => {
    const calls = new Calls();
    const ctx = keep(await contextOn(env, counting(calls)));
    const made = await makeArguments(env, ctx, keep);
    const attempts = attemptsOf(made, env, keep);
    calls.clear();
    await refusesAll(InvalidArgumentError, how, attempts);
    await new Promise((resolve) => setTimeout(resolve, 0));
    equal(calls.of('submit') + calls.of('writeBuffer') + calls.created, 0, `calls to the device (${calls})`);
  });
}

function invalidArgumentChecks(): Check[] {
  return [
    refusalCheck('errors: bad arguments of tensor and write', 'throws', tensorAttempts),
    refusalCheck('errors: bad arguments of ops', 'rejects', opAttempts),
    refusalCheck('errors: bad arguments of plans', 'rejects', planAttempts),
    check('errors: bad arguments of fromBuffer', async (env, keep) => {
      const made = await makeArguments(env, env.ctx, keep);
      const { device } = env.ctx;
      const attempts: Attempt[] =
        device === undefined
          ? [['fromBuffer on the CPU', () => env.ctx.fromBuffer({} as never, [1]), /CPU.*ctx\.tensor/]]
          : foreignAttempts(made, device, keep);
      await refusesAll(InvalidArgumentError, 'throws', attempts);
    }),
    check('errors: bad arguments of createContext', async (env) => {
      const attempts: [string, unknown, RegExp][] = [
        ['null', null, /options must be an object/],
        ['text', 'cpu', /options must be an object/],
        ['an unknown option', { backend: 'cpu', adapter: 'x' }, /unknown option 'adapter'.*backend/],
        ['an unknown backend', { backend: 'gpu' }, /backend is 'gpu'.*'auto', 'webgpu' or 'cpu'/],
        ['a backend of null', { backend: null }, /backend is 'null'/],
        ['a device that is none', { device: {} }, /device must be a GPUDevice/],
        ['a device of null', { device: null }, /device must be a GPUDevice/],
        ['a device and the CPU', { backend: 'cpu', device: env.ctx.device ?? {} }, /device.*'cpu'/],
        ['a gpu that is none', { backend: 'webgpu', gpu: {} }, /gpu.*GPU/],
        ['a strategy', { backend: 'cpu', policy: { strategy: 'fast' } }, /strategy is 'fast'/],
        ['an unknown policy', { backend: 'cpu', policy: { width: 1 } }, /policy.*width.*strategy/],
        ['a policy of null', { backend: 'cpu', policy: null }, /policy/],
      ];
      await refusesAll(
        InvalidArgumentError,
        'rejects',
        attempts.map(
          ([what, options, words]): Attempt => [
            `createContext with ${what}`,
            () => createContext(options as never),
            words,
          ],
        ),
      );
    }),
    check('errors: a destroyed tensor, and destroying twice', async ({ ctx }) => {
      const tensor = ctx.tensor(Float32Array.of(1, 2), [2]);
      const pending = tensor.read();
      tensor.destroy();
      tensor.destroy();
      // What was asked for before is still given.
      sameBits(await pending, Float32Array.of(1, 2), 'a read before destroy()');
      const error = await rejects(
        InvalidArgumentError,
        tensor.read(),
        'a read after destroy()',
        /read.*\[2\].*destroyed/,
      );
      equal(error.op, 'read', 'the op');
      {
        using scoped = ctx.tensor(Float32Array.of(1), [1]);
        await scoped.read();
        setTimeout(() => undefined, 0);
      }
    }),
    check('errors: a destroyed context', async (env, keep) => {
      const ctx = keep(await contextOn(env, {}));
      const x = keep(ctx.tensor(new Float32Array(15), SHAPE));
      const t = keep(ctx.tensor(new Int32Array(3), [3]));
      const out = keep(ctx.tensor(new Float32Array(15), SHAPE));
      const plan = await planSoftmax(ctx, { shape: SHAPE });
      ctx.destroy();
      ctx.destroy();
      const words = /context was destroyed.*createContext/;
      const encoder = env.ctx.device?.createCommandEncoder();
      await refusesAll(InvalidArgumentError, 'throws', [
        ['tensor', () => ctx.tensor(Float32Array.of(1), [1]), words],
        ['write', () => x.write(new Float32Array(15)), words],
        ['encode', () => plan.encode(encoder, { logits: x, output: out }), words],
      ]);
      await refusesAll(InvalidArgumentError, 'rejects', [
        ['read', () => x.read(), words],
        ['softmax', () => softmax(x), words],
        ['softmaxGrad', () => softmaxGrad(x, x), words],
        ['crossEntropy', () => crossEntropy(x, t), words],
        ['planSoftmax', () => planSoftmax(ctx, { shape: SHAPE }), words],
      ]);
      // A device that was lent goes on.
      if (env.ctx.device !== undefined)
        equal(await settled(env.ctx.device.lost), false, 'the lent device was destroyed');
    }),
    check('errors: the details of an error', async ({ ctx }, keep) => {
      const x = keep(ctx.tensor(new Float32Array(15), SHAPE));
      const error = await rejects(InvalidArgumentError, softmax(x, { axis: 7 }), 'axis 7', /^softmax: /);
      equal(error.op, 'softmax', 'op');
      equal(show(error.shapes['logits']), '[3, 5]', 'shapes.logits');
      assert(error instanceof LossError && error instanceof Error, 'the class chain');
      assert(!(error instanceof RangeError), 'an InvalidArgumentError is no RangeError');
    }),
  ];
}

/** Whether a promise is settled after a turn of the event loop. */
async function settled(promise: Promise<unknown>): Promise<boolean> {
  const late = Symbol();
  const first = await Promise.race([
    promise.then(
      () => true,
      () => true,
    ),
    new Promise((resolve) => setTimeout(() => resolve(late), 0)),
  ]);
  return first !== late;
}

// ---- limits

/** A device that tells of smaller limits than it has. */
function limited(limits: Partial<Record<keyof GPUSupportedLimits, number>>) {
  return {
    limits: (own: GPUSupportedLimits) =>
      intercept(own, Object.fromEntries(Object.entries(limits).map(([name, value]) => [name, () => value]))),
  };
}

function limitChecks(): Check[] {
  return [
    gpuCheck('errors: larger than the adapter’s limits', async (env, keep) => {
      const calls = new Calls();
      const small = keep(
        await contextOn(env, {
          ...counting(calls),
          ...limited({
            maxBufferSize: 8192,
            maxStorageBufferBindingSize: 1024,
            maxComputeWorkgroupsPerDimension: 4,
          }),
        }),
      );
      equal(small.info.limits.maxBufferSize, 8192, 'the context’s limit');
      const wide = keep(small.tensor(new Float32Array(1024), [2, 512]));
      const tall = keep(small.tensor(new Float32Array(1500), [1500, 1]));
      const targets = keep(small.tensor(new Int32Array(1500), [1500]));
      calls.clear();
      await refusesAll(LimitExceededError, 'throws', [
        [
          'a tensor of 8196 bytes',
          () => small.tensor(new Float32Array(2049), [2049]),
          /8196 bytes.*8192.*smaller/,
        ],
      ]);
      const row = /one row of logits.*2048 bytes.*1024/;
      await refusesAll(LimitExceededError, 'rejects', [
        ['softmax of one row too wide', () => softmax(wide), row],
        ['logSumExp of one row too wide', () => logSumExp(wide, { policy: { strategy: 'split-row' } }), row],
        ['a plan of one row too wide', () => planSoftmax(small, { shape: [2, 512] }), row],
        ['a plan of too large an output', () => planSoftmax(small, { shape: [1, 512] }), row],
        [
          'crossEntropy of too many targets',
          () => crossEntropy(tall, targets),
          /targets.*6000 bytes.*1024.*fewer rows/,
        ],
        [
          'columns too far apart',
          () => softmax(wide, { axis: 0 }),
          /512 interleaved rows.*4096 bytes.*1024.*class axis/,
        ],
        [
          'more workgroups than a dispatch has',
          () => softmax(tall, { policy: { strategy: 'row-per-workgroup' } }),
          /workgroups/,
        ],
      ]);
      equal(calls.of('submit') + calls.created, 0, `calls to the device (${calls})`);
      // A wish for less than the limit is granted as ever.
      const fits = keep(small.tensor(new Float32Array(64), [2, 32]));
      const result = keep(await softmax(fits));
      sameBits(await result.read(), new Float32Array(64).fill(1 / 32), 'softmax within the limits');
    }),
    gpuCheck('errors: more bindings than the adapter has', async (env, keep) => {
      const few = keep(await contextOn(env, limited({ maxStorageBuffersPerShaderStage: 3 })));
      const x = keep(few.tensor(new Float32Array(10), [2, 5]));
      const call = crossEntropy(x, Int32Array.of(0, 1), { grad: true, returnLogSumExp: true });
      await rejects(LimitExceededError, call, 'five bindings', /storage buffers.*allows 3.*fewer results/);
    }),
  ];
}

// ---- memory

interface Starving {
  on: boolean;
  /** Labels of the buffers that cannot be had; all, where there is none. */
  only?: RegExp;
}

/** Whether this buffer is not to be had. One that is mapped from the start fails in another way, and has a check of its own. */
function isRefused({ on, only }: Starving, { label = '', mappedAtCreation }: GPUBufferDescriptor): boolean {
  return on && mappedAtCreation !== true && (only === undefined || only.test(label));
}

/** Wraps that, while `starving` is on, ask for the largest buffer there can be, which software adapters do not have. */
function gorged(starving: Starving, { limits }: GPUDevice) {
  return {
    createBuffer:
      (own: GPUDevice['createBuffer']): GPUDevice['createBuffer'] =>
      (descriptor) =>
        own(isRefused(starving, descriptor) ? { ...descriptor, size: limits.maxBufferSize } : descriptor),
  };
}

/** Wraps that, while `starving` is on, make a device with memory to spare say that it has none. */
function starved(starving: Starving) {
  const filters: GPUErrorFilter[] = [];
  let failed = false;
  return {
    createBuffer:
      (own: GPUDevice['createBuffer']): GPUDevice['createBuffer'] =>
      (descriptor) => {
        failed ||= isRefused(starving, descriptor);
        return own(descriptor);
      },
    pushErrorScope:
      (own: GPUDevice['pushErrorScope']): GPUDevice['pushErrorScope'] =>
      (filter) => {
        filters.push(filter);
        return own(filter);
      },
    popErrorScope:
      (own: GPUDevice['popErrorScope']): GPUDevice['popErrorScope'] =>
      async () => {
        const told = filters.pop() === 'out-of-memory' && failed;
        if (told) failed = false;
        const real = await own();
        return told ? ({ message: 'no memory left' } as GPUError) : real;
      },
  };
}

/** Whether the device really runs out of memory at its largest buffer. */
async function runsOut(device: GPUDevice): Promise<boolean> {
  device.pushErrorScope('validation');
  device.pushErrorScope('out-of-memory');
  const buffer = device.createBuffer({
    size: device.limits.maxBufferSize,
    usage: STORAGE | COPY_SRC | COPY_DST,
  });
  const [memory] = await Promise.all([device.popErrorScope(), device.popErrorScope()]);
  buffer.destroy();
  return memory !== null;
}

function memoryChecks(): Check[] {
  const words = /out of memory.*Destroy.*batch/s;
  return [
    gpuCheck('errors: out of memory', async (env, keep, device) => {
      const starving: Starving = { on: false };
      const ctx = keep(
        await contextOn(env, (await runsOut(device)) ? gorged(starving, device) : starved(starving)),
      );
      const x = keep(ctx.tensor(new Float32Array(15), SHAPE));
      const t = keep(ctx.tensor(Int32Array.of(0, 1, 2), [3]));
      const good = keep(await softmax(x));
      const even = new Float32Array(15).fill(Math.fround(1 / 5));
      sameBits(await good.read(), even, 'softmax');
      for (const tensor of Object.values(await crossEntropy(x, t, { grad: true }))) keep(tensor);

      // An output that cannot be had: its reads reject, and so do those of what is computed from it.
      starving.on = true;
      const bad = keep(await softmax(x));
      starving.on = false;
      const late = keep(await logSoftmax(bad));
      await rejects(OutOfMemoryError, bad.read(), 'softmax without memory', words);
      await rejects(OutOfMemoryError, bad.read(), 'a second read', words);
      await rejects(OutOfMemoryError, late.read(), 'logSoftmax of it', words);
      sameBits(await good.read(), even, 'an older result');

      // Scratch: the loss itself has its memory.
      starving.on = true;
      starving.only = /losses/;
      const { loss } = await crossEntropy(x, t);
      keep(loss);
      starving.on = false;
      await rejects(OutOfMemoryError, loss.read(), 'crossEntropy without scratch', words);

      starving.on = true;
      delete starving.only;
      const y = keep(ctx.tensor(new Float32Array(15), SHAPE));
      const refused = planCrossEntropy(ctx, { shape: SHAPE, targets: 'index' });
      // A read needs a buffer, too.
      const reading = good.read();
      await Promise.all([
        rejects(OutOfMemoryError, reading, 'read() without memory', words),
        rejects(OutOfMemoryError, refused, 'a plan without scratch', words),
      ]);
      starving.on = false;
      await rejects(OutOfMemoryError, y.read(), 'a tensor without memory', words);
      const z = keep(await softmax(y));
      await rejects(OutOfMemoryError, z.read(), 'softmax of it', words);

      // Nothing of this stays behind.
      sameBits(await keep(await softmax(x)).read(), even, 'softmax with memory again');
      sameBits(await good.read(), even, 'read() with memory again');
    }),
    gpuCheck('errors: out of memory for parameters', async (env, keep) => {
      // A buffer that is mapped from the start and cannot be had makes createBuffer throw a RangeError.
      const starving = { on: false };
      const ctx = keep(
        await contextOn(env, {
          createBuffer: (own) => (descriptor) => {
            if (starving.on && descriptor.mappedAtCreation) throw new RangeError('createBuffer failed');
            return own(descriptor);
          },
        }),
      );
      const x = keep(ctx.tensor(new Float32Array(15), SHAPE));
      keep(await softmax(x));
      starving.on = true;
      await rejects(
        OutOfMemoryError,
        softmax(x).then(async (made) => keep(made).read()),
        'softmax',
        words,
      );
      starving.on = false;
      const again = keep(await softmax(x));
      sameBits(
        await again.read(),
        new Float32Array(15).fill(Math.fround(1 / 5)),
        'softmax with memory again',
      );
    }),
    check('errors: out of memory on the CPU', async (env, keep) => {
      if (env.ctx.backend !== 'cpu') return;
      const x = keep(env.ctx.tensor(new Float32Array(15), SHAPE));
      const own = globalThis.ArrayBuffer;
      globalThis.ArrayBuffer = class extends own {
        constructor(bytes: number) {
          if (bytes === 60) throw new RangeError('Array buffer allocation failed');
          super(bytes);
        }
      } as ArrayBufferConstructor;
      let result: Promise<Tensor>;
      try {
        result = softmax(x);
      } finally {
        globalThis.ArrayBuffer = own;
      }
      const error = await rejects(OutOfMemoryError, result, 'softmax', /60 bytes.*batch/);
      assert(error.cause instanceof RangeError, 'the cause is what the runtime threw');
    }),
  ];
}

// ---- validation

function validationChecks(): Check[] {
  return [
    gpuCheck('errors: a foreign buffer that cannot be read', async ({ ctx }, keep, device) => {
      const buffer = keep(foreignBuffer(device, Float32Array.of(0, 0, 0, 0), STORAGE | COPY_DST));
      const tensor = keep(ctx.fromBuffer(buffer, [2, 2]));
      const error = await rejects(
        ValidationError,
        tensor.read(),
        'read() without COPY_SRC',
        /read.*device refused/,
      );
      equal(error.op, 'read', 'op');
      assert(error.cause !== undefined, 'the cause is what the device reported');
      assert(error.adapter !== undefined, 'the adapter’s facts');
      // To be used by an op it needs no COPY_SRC.
      sameBits(await keep(await softmax(tensor)).read(), new Float32Array(4).fill(0.5), 'softmax of it');
    }),
    gpuCheck('errors: a foreign buffer that was destroyed', async ({ ctx }, keep, device) => {
      const buffer = keep(foreignBuffer(device, Float32Array.of(0, 0, 0, 0)));
      const tensor = keep(ctx.fromBuffer(buffer, [2, 2]));
      const before = keep(await softmax(tensor));
      buffer.destroy();
      const after = keep(await softmax(tensor));
      const next = keep(await logSumExp(after));
      await rejects(ValidationError, tensor.read(), 'read() of it', /device refused/);
      await rejects(ValidationError, after.read(), 'softmax of it', /softmax.*device refused/);
      await rejects(ValidationError, next.read(), 'logSumExp of that', /softmax.*device refused/);
      sameBits(await before.read(), new Float32Array(4).fill(0.5), 'softmax before');
    }),
    gpuCheck('errors: a buffer of another device', async (env, keep) => {
      const other = await env.createContext({});
      try {
        const buffer = foreignBuffer(other.device as GPUDevice, Float32Array.of(0, 0, 0, 0));
        const tensor = keep(env.ctx.fromBuffer(buffer, [2, 2]));
        const result = keep(await softmax(tensor));
        await rejects(ValidationError, result.read(), 'softmax of it', /device refused/);
        await rejects(ValidationError, tensor.read(), 'read() of it', /device refused/);
      } finally {
        other.destroy();
      }
    }),
  ];
}

// ---- compilation

function compileChecks(): Check[] {
  return [
    gpuCheck('errors: a shader that does not compile', async (env, keep) => {
      const broken = { on: true };
      const ctx = keep(
        await contextOn(env, {
          createShaderModule: (own) => (descriptor) =>
            own(broken.on ? { ...descriptor, code: `${descriptor.code}\nthis is not a shader` } : descriptor),
        }),
      );
      const x = keep(ctx.tensor(new Float32Array(15), SHAPE));
      const words = /did not compile.*\n.*\d+:\d+/s;
      const [one, two] = await Promise.all([
        rejects(CompileError, softmax(x), 'softmax', words),
        rejects(CompileError, softmax(x), 'softmax at the same time', words),
      ]);
      for (const error of [one, two]) assert(error.source.includes('@compute'), 'the error holds the WGSL');
      await rejects(CompileError, softmax(x), 'softmax again', words);
      await rejects(CompileError, planSoftmax(ctx, { shape: SHAPE }), 'planSoftmax', words);
      broken.on = false;
      // A failure is not kept.
      const good = keep(await softmax(x));
      sameBits(
        await good.read(),
        new Float32Array(15).fill(Math.fround(1 / 5)),
        'softmax with a shader that compiles',
      );
      keep(await planSoftmax(ctx, { shape: SHAPE }));
    }),
  ];
}

// ---- error scopes

function scopeChecks(): Check[] {
  return [
    gpuCheck('errors: one op’s error is not another’s', async ({ ctx }, keep, device) => {
      const x = keep(ctx.tensor(new Float32Array(15), SHAPE));
      const gone = keep(foreignBuffer(device, new Float32Array(15)));
      const bad = keep(ctx.fromBuffer(gone, SHAPE));
      gone.destroy();
      const calls = Array.from({ length: 12 }, (_, i) => (i % 3 === 1 ? softmax(bad) : logSoftmax(x)));
      const results = await Promise.all(calls);
      const reads = await Promise.allSettled(results.map((result) => keep(result).read()));
      reads.forEach((read, i) => {
        equal(read.status, i % 3 === 1 ? 'rejected' : 'fulfilled', `read ${i}`);
        if (read.status === 'rejected')
          assert(read.reason instanceof ValidationError, `read ${i}: ${show(read.reason)}`);
      });
    }),
    gpuCheck('errors: the caller’s error scopes', async (env, keep, device) => {
      const { ctx } = env;
      const gone = keep(foreignBuffer(device, new Float32Array(15)));
      const bad = keep(ctx.fromBuffer(gone, SHAPE));
      gone.destroy();
      const x = keep(ctx.tensor(new Float32Array(15), SHAPE));
      const plan = keep(await planCrossEntropy(ctx, { shape: SHAPE, targets: 'index', grad: true }));
      const out = keep(ctx.tensor(new Float32Array(15), SHAPE));
      const loss = keep(ctx.tensor(new Float32Array(1), []));
      const targets = keep(ctx.tensor(new Int32Array(3), [3]));
      const broken = keep(
        await contextOn(env, {
          createShaderModule: (own) => (descriptor) => own({ ...descriptor, code: 'not a shader' }),
        }),
      );
      const y = keep(broken.tensor(new Float32Array(15), SHAPE));

      device.pushErrorScope('validation');
      device.pushErrorScope('out-of-memory');
      await rejects(ValidationError, keep(await softmax(bad)).read(), 'softmax of a destroyed buffer');
      await rejects(CompileError, softmax(y), 'a shader that does not compile');
      await rejects(InvalidArgumentError, softmax(x, { axis: 9 }), 'axis 9');
      keep(await softmax(x));
      const encoder = device.createCommandEncoder();
      plan.encode(encoder, { logits: x, targets, loss, grad: out });
      device.queue.submit([encoder.finish()]);
      await loss.read();
      equal(await device.popErrorScope(), null, 'the caller’s scope for memory');
      equal(await device.popErrorScope(), null, 'the caller’s scope for validation');
      const none = await device.popErrorScope().then(
        () => 'a scope that nobody pushed',
        () => 'none',
      );
      equal(none, 'none', 'what is left of scopes');

      // The other way round: an error of the caller, while an op is under way, is the caller's.
      const pending = softmax(x);
      device.pushErrorScope('validation');
      device.createBuffer({ size: 16, usage: 0 });
      const own = await device.popErrorScope();
      assert(own !== null, 'the caller’s own error is gone');
      await keep(await pending).read();
    }),
  ];
}

// ---- loss of the device

function lossChecks(): Check[] {
  return [
    gpuCheck('errors: a lost device', async (env, keep) => {
      const owner = await env.createContext({});
      const device = owner.device as GPUDevice;
      const ctx = keep(await env.createContext({ device }));
      try {
        const x = ctx.tensor(new Float32Array(15), SHAPE);
        const t = ctx.tensor(new Int32Array(3), [3]);
        const out = ctx.tensor(new Float32Array(15), SHAPE);
        const plan = await planSoftmax(ctx, { shape: SHAPE });
        const good = await softmax(x);
        await good.read();
        const pending = good.read();
        device.destroy();
        // The device still takes work in silence; its results must not be taken for real.
        const early = softmax(x).then((tensor) => tensor.read());
        const words = /device was lost.*createContext/;
        await Promise.all([
          rejects(DeviceLostError, pending, 'a read under way', /device/),
          rejects(DeviceLostError, early, 'softmax right after', /device/),
        ]);
        const lost = await ctx.lost;
        assert(lost instanceof DeviceLostError && lost instanceof LossError, `ctx.lost gave ${show(lost)}`);
        equal(lost.reason, 'destroyed', 'the reason');
        const encoder = device.createCommandEncoder();
        await refusesAll(DeviceLostError, 'throws', [
          ['tensor', () => ctx.tensor(Float32Array.of(1), [1]), words],
          ['write', () => x.write(new Float32Array(15)), words],
          ['encode', () => plan.encode(encoder, { logits: x, output: out }), words],
        ]);
        await refusesAll(DeviceLostError, 'rejects', [
          ['read', () => x.read(), words],
          ['read of a result', () => good.read(), words],
          ['softmax', () => softmax(x), words],
          ['logSumExp', () => logSumExp(x), words],
          ['crossEntropy', () => crossEntropy(x, t, { grad: true }), words],
          ['logitStats', () => logitStats(x, t, { topK: 2 }), words],
          ['planSoftmax', () => planSoftmax(ctx, { shape: SHAPE }), words],
          ['createContext', () => env.createContext({ device }), words],
        ]);
        plan.destroy();
        for (const tensor of [x, t, out, good]) tensor.destroy();
      } finally {
        owner.destroy();
      }
    }),
    gpuCheck('errors: a device of the context’s own', async (env) => {
      const ctx = await env.createContext({});
      const x = ctx.tensor(new Float32Array(15), SHAPE);
      const pending = x.read();
      ctx.destroy();
      await rejects(DeviceLostError, pending, 'a read under way', /device/);
      equal((await ctx.lost).reason, 'destroyed', 'the reason');
      await rejects(LossError as never, softmax(x), 'softmax afterwards', /createContext/).catch((error) => {
        // Either is right: the context was destroyed, and with it the device.
        if (!/InvalidArgumentError|DeviceLostError/.test(String(error))) throw error;
      });
    }),
    check('errors: lost stays pending while the device lives', async ({ ctx }) => {
      assert(ctx.lost instanceof Promise, 'ctx.lost is a promise');
      equal(await settled(ctx.lost), false, 'ctx.lost is settled');
    }),
  ];
}

// ---- no WebGPU

function availabilityChecks(): Check[] {
  const noAdapter = { requestAdapter: async () => null, wgslLanguageFeatures: new Set() } as unknown as GPU;
  const adapter = (isFallbackAdapter: boolean) =>
    ({
      requestAdapter: async () => ({
        info: { isFallbackAdapter, description: 'a stand-in', vendor: '' },
        features: new Set(),
        limits: {},
        requestDevice: async () => {
          throw new TypeError('no device today');
        },
      }),
      wgslLanguageFeatures: new Set(),
    }) as unknown as GPU;
  return [
    check('errors: no adapter', async () => {
      const demanded = createContext({ backend: 'webgpu', gpu: noAdapter });
      const error = await rejects(
        WebGpuUnavailableError,
        demanded,
        'no adapter',
        /no adapter.*driver.*backend: 'cpu'/s,
      );
      equal(error.op, 'createContext', 'op');
      const promised = createContext({ backend: 'webgpu', gpu: Promise.resolve(noAdapter) });
      await rejects(WebGpuUnavailableError, promised, 'no adapter, promised', /no adapter/);
      const automatic = await createContext({ gpu: noAdapter });
      equal(automatic.backend, 'cpu', 'the backend without an adapter');
      automatic.destroy();
    }),
    check('errors: an adapter without a device', async () => {
      const demanded = createContext({ backend: 'webgpu', gpu: adapter(false) });
      await rejects(WebGpuUnavailableError, demanded, 'no device', /a stand-in.*no device today/);
      const software = await createContext({ gpu: adapter(true) });
      equal(software.backend, 'cpu', 'the backend with a software adapter');
      software.destroy();
    }),
    check('errors: a GPU that throws', async () => {
      const cause = new Error('broken driver');
      const broken = {
        requestAdapter: async () => {
          throw cause;
        },
      } as unknown as GPU;
      const error = await rejects(
        WebGpuUnavailableError,
        createContext({ backend: 'webgpu', gpu: broken }),
        'requestAdapter throws',
        /broken driver/,
      );
      equal(error.cause, cause, 'the cause');
    }),
    check('errors: a promised GPU that fails, waited for later or never', async () => {
      const failing = (): Promise<GPU> => Promise.reject(new Error('no Dawn here'));
      const demanded = createContext({ backend: 'webgpu', gpu: failing(), reproducible: true });
      await rejects(WebGpuUnavailableError, demanded, 'demanded', /no Dawn here/);
      const automatic = await createContext({ gpu: failing() });
      equal(automatic.backend, 'cpu', 'the backend where any will do');
      automatic.destroy();
      const unasked = await createContext({ backend: 'cpu', gpu: failing() });
      unasked.destroy();
      // Time for a rejection that nobody hears to be told.
      await new Promise((resolve) => setTimeout(resolve, 0));
    }),
    check('errors: no WebGPU at all', async () => {
      if ((globalThis as { navigator?: { gpu?: GPU } }).navigator?.gpu !== undefined) return;
      const words = /no WebGPU.*webgpu-loss\/node.*backend: 'cpu'/;
      await rejects(WebGpuUnavailableError, createContext({ backend: 'webgpu' }), 'no navigator.gpu', words);
      const automatic = await createContext();
      equal(automatic.backend, 'cpu', 'the backend without WebGPU');
      automatic.destroy();
    }),
  ];
}

// ---- signals

function abortChecks(): Check[] {
  return [
    check('errors: a signal that fired before', async (env, keep) => {
      const calls = new Calls();
      const ctx = keep(await contextOn(env, counting(calls)));
      const x = keep(ctx.tensor(new Float32Array(15), SHAPE));
      const row = keep(ctx.tensor(new Float32Array(3), [3]));
      const t = keep(ctx.tensor(new Int32Array(3), [3]));
      const reason = new Error('the user left');
      const signal = AbortSignal.abort(reason);
      calls.clear();
      const words = /aborted by the caller/;
      await refusesAll(AbortedError, 'rejects', [
        ['read', () => x.read({ signal }), words],
        ['softmax', () => softmax(x, { signal }), words],
        ['logSoftmax', () => logSoftmax(x, { signal }), words],
        ['logSumExp', () => logSumExp(x, { signal }), words],
        ['softmaxGrad', () => softmaxGrad(x, x, { signal }), words],
        ['logSoftmaxGrad', () => logSoftmaxGrad(x, x, { signal }), words],
        ['logSumExpGrad', () => logSumExpGrad(x, row, row, { signal }), words],
        ['crossEntropy', () => crossEntropy(x, t, { grad: true, signal }), words],
        ['logitStats', () => logitStats(x, t, { topK: 2, signal }), words],
      ]);
      equal(calls.of('submit') + calls.created, 0, `calls to the device (${calls})`);
      const error = await rejects(AbortedError, x.read({ signal }), 'read', words);
      equal(error.cause, reason, 'the cause');
    }),
    check('errors: a signal that fires meanwhile', async ({ ctx }, keep) => {
      const x = keep(ctx.tensor(new Float32Array(15), SHAPE));
      const controller = new AbortController();
      const { signal } = controller;
      const reading = x.read({ signal });
      // A policy of its own, so that there is a shader to compile: the op is still waiting when the signal fires.
      const computing = softmax(x, { signal, policy: { workgroupSize: 16 } });
      controller.abort();
      await Promise.all([
        rejects(AbortedError, reading, 'read', /aborted/),
        // The CPU backend computes at once: there is nothing to abort.
        ctx.backend === 'cpu' ? computing.then(keep) : rejects(AbortedError, computing, 'softmax', /aborted/),
      ]);
      sameBits(await x.read(), new Float32Array(15), 'a read without a signal');
      sameBits(
        await x.read({ signal: new AbortController().signal }),
        new Float32Array(15),
        'a read with another signal',
      );
    }),
  ];
}

// ---- targets out of range

/** Three rows' logits; each row's share of class 0 differs. */
const LOGITS = Float32Array.from({ length: ROWS * CLASSES }, (_, i) => Math.sin(i * 1.7) * 3);

async function refusesTarget(
  promise: Promise<unknown>,
  what: string,
  row: number,
  value: number,
): Promise<void> {
  const words = new RegExp(`row ${row} is ${value}, outside \\[0, ${CLASSES}\\).*ignoreIndex`);
  const error = await rejects(TargetOutOfRangeError, promise, what, words);
  assert(error instanceof RangeError && error instanceof LossError, `${what}: the class chain`);
  equal(error.row, row, `${what}: the row`);
  equal(error.value, value, `${what}: the value`);
  equal(error.classes, CLASSES, `${what}: the classes`);
}

function targetChecks(): Check[] {
  const cases: [string, Int32Array | Uint32Array, number, number][] = [
    ['negative', Int32Array.of(1, -1, 0), 1, -1],
    ['one too many', Int32Array.of(0, 4, 5), 2, 5],
    ['the first of two', Int32Array.of(7, 1, -2), 0, 7],
    ['the least i32', Int32Array.of(0, 1, -(2 ** 31)), 2, -(2 ** 31)],
    ['the largest i32', Int32Array.of(2 ** 31 - 1, 1, 1), 0, 2 ** 31 - 1],
    ['the largest u32', Uint32Array.of(0, 2 ** 32 - 1, 1), 1, 2 ** 32 - 1],
    ['-100 as u32', Uint32Array.of(0, 1, 2 ** 32 - 100), 2, 2 ** 32 - 100],
  ];
  return [
    ...cases.map(([what, targets, row, value]) =>
      check(`errors: a target out of range, ${what}`, async ({ ctx }, keep) => {
        const x = keep(ctx.tensor(LOGITS, SHAPE));
        for (const reduction of ['none', 'mean', 'sum'] as const) {
          const result = await crossEntropy(x, targets, { reduction, grad: true, returnLogSumExp: true });
          for (const [name, tensor] of Object.entries(result) as [string, Tensor][]) {
            await refusesTarget(keep(tensor).read(), `${name} (${reduction})`, row, value);
          }
          const { grad, loss } = result;
          const next = keep(await softmax(grad as Tensor));
          const afterNext = keep(await logSumExp(next));
          loss.destroy();
          (grad as Tensor).destroy();
          await refusesTarget(next.read(), `softmax(grad) (${reduction})`, row, value);
          next.destroy();
          await refusesTarget(afterNext.read(), `logSumExp(softmax(grad)) (${reduction})`, row, value);
        }
        // The logits themselves are as good as ever.
        sameBits(await x.read(), LOGITS, 'the logits');
      }),
    ),
    check('errors: a target out of range, in place', async ({ ctx }, keep) => {
      const x = keep(ctx.tensor(LOGITS, SHAPE));
      const { loss, grad } = await crossEntropy(x, Int32Array.of(0, 9, 1), { grad: 'in-place' });
      keep(loss);
      equal(grad, x, 'the gradient in place');
      await refusesTarget(x.read(), 'the logits', 1, 9);
      x.write(LOGITS);
      sameBits(await x.read(), LOGITS, 'the logits, written anew');
    }),
    check('errors: neighbours of a target out of range', async ({ ctx }, keep) => {
      const bad = Int32Array.of(2, 5, 3);
      const good = Int32Array.of(2, -100, 3);
      if (ctx.device === undefined) {
        // What a tensor of the CPU backend holds cannot be seen past read(), so its functions are asked.
        const options = { reduction: 'none', grad: true } as const;
        const [a, b] = [bad, good].map((targets) => cpu.crossEntropy(LOGITS, targets, SHAPE, options));
        expectNeighbours(a?.loss, b?.loss, 1);
        expectNeighbours(a?.grad, b?.grad, CLASSES);
        return;
      }
      const x = keep(ctx.tensor(LOGITS, SHAPE));
      const options = { reduction: 'none', grad: true } as const;
      const [a, b] = await Promise.all([crossEntropy(x, bad, options), crossEntropy(x, good, options)]);
      for (const tensor of [a.loss, a.grad, b.loss, b.grad]) keep(tensor as Tensor);
      for (const [name, width] of [
        ['loss', 1],
        ['grad', CLASSES],
      ] as const) {
        const [actual, expected] = await Promise.all(
          [a, b].map(async (result) => {
            const buffer = result[name]?.buffer as GPUBuffer;
            return new Float32Array((await bitsOf(ctx.device as GPUDevice, buffer)).buffer, 0, ROWS * width);
          }),
        );
        expectNeighbours(actual, expected, width);
      }
    }),
    check('errors: a target out of range in a plan', async (env, keep) => {
      const { ctx } = env;
      const x = keep(ctx.tensor(LOGITS, SHAPE));
      const targets = keep(ctx.tensor(Int32Array.of(0, 1, 2), [3]));
      const loss = keep(ctx.tensor(new Float32Array(1), []));
      const grad = keep(ctx.tensor(new Float32Array(15), SHAPE));
      const expected = await crossEntropy(x, Int32Array.of(0, 1, 2), { grad: true });
      const right = await keep(expected.loss).read();
      keep(expected.grad as Tensor);
      const plan = keep(await planCrossEntropy(ctx, { shape: SHAPE, targets: 'index', grad: true }));
      const step = () => {
        const encoder = ctx.device?.createCommandEncoder();
        plan.encode(encoder, { logits: x, targets, loss, grad });
        if (encoder !== undefined) ctx.device?.queue.submit([encoder.finish()]);
      };
      step();
      sameBits(await loss.read(), right, 'the loss');
      targets.write(Int32Array.of(0, -7, 2));
      step();
      await refusesTarget(loss.read(), 'the loss of bad targets', 1, -7);
      await refusesTarget(grad.read(), 'the gradient of bad targets', 1, -7);
      targets.write(Int32Array.of(0, 1, 2));
      step();
      sameBits(await loss.read(), right, 'the loss, once the targets are right again');
      await grad.read();
      targets.write(Int32Array.of(5, 1, 2));
      step();
      await refusesTarget(loss.read(), 'the loss of other bad targets', 0, 5);
    }),
    check('errors: a target out of range is told to the results of its own step', async (env, keep) => {
      const { ctx } = env;
      const x = keep(ctx.tensor(LOGITS, SHAPE));
      const plan = keep(await planCrossEntropy(ctx, { shape: SHAPE, targets: 'index', reduction: 'none' }));
      const make = (values: readonly number[]) => ({
        logits: x,
        targets: keep(ctx.tensor(Int32Array.from(values), [3])),
        loss: keep(ctx.tensor(new Float32Array(3), [3])),
      });
      const [bad, good] = [make([0, 1, 77]), make([0, 1, 2])];
      const encode = (bindings: typeof bad) => {
        const encoder = ctx.device?.createCommandEncoder();
        plan.encode(encoder, bindings);
        if (encoder !== undefined) ctx.device?.queue.submit([encoder.finish()]);
      };
      encode(bad);
      const derived = keep(await softmax(bad.loss));
      encode(good);
      await good.loss.read();
      await refusesTarget(bad.loss.read(), 'the loss of the first set, after the second ran', 2, 77);
      await refusesTarget(derived.read(), 'softmax of it', 2, 77);
      encode(bad);
      await good.loss.read();
    }),
    check('errors: targets that are right, or ignored', async ({ ctx }, keep) => {
      const x = keep(ctx.tensor(LOGITS, SHAPE));
      const calls: [Int32Array | Uint32Array, number?][] = [
        [Int32Array.of(0, 4, -100)],
        [Int32Array.of(0, 99, 4), 99],
        [Int32Array.of(-1, -1, -1), -1],
        [Uint32Array.of(0, 2 ** 32 - 1, 4), 2 ** 32 - 1],
      ];
      for (const [targets, ignoreIndex] of calls) {
        const options = {
          grad: true,
          reduction: 'sum',
          ...(ignoreIndex === undefined ? {} : { ignoreIndex }),
        } as const;
        const { loss, grad } = await crossEntropy(x, targets, options);
        assert(Number.isFinite((await keep(loss).read())[0]), `the loss of ${show([...targets])}`);
        assert(
          (await keep(grad as Tensor).read()).every(Number.isFinite),
          `the gradient of ${show([...targets])}`,
        );
      }
    }),
  ];
}

/** Row 1 is NaN, the others as in `expected`. */
function expectNeighbours(
  actual: Float32Array | Float64Array | undefined,
  expected: Float32Array | Float64Array | undefined,
  width: number,
): void {
  assert(actual !== undefined && expected !== undefined, 'a result is missing');
  for (let i = 0; i < ROWS * width; i++) {
    const isBad = Math.floor(i / width) === 1;
    equal(actual[i], isBad ? Number.NaN : expected[i], `element ${i} of ${width} a row`);
  }
}
