/** ln softmax of the `size` logits from `start` on, in float64. */
export function logSoftmaxRow(logits: ArrayLike<number>, start: number, size: number): Float64Array {
  let max = Number.NEGATIVE_INFINITY;
  for (let i = 0; i < size; i++) max = Math.max(max, logits[start + i]!);
  let sum = 0;
  for (let i = 0; i < size; i++) sum += Math.exp(logits[start + i]! - max);
  const logSumExp = max + Math.log(sum);
  return Float64Array.from({ length: size }, (_, i) => logits[start + i]! - logSumExp);
}
