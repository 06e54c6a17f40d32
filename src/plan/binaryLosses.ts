// The shaders of binary cross-entropy: loaded by the first call of it.
import each from '../../shaders/epilogue/binary-cross-entropy.wgsl?raw';
import sum from '../../shaders/epilogue/binary-cross-entropy-sum.wgsl?raw';
import element from '../../shaders/lib/binary-cross-entropy.wgsl?raw';

export { default as absorption } from '../../shaders/strategy/absorption-checked.wgsl?raw';
export { default as emission } from '../../shaders/strategy/emission-checked.wgsl?raw';

export const losses: string = element + each;
export const sums: string = element + sum;
