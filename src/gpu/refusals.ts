// The errors for what WebGPU does not give: an adapter, a device, a pipeline. Loaded where one is thrown.
import { CompileError, WebGpuUnavailableError } from '../errors.js';
import type { AdapterFacts } from '../info.js';

/** Why there is no adapter. */
export type Absence = 'no WebGPU' | 'failure' | 'no adapter';

/** The error where an adapter was demanded: why there is none, and what to do. */
export function noAdapter(op: string, why: Absence, cause: unknown): WebGpuUnavailableError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  const told: Readonly<Record<Absence, string>> = {
    'no WebGPU':
      'there is no WebGPU here (navigator.gpu is missing). In a browser, use a recent one, over https or on localhost; ' +
      "in Node, install the package webgpu and pass { gpu: gpu() } with gpu from 'webgpu-loss/node'; or use backend: 'cpu'.",
    failure: `WebGPU failed to look for an adapter: ${reason}. Use backend: 'cpu', or try again later.`,
    'no adapter':
      'WebGPU found no adapter: no usable GPU driver, or WebGPU is switched off. Install a Vulkan, Metal or D3D12 driver, ' +
      "or use backend: 'cpu'.",
  };
  return new WebGpuUnavailableError(`${op}: ${told[why]}`, { op, cause });
}

/** The error where an adapter gives no device. */
export function noDevice(op: string, { info }: GPUAdapter, cause: unknown): WebGpuUnavailableError {
  return new WebGpuUnavailableError(
    `${op}: the adapter (${info.description || info.vendor || 'unnamed'}) gave no device: ${String(cause)}`,
    { op, cause },
  );
}

/** The error where a shader gives no pipeline, with what the compiler said of it. */
export async function notCompiled(
  facts: AdapterFacts,
  key: string,
  source: string,
  module: GPUShaderModule,
  cause: unknown,
): Promise<CompileError> {
  const { messages } = await module.getCompilationInfo();
  const told = messages.map(
    ({ type, lineNum, linePos, message }) => `${type} at ${lineNum}:${linePos}: ${message}`,
  );
  return new CompileError(
    `the shader ${key} did not compile on ${facts.description || 'this adapter'}:\n${told.join('\n') || String(cause)}\n` +
      'This is a fault of webgpu-loss or of the driver. Try policy: { subgroups: false, vec4: false }, or backend: "cpu".',
    { op: 'compile', adapter: facts, cause, source },
  );
}
