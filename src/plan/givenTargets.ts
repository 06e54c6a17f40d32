// The shaders of divergences from a target that is given, as probabilities or their logarithms: loaded by the first call that has one.
import epilogue from '../../shaders/epilogue/kl-divergence-given.wgsl?raw';
import logProbs from '../../shaders/lib/given-log-probs.wgsl?raw';
import probs from '../../shaders/lib/given-probs.wgsl?raw';

export const givenProbs: string = probs + epilogue;
export const givenLogProbs: string = logProbs + epilogue;
