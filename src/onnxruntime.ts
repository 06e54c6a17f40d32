/**
 * Loss, perplexity and statistics of tokens from the logits of an ONNX Runtime Web session, which stay on the GPU: a kernel reads ORT's
 * buffer once, and a few numbers for each token come back. ORT is never imported, only used through the namespace that is passed in.
 *
 * @module webgpu-loss/onnxruntime
 */
import { invalid } from './errors.js';
import { contextOn, isDevice } from './frameworks/context.js';
import { OP, Scorer, type ScorerOptions } from './frameworks/scorer.js';
import { checkFlag, checkOptions } from './options.js';

export type {
  BatchScore,
  OrtTensor,
  Score,
  Scorer,
  ScorerOptions,
  ScorerTargets,
  TokenStats,
} from './frameworks/scorer.js';

/** What is used of the namespace of `onnxruntime-web`. */
export interface OrtNamespace {
  /** ORT's settings. */
  readonly env: {
    /** Those of WebGPU. */
    readonly webgpu: {
      /** A `GPUDevice`, or a promise of it. */
      readonly device: unknown;
    };
  };
}

const OPTIONS = ['nextToken', 'ignoreIndex', 'topK', 'cpuLogits', 'policy'];

/**
 * A scorer on the WebGPU device of ONNX Runtime Web. Make it after the first session, or after `ort.env.webgpu.device` was set.
 *
 * @param ort the namespace of `onnxruntime-web/webgpu`; 1.30.0 was tried
 * @throws InvalidArgumentError where ORT has no WebGPU device, or for options that do not fit
 */
export async function createScorer(ort: OrtNamespace, options: ScorerOptions = {}): Promise<Scorer> {
  checkOptions(OP, options, OPTIONS);
  const { nextToken = false, ignoreIndex = -100, topK, cpuLogits = 'refuse' } = options;
  checkFlag(OP, 'nextToken', nextToken);
  if (!Number.isSafeInteger(ignoreIndex)) {
    invalid(OP, `ignoreIndex is ${String(ignoreIndex)}; use a whole number.`);
  }
  if (topK !== undefined && !(Number.isSafeInteger(topK) && topK >= 1)) {
    invalid(OP, `topK is ${String(topK)}; use a whole number from 1.`);
  }
  if (cpuLogits !== 'refuse' && cpuLogits !== 'upload') {
    invalid(OP, `cpuLogits is '${String(cpuLogits)}'; use 'refuse' or 'upload'.`);
  }
  return new Scorer(await contextOn(await deviceOf(ort)), { ...options });
}

async function deviceOf(ort: OrtNamespace): Promise<GPUDevice> {
  if (typeof ort?.env !== 'object') {
    invalid(
      OP,
      'the first argument must be the namespace of ONNX Runtime Web: `import * as ort` from onnxruntime-web/webgpu.',
    );
  }
  const absent =
    "ONNX Runtime has no WebGPU device; create a session with executionProviders: ['webgpu'] first, from onnxruntime-web/webgpu.";
  let device: unknown;
  try {
    device = await ort.env.webgpu?.device;
  } catch (cause) {
    invalid(OP, absent, { cause });
  }
  return isDevice(device) ? device : invalid(OP, absent);
}
