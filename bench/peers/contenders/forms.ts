// How a peer becomes contenders: a form for each op that it can do.
import type { Case, CaseData, Contender, OpName, Prepared } from '../../measure/contender.js';

/** The ops that peers have, too. */
export const PEER_OPS = ['softmax', 'logSoftmax', 'logSumExp', 'crossEntropy', 'crossEntropyGrad'] as const;

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

export interface PeerInputs {
  readonly logits: Float32Array<ArrayBuffer>;
  /** Empty where the op has none. */
  readonly targets: Int32Array<ArrayBuffer>;
}

function inputsOf({ logits, targets = new Int32Array() }: CaseData['inputs']): PeerInputs {
  return { logits: logits as Float32Array<ArrayBuffer>, targets: targets as Int32Array<ArrayBuffer> };
}
