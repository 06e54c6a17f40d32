import { bytesOf } from '../../src/dtype.js';
import type { Case } from './contender.js';
import { type CaseTensor, dtypeOf, shapeOf, tensorsOf } from './tensors.js';

/** The least that a case has to move: each input read once, each result written once. */
export interface Traffic {
  readonly bytes: number;
  /** How the bytes come about: `1024·1000·4 logits + 1024·4 targets + …`. */
  readonly formula: string;
}

export function trafficOf(of: Case): Traffic {
  const parts = tensorsOf(of.op).map((tensor) => {
    const factors = [...movedShape(tensor, of), bytesOf(dtypeOf(tensor, of))];
    return {
      bytes: factors.reduce((product, factor) => product * factor, 1),
      text: `${factors.join('·')} ${tensor.name}`,
    };
  });
  return {
    bytes: parts.reduce((sum, part) => sum + part.bytes, 0),
    formula: parts.map((part) => part.text).join(' + '),
  };
}

function movedShape(tensor: CaseTensor, of: Case): readonly number[] {
  return tensor.moved === 'row' ? [of.rows] : shapeOf(tensor, of);
}
