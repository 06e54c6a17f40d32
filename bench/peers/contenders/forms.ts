// How a peer becomes contenders: a form for each op that it can do.
import type { Case, CaseData, Contender, OpName, Prepared } from '../../measure/contender.js';

/** The ops that peers have, too. */
export const PEER_OPS = [
  'softmax',
  'logSoftmax',
  'logSumExp',
  'crossEntropy',
  'crossEntropyGrad',
  'matMul',
  'linearCrossEntropyGrad',
] as const;

export type PeerOp = (typeof PEER_OPS)[number] & OpName;

function isPeerOp(op: string): op is PeerOp {
  return PEER_OPS.some((known) => known === op);
}

/** A contender that does, in f32, the ops of which `forms` holds one. */
export function formsContender<F>(
  name: string,
  forms: { readonly [O in PeerOp]?: F },
  prepare: (form: F, of: Case, inputs: PeerInputs) => Promise<Prepared>,
): Contender {
  return {
    name,
    async prepare(of, { inputs }) {
      const form = isPeerOp(of.op) && of.dtype === 'f32' ? forms[of.op] : undefined;
      return form && prepare(form, of, inputsOf(inputs));
    },
  };
}

/** What peers compute from; those that the op has. */
export interface PeerInputs {
  readonly logits?: Floats;
  /** Of a linear layer, with `weight`. */
  readonly hidden?: Floats;
  readonly weight?: Floats;
  readonly targets?: Int32Array<ArrayBuffer>;
}

type Floats = Float32Array<ArrayBuffer>;

function inputsOf(inputs: CaseData['inputs']): PeerInputs {
  return inputs as PeerInputs;
}

/** The shape of an input. */
export function inputShape(name: keyof PeerInputs, { rows, features = 0, classes }: Case): readonly number[] {
  return { logits: [rows, classes], hidden: [rows, features], weight: [classes, features], targets: [rows] }[
    name
  ];
}
