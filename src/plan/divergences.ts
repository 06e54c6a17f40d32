// The shaders of divergences: loaded by the first call of one.

import kl from '../../shaders/epilogue/kl-divergence.wgsl?raw';
import given from '../../shaders/epilogue/kl-divergence-given.wgsl?raw';
import divergence from '../../shaders/lib/divergence.wgsl?raw';
import logProbs from '../../shaders/lib/given-log-probs.wgsl?raw';
import probs from '../../shaders/lib/given-probs.wgsl?raw';

export { default as twoSumsSubgroup } from '../../shaders/statistic/two-sums.subgroup.wgsl?raw';
export { default as twoSums } from '../../shaders/statistic/two-sums.wgsl?raw';
export { default as absorption } from '../../shaders/strategy/absorption-checked.wgsl?raw';
export { default as emission } from '../../shaders/strategy/emission-checked.wgsl?raw';

export const teacher: string = divergence + kl;
export const givenProbs: string = divergence + probs + given;
export const givenLogProbs: string = divergence + logProbs + given;
