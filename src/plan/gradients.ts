// The shaders of gradients that are asked for by themselves: loaded by the first call of one.
import ofLogSoftmax from '../../shaders/epilogue/log-softmax-grad.wgsl?raw';
import ofLogSumExp from '../../shaders/epilogue/log-sum-exp-grad.wgsl?raw';
import ownExp from '../../shaders/lib/own-exp.wgsl?raw';

export { default as softmaxGrad } from '../../shaders/epilogue/softmax-grad.wgsl?raw';

export const logSoftmaxGrad: string = ownExp + ofLogSoftmax;
export const logSumExpGrad: string = ownExp + ofLogSumExp;
