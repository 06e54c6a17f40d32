import { everyPlan, type PlanCall } from '../../test/support/everyPlan.js';

/** A plan whose step is timed. */
export interface HostCase {
  readonly name: string;
  readonly call: PlanCall;
}

const SHAPES: readonly (readonly [rows: number, classes: number])[] = [
  [4096, 10],
  [1024, 1000],
  [256, 32768],
  [2, 262144],
];

const COMMON: readonly [rows: number, classes: number] = [1024, 1000];

// Some rows more than a binding of 128 MiB holds, which is what WebGPU guarantees.
const CHUNKED: readonly [rows: number, classes: number] = [1100, 32768];

/** The loss and gradient of a training step. */
function training(rows: number, classes: number, policy?: object): PlanCall {
  const shape = [rows, classes];
  return {
    plan: 'planCrossEntropy',
    options: { shape, targets: 'index', grad: true, ...(policy && { policy }) },
    bindings: {
      logits: { shape, dtype: 'f32', input: true },
      targets: { shape: [rows], dtype: 'i32', input: true },
      loss: { shape: [], dtype: 'f32', input: false },
      grad: { shape, dtype: 'f32', input: false },
    },
  };
}

/** Loss and gradient on every kind of row, then each plan of the library, with all its bindings, on one shape. */
export function hostCases(): readonly HostCase[] {
  return [
    ...SHAPES.map(([rows, classes]) => caseOf(training(rows, classes), 'loss and gradient')),
    caseOf(training(...COMMON, { strategy: 'split-row' }), 'loss and gradient, split rows'),
    caseOf(training(...CHUNKED), 'loss and gradient, in chunks'),
    ...everyPlan(...COMMON).map((call) => caseOf(call, termsOf(call))),
  ];
}

function caseOf(call: PlanCall, what: string): HostCase {
  const [rows, classes] = call.options['shape'] as number[];
  return { name: [call.plan, `${rows}x${classes}`, what].filter(Boolean).join(' '), call };
}

function termsOf({ options }: PlanCall): string {
  const { targets, grad } = options;
  return [targets, grad === 'in-place' ? grad : undefined]
    .filter((term) => typeof term === 'string')
    .join(' ');
}
