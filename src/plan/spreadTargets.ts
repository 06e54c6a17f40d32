// The shaders of targets that are spread over the classes: probabilities, or smoothed indices. Loaded by the first call that has such.
export { default as probsEpilogue } from '../../shaders/epilogue/cross-entropy-probs.wgsl?raw';
export { default as weightedSubgroup } from '../../shaders/statistic/weighted-softmax.subgroup.wgsl?raw';
export { default as weighted } from '../../shaders/statistic/weighted-softmax.wgsl?raw';
export { default as absorption } from '../../shaders/strategy/absorption-checked.wgsl?raw';
export { default as emission } from '../../shaders/strategy/emission-checked.wgsl?raw';
