// The calls of a compute pass that a step makes: counted, made again without the library, and swallowed.

type PassCall =
  | readonly ['setPipeline', GPUComputePipeline]
  | readonly ['setBindGroup', number, GPUBindGroup | null | undefined]
  | readonly ['dispatchWorkgroups', number, number | undefined];

/** What a step records into a compute pass. */
export class Commands {
  readonly calls: readonly PassCall[];

  /** @param encode records a step into the pass it is given. */
  constructor(encode: (pass: GPUComputePassEncoder) => void) {
    const calls: PassCall[] = [];
    const recorder: Partial<GPUComputePassEncoder> = {
      setPipeline: (pipeline) => {
        calls.push(['setPipeline', pipeline]);
      },
      setBindGroup: (index: number, group: GPUBindGroup | null | undefined) => {
        calls.push(['setBindGroup', index, group]);
      },
      dispatchWorkgroups: (x, y) => {
        calls.push(['dispatchWorkgroups', x, y]);
      },
    };
    encode(recorder as GPUComputePassEncoder);
    this.calls = calls;
  }

  get dispatches(): number {
    return this.calls.filter(([name]) => name === 'dispatchWorkgroups').length;
  }

  /** The same calls, straight to WebGPU: no library can be faster that asks for the same work. */
  replay(pass: GPUComputePassEncoder): void {
    for (const call of this.calls) {
      if (call[0] === 'setPipeline') pass.setPipeline(call[1]);
      else if (call[0] === 'setBindGroup') pass.setBindGroup(call[1], call[2]);
      else pass.dispatchWorkgroups(call[1], call[2]);
    }
  }
}

/** A compute pass that does nothing: what is left of a step's time is the library's own. */
export const silentPass: GPUComputePassEncoder = {
  setPipeline: () => undefined,
  setBindGroup: () => undefined,
  dispatchWorkgroups: () => undefined,
} as Partial<GPUComputePassEncoder> as GPUComputePassEncoder;
